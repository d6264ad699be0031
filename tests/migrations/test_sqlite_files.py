"""SQL files of SQLite: split as its shell splits them, applied in each mode, traced through tables made anew."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Place
from checks.schema.names import ObjectKind, ObjectReference
from checks.targets import Role
from runner.backends import sqlite as backend
from runner.errors import ToolFailed, UsageError
from runner.migrations import sql_folder
from runner.migrations.interface import Broke, Came, Ended, Event, Project, Ran
from runner.migrations.sqlite_statements import split
from runner.migrations.statements import MetaCommand, Statement
from runner.recorder.recording import Recording
from runner.servers.interface import Database
from runner.servers.sqlite.server import SqliteServer, sqlite_server
from runner.servers.sqlite.sessions import session
from runner.settings.model import MigrationSettings

TRIGGER = """\
create table a (x); -- ; not here
/* ; nor here */ CREATE /* x */ TEMP TRIGGER t AFTER INSERT ON a BEGIN
  select 'a;b'; update a set x = case when 1 then 2 end;
END;
insert into a values ('x;''y'), (';');;
select 1 as "q;", 2 as [z;], 3 as `b;`
"""


def test_statements_end_where_sqlites_own_end() -> None:
    found = [piece for piece in split(TRIGGER) if isinstance(piece, Statement)]
    assert [piece.line for piece in found] == [1, 2, 5, 6]
    assert found[1].text.startswith("CREATE")
    assert found[1].text.endswith("END")
    assert all(TRIGGER[piece.start : piece.end] == piece.text for piece in found)


def test_a_line_with_a_dot_is_the_shells_and_a_quote_that_never_ends_is_said() -> None:
    command, statement = split(".mode csv\nselect .5, 'abc;\n")
    assert command == MetaCommand(".mode csv", 1)
    assert isinstance(statement, Statement)
    assert statement.unterminated == 2


PIECES = st.sampled_from(
    ["select 1", " ", "\n", "'", "''", '"', "`", "[", "]", "--", "/*", "*/", ";", "x", "create trigger t ", "begin ", "end"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_is_lost_and_nothing_is_split_that_sqlite_takes_for_one(text: str) -> None:
    found = [piece for piece in split(text) if isinstance(piece, Statement)]
    between = text
    for piece in reversed(found):
        assert text[piece.start : piece.end] == piece.text
        between = between[: piece.start] + between[piece.end :]
    assert re.fullmatch(r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", between, re.DOTALL), between
    for piece in found[:-1]:
        assert sqlite3.complete_statement(f"{piece.text};")


# Applying -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[SqliteServer]:
    with sqlite_server() as running:
        yield running


@pytest.fixture
def database(server: SqliteServer) -> Database:
    return server.create("app")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "db").mkdir()
    return tmp_path / "db"


def project(folder: Path, **settings: object) -> Project:
    described = MigrationSettings.model_validate({"tool": "sql", "directory": "db", **settings})
    return Project(folder.parent, folder, described, folder.parent)


def apply(folder: Path, database: Database, **settings: object) -> list[Event]:
    return list(sql_folder.apply(project(folder, **settings), database.addresses[Role.OWNER]))


def names(database: Database) -> set[str]:
    with session(database.private) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


@pytest.mark.parametrize("mode", ["statement", "file", "whole"])
def test_each_mode_applies_files_in_their_order(folder: Path, database: Database, mode: str) -> None:
    (folder / "2_second.sql").write_text("insert into a values (1); create table b (x);")
    (folder / "1_first.sql").write_text(TRIGGER)
    events = apply(folder, database, transaction=mode)
    assert [event.revision for event in events if isinstance(event, Ended)] == ["1_first", "2_second"]
    assert sum(isinstance(event, Came) for event in events) == 2
    assert names(database) == {"a", "b"}
    assert backend.arrived(None, database, 0, events)  # type: ignore[arg-type]  # what was told is enough


@pytest.mark.parametrize(("mode", "left"), [("statement", {"a"}), ("whole", {"a"}), ("file", set())])
def test_a_refused_statement_is_said_with_its_place_and_leaves_what_the_mode_leaves(
    folder: Path, database: Database, mode: str, left: set[str]
) -> None:
    (folder / "1.sql").write_text("create table a (x not null);\n\ninsert into a\n values (null);\ncreate table b (x);")
    broke = apply(folder, database, transaction=mode)[-1]
    assert isinstance(broke, Broke)
    assert (broke.revision, broke.place, broke.code) == ("1", Place("db/1.sql", 3), "SQLITE_CONSTRAINT_NOTNULL")
    assert broke.said == "NOT NULL constraint failed: a.x"
    assert names(database) == left


def test_a_dump_of_sqlites_shell_is_applied(folder: Path, database: Database, tmp_path: Path) -> None:
    """It begins with PRAGMA foreign_keys=OFF and a transaction of its own, which `file` does not take."""
    own = tmp_path / "own.db"
    with closing(sqlite3.connect(own)) as theirs:
        theirs.executescript(TRIGGER.replace("TEMP", "") + "; create view v as select 1; create index i on a (x)")
        theirs.commit()
        (folder / "1.sql").write_text("\n".join(theirs.iterdump()))
    assert isinstance(apply(folder, database)[-1], Ended)
    assert names(database) == {"a", "t", "v", "i"}
    broke = apply(folder, database, transaction="file")[-1]
    assert isinstance(broke, Broke)
    assert "within a transaction" in broke.said


def test_a_deadline_ends_a_statement(folder: Path, database: Database) -> None:
    (folder / "1.sql").write_text("with recursive n (x) as (select 1 union all select x + 1 from n) select count(*) from n;")
    broke = apply(folder, database, timeout="300ms")[-1]
    assert isinstance(broke, Broke)
    assert broke.timed_out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"select 1;\n.read other.sql\n", ":2: '.read other.sql' needs the sqlite3 shell"),
        (b"a\0", "NUL"),
        (b"\n'\xff'", ":2: .*UTF-8"),
    ],
)
def test_what_cannot_run_here_changes_nothing(folder: Path, database: Database, content: bytes, words: str) -> None:
    (folder / "1.sql").write_text("create table a (x)")
    (folder / "2.sql").write_bytes(content)
    with pytest.raises(ToolFailed, match=words):
        apply(folder, database)
    assert names(database) == set()


# Rows -----------------------------------------------------------------------------------------------------------------


def test_rows_are_loaded_as_the_applications_sessions_would(tmp_path: Path) -> None:
    (tmp_path / "one.sql").write_text("insert into p values (1);")
    (tmp_path / "two.sql").write_text("insert into c values (1);\ninsert into c values (2);")
    (tmp_path / "three.sql").write_text("select 1")
    files = ["one.sql", "two.sql", "three.sql"]
    for foreign_keys, refused in ((None, None), (False, None), (True, Place("two.sql", 2))):
        with sqlite_server(foreign_keys) as server:
            database = server.create("app")
            with session(database.private) as connection:
                connection.executescript("create table p (id integer primary key); create table c (p references p)")
            loaded = backend.load(tmp_path, files, database, Role.OWNER)
            assert [file.file for file in loaded] == files
            assert [file.refused.place for file in loaded if file.refused] == ([refused] if refused else [])
            with session(database.private) as connection:
                assert connection.execute("select count(*) from c").fetchone() == ((0,) if refused else (2,))
    with pytest.raises(UsageError, match=r"no file nowhere\.sql"), sqlite_server() as server:
        backend.load(tmp_path, ["nowhere.sql"], server.create("app"), Role.OWNER)


# Provenance -----------------------------------------------------------------------------------------------------------

FIRST = """\
create table users (id integer primary key, name text);
create table orders (
  id integer primary key,
  buyer_id int constraint buyer references users,
  total int constraint positive check (total > 0)
);
create index by_buyer on orders (buyer_id);
create view totals as select total from orders;
"""
ANEW = """\
create table new_orders (id integer primary key, buyer_id int constraint buyer references users on delete cascade,
  total int constraint positive check (total>0), note text);
