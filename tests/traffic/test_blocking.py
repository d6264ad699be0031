"""New migrations under traffic on a real server: what is seen of locks, of work under them, and of who waited."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from trials import Target, Trial, tried

from checks.evidence import Statement
from checks.interface import Finding, Proven
from checks.migrations import blocking_migration, lock_queue
from checks.targets import Role
from checks.traffic import Access, WorkKind
from runner.servers.interface import Golden, Server
from runner.traffic.passing import _placed

HOSTILE = "Or\"der%s 'ÿ {x}"
QUOTED = '"Or""der%s \'ÿ {x}"'

ROWS = f"""
    CREATE TABLE parents (id int PRIMARY KEY);
    INSERT INTO parents SELECT generate_series(1, 500);
    CREATE TABLE {QUOTED} (id int, "to%tal" int);
    INSERT INTO {QUOTED} SELECT g, g FROM generate_series(1, 500) AS g;
    CREATE TABLE empty (id int);
    DO $$ BEGIN FOR n IN 1..11 LOOP
        EXECUTE format('CREATE TABLE t%s (id int, parent_id int, note varchar(50))', n);
        EXECUTE format('INSERT INTO t%s SELECT g, g, g FROM generate_series(1, 500) AS g', n);
    END LOOP; END $$;
    CREATE INDEX t8_id ON t8 (id);
