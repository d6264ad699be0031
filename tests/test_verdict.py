"""The verdict: the exit code agrees with what was found, and the numbers beside it say no more than that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some
from reports.sample import APP, CHECKS, MIGRATIONS, finding

from checks.evidence import MigrationState, Place
from checks.interface import Severity, State
from runner.errors import Exit
from runner.report import (
    FaultState,
    Held,
    PlantedFault,
    Problem,
    ReportedCheck,
    ReportedDatabase,
    ReportedGap,
    SelfProof,
    Standing,
    Verdict,
)
from runner.settings.surface import FailOn
from runner.verdict import coverage, criteria, exit_code, quality, verdict

PRECEDENCE = [Exit.INTERRUPTED, Exit.TERMINATED, Exit.USAGE, Exit.ENVIRONMENT, Exit.FINDINGS, Exit.NOTHING_CHECKED, Exit.HELD]
BROKEN = Problem("no server", "", Exit.ENVIRONMENT)


def check(identifier: str, outcome: State = State.PASSED, proven: int = 1, **changes: object) -> ReportedCheck:
    made = ReportedCheck(identifier, outcome, "", 0.0, "rules", "hold", proven, area="constraints")
    return replace(made, **changes)  # type: ignore[arg-type]  # the changes are of several fields


def of(*checks: ReportedCheck) -> ReportedDatabase:
    return replace(APP, checks=checks, migrations=(), selftest=None)


def states(*checks: ReportedCheck, problems: tuple[Problem, ...] = (), fail_on: FailOn = FailOn.ERROR) -> dict[str, str]:
    return {one.id: one.state for one in criteria([of(*checks)], problems, fail_on)}


FINDINGS = some.builds(
    finding,
    some.sampled_from(["orphaned-rows", "query-limit"]),
    some.sampled_from("abc"),
    severity=some.sampled_from([Severity.ERROR, Severity.WARNING, Severity.NOTICE]),
    state=some.just(Standing.NEW),
    fails=some.booleans(),
)
CHECKED = some.builds(
    check,
    some.sampled_from(["migration-failed", "orphaned-rows", "reference-probe", "query-limit"]),
    some.sampled_from(list(State)),
    some.integers(0, 3),
    probe=some.booleans(),
    findings=some.lists(FINDINGS, max_size=2).map(tuple),
    severity=some.sampled_from([Severity.ERROR, Severity.WARNING, Severity.NOTICE]),
    not_proven=some.lists(some.builds(ReportedGap, some.sampled_from("xyz"), some.just("no rows")), max_size=2).map(tuple),
)
PROBLEMS = some.lists(some.sampled_from(PRECEDENCE[:4]).map(lambda code: Problem("it broke", "", code)), max_size=2)


@given(some.lists(CHECKED, max_size=4), PROBLEMS)
def test_the_exit_code_is_that_of_the_table(checks: list[ReportedCheck], problems: list[Problem]) -> None:
    """Told in other words than the criteria tell it: what was found, what broke, what went wrong, whether anything was judged."""
    asked = {problem.exit_code for problem in problems}
    asked |= {Exit.FINDINGS for one in checks for found in one.findings if found.fails}
    asked |= {Exit.ENVIRONMENT for one in checks if one.outcome is State.ERRORED}
    if not any(one.outcome in (State.PASSED, State.FAILED) for one in checks):
        asked.add(Exit.NOTHING_CHECKED)
    code = exit_code(criteria([of(*checks)], problems, FailOn.ERROR))
    assert code == min(asked, key=PRECEDENCE.index, default=Exit.HELD)
    assert (verdict(code) is Verdict.GO) is (not asked)


@given(some.lists(CHECKED, max_size=4))
def test_numbers_never_say_more_than_there_is(checks: list[ReportedCheck]) -> None:
    databases = [of(*checks), of(*checks)]
    for one in criteria(databases, (), FailOn.ERROR):
        assert 0 <= one.held <= one.of
    for kind in coverage(databases):
        assert 0 <= kind.exercised <= kind.of
    said = quality(databases)
    broken = any(one.findings for one in checks)
    if said.score is None:
        assert (said.held, said.broken) == (0, 0)
    else:
        assert 0 <= said.score <= 100
        assert (said.score == 100) is (not broken)


def test_each_criterion_alone() -> None:
    wrong = finding("orphaned-rows", "a")
    assert set(states(check("orphaned-rows")).values()) == {Held.HELD, Held.NOT_JUDGED}
    assert states(check("orphaned-rows"), problems=(BROKEN,))["completed"] is Held.NOT_HELD
    assert states(check("no-rows", State.SKIPPED, 0))["judged"] is Held.NOT_HELD
    assert states(check("no-rows", State.ERRORED, 0))["ran"] is Held.NOT_HELD
    failed = check("migration-failed", State.FAILED, 0, findings=(finding("migration-failed", "9a41"),))
    assert states(failed)["migrations"] is Held.NOT_HELD
    assert states(check("orphaned-rows", State.FAILED, 0, findings=(wrong,)))["findings"] is Held.NOT_HELD
    assert states(check("orphaned-rows", State.FAILED, 0, findings=(wrong,)))["rules"] is Held.NOT_JUDGED
    assert states(check("reference-probe", State.FAILED, 0, findings=(wrong,), probe=True))["rules"] is Held.NOT_HELD
    assert states(check("query-limit", State.FAILED, 0, findings=(wrong,)))["limits"] is Held.NOT_HELD
    assert states(check("query-limit"))["limits"] is Held.HELD


@pytest.mark.parametrize("state", [Standing.KNOWN, Standing.ALLOWED])
def test_what_is_known_or_allowed_leaves_every_criterion_held(state: Standing) -> None:
    known = finding("query-limit", "a", state=state, fails=False)
    told = states(check("query-limit", State.FAILED, 2, findings=(known,), probe=True))
    assert Held.NOT_HELD not in told.values()
    (limits,) = [one for one in criteria([of(check("query-limit", State.FAILED, 2, findings=(known,)))], (), FailOn.ERROR)
                 if one.id == "limits"]  # fmt: skip
    assert (limits.held, limits.of) == (2, 3)


def test_never_fails_nothing_and_says_so() -> None:
    warned = finding("orphaned-rows", "a", fails=False)
    told = criteria([of(check("orphaned-rows", State.FAILED, 0, findings=(warned,)))], (), FailOn.NEVER)
    (findings,) = [one for one in told if one.id == "findings"]
    assert (findings.state, findings.why) == (Held.NOT_JUDGED, "fail_on is never")
    assert exit_code(told) is Exit.HELD


def test_a_missed_fault_is_not_held_and_decides_nothing() -> None:
    missed = SelfProof((PlantedFault("x", "y", "z", FaultState.FOUND), PlantedFault("x", "y", "z", FaultState.MISSED)))
    told = criteria([replace(of(check("orphaned-rows")), selftest=missed)], (), FailOn.ERROR)
    assert (told[-1].id, told[-1].state, told[-1].held, told[-1].of) == ("self-proof", Held.NOT_HELD, 1, 2)
    assert exit_code(told) is Exit.HELD


def test_migrations_that_were_not_reached_are_not_applied() -> None:
    pending = replace(MIGRATIONS[0], state=MigrationState.PENDING, place=Place("x"))
    (one,) = [
        one for one in criteria([replace(APP, migrations=(*MIGRATIONS, pending))], (), FailOn.ERROR) if one.id == "migrations"
    ]
    assert (one.held, one.of) == (1, 3)


def test_the_example_of_the_page() -> None:
    """docs/verdict.md: two rules of error severity that hold and one broken at a warning."""
    broken = check("duplicate-rows", State.FAILED, 2, findings=(finding("x", "y", severity=Severity.WARNING, fails=False),))
    said = quality([of(broken)])
    assert (said.score, said.held, said.broken, said.weight_held, said.weight) == (75.0, 2, 1, 6, 8)


def test_no_score_over_nothing_and_none_from_what_is_not_about_data() -> None:
    gaps = check("orphaned-rows", State.SKIPPED, 0, not_proven=(ReportedGap("a", "no rows"), ReportedGap("b", "no rows")))
    assert (quality([of(gaps)]).score, quality([of(gaps)]).not_proven) == (None, 2)
    assert quality([of(check("query-limit", proven=7, area="performance"))]).score is None
    assert quality([]).score is None


def test_almost_all_is_not_all() -> None:
    nearly = check("orphaned-rows", State.FAILED, 100_000, findings=(finding("orphaned-rows", "a", severity=Severity.NOTICE),))
    assert quality([of(nearly)]).score == 99.9


def test_coverage_counts_what_was_tried_with_whatever_result() -> None:
    gaps = (ReportedGap("c", "type vector"),)
    tried = check("check-probe", State.FAILED, 3, probe=True, findings=(finding("check-probe", "a"),), not_proven=gaps)
    others = [check("unique-probe", proven=2, probe=True), check("orphaned-rows", proven=9), check("new-probe", probe=True)]
    nothing = check("enum-probe", State.SKIPPED, 0, probe=True)
    found = {one.kind: (one.exercised, one.of) for one in coverage([of(tried, *others, nothing)])}
    assert found == {"constraints": (6, 7), "rules": (1, 1)}
    assert "references" in {one.kind for one in coverage([replace(APP, checks=CHECKS)])}
