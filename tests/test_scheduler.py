"""Outcomes say what a check said and what kept it from saying more; checks meet only whom they may."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from judging import target

from checks.evidence import Evidence, MigrationFailure
from checks.interface import CouldNotRun, Engine, Finding, Judgement, Need, NotProven, Outcome, Proven, Severity, State
from checks.registries.relational import RELATIONAL
from checks.targets import RelationalTarget, StatementFailed
from runner.errors import Cancelled, Exit
from runner.scheduler import READERS, run_checks, with_severities
from runner.servers.interface import Database, Server

#: Seconds after which a test that waits for another thread fails.
DEADLINE = 30
Judging = Callable[[RelationalTarget], Iterator[Judgement]]


@dataclass(frozen=True)
class Written:
    """A check written for a test: what its module would offer."""

    run: Judging
    NEEDS: frozenset[Need] = frozenset()
    SEVERITY: Severity = Severity.WARNING
    ENGINES: frozenset[Engine] = frozenset({Engine.POSTGRESQL})
    SUBJECTS: str = "things"
    PROVES: str = "hold"


def says(*judgements: Judgement, broken: Exception | None = None) -> Judging:
    def run(_: RelationalTarget) -> Iterator[Judgement]:
        yield from judgements
        if broken is not None:
            raise broken

    return run


@pytest.fixture
def whole(server: Server, database: Database) -> Iterator[RelationalTarget]:
    with target(server, database) as made:
        yield made


def outcome(check: Written, of: RelationalTarget, missing: dict[Need, str] | None = None) -> Outcome:
    (only,) = run_checks(of, {"a-check": check}, missing or {})
    return only


def test_what_was_judged_makes_the_state(whole: RelationalTarget) -> None:
    assert outcome(Written(says(Proven("a"), Proven("b"))), whole).state is State.PASSED
    failed = outcome(Written(says(Proven("a"), Finding("b", "broken"), NotProven("c", "no rows"))), whole)
    assert (failed.state, failed.reason, failed.proven) == (State.FAILED, "", ("a",))
    assert [finding.subject for finding in failed.findings] == ["b"]
    assert failed.not_proven == (NotProven("c", "no rows"),)
    assert outcome(Written(says(Proven("a"), NotProven("c", "no rows"))), whole).state is State.PASSED


def test_nothing_judged_is_skipped_with_every_reason_once(whole: RelationalTarget) -> None:
    gaps = outcome(Written(says(NotProven("a", "no rows"), NotProven("b", "no rows"), NotProven("c", "type vector"))), whole)
    assert (gaps.state, gaps.reason) == (State.SKIPPED, "no rows, type vector")
    silent = outcome(Written(says()), whole)
    assert (silent.state, silent.reason) == (State.SKIPPED, "no things")


def test_a_finding_takes_the_severity_of_its_check_unless_it_has_one(whole: RelationalTarget) -> None:
    said = outcome(Written(says(Finding("a", "x"), Finding("b", "y", severity=Severity.NOTICE))), whole)
    assert [finding.severity for finding in said.findings] == [Severity.WARNING, Severity.NOTICE]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (StatementFailed("column x does not exist", "42703"), "its SQL failed: 42703: column x does not exist"),
        (KeyError("orders"), "KeyError: 'orders'"),
    ],
)
def test_a_check_that_broke_is_errored_and_keeps_what_it_found(whole: RelationalTarget, broken: Exception, reason: str) -> None:
    said = outcome(Written(says(Proven("a"), Finding("b", "x"), broken=broken)), whole)
    assert (said.state, said.reason, said.proven) == (State.ERRORED, reason, ("a",))
    assert [finding.subject for finding in said.findings] == ["b"]


def test_one_that_broke_does_not_take_the_others_along(whole: RelationalTarget) -> None:
    checks = {"breaks": Written(says(broken=ValueError("no"))), "holds": Written(says(Proven("a")))}
    assert [one.state for one in run_checks(whole, checks, {})] == [State.ERRORED, State.PASSED]


def test_what_is_not_there_because_the_migrations_failed_is_a_gap(server: Server, database: Database) -> None:
    evidence = Evidence(failure=MigrationFailure("r2", None, "", "42601", "syntax error"))
    missing, wrong = StatementFailed('relation "orders" does not exist', "42P01"), StatementFailed("syntax error", "42601")
    with target(server, database, evidence=evidence) as made:
        gap = outcome(Written(says(Finding("b", "x"), broken=missing)), made)
        assert gap.state is State.FAILED
        assert [one.reason for one in gap.not_proven] == ["the migrations failed, and what it reads is not there"]
        assert outcome(Written(says(broken=missing)), made).state is State.SKIPPED
        assert outcome(Written(says(broken=wrong)), made).state is State.ERRORED
    on_rows = Evidence(failure=MigrationFailure("r2", None, "", "23502", "nulls", on_rows=True))
    with target(server, database, evidence=on_rows) as made:
        assert outcome(Written(says(broken=missing)), made).state is State.ERRORED


def test_what_a_run_cannot_give_skips_with_its_words(whole: RelationalTarget) -> None:
    check = Written(says(Proven("a")), frozenset({Need.SANDBOX, Need.ROWS}))
    said = outcome(check, whole, {Need.SANDBOX: "only read from", Need.ROWS: "no rows", Need.BASE: "no base"})
    assert (said.state, said.reason, said.proven) == (State.SKIPPED, "no rows; only read from", ())
    assert outcome(check, whole, {Need.BASE: "no base"}).state is State.PASSED


def test_a_check_for_another_engine_is_skipped(whole: RelationalTarget) -> None:
    said = outcome(Written(says(Proven("a")), ENGINES=frozenset({Engine.SQLITE})), whole)
    assert (said.state, said.reason) == (State.SKIPPED, "not for PostgreSQL")


def test_outcomes_come_in_the_order_of_the_checks_and_are_told_as_they_end(whole: RelationalTarget) -> None:
    names = ["quiet", "writes", "reads", "reads-too"]
    needs = {"quiet": {Need.QUIET}, "writes": {Need.SANDBOX}}
    checks = {name: Written(says(Proven(name)), frozenset(needs.get(name, ()))) for name in names}
    told: list[str] = []
    outcomes = run_checks(whole, checks, {}, lambda ended: told.append(ended.check))
    assert [one.check for one in outcomes] == names
    assert sorted(told) == sorted(names)
    assert told[-1] == "quiet"


class Meeting:
    """Counts who is inside at once; nobody leaves before ``wanted`` have met, or the deadline is over."""

    def __init__(self, wanted: int) -> None:
        self._condition = threading.Condition()
        self._wanted = wanted
        self._inside = 0
        self.most = 0

    def judging(self, name: str) -> Judging:
        def run(_: RelationalTarget) -> Iterator[Judgement]:
            with self._condition:
                self._inside += 1
                self.most = max(self.most, self._inside)
                self._condition.notify_all()
                met = self._condition.wait_for(lambda: self.most >= self._wanted, DEADLINE)
            yield Proven(name) if met else NotProven(name, "nobody came")
            with self._condition:
                self._inside -= 1

        return run


def test_checks_that_only_read_meet(whole: RelationalTarget) -> None:
    meeting = Meeting(READERS)
    checks = {f"reads-{number}": Written(meeting.judging("a")) for number in range(READERS + 2)}
    assert {one.state for one in run_checks(whole, checks, {})} == {State.PASSED}
    assert meeting.most == READERS


def test_a_check_that_writes_meets_one_that_reads(whole: RelationalTarget) -> None:
    meeting = Meeting(2)
    checks = {"reads": Written(meeting.judging("a")), "writes": Written(meeting.judging("b"), frozenset({Need.SANDBOX}))}
    assert {one.state for one in run_checks(whole, checks, {})} == {State.PASSED}


@pytest.mark.parametrize("need", [Need.SANDBOX, Need.QUIET])
def test_checks_that_write_or_need_quiet_never_meet(whole: RelationalTarget, need: Need) -> None:
    meeting = Meeting(1)
    checks = {f"alone-{number}": Written(meeting.judging("a"), frozenset({need})) for number in range(5)}
    assert {one.state for one in run_checks(whole, checks, {})} == {State.PASSED}
    assert meeting.most == 1


def test_quiet_begins_when_all_else_has_ended(whole: RelationalTarget) -> None:
    events: list[str] = []

    def noted(name: str) -> Judging:
        def run(_: RelationalTarget) -> Iterator[Judgement]:
            events.append(f"{name} begins")
            yield Proven(name)
            events.append(f"{name} ends")

        return run

    needs = {"first": {Need.QUIET, Need.SANDBOX}, "second": {Need.QUIET}, "writes": {Need.SANDBOX}, "reads": set[Need]()}
    run_checks(whole, {name: Written(noted(name), frozenset(need)) for name, need in needs.items()}, {})
    assert events[4:] == ["first begins", "first ends", "second begins", "second ends"]
    assert sorted(events[:4]) == ["reads begins", "reads ends", "writes begins", "writes ends"]


def test_a_cancellation_is_no_outcome(whole: RelationalTarget) -> None:
    def cancelled(_: RelationalTarget) -> Iterator[Judgement]:
        yield Proven("a")
        raise Cancelled(Exit.INTERRUPTED)

    with pytest.raises(Cancelled):
        run_checks(whole, {"writes": Written(cancelled, frozenset({Need.SANDBOX}))}, {})


def test_severity_off_drops_a_check_and_any_other_turns_one_on() -> None:
    usual, extra = Written(says()), replace(Written(says()), SEVERITY=Severity.OFF)
    checks = {"usual": usual, "extra": extra}
    assert list(with_severities(checks, {})) == ["usual"]
    assert list(with_severities(checks, {"usual": Severity.OFF, "extra": Severity.NOTICE})) == ["extra"]


def test_every_real_check_is_scheduled(whole: RelationalTarget) -> None:
    """On an empty database, with nothing expected, none of them breaks."""
    outcomes = run_checks(whole, RELATIONAL, {})
    assert [one.check for one in outcomes] == list(RELATIONAL)
    assert {one.state for one in outcomes} <= {State.PASSED, State.SKIPPED}, outcomes


def test_what_the_settings_ask_for_and_could_not_be_done_is_errored_in_its_own_words(whole: RelationalTarget) -> None:
    ended = outcome(Written(says(Finding("a", "broken"), broken=CouldNotRun("`pytest` did not start"))), whole)
    assert (ended.state, ended.reason) == (State.ERRORED, "`pytest` did not start")
    assert [finding.subject for finding in ended.findings] == ["a"]