"""

#: Each statement on a table of its own, at a line of its own.
BAD = """\
CREATE INDEX ON t1 (id);
ALTER TABLE t2 ADD CONSTRAINT key FOREIGN KEY (parent_id) REFERENCES parents;
ALTER TABLE t3 ALTER COLUMN id SET NOT NULL;
ALTER TABLE t4 ALTER COLUMN id TYPE bigint;
BEGIN;
ALTER TABLE t5 ADD COLUMN paid boolean;
UPDATE t5 SET paid = false;
COMMIT;
BEGIN;
ALTER TABLE t6 ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
ALTER TABLE t6 VALIDATE CONSTRAINT positive;
COMMIT;
VACUUM FULL t7;
REINDEX TABLE t8;
ALTER TABLE t9 ADD CONSTRAINT one UNIQUE (id);
ALTER TABLE empty ALTER COLUMN id TYPE bigint;
BEGIN;
ALTER TABLE t10 ADD COLUMN paid boolean;
DO $$ BEGIN FOR n IN 1..500 LOOP UPDATE t10 SET paid = false WHERE id = n; END LOOP; END $$;
COMMIT;
BEGIN;
ALTER TABLE t11 ADD COLUMN paid boolean;
CREATE INDEX ON t11 (paid);
COMMIT;
"""

GOOD = f"""\
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY t1_id ON t1 (id);
ALTER TABLE t2 ADD CONSTRAINT key FOREIGN KEY (parent_id) REFERENCES parents NOT VALID;
ALTER TABLE t2 VALIDATE CONSTRAINT key;
ALTER TABLE t3 ADD CONSTRAINT given CHECK (id IS NOT NULL) NOT VALID;
ALTER TABLE t3 VALIDATE CONSTRAINT given;
ALTER TABLE t3 ALTER COLUMN id SET NOT NULL;
ALTER TABLE t4 ALTER COLUMN note TYPE varchar(100);
ALTER TABLE t5 ADD COLUMN paid boolean;
UPDATE t5 SET paid = false;
VACUUM t7;
REINDEX TABLE CONCURRENTLY t8;
CREATE UNIQUE INDEX CONCURRENTLY one ON t9 (id);
ALTER TABLE t9 ADD CONSTRAINT one UNIQUE USING INDEX one;
ALTER TABLE {QUOTED} RENAME COLUMN "to%tal" TO total;
CREATE TABLE later (id int PRIMARY KEY, parent_id int);
CREATE INDEX ON later (parent_id);
"""


@pytest.fixture(scope="module")
def golden(server: Server) -> Golden:
    database = server.create("under_traffic")
    with psycopg.connect(**database.addresses[Role.OWNER].keywords(), autocommit=True) as connection:
        connection.execute(ROWS.encode())
    return server.seal(database)


def done(server: Server, golden: Golden, place: Path, text: str) -> Trial:
    trial = tried(server, golden, place, {"1_new.sql": text})
    assert trial is not None
    assert trial.applied.failure is None, trial.applied.failure
    return trial


@pytest.fixture(scope="module")
def bad(server: Server, golden: Golden, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return done(server, golden, tmp_path_factory.mktemp("bad"), BAD)


def test_each_way_to_block_is_seen_with_its_lock_and_its_work(bad: Trial) -> None:
    seen = {}
    for line in (1, 2, 3, 4, 7, 11, 13, 14, 15, 23):
        one = bad.of(line)
        locks = one.taken or tuple(lock for lock, _ in one.earlier)
        seen[line] = ({lock.mode for lock in locks}, {(work.relation, work.kind, work.rows) for work in one.work})
    exclusive = {"AccessExclusiveLock"}
    assert seen == {
        1: ({"ShareLock"}, {("t1", WorkKind.INDEX, 500)}),
        2: ({"ShareRowExclusiveLock"}, {("t2", WorkKind.SCAN, 500), ("parents", WorkKind.SCAN, 500)}),
        3: (exclusive, {("t3", WorkKind.SCAN, 500)}),
        4: (exclusive, {("t4", WorkKind.REWRITE, 500)}),
        7: (exclusive, {("t5", WorkKind.WRITE, 500)}),
        11: (exclusive, {("t6", WorkKind.SCAN, 500)}),
        13: (exclusive, {("t7", WorkKind.REWRITE, 500)}),
        14: ({"ShareLock"}, {("t8", WorkKind.INDEX, 500)}),
        15: (exclusive, {("t9", WorkKind.INDEX, 500)}),
        23: (exclusive, {("t11", WorkKind.INDEX, 500)}),
    }
    assert {lock.relation for lock in bad.of(2).taken} == {"t2", "parents"}
    assert bad.of(4).work[0].reason == "type changed"


def test_rows_that_are_written_one_by_one_are_added_up(bad: Trial) -> None:
    (work,) = bad.of(19).work
    assert (work.relation, work.kind) == ("t10", WorkKind.WRITE)
    assert work.rows > 250


def test_whoever_comes_after_queues_behind_the_statement_that_waits(bad: Trial) -> None:
    """The long transaction is in the way of the first statement for certain: it stands before the migrations begin."""
    first = bad.of(1)
    (wait,) = [wait for wait in first.waits if wait.access is Access.WRITES]
    assert (wait.relation, wait.mode) == ("t1", "RowExclusiveLock")
    assert first.waited > 0
    assert wait.seconds > wait.queued > 0
    assert [wait.access for wait in first.waits] == [Access.WRITES]  # ShareLock keeps no reader out


def test_a_finding_for_each_table_that_is_worked_on_and_one_that_no_timeout_ends_the_waiting(bad: Trial) -> None:
    said = list(blocking_migration.run(Target(bad)))  # type: ignore[arg-type]
    found = {one.subject: one for one in said if isinstance(one, Finding)}
    assert sorted(found) == sorted(f"1_new on t{number}" for number in range(1, 12))
    assert [one.subject for one in said if not isinstance(one, Finding)] == ["1_new on empty"]
    assert all(one.severity is None and one.place is not None for one in found.values())
    assert "reads 500 rows of t6 under AccessExclusiveLock on t6" in found["1_new on t6"].message
    assert "held since line 10" in found["1_new on t6"].message
    assert found["1_new on t1"].remedy.startswith("CREATE INDEX CONCURRENTLY")
    assert "NOT VALID" in found["1_new on t2"].remedy
    assert "IS NOT NULL" in found["1_new on t3"].remedy
    assert "new column of the new type" in found["1_new on t4"].remedy
    assert "in batches" in found["1_new on t5"].remedy
    assert "transaction of its own" in found["1_new on t6"].remedy
    assert "VACUUM without FULL" in found["1_new on t7"].remedy
    assert "REINDEX" in found["1_new on t8"].remedy
    assert "USING INDEX" in found["1_new on t9"].remedy
    assert found["1_new on t11"].remedy.endswith("it builds beside writers.")
    (queue,) = lock_queue.run(Target(bad))  # type: ignore[arg-type]
    assert isinstance(queue, Finding)
    assert "no lock_timeout" in queue.message


def test_the_good_ways_are_found_to_be_good(server: Server, golden: Golden, tmp_path: Path) -> None:
    target = Target(done(server, golden, tmp_path, GOOD))
    said = list(blocking_migration.run(target))  # type: ignore[arg-type]
    assert [one for one in said if not isinstance(one, Proven)] == []
    assert {one.subject for one in said} >= {"1_new on t2", "1_new on t3", f"1_new on {HOSTILE}"}
    assert list(lock_queue.run(target)) == [Proven("1_new")]  # type: ignore[arg-type]


def test_a_table_that_is_given_another_name_is_watched(server: Server, golden: Golden, tmp_path: Path) -> None:
    trial = done(server, golden, tmp_path, "DO $$ BEGIN ALTER TABLE t1 RENAME TO renamed; END $$;")
    assert trial.traffic.rows == {"t1": 500}
    assert [lock.relation for one in trial.traffic.statements for lock in one.taken] == ["t1"]


def test_what_touches_nothing_from_before_is_not_watched(server: Server, golden: Golden, tmp_path: Path) -> None:
    assert tried(server, golden, tmp_path, {"1_new.sql": "CREATE TABLE later (id int);\nCREATE INDEX ON later (id);"}) is None


def test_a_migration_gives_up_behind_the_long_transaction(server: Server, golden: Golden, tmp_path: Path) -> None:
    files = {"1_new.sql": "SET lock_timeout = '20ms';\nALTER TABLE t1 ADD COLUMN note_2 text;"}
    trial = tried(server, golden, tmp_path, files)
    assert trial is not None
    assert trial.applied.failure is not None
    assert trial.applied.failure.code == "55P03"
    assert trial.traffic.statements == ()


def test_a_program_s_statements_stand_where_the_verdict_s_run_found_them(bad: Trial) -> None:
    """Of a command the server is told no lines; its text was found in the project's files."""
    known = [Statement(f"{one.text};\n", one.place) for one in bad.traffic.statements]
    untold = replace(bad.traffic, statements=tuple(replace(one, place=None) for one in bad.traffic.statements))
    assert _placed(untold, known) == bad.traffic
    assert _placed(untold, ()) == untold
