"""What a finding amounts to: new, known, allowed or past its date; and what of base's findings is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from checks.evidence import Evidence, MigrationState, Place
from checks.interface import Engine, Finding, NotProven, Outcome, Severity, State
from runner.allows.allow import Allow
from runner.allows.allows import Allows, allows_in
from runner.allows.ledger import reported_allows
from runner.report import (
    AllowState,
    Provenance,
    ReportedCheck,
    ReportedDatabase,
    ReportedFinding,
    ReportedGap,
    ReportedMigration,
    Standing,
)
from runner.reported_findings import Standards, gone, reported_findings
from runner.settings.load import load
from runner.settings.model import Settings
from runner.settings.surface import FailOn

TODAY = date(2026, 11, 21)
CHECK = "orphaned-rows"
TOML = Place("dbproof.toml", 7)
SQL = "-- dbproof: allow orphaned-rows, old rows\nalter table a add b int;\n\n-- dbproof: allow orphaned-rows\nselect 1;\n"


def allow(subject: str = "*", until: date | None = None, check: str = CHECK, line: int = 7) -> Allow:
    return Allow(check, "old rows", replace(TOML, line=line), subject, until)


def reported(*allows: Allow, fail_on: FailOn = FailOn.ERROR, subject: str = "a.b -> c.d", base: bool = False) -> ReportedFinding:
    outcome = Outcome(CHECK, State.FAILED, findings=(Finding(subject, "it does not hold", severity=Severity.ERROR),))
    by = Standards(Settings(fail_on=fail_on), Engine.POSTGRESQL, Allows(allows, today=TODAY), (outcome,) if base else ())
    (finding,) = reported_findings(outcome, Evidence(), by, by.known)
    return finding


@pytest.mark.parametrize(
    ("until", "state", "severity", "fails"),
    [
        (None, Standing.ALLOWED, Severity.ERROR, False),
        (date(2026, 11, 22), Standing.ALLOWED, Severity.ERROR, False),
        (TODAY, Standing.ALLOWED, Severity.ERROR, False),
        (date(2026, 11, 20), Standing.NEW, Severity.WARNING, False),
    ],
)
@pytest.mark.parametrize("fail_on", list(FailOn))
def test_until_its_last_day_a_finding_is_accepted_and_then_it_warns(
    until: date | None, state: Standing, severity: Severity, fails: bool, fail_on: FailOn
) -> None:
    finding = reported(allow(until=until), fail_on=fail_on)
    assert (finding.state, finding.severity, finding.fails) == (state, severity, fails)
    assert finding.allowed is not None
    assert finding.allowed.expired is (state is Standing.NEW)


def test_an_allow_of_another_check_or_subject_or_case_is_none() -> None:
    for other in (allow(check="no-rows"), allow("a.B*"), allow("a.b")):
        finding = reported(other)
        assert (finding.state, finding.fails, finding.allowed) == (Standing.NEW, True, None)


def test_one_in_time_goes_before_one_that_is_past() -> None:
    finding = reported(allow(until=date(2020, 1, 1)), allow(line=9))
    assert finding.state is Standing.ALLOWED
    assert finding.allowed is not None
    assert finding.allowed.place.line == 9


def test_what_is_known_and_allowed_is_allowed_and_past_its_date_it_is_known() -> None:
    assert reported(base=True).state is Standing.KNOWN
    assert reported(allow(), base=True).state is Standing.ALLOWED
    late = reported(allow(until=date(2020, 1, 1)), base=True)
    assert (late.state, late.severity) == (Standing.KNOWN, Severity.WARNING)


def test_a_subject_may_be_written_as_the_reports_spell_it() -> None:
    assert reported(allow(r"a.b\n\x1b*"), subject="a.b\n\x1b[31m").state is Standing.ALLOWED


def database(state: State, *findings: ReportedFinding, gaps: tuple[ReportedGap, ...] = (), new: bool = True) -> ReportedDatabase:
    check = ReportedCheck(CHECK, state, "", 0.0, "references", "hold", 1, gaps, findings)
    migration = ReportedMigration("1", "", Place("1.sql", 1), MigrationState.APPLIED, new)
    return ReportedDatabase("app", "postgresql", "16", "", "main", 0.0, (migration,), (check,))


def told(
    *declared: Allow, databases: list[ReportedDatabase], root: Path | None = None, compared: bool = True
) -> list[AllowState]:
    return [one.state for one in reported_allows(Allows(declared, root, (CHECK,), TODAY), databases, compared)]


def test_what_becomes_of_an_allow() -> None:
    found = database(State.FAILED, reported())
    assert told(allow("a.*"), databases=[found]) == [AllowState.USED]
    assert told(allow(until=date(2020, 1, 1)), databases=[found]) == [AllowState.EXPIRED]
    assert told(allow("x.*"), databases=[found]) == [AllowState.UNUSED]
    assert told(allow("x.*", until=date(2020, 1, 1)), databases=[found]) == [AllowState.UNUSED]
    assert told(allow(check="no-rows"), databases=[found]) == [AllowState.NOT_JUDGED]


def test_nothing_is_called_unused_that_could_not_be_told() -> None:
    assert told(allow("x.*"), databases=[database(State.ERRORED)]) == [AllowState.NOT_JUDGED]
    assert told(allow("x.*"), databases=[database(State.SKIPPED)]) == [AllowState.NOT_JUDGED]
    assert told(allow("x.*"), databases=[database(State.PASSED, gaps=(ReportedGap("x.y", "no rows"),))]) == [
        AllowState.NOT_JUDGED
    ]
    assert told(allow("x.*"), databases=[database(State.PASSED, gaps=(ReportedGap("z", "no rows"),))]) == [AllowState.UNUSED]
    assert told(allow("x.*"), databases=[database(State.PASSED), database(State.ERRORED)]) == [AllowState.NOT_JUDGED]


def test_comments_of_what_is_applied_already_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text(SQL)
    new, old = database(State.PASSED), database(State.PASSED, new=False)
    assert told(databases=[new], root=tmp_path) == [AllowState.UNUSED, AllowState.NOT_HEEDED]
    assert told(databases=[old], root=tmp_path) == []
    assert told(databases=[old], root=tmp_path, compared=False) == [AllowState.UNUSED, AllowState.NOT_HEEDED]
    blamed = replace(reported(), provenance=Provenance(Place("1.sql", 2)))
    assert told(databases=[database(State.FAILED, blamed, new=False)], root=tmp_path) == [AllowState.USED]


def test_files_outside_of_the_repository_are_not_read(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    (tmp_path / "1.sql").write_text(SQL)
    (root / "link.sql").symlink_to(tmp_path / "1.sql")
    (root / "1.sql").mkdir()
    allows = Allows((), root, (CHECK,), TODAY)
    for name in ("../1.sql", str(tmp_path / "1.sql"), "link.sql", "1.sql", "nowhere.sql", "a\0b.sql", "x" * 5000 + ".sql"):
        assert allows.in_file(name, Engine.POSTGRESQL) == ()
    (root / "2.sql").write_text(SQL)
    assert len(allows.in_file("2.sql", Engine.POSTGRESQL)) == 2


BASE = Outcome(CHECK, State.FAILED, findings=(Finding("a", "orphans", severity=Severity.WARNING),))


@pytest.mark.parametrize(
    ("head", "holds"),
    [
        (Outcome(CHECK, State.PASSED, proven=("a",)), [True]),
        (Outcome(CHECK, State.FAILED, findings=(Finding("b", "x"),)), [False]),
        (Outcome(CHECK, State.SKIPPED, "no references"), [False]),
        (Outcome(CHECK, State.FAILED, findings=(Finding("a", "x"),)), []),
        (Outcome(CHECK, State.PASSED, proven=("b",), not_proven=(NotProven("a", "no rows"),)), []),
        (Outcome(CHECK, State.SKIPPED, "no rows", not_proven=(NotProven("b", "no rows"),)), []),
        (Outcome(CHECK, State.SKIPPED, "not reached, the run was stopped"), []),
        (Outcome(CHECK, State.ERRORED, "it broke"), []),
        (Outcome("no-rows", State.PASSED, proven=("a",)), []),
    ],
)
def test_only_what_was_judged_can_be_gone(head: Outcome, holds: list[bool]) -> None:
    assert [one.holds for one in gone(head, "references", [BASE], {})] == holds


def test_what_is_gone_weighs_what_the_settings_say() -> None:
    (one,) = gone(Outcome(CHECK, State.PASSED, proven=("a",)), "references", [BASE], {CHECK: Severity.NOTICE})
    assert (one.severity, one.subject, one.message) == (Severity.NOTICE, "a", "orphans")


def test_settings_say_where_each_allow_stands_and_a_file_that_is_gone_costs_only_the_line(tmp_path: Path) -> None:
    entry = '[[tool.dbproof.allow]]\ncheck = "orphaned-rows"\nsubject = "a"\nreason = "b"\n'
    (tmp_path / "pyproject.toml").write_text(f"[tool.dbproof]\nfail_on = 'error'\n{entry}\n{entry}")
    told = load(tmp_path, {}, {}, detecting=False)
    assert [str(one.place) for one in allows_in(told).declared] == ["pyproject.toml:3", "pyproject.toml:8"]
    (tmp_path / "pyproject.toml").unlink()
    assert [str(one.place) for one in allows_in(told).declared] == ["pyproject.toml", "pyproject.toml"]
