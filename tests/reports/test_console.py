from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from checks.evidence import Place
from reports.commands import commands
from reports.golden_files import assert_golden
from reports.sample import APP, CHECKS, HOSTILE, NOTICE, ORPHANS, TYPICAL, everything, small
from runner.errors import DbproofError, Exit
from runner.redaction import Redactor
from runner.report import Provenance, Report, Verdict
from runner.reports import console
from runner.text import clean

SKIPPED = replace(APP, checks=CHECKS[-1:])


def shown(report: Report, show_all: bool = False, quiet: bool = False, width: int | None = None) -> str:
    rows = console.lines(clean(report, Redactor()), show_all, quiet, width)
    return "\n".join(row.plain for row in rows) + "\n"


@pytest.mark.parametrize("width", [None, 80, 50])
def test_golden(width: int | None) -> None:
    assert_golden(f"typical.{width or 'unfolded'}.txt", shown(TYPICAL, width=width))


def test_golden_of_all_and_of_hostile_text() -> None:
    assert_golden("typical.all.txt", shown(TYPICAL, show_all=True))
    assert_golden("hostile.txt", shown(small(HOSTILE)))


@pytest.mark.parametrize("width", [20, 33, 50, 80, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    for report in (TYPICAL, everything(HOSTILE), everything("wide 日本語の" * 30)):
        rows = list(console.lines(clean(report, Redactor()), True, False, width))
        assert all(row.cell_len <= width for row in rows)
        assert all("\n" not in row.plain for row in rows)


def test_folding_loses_nothing() -> None:
    folded, whole = shown(TYPICAL, width=40), shown(TYPICAL)
    assert "".join(folded.split()) == "".join(whole.split())


def test_quiet_leaves_findings_and_the_verdict() -> None:
    text = shown(TYPICAL, quiet=True)
    assert text.startswith("ERROR  migration-failed · 9a41")
    assert text.endswith("\n\nNO GO  2 errors, 1 warning, all from this change · 20.0 s · exit 1\n")
    for label in ("Notes", "Proven", "Known", "Reports"):
        assert f"\n{label}" not in text


def test_known_findings_and_notices_only_with_all() -> None:
    assert "orders_total_check" not in shown(TYPICAL)
    assert NOTICE.subject not in shown(TYPICAL)
    everything_listed = shown(TYPICAL, show_all=True)
    assert "ERROR  unvalidated-constraint · orders_total_check" in everything_listed
    assert f"NOTICE  unindexed-foreign-key · {NOTICE.subject}" in everything_listed


def test_comments_before_a_statement_give_way_to_the_statement() -> None:
    prisma = "-- AlterTable\n/*\n  Warnings:\n\n  - data will be lost\n*/\n\nALTER TABLE t DROP COLUMN c;"
    finding = replace(ORPHANS, provenance=Provenance(Place("prisma/migrations/1_c/migration.sql", 8), prisma, "1_c"))
    text = shown(replace(TYPICAL, databases=(replace(APP, checks=(replace(CHECKS[1], findings=(finding,)),)),)))
    assert "\n    ALTER TABLE t DROP COLUMN c;\n" in text
    assert "Warnings" not in text


def test_a_flood_is_counted_and_not_listed() -> None:
    findings = tuple(replace(ORPHANS, subject=f"t{number}") for number in range(500))
    report = replace(TYPICAL, databases=(replace(APP, checks=(replace(CHECKS[1], findings=findings),)),))
    text = shown(report)
    assert text.count("ERROR  orphaned-rows") == console.MOST_OF_A_CHECK
    assert "… 480 more of orphaned-rows, see report.json or `--all`" in text
    assert shown(report, show_all=True).count("ERROR  orphaned-rows") == 500


def test_subjects_carry_their_database_where_there_are_two() -> None:
    text = shown(replace(TYPICAL, databases=(APP, replace(APP, name="docs"))))
    assert "ERROR  migration-failed · app: 9a41" in text
    assert "ERROR  migration-failed · docs: 9a41" in text
    assert "112 of 114 references have no orphan" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verdict": Verdict.GO, "exit_code": Exit.HELD, "databases": (replace(APP, checks=CHECKS[2:4]),)},
         "GO  all that was checked holds · 20.0 s · exit 0"),
        ({"verdict": Verdict.GO, "exit_code": Exit.HELD, "databases": (replace(APP, checks=CHECKS[4:5]),)},
         "GO  1 warning, none of which fails the run (fail-on: error) · 20.0 s · exit 0"),
        ({"databases": (replace(APP, checks=CHECKS[:1]),)}, "NO GO  1 error, from this change · 20.0 s · exit 1"),
        ({"databases": (replace(APP, checks=CHECKS[:2]),)}, "NO GO  2 errors, both from this change · 20.0 s · exit 1"),
        ({"databases": (replace(APP, checks=CHECKS[:2], migrations=()),)}, "NO GO  2 errors · 20.0 s · exit 1"),
        ({"verdict": Verdict.NOTHING_CHECKED, "exit_code": Exit.NOTHING_CHECKED, "databases": ()},
         "NOTHING CHECKED  there was nothing to check · 20.0 s · exit 3"),
        ({"verdict": Verdict.NOTHING_CHECKED, "exit_code": Exit.NOTHING_CHECKED, "databases": (SKIPPED,)},
         "NOTHING CHECKED  every check was skipped · 20.0 s · exit 3"),
        ({"verdict": Verdict.BROKEN, "exit_code": Exit.USAGE, "databases": ()},
         "BROKEN  the settings or the address are wrong · 20.0 s · exit 2"),
        ({"verdict": Verdict.CANCELLED, "exit_code": Exit.INTERRUPTED, "databases": (), "seconds": 185.4},
         "CANCELLED  stopped before the end · 3 m 05 s · exit 130"),
    ],
)  # fmt: skip
def test_the_verdict_stands_last(changes: dict[str, object], said: str) -> None:
    report: Report = replace(TYPICAL, **changes)  # type: ignore[arg-type]  # the changes are of several fields
    assert shown(report).splitlines()[-1] == said


def test_markup_in_foreign_text_is_text() -> None:
    finding = replace(ORPHANS, message="[bold red]x[/] [link=http://evil]y[/link] :boom: [/]")
    report = replace(TYPICAL, databases=(replace(APP, checks=(replace(CHECKS[1], findings=(finding,)),)),))
    sink = io.StringIO()
    terminal = Console(file=sink, force_terminal=True, color_system=None, width=200)
    for row in console.lines(report, False, False, 200):
        terminal.print(row)
    assert finding.message in sink.getvalue()


def test_hostile_text_is_no_command() -> None:
    for show_all in (False, True):
        assert commands(shown(everything(HOSTILE), show_all)) == []


def test_an_error_with_its_remedy() -> None:
    error = DbproofError("shop: no server\nFATAL: out of memory", "Give it some.")
    text = "\n".join(row.plain for row in console.error_lines(error, None))
    assert text == "ERROR  shop: no server\n  FATAL: out of memory\n  Remedy: Give it some."
