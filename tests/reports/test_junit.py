from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from reports.golden_files import assert_golden
from reports.sample import APP, CHECKS, ERRORED, HOSTILE, ORPHANS, TYPICAL, everything, small
from reports.schemas import JUNIT, junit_schema
from runner.errors import Exit
from runner.redaction import Redactor
from runner.report import Problem, Report, ReportedCheck, Verdict
from runner.reports import junit
from runner.text import clean


def parsed(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(junit.render(clean(report, Redactor())))


def with_checks(*checks: ReportedCheck, **changes: Any) -> Report:
    return replace(TYPICAL, databases=(replace(APP, checks=checks),), **changes)


def test_golden() -> None:
    assert_golden("typical.junit.xml", junit.render(TYPICAL))
    assert_golden("hostile.junit.xml", junit.render(clean(small(HOSTILE), Redactor())))


@pytest.mark.parametrize("schema", JUNIT)
@pytest.mark.parametrize(
    "report",
    [
        TYPICAL,
        everything(HOSTILE),
        everything(""),
        everything("  "),
        replace(TYPICAL, databases=()),
        replace(TYPICAL, databases=(), verdict=Verdict.NOTHING_CHECKED, exit_code=Exit.NOTHING_CHECKED),
        replace(TYPICAL, started="2026-11-21T09:30:00.123456+02:00"),
        replace(TYPICAL, started="yesterday"),
        with_checks(replace(CHECKS[1], seconds=123456.7890123)),
        with_checks(replace(CHECKS[1], seconds=0.0)),
    ],
    ids=["typical", "hostile", "empty", "blank", "bare", "nothing", "zone", "no time", "long", "instant"],
)
def test_one_shape_satisfies_both_schemas(report: Report, schema: str) -> None:
    junit_schema(schema).validate(junit.render(clean(report, Redactor())))


def test_the_schemas_can_tell() -> None:
    for name in JUNIT:
        assert not junit_schema(name).is_valid("<testsuites><testsuite/></testsuites>")


def test_a_case_for_each_check_with_what_it_came_to() -> None:
    suite = parsed(with_checks(*CHECKS, ERRORED)).find("testsuite")
    assert suite is not None
    results = {case.get("name"): [result.tag for result in case] for case in suite.findall("testcase")}
    assert results == {
        "migration-failed": ["failure"],
        "orphaned-rows": ["failure"],
        "reference-probe": [],
        "delete-rule": [],
        "unindexed-foreign-key": [],
        "unvalidated-constraint": [],
        "no-rows": ["skipped"],
        "query-limit": ["error"],
    }
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["8", "2", "1", "1"]
    assert suite.findall("testcase")[1].get("classname") == "dbproof.app.references"


def test_a_failure_says_where_what_and_what_to_do() -> None:
    failure = parsed(TYPICAL).find(".//failure")
    assert failure is not None
    assert failure.get("message") == ("9a41: Green on an empty table, red on any row. The checks went on, on an empty copy.")
    for words in ("9a41_add_currency.py:24", "PostgreSQL 23502: column", "Remedy: server_default", "Fingerprint: "):
        assert words in (failure.text or "")


def test_what_does_not_count_is_told_aside() -> None:
    root = parsed(TYPICAL)
    aside = root.findtext("testsuite/system-out") or ""
    assert "WARNING unindexed-foreign-key · order_items.order_id (new)" in aside
    assert "ERROR unvalidated-constraint · orders_total_check (known)" in aside
    assert "not proven: unindexed-foreign-key · documents.owner_id -> users.id: no rows" in aside
    assert "orders_total_check" not in "".join(failure.text or "" for failure in root.iter("failure"))


def test_a_check_that_could_not_run_keeps_what_it_found() -> None:
    error = parsed(with_checks(replace(ERRORED, findings=(ORPHANS,)))).find(".//error")
    assert error is not None
    assert error.get("message") == "statement timeout"
    assert "after 30 s" in (error.text or "")
    assert ORPHANS.subject in (error.text or "")


def test_problems_of_the_run_are_errors_of_their_own_suite() -> None:
    problems = (Problem("no server", "", Exit.ENVIRONMENT), Problem("", "", Exit.ENVIRONMENT), Problem("x\ny", "z", Exit.USAGE))
    suite = parsed(replace(TYPICAL, problems=problems)).find("testsuite[@name='dbproof']")
    assert suite is not None
    assert [case.get("name") for case in suite.findall("testcase")] == ["environment", "environment (2)", "usage"]
    assert [error.get("message") for error in suite.iter("error")] == ["no server", "environment", "x"]
    assert suite.get("errors") == "3"


@pytest.mark.parametrize("verdict", [Verdict.NOTHING_CHECKED, Verdict.BROKEN, Verdict.CANCELLED])
def test_a_run_that_judged_nothing_is_never_green(verdict: Verdict) -> None:
    root = parsed(with_checks(CHECKS[-1], verdict=verdict, exit_code=Exit.NOTHING_CHECKED))
    assert len(root.findall(".//error")) == 1


def test_cases_are_unique_across_databases_whose_names_look_alike() -> None:
    names = ("a.b", "a_b", "a b", "a.b")
    root = parsed(replace(TYPICAL, databases=tuple(replace(APP, name=name) for name in names)))
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(cases)) == len(cases) == len(names) * len(CHECKS)


def test_a_file_that_would_be_too_large_says_what_it_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "MOST_BYTES", 30_000)
    findings = tuple(replace(ORPHANS, subject=f"t{number}.x -> u.id", message="wörds " * 50) for number in range(2_000))
    text = junit.render(with_checks(replace(CHECKS[1], findings=findings), CHECKS[2]))
    assert len(text.encode()) <= 30_000
    assert "1 990 more findings left out here" in text
    assert 'message="2 000 findings; t0.x' in text
    for name in JUNIT:
        junit_schema(name).validate(text)


def test_the_largest_reports_stay_below_what_gitlab_takes() -> None:
    findings = tuple(replace(ORPHANS, subject=f"t{number}", said="<&>" * 5_000) for number in range(3_000))
    text = junit.render(with_checks(replace(CHECKS[1], findings=findings)))
    assert len(text.encode()) <= junit.MOST_BYTES < 30_000_000
    ElementTree.fromstring(text)
