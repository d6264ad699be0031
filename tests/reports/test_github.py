"""Annotations, outputs and the step summary, as GitHub's runner reads them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.evidence import Place
from checks.interface import Severity, State
from reports import github_commands as oracle
from reports.golden_files import assert_golden
from reports.sample import APP, CHECKS, ERRORED, HOSTILE, NOTICE, ORPHANS, REFUSED, TYPICAL, UNINDEXED, everything, small
from reports.test_hostile import TEXT
from runner.errors import Exit
from runner.output import Output
from runner.redaction import Redactor
from runner.report import Problem, Provenance, Report, ReportedFinding, Standing, Verdict
from runner.reports import github_commands, summary
from runner.reports.github import Change, annotate, outputs
from runner.reports.github_commands import Command
from runner.reports.github_files import append
from runner.reports.registry import REPORTERS
from runner.reports.writing import ReportNotWritten
from runner.text import clean

ACTION: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "action.yml").read_text("utf-8"))
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ORDERS = "backend/alembic/versions/9a41_add_currency.py"
ESCAPED = st.lists(st.text(max_size=5) | st.sampled_from(["%", "%0A", "%25", "%3A", ":", "::", ",", "=", "\n", "a"])).map("".join)
CHANGE = Change("", {ORDERS: [range(20, 31)]})
EVERYWHERE = Change()


def of(*findings: ReportedFinding) -> Report:
    return replace(TYPICAL, databases=(replace(APP, checks=(replace(CHECKS[1], findings=findings),)),))


def many(count: int, **changes: Any) -> Report:
    place = Provenance(Place("a.sql", 7))
    return of(*(replace(ORPHANS, subject=f"t{number}", provenance=place, **changes) for number in range(count)))


def read(report: Report, change: Change = EVERYWHERE) -> oracle.Step:
    return oracle.Step().read("".join(f"{command}\n" for command in annotate(report, change)).encode())


# Annotations ---------------------------------------------------------------------------------------------------------


def test_golden() -> None:
    for name, report in {"typical": TYPICAL, "hostile": clean(small(HOSTILE), Redactor())}.items():
        assert_golden(f"{name}.annotations.txt", "".join(f"{command}\n" for command in annotate(report, CHANGE)))


def test_a_finding_stands_at_its_migration_s_line() -> None:
    first = read(of(REFUSED)).issues[0]
    assert first.name == "error"
    assert first.properties == {"file": ORDERS, "line": "24", "title": "migration-failed · 9a41"}
    assert first.data.splitlines()[0].startswith("PostgreSQL 23502: ")
    assert first.data.splitlines()[-1].startswith("Remedy: ")


def test_errors_and_warnings_are_annotated_notices_and_known_findings_never() -> None:
    known = replace(ORPHANS, state=Standing.KNOWN, fails=False)
    failing = replace(NOTICE, fails=True)
    step = read(of(ORPHANS, UNINDEXED, NOTICE, known, failing))
    assert [(issue.name, issue.properties["title"]) for issue in step.issues] == [
        ("error", "orphaned-rows · payments.order_id -> orders.id"),
        ("warning", "unindexed-foreign-key · order_items.order_id"),
    ]


def test_ten_fit_and_of_more_the_last_one_counts_the_others() -> None:
    assert len(read(many(10)).issues) == 10
    assert "more" not in str(read(many(10)).issues[-1])
    issues = read(many(23)).issues
    assert [issue.properties.get("line") for issue in issues] == ["7"] * 9 + [None]
    assert issues[-1].properties == {"title": "dbproof: and 14 more errors"}
    assert issues[-1].data.startswith("orphaned-rows · t9 (a.sql:7)\n")


def test_each_type_has_ten_of_its_own() -> None:
    warnings = many(12, severity=Severity.WARNING, fails=False).findings
    step = read(of(*many(11).findings, *warnings))
    assert len(step.kept("error")) == len(step.kept("warning")) == 10
    assert len(step.issues) == 20


def test_what_fails_the_run_comes_first() -> None:
    weak = many(10, fails=False).findings
    issues = read(of(*weak, REFUSED)).issues
    assert issues[0].properties["title"] == "migration-failed · 9a41"


def test_only_lines_of_the_change_are_annotated() -> None:
    issues = read(of(REFUSED, ORPHANS), CHANGE).issues
    assert [issue.properties.get("file") for issue in issues] == [ORDERS, None]
    assert issues[1].properties["title"] == "dbproof: and 1 more error"
    assert "backend/alembic/versions/7c20_payments.py:31" in issues[1].data
    (alone,) = read(of(ORPHANS), CHANGE).issues
    assert alone.properties == {"title": "dbproof: 1 error, none on a line of this change"}


@pytest.mark.parametrize(
    ("line", "touched"), [(19, False), (20, True), (30, True), (31, False), (None, True)], ids=lambda value: str(value)
)
def test_touched_lines(line: int | None, touched: bool) -> None:
    assert CHANGE.touches(Place(ORDERS, line)) is touched
    assert not CHANGE.touches(Place("other.sql", line))
    assert EVERYWHERE.touches(Place("other.sql", line))
    assert EVERYWHERE.touches(None)
    assert not CHANGE.touches(None)


def test_files_are_named_from_the_top_of_the_repository() -> None:
    change = Change("services/shop/", {"services/shop/db/1.sql": [range(1, 9)], "shared/2.sql": [range(1, 9)]})
    placed = [
        replace(ORPHANS, subject=file, provenance=Provenance(Place(file, 2))) for file in ("db/1.sql", "../../shared/2.sql")
    ]
    outside = replace(ORPHANS, subject="else", provenance=Provenance(Place("../../../etc/passwd", 2)))
    issues = read(of(*placed, outside), change).issues
    assert [issue.properties.get("file") for issue in issues] == ["services/shop/db/1.sql", "shared/2.sql", None]


def test_problems_and_checks_that_could_not_run_need_no_line() -> None:
    problem = Problem("shop: no server\nFATAL: no memory", "give it some", Exit.ENVIRONMENT)
    report = replace(TYPICAL, problems=(problem,), databases=(replace(APP, checks=(ERRORED,)),))
    issues = read(report, Change("", {})).issues
    assert issues[0].properties == {"title": "dbproof"}
    assert issues[0].data == "shop: no server\nFATAL: no memory\nRemedy: give it some"
    assert issues[1].properties["title"].endswith("could not run")


@SETTINGS
@given(TEXT)
def test_nothing_but_annotations_comes_of_any_text(text: str) -> None:
    report = clean(everything(text), Redactor())
    for change in (EVERYWHERE, Change("", {})):
        step = read(report, change)
        assert step.acted == []
        assert step.shown == [""]
        assert len(step.issues) == len(annotate(report, change))
        for issue in step.issues:
            assert set(issue.properties) <= {"file", "line", "title"}
            assert len(issue.data.encode("utf-16-le")) // 2 < oracle.LONGEST_MESSAGE


@SETTINGS
@given(ESCAPED, ESCAPED, ESCAPED)
def test_a_command_is_read_as_it_was_meant(message: str, title: str, file: str) -> None:
    """Any text at all, even such as no report holds: only what the runner trims away may be missing."""
    found = oracle.parse(str(Command("error", message, {"file": file, "title": title})))
    assert found is not None
    assert set(found.properties) <= {"file", "title"}
    plain = not any(oracle._weighty(text).replace("\n", "") != text.replace("\n", "") for text in (message, title, file))
    if plain and title.strip(" \t=") == title and not file.startswith("="):
        assert found.data == message
        assert found.properties.get("title", "") == title


# Outputs -------------------------------------------------------------------------------------------------------------


def test_outputs_are_those_of_the_action() -> None:
    assert list(outputs(TYPICAL, {}, "")) == list(ACTION["outputs"])


def test_outputs_say_what_came_out() -> None:
    found = outputs(TYPICAL, {"junit": "r/junit.xml", "json": "r/report.json", "summary": "r/summary.md"}, "r")
    assert found == {
        "result": "no-go",
        "findings": "3",
        "checks-run": str(sum(check.outcome in (State.PASSED, State.FAILED) for check in CHECKS)),
        "report-dir": "r",
        "junit": "r/junit.xml",
        "json": "r/report.json",
        "summary": "r/summary.md",
        **{name: "" for name in REPORTERS if name not in ("junit", "json", "summary")},
    }
    assert set(Verdict) == {"go", "no-go", "nothing-checked", "broken", "cancelled"}


@SETTINGS
@given(st.dictionaries(st.sampled_from(["a", "b-c"]), TEXT.filter(lambda text: "\r" not in text)))
def test_any_value_comes_back_and_sets_nothing_else(named: dict[str, str]) -> None:
    assert oracle.values(github_commands.values(named)) == list(named.items())


def test_delimiters_are_never_the_same() -> None:
    written = github_commands.values({"a": "x", "b": "x"}) + github_commands.values({"a": "x"})
    delimiters = [line.partition("<<")[2] for line in written.splitlines() if "<<" in line]
    assert len(set(delimiters)) == 3
    assert all(len(delimiter) >= 32 for delimiter in delimiters)


# Files ---------------------------------------------------------------------------------------------------------------


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    file = tmp_path / "output"
    file.write_text("mine=1")
    append({"GITHUB_OUTPUT": str(file)}, "GITHUB_OUTPUT", lambda _: github_commands.values({"result": "go"}))
    assert oracle.values(file.read_text()) == [("mine", "1"), ("result", "go")]


def test_no_file_is_no_error(tmp_path: Path) -> None:
    append({}, "GITHUB_OUTPUT", lambda _: "x")
    with pytest.raises(ReportNotWritten, match="GITHUB_OUTPUT: the file that GitHub reads could not be written: is a directory"):
        append({"GITHUB_OUTPUT": str(tmp_path)}, "GITHUB_OUTPUT", lambda _: "x")


@pytest.mark.parametrize("used", [0, 10, 400_000, 1_048_000, 1_048_576])
def test_a_huge_summary_fits_beside_what_is_there_and_says_what_it_left_out(used: int, tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_bytes(b"x" * used)
    append({"GITHUB_STEP_SUMMARY": str(file)}, "GITHUB_STEP_SUMMARY", lambda room: summary.render(many(9_000), room))
    shown = oracle.summary(file.read_bytes())
    assert shown is not None
    assert shown.startswith("x" * used)
    if used < 1_000_000:
        assert "`report.json` has all" in shown


# The log -------------------------------------------------------------------------------------------------------------


def log(report: Report, environment: dict[str, str]) -> oracle.Step:
    out = io.StringIO()
    output = Output(Redactor(), stdout=out, stderr=out, environment=environment)
    with output.without_commands():
        out.write("::error::from a library in C\n")
        output.commands(annotate(clean(report, Redactor()), EVERYWHERE))
        out.write("##[set-output name=result]go\n")
        output.report(report, show_all=True)
    return oracle.Step().read(out.getvalue().encode())


def test_between_our_own_commands_none_count() -> None:
    step = log(everything(HOSTILE), {"GITHUB_ACTIONS": "true"})
    assert step.acted == []
    assert len(step.issues) == len(annotate(clean(everything(HOSTILE), Redactor()), EVERYWHERE))
    assert step.stopped_by == ""
    assert "::error::from a library in C" in step.shown


def test_elsewhere_there_are_no_commands() -> None:
    out = io.StringIO()
    with Output(Redactor(), stdout=out, environment={}).without_commands() as output:
        output.line("x")
    assert out.getvalue() == "x\n"


def test_no_report_holds_a_line_that_the_runner_would_act_upon() -> None:
    """A step may print a report: `cat dbproof-report/summary.md`."""
    report = clean(everything(HOSTILE), Redactor())
    for reporter in REPORTERS.values():
        step = oracle.Step().read(reporter.render(report).encode())
        assert (step.issues, step.acted, step.stopped_by) == ([], [], "")
    assert json.dumps(outputs(report, {}, ""))
