"""blocking-migration: what was seen under traffic, weighed by the limit and by production's rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from checks.declared.expectations import Expectations
from checks.declared.limits import MigrationLimits
from checks.evidence import Evidence, Lock, Migration, MigrationState, Place, Statement
from checks.interface import Finding, NotProven, Proven, Severity
from checks.migrations import blocking_migration
from checks.schema.names import ObjectKind, ObjectReference
from checks.traffic import Access, Blocking, Traffic, Wait, WorkKind, WorkOnRows

PLACE = Place("db/2_check.sql", 14)
NEW = Migration("2_check", "", Place("db/2_check.sql", 1), MigrationState.APPLIED, new=True)
EXCLUSIVE = Lock("orders", "AccessExclusiveLock")
ADD = Blocking(
    text="ALTER TABLE orders ADD CHECK (total > 0)",
    place=PLACE,
    revision="2_check",
    taken=(EXCLUSIVE,),
    work=(WorkOnRows("orders", WorkKind.SCAN, 100_000),),
    waits=(
        Wait("orders", Access.WRITES, 2.9, 0.2, "RowExclusiveLock"),
        Wait("orders", Access.READS, 0.5, 0.2, "AccessShareLock"),
    ),
    held=2.6,
    commands=("ALTER TABLE",),
    made=(ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "orders_check"),),
)
QUICK = replace(ADD, work=())


@dataclass
class Target:
    """What a check is handed that reads evidence alone."""

    evidence: Evidence
    expect: Expectations


def judged(
    *statements: Blocking, rows: int = 100_000, alone: float = 60.0, milder: float | None = None, **limits: Any
) -> list[Any]:
    traffic = Traffic(statements, rows={"orders": rows}, alone=None if milder is None else executed(milder))
    evidence = replace(executed(alone), traffic=traffic)
    return list(blocking_migration.run(Target(evidence, Expectations(limits=MigrationLimits(**limits)))))  # type: ignore[arg-type]


def executed(seconds: float) -> Evidence:
    return Evidence(migrations=(NEW,), statements=(Statement("ALTER TABLE orders …", PLACE, "2_check", seconds=seconds),))


def test_without_a_limit_it_is_a_warning_with_what_was_measured() -> None:
    (finding,) = judged(ADD)
    assert (finding.subject, finding.place, finding.severity) == ("2_check on orders", PLACE, None)
    assert finding.message == (
        "ALTER TABLE reads 100 000 rows of orders under AccessExclusiveLock on orders (keeps out readers and writers);"
        " held for 2.7 s at 100 000 rows; writes to orders waited 2.7 s for RowExclusiveLock behind ALTER TABLE at"
        " line 14, reads of orders waited 300 ms for AccessShareLock behind ALTER TABLE at line 14"
    )
    assert "VALIDATE CONSTRAINT in a transaction of its own" in finding.remedy
    (fact,) = finding.evidence["statements"]
    assert [wait["queued_seconds"] for wait in fact["waits"]] == [0.2, 0.2]


def test_what_writes_the_table_anew_leads_and_the_lines_of_the_others_are_named() -> None:
    anew = replace(
        ADD,
        text="ALTER TABLE orders ALTER total TYPE bigint",
        place=replace(PLACE, line=20),
        work=(WorkOnRows("orders", WorkKind.REWRITE, 9, "type changed"),),
    )
    (finding,) = judged(ADD, replace(ADD, place=replace(PLACE, line=15)), anew)
    assert (finding.place, finding.message.partition(" under ")[0]) == (
        replace(PLACE, line=20),
        "ALTER TABLE (and 2 more, at lines 14 and 15) writes orders anew (type changed, 9 rows)",
    )
    assert "new column of the new type" in finding.remedy


def test_its_own_time_is_that_on_the_rows_on_which_it_was_watched() -> None:
    """Where made rows stop it, the verdict's run had none, and took no time."""
    (finding,) = judged(ADD, alone=0.0001, milder=1.5, blocked=0.5)
    assert "held for 1.5 s at 100 000 rows" in finding.message
    (quick,) = judged(ADD, alone=0.0001, blocked=0.5)
    assert "held for 1.5 s" not in quick.message


def test_a_wait_beyond_the_limit_is_an_error() -> None:
    (finding,) = judged(ADD, blocked=0.5)
    assert finding.severity is Severity.ERROR
    assert "the limit is 500 ms" in finding.message


def test_within_the_limit_it_is_still_a_warning_where_nobody_says_how_many_rows_there_are() -> None:
    (finding,) = judged(ADD, blocked=5.0)
    assert (finding.severity, "the limit" in finding.message) == (None, False)