insert into new_orders select id, buyer_id, total, null from orders;
drop view totals;
drop table orders;
alter table new_orders rename to orders;
create index by_buyer on orders (buyer_id);
alter table users rename column name to label;
alter table users rename to people;
create table if not exists orders (x);
"""


def recorded(server: SqliteServer, database: Database, events: list[Event], after: tuple[Recording, ...] = ()) -> Recording:
    return backend.recording(server, database, 0, events, after)


def test_what_comes_through_a_table_made_anew_keeps_its_maker(server: SqliteServer, database: Database, folder: Path) -> None:
    (folder / "1.sql").write_text(FIRST)
    first = recorded(server, database, apply(folder, database))
    (folder / "1.sql").unlink()
    (folder / "2.sql").write_text(ANEW)
    second = recorded(server, database, apply(folder, database), (first,))
    made = backend.provenance(database, [first, second], {"db/1.sql": "one", "db/2.sql": "two"})
    places = {(one.kind.value, one.relation, one.name): (str(found.place), found.revision) for one, found in made.items()}
    assert places == {
        ("table", "people", ""): ("db/1.sql:1", "one"),
        ("column", "people", "id"): ("db/1.sql:1", "one"),
        ("column", "people", "label"): ("db/1.sql:1", "one"),
        ("table", "orders", ""): ("db/1.sql:2", "one"),
        ("column", "orders", "id"): ("db/1.sql:2", "one"),
        ("column", "orders", "buyer_id"): ("db/1.sql:2", "one"),
        ("column", "orders", "total"): ("db/1.sql:2", "one"),
        ("constraint", "orders", "positive"): ("db/1.sql:2", "one"),
        ("column", "orders", "note"): ("db/2.sql:1", "two"),
        ("constraint", "orders", "buyer"): ("db/2.sql:1", "two"),
        ("index", "orders", "by_buyer"): ("db/2.sql:7", "two"),
    }
    table = ObjectReference(ObjectKind.TABLE, "", "new_orders")
    assert table in second.statements[0].made
    (renaming,) = (one for one in second.statements if "new_orders rename" in one.text)
    assert (renaming.made, renaming.dropped) == ((), ())


def test_what_was_rolled_back_is_told_as_undone(server: SqliteServer, database: Database, folder: Path) -> None:
    (folder / "1.sql").write_text("create table kept (x);")
    (folder / "2.sql").write_text("create table kept_too (x);\nbegin;\ncreate table gone (x);\ndrop table kept;\nselect nothing;")
    events = apply(folder, database)
    assert isinstance(events[-1], Broke)
    recording = recorded(server, database, events)
    assert [(one.text, one.undone) for one in recording.statements] == [
        ("create table kept (x)", False),
        ("create table kept_too (x)", False),
        ("create table gone (x)", True),
        ("drop table kept", True),
    ]
    made = backend.provenance(database, [recording], {})
    assert {one.relation for one in made} == {"kept", "kept_too"}


def test_a_table_that_is_dropped_and_made_again_later_has_its_second_maker(
    server: SqliteServer, database: Database, folder: Path
) -> None:
    (folder / "1.sql").write_text("create table t (x);\ndrop table t;\ncreate table t (x);")
    made = backend.provenance(database, [recorded(server, database, apply(folder, database))], {})
    assert {str(found.place) for found in made.values()} == {"db/1.sql:3"}


def test_what_nobody_tells_of_is_a_statement_without_a_place(server: SqliteServer, database: Database, folder: Path) -> None:
    (folder / "1.sql").write_text("create table t (x);")
    events = apply(folder, database)
    with session(database.private) as connection:
        connection.execute("create table unheard (x)")
    recording = recorded(server, database, events)
    assert [one.text for one in recording.statements] == ["create table t (x)", ""]
    assert [one.relation for one in recording.statements[1].made] == ["unheard", "unheard"]
    assert {one.relation for one in backend.provenance(database, [recording], {})} == {"t"}
    assert not any(isinstance(event, Ran) and not event.statement.text for event in events)


def test_the_shell_itself_agrees_on_where_statements_end(tmp_path: Path) -> None:
    done = subprocess.run(["sh", "-c", "command -v sqlite3"], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("needs the sqlite3 shell")
    theirs = subprocess.run(["sqlite3", str(tmp_path / "x.db")], input=TRIGGER, check=True, capture_output=True, text=True).stdout
    with closing(sqlite3.connect(":memory:")) as own:
        for piece in split(TRIGGER):
            rows = own.execute(piece.text).fetchall()
    assert theirs.strip() == "|".join(map(str, rows[0]))
