"""migration-limit: how long each new migration took on rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from checks.declared.expectations import Expectations
from checks.declared.limits import MigrationLimits
from checks.evidence import Evidence, LoadedFile, Migration, MigrationFailure, MigrationState, Place, Statement
from checks.interface import Finding, Judgement, NotProven, Proven
from checks.migrations import migration_limit

OLD = Migration("1", "", Place("db/1.sql", 1), MigrationState.APPLIED, new=False, seconds=900.0)
NEW = Migration("2", "", Place("db/2.sql", 1), MigrationState.APPLIED, new=True, seconds=72.0)
ROWS = (LoadedFile("seeds.sql"),)


@dataclass
class Target:
    """What a check is handed that reads evidence alone."""

    evidence: Evidence
    expect: Expectations


def judged(evidence: Evidence, limit: float | None = 60.0) -> list[Judgement]:
    expect = Expectations(limits=MigrationLimits(migration=limit))
    return list(migration_limit.run(Target(evidence, expect)))  # type: ignore[arg-type]


def test_a_new_migration_beyond_the_limit_is_found() -> None:
    (finding,) = judged(Evidence(migrations=(OLD, NEW), loaded=ROWS))
    assert isinstance(finding, Finding)
    assert (finding.subject, finding.place, finding.message) == ("2", NEW.place, "it took 72 s; the limit is 60 s")


def test_within_the_limit_it_is_proven_where_there_were_rows() -> None:
    quick = replace(NEW, seconds=4.0)
    assert judged(Evidence(migrations=(OLD, quick), loaded=ROWS)) == [Proven("2")]
    assert judged(Evidence(migrations=(OLD, quick))) == [NotProven("2", "base holds no rows")]


def test_where_the_tool_tells_no_time_the_statements_do() -> None:
    silent = replace(NEW, seconds=None)
    statements = (Statement("UPDATE", NEW.place, seconds=40.0), Statement("UPDATE", NEW.place, seconds=30.0))
    (finding,) = judged(Evidence(migrations=(silent,), statements=statements, loaded=ROWS))
    assert isinstance(finding, Finding)
    assert finding.message == "it took 70 s; the limit is 60 s"
    assert judged(Evidence(migrations=(silent,), loaded=ROWS)) == [NotProven("2", "its time is not known")]
    (whole,) = judged(Evidence(statements=statements, loaded=ROWS))
    assert whole.subject == "migrations"


def test_nothing_is_said_without_a_limit_or_of_what_failed() -> None:
    assert judged(Evidence(migrations=(NEW,), loaded=ROWS), None) == []
    failed = MigrationFailure("2", None, "", "23505", "")
    assert judged(Evidence(migrations=(NEW,), loaded=ROWS, failure=failed)) == []