def test_production_rows_say_what_it_comes_to() -> None:
    (finding,) = judged(ADD, blocked=5.0, production_rows={"orders": 400_000_000})
    assert finding.severity is Severity.ERROR
    assert "about 3 h at production's 400 000 000 if it grows with the rows; the limit is 5 s" in finding.message
    assert judged(ADD, blocked=5.0, production_rows={"orders": 120_000}) == [Proven("2_check on orders")]


def test_of_few_rows_nothing_is_said_of_many() -> None:
    few = replace(ADD, waits=(), held=0.004, work=(WorkOnRows("orders", WorkKind.SCAN, 100),))
    (finding,) = judged(few, rows=100, blocked=0.5, production_rows={"orders": 400_000_000})
    assert finding.severity is None
    assert "too few rows to say how long at production's 400 000 000" in finding.message
    assert judged(few, rows=100, blocked=0.5, production_rows={"orders": 80}) == [Proven("2_check on orders")]


def test_a_quick_lock_is_open_to_others_unless_they_waited_beyond_the_limit() -> None:
    assert judged(QUICK) == [Proven("2_check on orders")]
    assert judged(QUICK, blocked=3.0) == [Proven("2_check on orders")]
    (finding,) = judged(QUICK, blocked=0.5)
    assert (finding.severity, finding.place) == (Severity.ERROR, PLACE)
    assert finding.message.startswith("writes to orders waited 2.7 s")


def test_what_a_busy_machine_adds_does_not_count() -> None:
    assert judged(QUICK, blocked=0.5, alone=0.1) == [Proven("2_check on orders")]


def test_work_under_the_lock_of_an_earlier_statement_names_both() -> None:
    first = replace(QUICK, place=Place("db/2_check.sql", 3), waits=())
    later = replace(ADD, taken=(), earlier=((EXCLUSIVE, first.place),), waits=())
    (finding,) = judged(first, later)
    assert finding.place == PLACE
    assert "under AccessExclusiveLock on orders (keeps out readers and writers), held since line 3" in finding.message
    assert "in a transaction of its own" in finding.remedy


def test_what_could_not_be_looked_at_is_not_proven() -> None:
    evidence = Evidence(migrations=(NEW,), traffic=Traffic(gap="the server ended"))
    said = list(blocking_migration.run(Target(evidence, Expectations())))  # type: ignore[arg-type]
    assert said == [NotProven("2_check", "the server ended")]
    assert judged(QUICK, rows=0) == [NotProven("2_check on orders", "no rows")]
    assert judged() == [Proven("2_check")]
    assert list(blocking_migration.run(Target(Evidence(migrations=(NEW,)), Expectations()))) == []  # type: ignore[arg-type]


def test_a_statement_of_no_file_is_told_all_the_same() -> None:
    said = judged(replace(ADD, revision="", place=None))
    assert [one.subject for one in said] == ["2_check", "migrations on orders"]


def test_a_tool_without_revisions_is_judged_as_one() -> None:
    one = replace(ADD, revision="")
    traffic = Traffic((one,), rows={"orders": 100_000})
    target = Target(Evidence(statements=(Statement(one.text, PLACE),), traffic=traffic), Expectations())
    (finding,) = blocking_migration.run(target)  # type: ignore[arg-type]
    assert isinstance(finding, Finding)
    assert finding.subject == "migrations on orders"


def test_what_comes_after_it_in_one_transaction_lengthens_what_its_locks_are_held_for() -> None:
    later = replace(NEW, revision="3_more", place=Place("db/3_more.sql", 1))
    executed = [Statement("ALTER TABLE", PLACE, "2_check", seconds=0.1), Statement("UPDATE", later.place, "3_more", seconds=2.0)]
    evidence = Evidence(
        migrations=(NEW, later), statements=tuple(executed), traffic=Traffic((replace(ADD, held=2.1),), rows={"orders": 500})
    )
    (finding, _) = blocking_migration.run(Target(evidence, Expectations()))  # type: ignore[arg-type]
    assert isinstance(finding, Finding)
    assert "held for 2.1 s at 500 rows" in finding.message


def test_the_own_table_comes_first_in_what_is_said_of_locks_and_waits() -> None:
    others = (Lock("customers", "AccessExclusiveLock"), EXCLUSIVE)
    lock = replace(QUICK, taken=others, waits=(Wait("customers", Access.READS, 0.9, 0.0, "AccessShareLock"), ADD.waits[1]))
    later = replace(ADD, taken=(), waits=(), earlier=tuple((one, PLACE) for one in others))
    (finding, *_) = judged(lock, later)
    assert "under AccessExclusiveLock on orders, customers (keeps" in finding.message
    assert "held since an earlier statement of the same line;" in finding.message
    assert finding.message.endswith("reads of orders waited 300 ms for AccessShareLock behind ALTER TABLE at line 14")
