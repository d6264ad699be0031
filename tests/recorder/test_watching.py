"""What new migrations do, statement by statement: locks, rows, bytes, the write-ahead log, what they left invalid."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from checks.evidence import Lock, Place, Rewrite
from checks.schema.names import ObjectKind, ObjectReference
from checks.targets import Role
from checks.work import TableWork
from recorder.heads import ROWS, Head, modes, of, wal
from recorder.project import Project, column, constraint, index, table
from runner.recorder.stamps import setting
from runner.recorder.watching import watched
from runner.servers.postgresql.sessions import session


def test_not_valid_then_validate_is_cheap_and_at_once_is_not(head: Head) -> None:
    at_once = "ALTER TABLE b ADD CONSTRAINT now FOREIGN KEY (a) REFERENCES a"
    not_valid = "ALTER TABLE b ADD CONSTRAINT later FOREIGN KEY (a) REFERENCES a NOT VALID"
    validate = "ALTER TABLE b VALIDATE CONSTRAINT later"
    seen = head.run(at_once, not_valid, validate)
    for each in (at_once, not_valid):
        assert "ShareRowExclusiveLock" in modes(seen[each], "a") & modes(seen[each], "b")
    assert "ShareUpdateExclusiveLock" in modes(seen[validate], "b")
    assert not modes(seen[validate], "b") & {"ShareRowExclusiveLock", "AccessExclusiveLock"}
    assert modes(seen[validate], "a") <= {"AccessShareLock", "RowShareLock"}
    assert of(seen[at_once], "b").read == of(seen[validate], "b").read == ROWS
    assert of(seen[not_valid], "b").read == 0
    assert seen[validate].changed == (table("b"),)
    assert seen[at_once].made == (constraint("b", "now"),)


def test_a_rewrite_tells_why_and_how_much(head: Head) -> None:
    volatile = "ALTER TABLE a ADD u uuid DEFAULT gen_random_uuid()"
    constant = "ALTER TABLE a ADD v int DEFAULT 7"
    retyped = "ALTER TABLE a ALTER x TYPE bigint"
    seen = head.run(volatile, constant, retyped)
    assert seen[volatile].rewrites == (Rewrite("a", "default is computed for each row"),)
    assert seen[retyped].rewrites == (Rewrite("a", "type changed"),)
    assert seen[constant].rewrites == ()
    for each in (volatile, retyped):
        assert "AccessExclusiveLock" in modes(seen[each], "a")
        assert wal(seen[each]) > (of(seen[each], "a").bytes or 0) > ROWS * 16
        assert of(seen[each], "a").read >= ROWS
    assert 0 < wal(seen[constant]) < wal(seen[volatile])


def test_rows_are_counted_by_table_in_and_out_of_transactions(head: Head) -> None:
    seen = head.run(
        "INSERT INTO b (a) SELECT 1 FROM generate_series(1, 50)",
        "BEGIN",
        "UPDATE a SET x = x + 1 WHERE id <= 20",
        "DELETE FROM a WHERE id > 290",
        "LOCK TABLE b IN SHARE MODE",
        "ALTER TABLE b ADD c int",
        "COMMIT",
        "UPDATE a SET x = 0 WHERE id = 1; DELETE FROM b WHERE id = 1",
    )
    inserted, _, updated, deleted, locked, altered, committed, both = seen.values()
    assert of(inserted, "b") == TableWork("b", inserted=50, bytes=of(inserted, "b").bytes, grown=of(inserted, "b").grown)
    assert inserted.locks == (Lock("b", "RowExclusiveLock"),)
    assert (of(updated, "a").updated, of(deleted, "a").deleted) == (20, ROWS - 290)
    assert updated.locks == (Lock("a", "RowExclusiveLock"),)
    assert deleted.locks == ()
    assert locked.locks == (Lock("b", "ShareLock"),)
    assert altered.locks == (Lock("b", "AccessExclusiveLock"),)
    assert (wal(locked), wal(updated) > 0, wal(committed) > 0) == (0, True, True)
    assert (of(both, "a").updated, of(both, "b").deleted) == (1, 1)


def test_a_block_and_a_function_tell_all_that_they_did(head: Head) -> None:
    block = "DO $$ BEGIN CREATE TABLE c AS SELECT * FROM a; DELETE FROM b WHERE id <= 9; ALTER TABLE a DROP COLUMN t; END $$"
    seen = head.run(block, "SELECT grow(70)")
    assert set(seen[block].made) == {table("c"), column("c", "id"), column("c", "x"), column("c", "t")}
    assert seen[block].dropped == (column("a", "t"),)
    assert seen[block].changed == (table("a"),)
    assert (of(seen[block], "c").inserted, of(seen[block], "b").deleted) == (ROWS, 9)
    assert {Lock("a", "AccessExclusiveLock"), Lock("b", "RowExclusiveLock")} <= set(seen[block].locks)
    grown = seen["SELECT grow(70)"]
    assert (of(grown, "b").inserted, grown.made) == (70, (column("b", "grown"),))
    assert "AccessExclusiveLock" in modes(grown, "b")


def test_an_index_made_concurrently_and_one_that_is_not(head: Head) -> None:
    concurrent, plain = "CREATE INDEX CONCURRENTLY i ON a (x)", "CREATE INDEX j ON a (x)"
    gone, again = "DROP INDEX CONCURRENTLY i", "REINDEX INDEX CONCURRENTLY j"
    seen = head.run(concurrent, plain, again, gone)
    assert seen[concurrent].locks == (Lock("a", "ShareUpdateExclusiveLock"),)
    assert seen[plain].locks == (Lock("a", "ShareLock"),)
    assert "ShareUpdateExclusiveLock" in modes(seen[again], "a")
    assert (seen[gone].dropped, modes(seen[gone], "a") <= {"ShareUpdateExclusiveLock"}) == ((index("a", "i"),), True)
    assert wal(seen[concurrent]) > 0


def test_what_fails_concurrently_leaves_an_invalid_index(head: Head) -> None:
    seen = head.run("UPDATE b SET a = 1", "CREATE UNIQUE INDEX CONCURRENTLY once ON b (a)", "CREATE INDEX fine ON b (a)")
    failed = seen["CREATE UNIQUE INDEX CONCURRENTLY once ON b (a)"]
    assert (failed.invalid, failed.undone) == ((index("b", "once"),), True)
    assert not any(statement.invalid for statement in seen.values() if statement is not failed)


def test_of_several_statements_in_a_message_the_work_is_known_together(head: Head) -> None:
    first, second = "UPDATE a SET x = 0 WHERE id <= 5", "DELETE FROM b WHERE id <= 3"
    seen = head.run(f"{setting(Place('m.sql', 1))}\n{first};\n{setting(Place('m.sql', 2))}\n{second};\n", "UPDATE a SET x = 1")
    one, other, alone = seen.values()
    assert (one.work, one.place, other.place) == (None, Place("m.sql", 1), Place("m.sql", 2))
    assert (of(other, "a").updated, of(other, "b").deleted, other.work and other.work.statements) == (5, 3, 2)
    assert alone.work is not None
    assert (alone.work.statements, of(alone, "a").updated) == (1, ROWS)


@pytest.mark.parametrize("transaction", [True, False])
def test_truncate_shuts_everybody_out(head: Head, transaction: bool) -> None:
    wrapped = ("BEGIN", "TRUNCATE b", "COMMIT") if transaction else ("TRUNCATE b",)
    truncated = head.run(*wrapped)["TRUNCATE b"]
    assert "AccessExclusiveLock" in modes(truncated, "b")
    assert (of(truncated, "b").bytes, of(truncated, "b").rows) == (0, 0)
    assert (of(truncated, "b").grown or 0) < 0


def test_copy_and_the_extended_protocol_go_through(head: Head) -> None:
    with closing(psycopg.connect(**head.address.keywords(), autocommit=True)) as connection, connection.cursor() as cursor:
        with cursor.copy("COPY b (a) FROM STDIN") as copy:
            for number in range(ROWS):
                copy.write_row((number,))
        cursor.executemany("INSERT INTO b (a) VALUES (%s)", [(number,) for number in range(40)])
        with cursor.copy("COPY b TO STDOUT") as copy:
            assert sum(1 for _ in copy.rows()) == ROWS * 2 + 40
        assert cursor.execute("SELECT count(*) FROM b WHERE a = %s", [1]).fetchone() == (3,)
    seen = head.seen()
    assert of(seen["COPY b (a) FROM STDIN"], "b").inserted == ROWS
    assert of(seen["INSERT INTO b (a) VALUES ($1)"], "b").inserted == 40
    assert not any(statement.text.startswith("SELECT pg_catalog.dbproof") for statement in seen.values())


def test_another_level_of_isolation_may_still_be_chosen(head: Head) -> None:
    seen = head.run("BEGIN", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "UPDATE a SET x = 1", "COMMIT")
    assert of(seen["UPDATE a SET x = 1"], "a").updated == ROWS
    assert head.project.recording().errors == ()


def test_a_prepared_statement_without_a_name_outlives_the_asking(head: Head) -> None:
    with closing(psycopg.connect(**head.address.keywords(), autocommit=True)) as connection:
        plain = connection.pgconn
        plain.prepare(b"", b"INSERT INTO b (a) VALUES ($1)")
        plain.exec_prepared(b"", [b"7"])
        assert plain.exec_prepared(b"", [b"8"]).command_status == b"INSERT 0 1"
    assert head.project.recording().errors == ()


def test_a_failure_reaches_the_client_and_nothing_is_asked_in_what_has_failed(head: Head) -> None:
    seen = head.run("BEGIN", "SELECT 1/0", "INSERT INTO b (a) VALUES (1)", "ROLLBACK", "INSERT INTO b (a) VALUES (2)")
    assert [error.code for error in head.project.recording().errors] == ["22012", "25P02"]
    assert of(seen["INSERT INTO b (a) VALUES (2)"], "b").inserted == 1


def test_an_open_transaction_of_one_session_is_not_anothers_work(head: Head) -> None:
    keywords = {**head.address.keywords(), "autocommit": True}
    with closing(psycopg.connect(**keywords)) as one, closing(psycopg.connect(**keywords)) as other:
        one.execute("BEGIN")
        one.execute("INSERT INTO b (a) SELECT 1 FROM generate_series(1, 30)")
        other.execute("INSERT INTO b (a) VALUES (5)")
        one.execute("COMMIT")
    seen = head.seen()
    assert of(seen["INSERT INTO b (a) SELECT 1 FROM generate_series(1, 30)"], "b").inserted == 30
    assert sum(of(said, "b").inserted for said in seen.values() if said.work) == 31


def test_the_owner_is_watched_too_and_names_may_be_hostile(head: Head) -> None:
    name = 'a "b" % \n é /*'
    quoted = '"' + name.replace('"', '""') + '"'
    address = replace(head.address, user=head.project.database.addresses[Role.OWNER].user)
    owner = replace(address, password=head.project.database.addresses[Role.OWNER].password)
    with closing(psycopg.connect(**owner.keywords(), autocommit=True)) as connection:
        connection.pgconn.exec_(f"CREATE SCHEMA s; CREATE TABLE s.{quoted} (x int)".encode())
        connection.pgconn.exec_(f"INSERT INTO s.{quoted} VALUES (1), (2)".encode())
    inserted = list(head.seen().values())[-1]
    assert [each.inserted for each in inserted.work.tables if name in each.relation] == [2] if inserted.work else False


def test_an_address_that_cannot_be_followed_stays_as_it_is(project: Project) -> None:
    encrypted = {role: replace(each, extra={"sslmode": "require"}) for role, each in project.database.addresses.items()}
    with watched(replace(project.database, addresses=encrypted)) as open_at:
        assert open_at.addresses == encrypted


def test_a_type_that_gets_a_value_is_changed(head: Head) -> None:
    seen = head.run("CREATE TYPE mood AS ENUM ('good')", "ALTER TYPE mood ADD VALUE 'bad'")
    assert seen["ALTER TYPE mood ADD VALUE 'bad'"].changed == (ObjectReference(ObjectKind.TYPE, "public", "", "mood"),)


def test_a_session_that_the_server_ends_ends_for_the_client_too(head: Head) -> None:
    with closing(psycopg.connect(**head.address.keywords(), autocommit=True)) as connection:
        with session(head.project.database.private) as ours:
            ours.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_settings_of_ours_end_with_the_transaction_and_may_hold_anything(head: Head) -> None:
    with closing(psycopg.connect(**head.address.keywords(), autocommit=True)) as connection:
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE c (x int)")
        connection.execute("SET LOCAL dbproof.passed = '}'")
        connection.execute("SET LOCAL dbproof.seen = '}'")
        connection.execute("UPDATE a SET x = 0")
        connection.execute("COMMIT")
        settings = "SELECT current_setting('dbproof.seen', true) || current_setting('dbproof.passed', true)"
        assert connection.execute(settings).fetchone() == ("",)
    seen = head.seen()
    assert (of(seen["COMMIT"], "a").updated, seen["UPDATE a SET x = 0"].work) == (ROWS, None)
    assert head.project.recording().errors == ()


def test_what_a_transaction_made_is_no_lock_of_its_own_after_a_savepoint_either(head: Head) -> None:
    seen = head.run(
        "BEGIN",
        "CREATE TABLE c (x int PRIMARY KEY)",
        "SAVEPOINT s",
        "CREATE INDEX i ON a (x)",
        "ROLLBACK TO s",
        "CREATE TABLE d (x int PRIMARY KEY)",
        "ALTER TABLE b ADD y int REFERENCES c",
        "COMMIT",
    )
    assert modes(seen["CREATE INDEX i ON a (x)"], "a") == {"ShareLock"}
    assert {"AccessExclusiveLock", "ShareRowExclusiveLock"} & modes(seen["ALTER TABLE b ADD y int REFERENCES c"], "b")
    assert not any(lock.relation in ("c", "d") for said in seen.values() for lock in said.locks)
