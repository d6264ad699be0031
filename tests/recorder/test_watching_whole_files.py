"""Files that their tool sends whole, as one message: what each of their statements does is known by itself."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import pytest

from checks.evidence import Lock, Place, Rewrite, Statement
from recorder.heads import ROWS, Head, modes, of, wal
from recorder.project import table
from runner.migrations.interface import Broke
from runner.migrations.simple_query import session
from runner.migrations.sql_files import SqlFile, apply_file, read
from runner.recorder import allowance
from runner.recorder.asking import room_after
from runner.recorder.stamps import asking, room, setting, unstamp

FIRST, SECOND = Place("m.sql", 1), Place("m.sql", 2)


def sent(head: Head, folder: Path, *statements: str, name: str = "m.sql") -> Broke | None:
    """Send a file whole, through the relay; its statements stand on a line each, unless they hold line ends."""
    path = folder / name
    path.write_text(";\n".join(statements) + ";\n", encoding="utf-8")
    file: SqlFile = read(path, name, "whole")
    with session(head.address, time.monotonic() + 60) as opened:
        return apply_file(opened, file, "whole")


def lines(head: Head, name: str = "m.sql") -> dict[int | None, Statement]:
    return {said.place.line: said for said in head.seen().values() if said.place and said.place.file == name}


def test_each_statement_of_a_file_sent_whole_has_its_own_figures(head: Head, tmp_path: Path) -> None:
    name = 'a "b" % \n é.sql'
    broke = sent(
        head,
        tmp_path,
        "UPDATE a SET x = 0 WHERE id <= 5",
        "DELETE FROM b WHERE id <= 3",
        "ALTER TABLE a ADD u uuid DEFAULT gen_random_uuid()",
        "CREATE TABLE c AS SELECT * FROM a",
        "LOCK TABLE b IN SHARE MODE",
        "SELECT setval('b_id_seq', 1000), 'dbproof_within'",
        "DO $$ BEGIN INSERT INTO b (a) SELECT 1 FROM generate_series(1, 40); END $$",
        "UPDATE a SET x = 1 WHERE id <= 7",
        name=name,
    )
    assert broke is None
    updated, deleted, altered, made, locked, moved, block, last = lines(head, name).values()
    assert [(of(updated, "a").updated, of(deleted, "b").deleted, of(last, "a").updated)] == [(5, 3, 7)]
    assert (updated.work and len(updated.work.tables), deleted.locks) == (1, (Lock("b", "RowExclusiveLock"),))
    assert altered.rewrites == (Rewrite("a", "default is computed for each row"),)
    assert (altered.changed, modes(altered, "a")) == ((table("a"),), {"AccessExclusiveLock", "ShareLock"})
    assert wal(altered) > (of(altered, "a").bytes or 0) > ROWS * 16
    assert (of(made, "c").inserted, table("c") in made.made, modes(made, "a")) == (
        ROWS,
        True,
        {"AccessShareLock"} & modes(made, "a"),
    )
    assert (locked.locks, wal(locked), of(moved, "b").rows) == ((Lock("b", "ShareLock"),), 0, 0)
    assert (of(block, "b").inserted, block.locks) == (40, ())
    each = [updated, deleted, altered, made, locked, moved, block, last]
    assert all(said.seconds is not None and 0 <= said.seconds < 60 and wal(said) >= 0 for said in each)
    assert not any("dbproof" in said.text for said in each if said is not moved)


def test_a_transaction_of_the_files_own_keeps_its_level_and_its_end(head: Head, tmp_path: Path) -> None:
    broke = sent(
        head,
        tmp_path,
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "INSERT INTO b (a) VALUES (1), (2)",
        "COMMIT",
        "BEGIN",
        "LOCK TABLE a IN EXCLUSIVE MODE",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "TRUNCATE b",
        "COMMIT",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "DELETE FROM a WHERE id <= 4",
        "ROLLBACK",
        "INSERT INTO b (a) VALUES (3)",
    )
    assert (broke, head.project.recording().errors) == (None, ())
    seen = lines(head)
    assert (of(seen[2], "b").inserted, of(seen[10], "a").deleted, of(seen[12], "b").inserted) == (2, 4, 1)
    assert [line for line, said in seen.items() if said.undone] == [10]
    assert ("AccessExclusiveLock" in modes(seen[7], "b"), of(seen[7], "b").bytes) == (True, 0)
    with psycopg.connect(**head.address.keywords()) as connection:
        assert connection.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").fetchone() == (ROWS, 1)


@pytest.mark.parametrize(
    ("wrong", "code"), [("SELECT 1/0", "22012"), ("SELEC é", "42601"), ("INSERT INTO b (a)\nVALUES ('é',\n 1 2)", "42601")]
)
def test_what_fails_is_placed_as_it_is_without_us(head: Head, tmp_path: Path, wrong: str, code: str) -> None:
    statements = ("CREATE TABLE é (x int)", "UPDATE a SET x = 1", wrong, "DELETE FROM b")
    broke = sent(head, tmp_path, *statements)
    direct = Head(head.project, head.base, head.project.database.addresses[next(iter(head.project.database.addresses))])
    assert broke == sent(direct, tmp_path, *statements)
    assert broke is not None
    assert (broke.code, broke.place and broke.place.line) == (code, 3 + wrong.count("\n"))
    after = head.run("INSERT INTO b (a) VALUES (1)")["INSERT INTO b (a) VALUES (1)"]
    assert (of(after, "b").inserted, of(after, "a").updated) == (1, 0)


def test_where_asking_took_too_long_the_rest_is_known_together(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowance, "_SHARE", 0.0)
    monkeypatch.setattr(allowance.Allowance, "each", 0.4)
    sent(head, tmp_path, *(f"UPDATE a SET x = {number} WHERE id = {number}" for number in range(1, 9)))
    seen = lines(head)
    works = [said.work and said.work.statements for said in seen.values()]
    assert works == [1, 1, None, None, None, None, None, 6]
    assert sum(of(said, "a").updated for said in seen.values() if said.work) == 8


def test_a_question_is_as_long_as_the_room_for_it() -> None:
    message = f"{setting(FIRST)}\nSELECT 1;{room(1, locks=True)}\n{setting(SECOND)}\nSELECT 2;{room(2, locks=False)}\n"
    for most, asked in ((0, 0), (1, 1), (9, 2)):
        found, number = asking(message.encode(), most)
        assert (len(found), number, found.count(b"SELECT pg_catalog.")) == (len(message), asked, asked)
        assert list(unstamp(found.decode())) == [(FIRST, "SELECT 1;"), (SECOND, "SELECT 2;")]
    assert room(10**6, locks=True) == ""
    assert [
        room_after(text, 1, after) for text, after in (("BEGIN", "X"), ("COMMIT", "X"), ("X", None), ("LOCK a", "set b"))
    ] == [""] * 4
    assert "false" in room_after("/**/ x", 1, "y") + room_after("CREATE TABLE x ()", 1, "y")
