"""n-minus-1: what became of the previous release on the new schema."""

from __future__ import annotations

import pytest
from judging import Judge

from checks.evidence import Evidence, Place
from checks.interface import CouldNotRun
from checks.previous import BrokenStatement, OwnTests, Previous

CHECK = "n-minus-1"
PLACE = Place("migrations/2.sql", 3)
BROKEN = BrokenStatement("42703", 'column "note" does not exist', ("SELECT note FROM orders",), 3, "2", PLACE)


def test_what_is_understood_is_proven(judge: Judge) -> None:
    said = judge(CHECK, evidence=Evidence(previous=Previous(12, 1, tests=OwnTests("pytest"))))
    assert said.proven == ["statements of the previous release", "tests of the previous release"]
    gap = "1 of 13 statements cannot be prepared on base either"
    assert (said.findings, said.gaps) == ([], {"statements that base refuses too": gap})


def test_what_is_not_understood_is_a_finding_at_its_migration(judge: Judge) -> None:
    finding = judge(CHECK, evidence=Evidence(previous=Previous(12, broken=(BROKEN,)))).finding
    assert (finding.subject, finding.place, finding.count) == ('2: column "note" does not exist', PLACE, 3)
    assert "3 statements of the previous release cannot run after migration 2" in finding.message


def test_own_tests_that_fail_on_the_new_schema_alone(judge: Judge) -> None:
    tests = OwnTests("pytest", "1 failed", PLACE)
    said = judge(CHECK, evidence=Evidence(previous=Previous(tests=tests)))
    assert (said.finding.subject, said.finding.said, said.finding.place) == ("tests of the previous release", "1 failed", PLACE)


def test_what_could_not_be_tried_is_not_proven(judge: Judge) -> None:
    gaps = judge(
        CHECK, evidence=Evidence(previous=Previous(gap="nothing came", tests=OwnTests("pytest", gap="fails on base")))
    ).gaps
    assert gaps == {"statements of the previous release": "nothing came", "tests of the previous release": "fails on base"}
    assert judge(CHECK).all == ()


def test_a_program_of_the_settings_that_tells_nothing_is_an_error_of_the_check(judge: Judge) -> None:
    tests = OwnTests("pytest", failed="no pytest")
    for evidence in (Previous(tests=tests), Previous(failed="no pytest"), Previous(failed="no pytest", tests=tests)):
        with pytest.raises(CouldNotRun, match=r"\Ano pytest\Z"):
            judge(CHECK, evidence=Evidence(previous=evidence))
