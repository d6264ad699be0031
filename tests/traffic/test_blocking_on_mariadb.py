"""New migrations under traffic on a real MariaDB: each way to keep others out, beside the way that does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from trials import Target, Trial, tried_on_mariadb

from checks.declared.expectations import Expectations
from checks.declared.limits import MigrationLimits
from checks.evidence import Statement
from checks.interface import Finding, Proven, Severity
from checks.migrations import blocking_migration, lock_queue
from checks.targets import Role
from checks.traffic import Access, WorkKind
from runner.servers.interface import Golden
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session
from runner.traffic.mariadb import prepared

HOSTILE = "Or\"der%s 'ÿ `{x}"
QUOTED = "`Or\"der%s 'ÿ ``{x}`"

#: Each statement on a table of its own, at a line of its own.
BAD = f"""\
ALTER TABLE t1 MODIFY a BIGINT;
ALTER TABLE t2 ADD CONSTRAINT t2_parent FOREIGN KEY (k) REFERENCES parents (id);
ALTER TABLE t3 ADD FULLTEXT INDEX ft (n);
ALTER TABLE t4 ADD CONSTRAINT positive CHECK (a > 0);
ALTER TABLE t5 ADD COLUMN remark INT, ALGORITHM=COPY;
LOCK TABLES t6 WRITE;
UPDATE t6 SET a = 7;
UNLOCK TABLES;
ALTER TABLE t7 DROP PRIMARY KEY;
ALTER TABLE {QUOTED} MODIFY `to%tal` BIGINT;
CALL in_secret();
ALTER TABLE none MODIFY id BIGINT;
"""

GOOD = f"""\
SET SESSION lock_wait_timeout = 5;
ALTER TABLE t1 ADD COLUMN b BIGINT, ALGORITHM=INSTANT;
SET foreign_key_checks = 0;
ALTER TABLE t2 ADD CONSTRAINT t2_parent FOREIGN KEY (k) REFERENCES parents (id);
SET foreign_key_checks = 1;
CREATE UNIQUE INDEX one ON t3 (n);
ALTER TABLE t4 ADD COLUMN more INT CHECK (more > 0);
ALTER TABLE t5 ADD COLUMN remark INT;
ALTER TABLE t5 FORCE;
BEGIN;
UPDATE t6 SET a = 7;
DO sleep(0.4);
COMMIT;
ALTER TABLE t7 DROP PRIMARY KEY, ADD PRIMARY KEY (a);
ALTER TABLE {QUOTED} RENAME COLUMN `to%tal` TO total;
OPTIMIZE TABLE t8;
ALTER TABLE t8 MODIFY n VARCHAR(60);
RENAME TABLE t9 TO t9_old;
CREATE TABLE later (id INT PRIMARY KEY, k INT);
CREATE INDEX later_k ON later (k);
"""


@pytest.fixture(scope="module")
def golden(mariadb_server: MariadbServer) -> Golden:
    database = mariadb_server.create("under_traffic")
    with session(database.addresses[Role.OWNER]) as driver:
        rows(driver, "CREATE TABLE parents (id INT PRIMARY KEY)")
        rows(driver, "INSERT INTO parents SELECT seq FROM seq_1_to_500")
        for table in [*(f"`t{number}`" for number in range(1, 11)), QUOTED]:
            rows(
                driver, f"CREATE TABLE {table} (id INT PRIMARY KEY, a INT NOT NULL, n VARCHAR(50), k INT, `to%tal` INT, KEY (k))"
            )
            rows(driver, f"INSERT INTO {table} SELECT seq, seq, seq, seq, seq FROM seq_1_to_500")
        rows(driver, "CREATE TABLE none (id INT)")
        rows(driver, "CREATE PROCEDURE in_secret() EXECUTE IMMEDIATE CONCAT('ALTER TABLE t', 10, ' MODIFY a BIGINT')")
    return mariadb_server.seal(database)


def done(server: MariadbServer, golden: Golden, place: Path, text: str) -> Trial:
    trial = tried_on_mariadb(server, golden, place, text)
    assert trial.applied.failure is None, trial.applied.failure
    return trial


@pytest.fixture(scope="module")
def bad(mariadb_server: MariadbServer, golden: Golden, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return done(mariadb_server, golden, tmp_path_factory.mktemp("bad"), BAD)


def test_each_way_to_keep_writers_out_is_seen_with_its_lock_its_work_and_the_servers_reason(bad: Trial) -> None:
    seen = {}
    for line in (1, 2, 3, 4, 5, 7, 9, 10, 11):
        one = bad.of(line)
        (work,) = one.work
        locks = one.taken or tuple(lock for lock, _ in one.earlier)
        assert work.relation in {lock.relation for lock in locks}
        seen[line] = (work.relation, work.kind, work.rows, work.reason)
    copied, indexed, written = WorkKind.REWRITE, WorkKind.INDEX, WorkKind.WRITE
    assert seen == {
        1: ("t1", copied, 500, "Cannot change column type"),
        2: ("t2", copied, 500, "Adding foreign keys needs foreign_key_checks=OFF"),
        3: ("t3", indexed, 500, "Fulltext index creation requires a lock"),
        4: ("t4", copied, 500, ""),
        5: ("t5", copied, 500, "COPY algorithm requires a lock"),
        7: ("t6", written, 500, ""),
        9: ("t7", copied, 500, "Dropping a primary key is not allowed without also adding a new primary key"),
        10: (HOSTILE, copied, 500, "Cannot change column type"),
        11: ("t10", copied, 500, ""),
    }
    assert {lock.relation for lock in bad.of(1).briefly} == {"t1"}
    assert bad.of(12).work == ()  # no rows to copy


def test_whoever_comes_after_queues_behind_the_statement_that_waits(bad: Trial) -> None:
    """The long transaction is in the way of the first statement for certain: it stands before the migrations begin."""
    first = bad.of(1)
    assert first.waited > 0
    assert first.lock_timeout == 0
    waits = {wait.access: wait for wait in first.waits}
    assert waits[Access.WRITES].mode == "MDL_SHARED_WRITE"
    assert waits[Access.READS].mode == "MDL_SHARED_READ"
    assert all(wait.seconds > 0 and wait.queued > 0 and wait.relation == "t1" for wait in waits.values())


def test_a_finding_for_each_table_with_what_mariadb_has_instead(bad: Trial) -> None:
    said = list(blocking_migration.run(Target(bad)))  # type: ignore[arg-type]
    found = {one.subject: one for one in said if isinstance(one, Finding)}
    assert sorted(found) == sorted(f"1_new on {table}" for table in (*(f"t{number}" for number in (*range(1, 8), 10)), HOSTILE))
    assert all(one.severity is None and one.place is not None for one in found.values())
    assert "writes t1 anew (Cannot change column type, 500 rows) under MDL_" in found["1_new on t1"].message
    assert "held since line 6" in found["1_new on t6"].message
    assert "keeps out readers and writers" in found["1_new on t6"].message
    assert "new column of the new type" in found["1_new on t1"].remedy
    assert "foreign_key_checks = 0" in found["1_new on t2"].remedy
    assert "FULLTEXT" in found["1_new on t3"].remedy
    assert "CHECK on the new column" in found["1_new on t4"].remedy
    assert "without LOCK TABLES" in found["1_new on t6"].remedy
    assert "one ALTER TABLE" in found["1_new on t7"].remedy
    for words in ("NOT VALID", "CONCURRENTLY", "VACUUM", "pg_repack"):
        assert not any(words in one.remedy for one in found.values())
    assert "gh-ost" in found["1_new on t1"].remedy
    (queue,) = lock_queue.run(Target(bad))  # type: ignore[arg-type]
    assert isinstance(queue, Finding)
    assert "lock_wait_timeout" in queue.message
    assert "lock_wait_timeout" in queue.remedy


def test_the_ways_that_let_others_work_are_found_to_be_good(
    mariadb_server: MariadbServer, golden: Golden, tmp_path: Path
) -> None:
    trial = done(mariadb_server, golden, tmp_path, GOOD)
    said = list(blocking_migration.run(Target(trial)))  # type: ignore[arg-type]
    assert [one for one in said if not isinstance(one, Proven)] == []
    assert {one.subject for one in said} >= {
        *(f"1_new on t{number}" for number in (1, 2, 3, 4, 5, 7, 8, 9)),
        f"1_new on {HOSTILE}",
    }
    assert list(lock_queue.run(Target(trial))) == [Proven("1_new")]  # type: ignore[arg-type]
    _rows_waited_for(trial)


def _rows_waited_for(trial: Trial) -> None:
    """Rows that a transaction keeps locked shut no table; who waits for one does so behind the statement that wrote it."""
    (update,) = [one for one in trial.traffic.statements if one.text.startswith("UPDATE")]
    (wait,) = update.waits
    assert (wait.relation, wait.access, wait.mode, wait.queued) == ("t6", Access.WRITES, "a row lock", 0)
    assert not update.taken
    limited = Target(trial)
    limited.expect = Expectations(limits=MigrationLimits(blocked=0.0001))
    found = {one.subject: one for one in blocking_migration.run(limited) if isinstance(one, Finding)}  # type: ignore[arg-type]
    assert found["1_new on t6"].severity is Severity.ERROR
    assert "for a row lock behind UPDATE at line 11" in found["1_new on t6"].message


def test_a_migration_gives_up_behind_the_long_transaction(mariadb_server: MariadbServer, golden: Golden, tmp_path: Path) -> None:
    trial = tried_on_mariadb(mariadb_server, golden, tmp_path, "ALTER TABLE t1 NOWAIT ADD COLUMN note TEXT;")
    assert trial.applied.failure is not None
    assert trial.applied.failure.code == "1205"
    assert trial.traffic.statements == ()


def test_what_names_nothing_from_before_is_not_watched_and_without_rows_nothing_is_tried(
    mariadb_server: MariadbServer, golden: Golden
) -> None:
    opened = golden.database
    assert prepared(mariadb_server, opened, [Statement("CREATE TABLE later (t1x INT, note TEXT DEFAULT 't1') -- t1")]) is None
    watching = prepared(mariadb_server, opened, [Statement("ALTER TABLE `none` ADD COLUMN x INT")])
    assert watching is not None
    assert watching.watched(lambda: None, {}, long=True).gap == "no rows in none"
