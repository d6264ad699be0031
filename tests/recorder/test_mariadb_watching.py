"""What new migrations do on MariaDB, statement by statement: locks, rows, tables written anew, the redo log, durations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pymysql
import pytest
from mariadb_judging import made

from checks.evidence import Lock, Place, Rewrite, Statement
from checks.targets import Role
from checks.work import Log, TableWork
from runner.backends import mariadb as backend
from runner.recorder.mariadb_watching import watched
from runner.recorder.recording import Recording
from runner.recorder.stamps import comment
from runner.servers.interface import Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import connect, quoted, rows, session

ROWS = 300
ODD = "odd `na'me-100% \u4e2d@"
BASE = f"""
CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, x INT, t VARCHAR(99));
CREATE TABLE b (id INT PRIMARY KEY AUTO_INCREMENT, a INT, FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE);
CREATE TABLE isam (id INT PRIMARY KEY, x INT) ENGINE = MyISAM;
CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2;
CREATE TABLE seen (id INT PRIMARY KEY AUTO_INCREMENT, what TEXT);
CREATE TABLE {quoted(ODD)} (id INT PRIMARY KEY);
INSERT INTO a (x, t) SELECT seq, 'some text' FROM seq_1_to_{ROWS};
INSERT INTO b (a) SELECT id FROM a WHERE id > 20;
INSERT INTO isam SELECT seq, seq FROM seq_1_to_{ROWS};
INSERT INTO parts SELECT seq FROM seq_1_to_{ROWS};
CREATE FUNCTION forget(n INT) RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM seen WHERE id <= n; RETURN n; END
"""


@dataclass
class Head:
    """New migrations on tables with rows, at the addresses that tools get for them."""

    server: MariadbServer
    database: Database
    at: Database
    base: Recording
    mark: int

    def run(self, *statements: str) -> dict[str, Statement]:
        """Send them one by one, errors or not; what was seen of each, by its text."""
        with session(self.at.addresses[Role.OWNER]) as driver:
            for line, statement in enumerate(statements, 1):
                with suppress(pymysql.err.Error):
                    rows(driver, comment(Place("m.sql", line)) + statement)
        return {said.text: said for said in self.seen() if said.place}

    def seen(self) -> tuple[Statement, ...]:
        """What the log says so far."""
        return backend.recording(self.server, self.database, self.mark, (), (self.base,)).statements


@pytest.fixture
def head(mariadb_server: MariadbServer) -> Iterator[Head]:
    mark = mariadb_server.mark()
    with made(mariadb_server, BASE) as database:
        base = backend.recording(mariadb_server, database, mark, (), ())
        mark = mariadb_server.mark()
        with watched(database) as at:
            yield Head(mariadb_server, database, at, base, mark)


def modes(statement: Statement) -> set[str]:
    return {f"{lock.mode.removeprefix('MDL_')} {lock.relation}" for lock in statement.locks}


def of(statement: Statement, relation: str) -> TableWork:
    assert statement.work is not None
    return next((each for each in statement.work.tables if each.relation == relation), TableWork(relation))


def redo(statement: Statement) -> int:
    assert statement.work is not None
    assert statement.work.log is Log.REDO
    assert statement.work.statements == 1
    return statement.work.wal or 0


def test_a_table_is_copied_rebuilt_or_changed_where_it_stands(head: Head) -> None:
    instant = "ALTER TABLE a ADD COLUMN y INT DEFAULT 3"
    copied = "ALTER TABLE a MODIFY x BIGINT"
    rebuilt = "ALTER TABLE a FORCE"
    indexed = "CREATE INDEX by_x ON a (x)"
    isam = "ALTER TABLE isam ADD COLUMN y INT"
    empty = f"ALTER TABLE {quoted(ODD)} FORCE"
    parts = "ALTER TABLE parts ADD COLUMN s VARCHAR(36) DEFAULT (uuid())"
    truncated, swapped = "TRUNCATE TABLE seen", "RENAME TABLE b TO c, a TO b"
    seen = head.run(instant, copied, rebuilt, indexed, isam, empty, parts, truncated, swapped)
    by_server = "its rows were copied by the server"
    assert {text: said.rewrites for text, said in seen.items() if said.rewrites} == {
        copied: (Rewrite("a", by_server),),
        rebuilt: (Rewrite("a", "rebuilt in place"),),
        isam: (Rewrite("isam", by_server),),
        empty: (Rewrite(ODD, "empty"),),
        parts: (Rewrite("parts", by_server),),
    }
    assert seen[copied].locks == (Lock("a", "MDL_EXCLUSIVE"), Lock("a", "MDL_SHARED_NO_WRITE"))
    assert modes(seen[rebuilt]) == modes(seen[instant]) == modes(seen[indexed]) == {"EXCLUSIVE a"}
    assert modes(seen[truncated]) == {"EXCLUSIVE seen"}
    assert modes(seen[swapped]) == {"EXCLUSIVE a", "EXCLUSIVE b"}
    assert of(seen[copied], "a").read == of(seen[isam], "isam").read == ROWS
    assert of(seen[instant], "a").read == of(seen[rebuilt], "a").read == 0
    assert 0 < redo(seen[instant]) < redo(seen[copied])
    assert (of(seen[indexed], "a").grown or 0) > 0
    assert all((said.seconds or 0) > 0 for said in seen.values())


def test_rows_are_counted_by_table_with_what_triggers_do(head: Head) -> None:
    trigger = "CREATE TRIGGER tr AFTER UPDATE ON a FOR EACH ROW INSERT INTO seen (what) VALUES ('x')"
    insert, made_from = "INSERT INTO a (x) SELECT seq FROM seq_1_to_40", "CREATE TABLE copy AS SELECT id FROM isam"
    update, delete = "UPDATE a SET x = 0 WHERE id <= 10", "DELETE FROM b WHERE a <= 25"
    replaced, refused = "REPLACE INTO isam VALUES (1, 1), (1000, 1)", "INSERT INTO a (id) VALUES (1000), (1)"
    called = "SELECT forget(4)"
    seen = head.run(insert, delete, made_from, trigger, update, replaced, refused, called)
    assert of(seen[insert], "a").inserted == 40
    assert of(seen[delete], "b").deleted == 5
    assert of(seen[made_from], "copy").inserted == of(seen[made_from], "isam").read == ROWS
    assert (of(seen[update], "a").changed, of(seen[update], "seen").changed) == (10, 10)
    assert of(seen[replaced], "isam").rows in (2, 3)
    assert of(seen[refused], "a").rows == 1
    assert of(seen[called], "seen").changed == 4
    assert modes(seen[update]) == {"SHARED_WRITE a", "SHARED_WRITE seen"}
    assert modes(seen[trigger]) == {"EXCLUSIVE a"}
    assert modes(seen[made_from]) == set()
    assert redo(seen[insert]) > redo(seen[delete]) > 0
    made_rows = seen[made_from].work
    assert made_rows is not None
    assert made_rows.rows == ROWS


def test_a_transaction_tells_of_its_locks_one_statement_after_the_other(head: Head) -> None:
    update, insert, locked = "UPDATE a SET x = 0 WHERE id = 1", "INSERT INTO seen VALUES (1, '')", "LOCK TABLES b WRITE, a READ"
    kept = "ALTER TABLE b FORCE"  # nobody else may read it then, we neither
    seen = head.run("SET autocommit = 0", update, insert, "ROLLBACK", locked, kept, "UNLOCK TABLES")
    assert "SHARED_WRITE a" in modes(seen[update])
    assert modes(seen[insert]) == {"SHARED_WRITE seen"}
    assert of(seen[update], "a").updated == 1
    assert seen[kept].rewrites == (Rewrite("b", "copied or rebuilt"),)
    assert modes(seen[kept]) >= {"EXCLUSIVE b"}
    assert modes(seen[locked]) == {"SHARED_NO_READ_WRITE b", "SHARED_READ_ONLY a"}


def test_the_project_sees_nothing_of_it(head: Head) -> None:
    address = head.at.addresses[Role.OWNER]
    with session(address) as watched_one, session(head.database.addresses[Role.OWNER]) as other:
        for each in (watched_one, other):
            rows(each, "SELECT id FROM b LIMIT 3")
            rows(each, "INSERT INTO seen (what) VALUES ('a'), ('b')")
        asked = "SELECT ROW_COUNT(), FOUND_ROWS(), LAST_INSERT_ID() > 0, @@warning_count, @dbproof_moved"
        assert rows(watched_one, asked) == rows(other, asked) == [(2, 3, 1, 0, None)]
        assert rows(watched_one, "SELECT repeat('x', 1000000)") == [("x" * 1000000,)]
        long = "y" * 20_000_000  # more than one packet holds
        assert rows(watched_one, "SELECT length(%s)", (long,)) == [(20_000_000,)]


def test_what_was_switched_on_is_switched_off(mariadb_server: MariadbServer) -> None:
    asked = "SELECT @@global.userstat, @@global.slow_query_log, @@global.long_query_time, @@global.log_slow_filter"
    with made(mariadb_server, "") as database, session(mariadb_server.private) as driver:
        before = rows(driver, asked), rows(driver, "SHOW PLUGINS")
        with watched(database) as at, session(at.addresses[Role.OWNER]) as project:
            rows(project, "SELECT 1")
            assert rows(driver, asked) != before[0]
        assert (rows(driver, asked), rows(driver, "SHOW PLUGINS")) == before
        assert rows(driver, "SELECT * FROM mysql.slow_log") == []


def test_what_is_sent_ahead_is_known_together(head: Head) -> None:
    """A client that does not wait for answers has its statements counted, all of them with the last."""
    with connect(head.at.addresses[Role.OWNER]) as opened:
        driver: Any = opened
        said = [b"INSERT INTO seen (what) VALUES ('1')", b"UPDATE a SET x = 7 WHERE id <= 3", b"DELETE FROM isam WHERE id = 1"]
        driver._sock.sendall(b"".join((len(one) + 1).to_bytes(3, "little") + b"\0\x03" + one for one in said))
        for _ in said:
            driver._next_seq_id = 1
            driver._read_ok_packet()
    works = [one.work for one in head.seen() if one.work]
    assert sum(work.rows for work in works) == 5
    assert sum(work.statements for work in works) == 3
