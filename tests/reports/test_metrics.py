"""``metrics.prom``: figures that a collector reads, with 0 where a check found nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from checks.interface import State
from reports.golden_files import assert_golden
from reports.sample import APP, HOSTILE, ORPHANS, TYPICAL, everything, small
from runner.redaction import Redactor
from runner.report import Report, ReportedCheck, Verdict
from runner.reports import metrics
from runner.text import clean

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(report: Report) -> Samples:
    """Every sample by its name and labels, as the library's own parser reads them."""
    text = metrics.render(clean(report, Redactor()))
    found = [one for family in text_string_to_metric_families(text) for one in family.samples]
    by_name = {(one.name, frozenset(one.labels.items())): one.value for one in found}
    assert len(by_name) == len(found), "a time series is there twice"
    return by_name


def of(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"dbproof_{name}", frozenset(labels.items())))


def test_golden() -> None:
    assert_golden("typical.metrics.prom", metrics.render(TYPICAL))
    assert_golden("hostile.metrics.prom", metrics.render(clean(small(HOSTILE), Redactor())))


@pytest.mark.parametrize("report", [TYPICAL, everything(HOSTILE), everything(""), replace(TYPICAL, databases=())])
def test_every_report_is_read_back_whole(report: Report) -> None:
    found = samples(report)
    assert of(found, "exit_code") == int(report.exit_code)
    assert [of(found, "verdict", verdict=verdict.value) for verdict in Verdict] == [
        int(verdict is report.verdict) for verdict in Verdict
    ]


def with_checks(*checks: ReportedCheck) -> Report:
    return replace(TYPICAL, databases=(replace(APP, checks=checks),))


def test_what_was_found_is_counted_and_what_holds_is_there_with_nought() -> None:
    dangling = replace(ORPHANS, check="dangling-reference", subject="a -> b", count=7, evidence={"missing": 3})
    red = ReportedCheck("dangling-reference", State.FAILED, "", 1.0, "references", "hold", 2, (), (dangling,), area="documents")
    green = ReportedCheck("orphaned-rows", State.PASSED, "", 1.0, "references", "hold", 5, area="references")
    skipped = ReportedCheck("no-rows", State.SKIPPED, "no rows", 0.0, "queries", "find nothing", 0, area="constraints")
    found = samples(with_checks(red, green, skipped))
    of_red, of_green = {"database": APP.name, "check": red.id}, {"database": APP.name, "check": green.id}
    assert of(found, "affected", **of_red) == 7
    assert of(found, "missing_parents", **of_red) == 3
    assert of(found, "finding_affected", **of_red, subject="a -> b") == 7
    assert of(found, "findings", **of_red, standing="new") == 1
    assert (of(found, "affected", **of_green), of(found, "findings", **of_green, standing="new")) == (0, 0)
    assert of(found, "proven", **of_green) == 5
    assert of(found, "affected", database=APP.name, check=skipped.id) is None, "what was not judged has no figure"
    assert of(found, "checks", database=APP.name, outcome="skipped") == 1


def test_single_subjects_are_named_up_to_a_bound() -> None:
    many = tuple(replace(ORPHANS, subject=f"t{number}.a", count=1) for number in range(metrics.SUBJECTS + 10))
    check = ReportedCheck("orphaned-rows", State.FAILED, "", 1.0, "references", "hold", 0, (), many, area="references")
    found = samples(with_checks(check))
    assert sum(name == "dbproof_finding_affected" for name, _ in found) == metrics.SUBJECTS
    assert of(found, "affected", database=APP.name, check=check.id) == len(many)


@given(st.text())
def test_any_text_stays_one_label(text: str) -> None:
    check = ReportedCheck(
        "orphaned-rows", State.FAILED, "", 1.0, "references", "hold", 0, (), (replace(ORPHANS, subject=text, count=4),)
    )
    found = samples(with_checks(check))
    assert [value for (name, _), value in found.items() if name == "dbproof_finding_affected"] == [4]
