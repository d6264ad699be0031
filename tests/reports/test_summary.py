from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reports.golden_files import assert_golden
from reports.pages import OWN_HTML, page
from reports.sample import APP, CHECKS, HOSTILE, KNOWN, ORPHANS, TYPICAL, everything, small
from runner.errors import Exit
from runner.redaction import Redactor
from runner.report import Problem, Report, Verdict
from runner.reports import summary
from runner.reports.markdown import code, fence, prose
from runner.text import clean

TAGS = {"h2", "h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "pre", "code", "strong", "br", "ul", "li"} | {
    "details",
    "summary",
}


def rendered(report: Report) -> str:
    return summary.render(clean(report, Redactor()))


def many(count: int, finding: object = ORPHANS) -> Report:
    assert isinstance(finding, type(ORPHANS))
    findings = tuple(replace(finding, subject=f"t{number}.x -> u.id") for number in range(count))
    return replace(TYPICAL, databases=(replace(APP, checks=(replace(CHECKS[1], findings=findings), CHECKS[5])),))


def test_golden() -> None:
    assert_golden("typical.summary.md", summary.render(TYPICAL))
    assert_golden("hostile.summary.md", rendered(small(HOSTILE)))


def test_verdict_first_then_a_row_a_database_then_what_to_do() -> None:
    text = rendered(TYPICAL)
    marks = [
        "## ❌ NO GO: 2 errors, 1 warning, all from this change",
        "| **`app`**<br>PostgreSQL 16.4 | main `3f9c2ab` | 1 of 2 | ",
        "### ❌ migration-failed · `9a41`",
        "`backend/alembic/versions/9a41_add_currency.py:24`",
        'PostgreSQL 23502: column "currency" of relation "orders" contains null values',
        "**Remedy:** server_default",
        "#### New migration `9a41` add currency",
        "| 22 | `ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2)` | AccessExclusiveLock: `orders`<br>ShareLock: ",
        "<details><summary>Not proven",
        "<details><summary>Known",
    ]
    places = [text.find(mark) for mark in marks]
    assert -1 not in places
    assert places == sorted(places)


def test_hostile_text_is_never_markup() -> None:
    found = page(rendered(everything(HOSTILE)))
    assert set(found.tags) <= TAGS
    assert found.attributes <= {"class", "style"}
    for piece in found.html:
        for own in OWN_HTML:
            piece = piece.replace(own, "")
        assert not re.search(r"[<>]", piece), piece


def test_hostile_text_changes_nothing_in_the_page() -> None:
    """The page of hostile text has the same tags as that of harmless text, but for lines and code."""
    free = {"br", "code", "p"}
    harmless = page(rendered(everything("harmless\nlines")))
    hostile = page(rendered(everything(HOSTILE)))
    assert {k: v for k, v in hostile.tags.items() if k not in free} == {k: v for k, v in harmless.tags.items() if k not in free}


@pytest.mark.parametrize("linked", ["@octocat", "https://", "www.", "#1", "user@", "GH-2", "7fd1a60b01f9", "$"])
def test_what_github_would_link_stands_in_code(linked: str) -> None:
    text = " ".join(page(rendered(everything(HOSTILE))).prose)
    assert linked not in text


@pytest.mark.parametrize("text", ["`", "``", "a`b``c```", "` x `", " x ", "a\\|b", "a|b", "\\", "`|`", "x`|\\|`"])
def test_code_spans_hold_any_text(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {code(text, in_table=True)} | {code('z', in_table=True)} |\n"
    assert page(table).tags["td"] == 2
    assert page(f"{code(text)}\n").tags == {"p": 1, "code": 1}


def test_fences_are_longer_than_any_run_inside() -> None:
    assert fence("a\n``````\nb").startswith("```````text\n")
    assert page(fence("```\n# x\n```")).tags == {"pre": 1, "code": 1}


LINES = ["# x", "*a* **b** _c_ __d__ a_b_c ~~e~~", "[x](y) ![x](y) [x]: y", "<b> &lt; <!-- x -->", "1. a", "12) a", "1.", "- b"]
BLOCKS = [
    "+ b",
    "> c",
    "| a |\n| --- |\n| b |",
    "a\n===",
    "---",
    "===",
    "***",
    "___",
    "    x",
    "~~~",
    "```",
    "a  \nb\\",
    "<https://x>",
]


@pytest.mark.parametrize("text", [*LINES, *BLOCKS])
def test_prose_is_only_text(text: str) -> None:
    found = page(prose(text) + "\n")
    assert set(found.tags) <= {"p", "br", "code"}
    assert found.tags["p"] == 1
    assert set(found.html) <= {"<br>"}


def test_problems_and_checks_that_could_not_run_come_first() -> None:
    problem = Problem("shop: the server did not start\nFATAL: no memory", "give it some", Exit.ENVIRONMENT)
    text = rendered(replace(TYPICAL, problems=(problem,), verdict=Verdict.BROKEN, exit_code=Exit.ENVIRONMENT))
    assert text.index("### ⚠️ shop: the server did not start") < text.index("### ❌")
    assert "```text\nFATAL: no memory\n```" in text
    assert "**Remedy:** give it some" in text


def test_the_least_important_goes_first_when_room_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = len(rendered(TYPICAL).encode())
    monkeypatch.setattr(summary, "MOST_BYTES", whole + 700)
    text = rendered(TYPICAL)
    assert len(text.encode()) <= whole + 700
    assert "1 known finding" in text.split("`report.json` has all")[0]
    assert "### ❌ migration-failed" in text


def test_a_huge_run_stays_below_what_github_takes_and_says_what_is_missing() -> None:
    text = rendered(many(8_000))
    assert 800_000 < len(text.encode()) <= summary.MOST_BYTES < 1_048_576
    shown = text.count("### ❌ orphaned-rows")
    assert f"{8_000 - shown:,} findings".replace(",", " ") in text
    assert "1 known finding" in text


def test_a_huge_table_is_cut_between_rows() -> None:
    text = rendered(many(8_000, replace(KNOWN, message="long " * 40)))
    assert len(text.encode()) <= summary.MOST_BYTES
    assert text.rstrip().endswith("</details>")
    rows = text.split("Known: ")[1].splitlines()[2:-3]
    assert all(row.startswith("| ") and row.endswith(" |") and row.count(" | ") == 3 for row in rows)
    assert f"{8_001 - (len(rows) - 2):,} known findings".replace(",", " ") in text
