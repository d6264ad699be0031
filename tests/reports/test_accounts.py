"""What stands beside the findings: every format agrees on what is allowed, gone, and what the verdict rests on."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from checks.evidence import Place
from checks.interface import Severity, State
from reports.commands import commands
from reports.sample import ALLOWED, ALLOWS, APP, CHECKS, EXPIRED, GONE, HOSTILE, ORPHANS, TYPICAL, finding
from runner.redaction import Redactor
from runner.report import Allowance, AllowState, Coverage, Quality, Report, ReportedCheck, ReportedGap, Standing, Verdict
from runner.reports import accounts, console, json_report, junit, summary, wording
from runner.reports.github import Change, annotate
from runner.text import clean

ACCEPTED = replace(ORPHANS, state=Standing.ALLOWED, fails=False, allowed=Allowance(Place("dbproof.toml", 7), "old rows"))
LATE = replace(
    ORPHANS,
    severity=Severity.WARNING,
    fails=False,
    allowed=Allowance(Place("dbproof.toml", 7), "old rows", "2026-01-31", expired=True),
)


def report(*checks: ReportedCheck, **changes: object) -> Report:
    told = {"databases": (replace(APP, checks=checks),), "verdict": Verdict.GO, "allows": (), **changes}
    return replace(TYPICAL, **told)  # type: ignore[arg-type]  # the changes are of several fields


def shown(of: Report, show_all: bool = False) -> str:
    return "\n".join(row.plain for row in console.lines(of, show_all, False, None))


def test_an_allowed_finding_fails_nothing_anywhere_and_is_kept_everywhere() -> None:
    told = report(replace(CHECKS[1], findings=(ACCEPTED,)))
    assert annotate(told, Change()) == []
    assert ACCEPTED.subject not in shown(told)
    assert "1 finding is allowed, with a reason" in shown(told)
    listed = shown(told, show_all=True)
    assert f"{ACCEPTED.check} · {ACCEPTED.subject}" in listed
    assert "Allowed by dbproof.toml:7: old rows" in listed
    xml = ElementTree.fromstring(junit.render(told))
    assert list(xml.iter("failure")) == []
    assert "Allowed by dbproof.toml:7: old rows" in str(next(xml.iter("system-out")).text)
    page = summary.render(told)
    assert "Allowed, with a reason (1)" in page
    assert f"`{ACCEPTED.subject}`" in page.split("Allowed, with a reason (1)")[1]
    assert '"reason": "old rows"' in json_report.render(told)
    assert wording.counts(told) == ""


def test_a_finding_past_its_date_is_a_warning_that_says_what_it_was() -> None:
    told = report(replace(CHECKS[1], findings=(LATE,)))
    (warning,) = annotate(told, Change())
    assert str(warning).startswith("::warning")
    assert "Was allowed until 2026-01-31 by dbproof.toml:7: old rows" in str(warning)
    assert "Was allowed until 2026-01-31 by dbproof.toml:7: old rows" in shown(told)
    assert list(ElementTree.fromstring(junit.render(told)).iter("failure")) == []


def test_every_word_on_allows_names_its_place_and_the_weightiest_comes_first() -> None:
    words = accounts.allow_notices(replace(TYPICAL, allows=tuple(reversed(ALLOWS))))
    assert [word.partition(":")[0] for word in words] == [ALLOWS[3].place.file, "dbproof.toml", "dbproof.toml"]
    assert words[0].endswith("a comment that accepts nothing: it says no reason; write `dbproof: allow CHECK, why`")
    assert "ended on 2026-06-30, and 1 finding counts again" in words[1]
    assert words[2] == "dbproof.toml:53: no finding needs the allow of orphaned-rows carts.*"


def test_many_words_on_allows_are_counted() -> None:
    many = replace(TYPICAL, allows=tuple(replace(ALLOWS[2], place=Place("dbproof.toml", line)) for line in range(1, 50)))
    assert shown(many).count("no finding needs the allow") == 3
    assert "and 46 more words on allows, see report.json" in shown(many)
    assert shown(many, show_all=True).count("no finding needs the allow") == 49


def test_what_is_gone_is_counted_and_named() -> None:
    gone = tuple(replace(GONE, subject=f"t{number}") for number in range(6))
    told = report(replace(CHECKS[5], gone=gone))
    assert "6 findings of main 3f9c2ab are gone: unvalidated-constraint · t0, " in shown(told)
    assert "and 3 more" in shown(told)
    assert all(f"unvalidated-constraint · t{number}" in shown(told, show_all=True) for number in range(6))
    assert "| holds |" in summary.render(told)
    assert "| is not there |" in summary.render(report(replace(CHECKS[5], gone=(replace(GONE, holds=False),))))


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (Quality(), ""),
        (Quality(not_proven=3), "no score: 3 not proven, and nothing else"),
        (Quality(held=2, weight_held=6, weight=6), "100 %: 2 of 2 rules about the data hold"),
        (
            Quality(held=1999, broken=1, not_proven=12, weight_held=5997, weight=6000),
            "99.9 %: 1 999 of 2 000 rules about the data hold; 12 not proven, which no score can count",
        ),
        (Quality(broken=1, weight=3), "0 %: 0 of 1 rules about the data hold"),
    ],
)
def test_the_score_in_words(quality: Quality, said: str) -> None:
    assert accounts.score(replace(TYPICAL, quality=quality)) == said


def test_coverage_in_words() -> None:
    kinds = (Coverage("references", 16, 16), Coverage("constraints", 2399, 2400), Coverage("delete rules", 0, 3))
    assert accounts.coverage(replace(TYPICAL, coverage=kinds)) == [
        "references 16 of 16",
        "constraints 2 399 of 2 400 (99 %)",
        "delete rules 0 of 3 (0 %)",
    ]


def test_what_the_verdict_rests_on_in_words() -> None:
    assert accounts.criteria(TYPICAL) == [
        "not held: 1 of 2 migrations apply",
        "not held: 3 of 5 new findings are below error",
        "not held: 2 of 3 planted faults were found",
        "4 of 7 criteria are held; not judged: limits",
    ]
    assert accounts.criteria(replace(TYPICAL, criteria=())) == []


def test_many_proofs_stand_on_one_screen_and_all_are_listed() -> None:
    light = replace(CHECKS[2], severity=Severity.NOTICE)
    checks = tuple(replace(light, id=f"check-{number}", subjects=f"things {number}") for number in range(45))
    told = report(*checks, replace(CHECKS[2], id="last-probe", subjects="walls"))
    text = shown(told)
    assert sum("refuse an orphan" in line for line in text.splitlines()) <= 9
    assert "57 of 57 walls refuse an orphan" in text
    assert "and 37 more checks, by which 2 109 of 2 109 hold" in text
    assert all(f"things {number} " in shown(told, show_all=True) for number in range(45))
    assert all(f"things {number} " in summary.render(told) for number in range(45))


def test_a_long_remedy_leaves_the_screen_to_the_rest() -> None:
    long = finding("orphaned-rows", "a", remedy="List them all with: " + "SELECT many columns FROM many tables " * 30)
    told = report(replace(CHECKS[1], findings=(long,)))
    (line,) = [line for line in shown(told).splitlines() if "Remedy" in line]
    assert len(line) < 300
    assert line.endswith("… (summary.md has all of it)")
    assert long.remedy.strip() in shown(told, show_all=True)
    assert long.remedy.strip() in json_report.render(told)


def test_states_are_told_apart() -> None:
    assert {one.state for one in ALLOWS} == set(AllowState) - {AllowState.NOT_JUDGED}
    assert (ALLOWED.state, EXPIRED.state) == (Standing.ALLOWED, Standing.NEW)


def test_what_there_is_none_of_stands_last_on_one_line_and_databases_are_named_where_they_differ() -> None:
    def skipped(identifier: str, reason: str) -> ReportedCheck:
        return ReportedCheck(identifier, State.SKIPPED, reason, 0.0, "walls", "stand", 0)

    one = (skipped("a", "no walls"), skipped("b", "no walls"), skipped("c", "not for SQLite"), skipped("e", "read only"))
    two = (skipped("a", "no walls"), replace(CHECKS[2], id="b"), replace(CHECKS[2], id="c"), skipped("e", "read only"))
    gap = replace(
        CHECKS[2], id="d", outcome=State.SKIPPED, reason="no rows", proven=0, not_proven=(ReportedGap("t.x", "no rows"),)
    )
    databases = (replace(APP, checks=(*one, gap)), replace(APP, name="till", checks=two))
    assert list(accounts.gaps(replace(TYPICAL, databases=databases)).items()) == [
        ("not for SQLite", ["app: c"]),
        ("read only", ["e"]),
        ("no rows", ["app: t.x"]),
        (accounts.NOTHING, ["a", "app: b"]),
    ]


def test_a_reason_of_a_megabyte_breaks_no_report() -> None:
    """Foreign text in every field of an allow, and of what is gone: with what a terminal or a pipeline would act on."""
    text = HOSTILE + "x" * 1_000_000
    accepted = replace(ACCEPTED, subject=text, allowed=Allowance(Place(HOSTILE, 7), text, HOSTILE))
    allows = (replace(ALLOWS[3], check=HOSTILE, reason=text, place=Place(HOSTILE, 1), fault=text),)
    gone = (replace(GONE, subject=HOSTILE, message=text),)
    told = clean(report(replace(CHECKS[1], findings=(accepted,), gone=gone), allows=allows), Redactor())
    for rendered in (shown(told), shown(told, show_all=True), json_report.render(told), summary.render(told), junit.render(told)):
        assert len(rendered) < 400_000
        assert commands(rendered) == []
    assert annotate(told, Change()) == []
