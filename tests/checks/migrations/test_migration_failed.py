"""migration-failed: what became of each migration, and why the one that failed did."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import Judge

from checks.evidence import Evidence, Migration, MigrationFailure, MigrationState, Place, Statement

CHECK = "migration-failed"
PLACE = Place("migrations/b2_add_currency.py", 24)


def _migration(revision: str, state: MigrationState) -> Migration:
    return Migration(revision, "", Place(f"migrations/{revision}.py"), state, new=True)


def _history(*states: MigrationState) -> tuple[Migration, ...]:
    return tuple(_migration(f"r{number}", state) for number, state in enumerate(states, 1))


def test_migrations_that_applied_are_proven(judge: Judge) -> None:
    evidence = Evidence(migrations=_history(MigrationState.APPLIED, MigrationState.APPLIED))
    assert judge(CHECK, evidence=evidence).proven == ["r1", "r2"]


def test_a_failure_on_rows_has_place_code_words_and_remedy(judge: Judge) -> None:
    failure = MigrationFailure(
        "r2", PLACE, "ALTER TABLE orders ...", "23502", 'column "currency" contains null values', "the row", on_rows=True
    )
    history = _history(MigrationState.APPLIED, MigrationState.FAILED, MigrationState.PENDING)
    judged = judge(CHECK, evidence=Evidence(migrations=history, failure=failure))
    assert judged.proven == ["r1"]
    assert judged.gaps == {"r3": "not reached, r2 failed"}
    finding = judged.finding
    assert (finding.subject, finding.place, finding.code) == ("r2", PLACE, "23502")
    assert (finding.said, finding.detail) == ('column "currency" contains null values', "the row")
    assert finding.message == "migration r2 failed on rows: green on an empty table, red on these rows"
    assert "SET NOT NULL" in finding.remedy


def test_a_command_that_failed_is_one_whole(judge: Judge) -> None:
    failure = MigrationFailure(None, None, "SELECT nope", "42703", "column does not exist")
    finding = judge(CHECK, evidence=Evidence(failure=failure)).finding
    assert (finding.subject, finding.message) == ("migrations", "the migrations failed")


def test_a_command_that_ended_well_is_proven_as_one_whole(judge: Judge) -> None:
    assert judge(CHECK, evidence=Evidence(statements=(Statement("CREATE TABLE a ()"),))).proven == ["migrations"]


def test_a_deadline_is_called_that(judge: Judge) -> None:
    failure = MigrationFailure("r1", None, "", "", "killed", timed_out=True)
    finding = judge(CHECK, evidence=Evidence(failure=failure)).finding
    assert finding.message == "migration r1 did not end within the deadline"
    assert "`timeout`" in finding.remedy


@pytest.mark.parametrize("code", ["42710", "25001", "XX000", ""])
def test_every_failure_has_a_remedy(judge: Judge, code: str) -> None:
    assert judge(CHECK, evidence=Evidence(failure=MigrationFailure("r1", None, "", code, "no"))).finding.remedy


#: As the adapters say it.
LATE = [
    "golang-migrate passes this file over: a database at version 8 never applies it",
    "Drizzle passes this entry over: the journal dates it before the newest that is applied",
    "Atlas: migration file 3_a.sql was added out of order",
]


@pytest.mark.parametrize("said", LATE)
def test_a_new_migration_that_is_too_old_is_to_become_the_newest(judge: Judge, said: str) -> None:
    remedy = judge(CHECK, evidence=Evidence(failure=MigrationFailure("r1", None, "", "", said))).finding.remedy
    assert "newest one" in remedy


def test_nothing_applied_says_nothing(judge: Judge) -> None:
    assert judge(CHECK).all == ()


@pytest.mark.parametrize(("broken", "said"), [("r1", "r1 before it fails, on base too"), (None, "the migrations before it fail")])
def test_a_new_migration_behind_one_that_fails_on_base_too_is_no_clean_one(judge: Judge, broken: str | None, said: str) -> None:
    """What fails on base is known and fails no run: then nobody would hear that the new one was never tried."""
    first, second = _history(MigrationState.PENDING, MigrationState.PENDING)
    known = replace(first, new=False, state=MigrationState.FAILED if broken else MigrationState.PENDING)
    evidence = Evidence((known, second), failure=MigrationFailure(broken, None, "", "42601", "no"), base_failed=True)
    judged = judge(CHECK, evidence=evidence)
    (found,) = [one for one in judged.findings if one.subject == "r2"]
    assert found.severity is None
    assert said in found.message
    assert "start_from" in found.remedy


def test_behind_a_new_one_that_fails_it_is_not_said_twice(judge: Judge) -> None:
    history = _history(MigrationState.FAILED, MigrationState.PENDING)
    evidence = Evidence(history, failure=MigrationFailure("r1", None, "", "42601", "no"), base_failed=True)
    judged = judge(CHECK, evidence=evidence)
    assert (judged.finding.subject, judged.gaps) == ("r1", {"r2": "not reached, r1 failed"})


def test_of_a_command_that_fails_on_base_too_nothing_new_is_taken_for_proven(judge: Judge) -> None:
    """It tells of no revisions: what fails is known, and what the change adds to it would never be heard of."""
    failure = MigrationFailure(None, None, "", "42601", "no")
    judged = judge(CHECK, evidence=Evidence(failure=failure, base_failed=True, untold=True))
    assert [one.subject for one in judged.findings] == ["migrations", "new migrations"]
    assert "was never built" in judged.findings[1].message
    assert judge(CHECK, evidence=Evidence(failure=failure, base_failed=True)).finding.subject == "migrations"
