"""superuser-migration: the statement that the owner was refused."""

from __future__ import annotations

from judging import Judge

from checks.evidence import Evidence, Migration, MigrationState, Place, Statement, SuperuserNeeded

CHECK = "superuser-migration"
PLACE = Place("migrations/a1.sql", 3)
APPLIED = Migration("a1", "", PLACE, MigrationState.APPLIED, new=False)


def test_a_history_that_its_owner_applied_is_proven(judge: Judge) -> None:
    assert judge(CHECK, evidence=Evidence(migrations=(APPLIED,))).proven == ["migrations"]
    assert judge(CHECK, evidence=Evidence(statements=(Statement("SELECT 1"),))).proven == ["migrations"]


def test_the_refused_statement_is_named(judge: Judge) -> None:
    needed = SuperuserNeeded(PLACE, "a1", "CREATE EXTENSION file_fdw", "permission denied to create extension")
    finding = judge(CHECK, evidence=Evidence(migrations=(APPLIED,), superuser_needed=needed)).finding
    assert (finding.subject, finding.place, finding.code) == ("a1", PLACE, "42501")
    assert finding.said == "permission denied to create extension"
    assert finding.evidence == {"statement": "CREATE EXTENSION file_fdw"}


def test_nothing_applied_says_nothing(judge: Judge) -> None:
    assert judge(CHECK).all == ()
