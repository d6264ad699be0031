"""goose, dbmate, golang-migrate and Flyway on SQLite and MariaDB: files sent, books kept, one there and one back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from mariadb_judging import made
from sql_tools import applied, project, write

from checks.evidence import Place
from checks.targets import Role
from runner.migrations import dbmate, flyway, golang_migrate, goose
from runner.migrations.interface import Adapter, Broke, Came, Direction, Paused, Ran, Reversible, Step
from runner.servers.interface import Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows as mariadb_rows
from runner.servers.mariadb.sessions import session as mariadb_session
from runner.servers.sqlite.server import sqlite_server
from runner.servers.sqlite.sessions import session as sqlite_session

UP = "create table a (id integer primary key, t varchar(20));\ninsert into a values (1, '100%;');\n"
DOWN = "drop table a;\n"
LATER = "create table b (id integer primary key);\n\ninsert into nowhere values (1);\n"
FILES = {
    "goose": (goose, {"1_a.sql": f"-- +goose Up\n{UP}\n-- +goose Down\n{DOWN}",
                      "2_b.sql": f"-- +goose Up\n{LATER}"}, "2_b.sql", 4),
    "dbmate": (dbmate, {"1_a.sql": f"-- migrate:up\n{UP}\n-- migrate:down\n{DOWN}",
                        "2_b.sql": f"-- migrate:up\n{LATER}-- migrate:down\n"}, "2_b.sql", 4),
    "golang-migrate": (golang_migrate, {"1_a.up.sql": UP, "1_a.down.sql": DOWN, "2_b.up.sql": LATER}, "2_b.up.sql", 3),
    "flyway": (flyway, {"sql/V1__a.sql": UP, "sql/U1__a.sql": DOWN, "sql/V2__b.sql": LATER}, "sql/V2__b.sql", 3),
}  # fmt: skip
BOOKS = {
    "goose": "select version_id, is_applied from goose_db_version order by id",
    "dbmate": "select version from schema_migrations",
    "golang-migrate": "select version, dirty from schema_migrations",
    "flyway": "select version, type from flyway_schema_history order by installed_rank",
}
KEPT = {"goose": [(0, 1), (1, 1)], "dbmate": [("1",)], "golang-migrate": [(1, 0)]}
KEPT["flyway"] = [("1", "SQL"), ("1", "UNDO_SQL"), ("1", "SQL")]


@contextmanager
def database_on(engine: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    if engine == "sqlite":
        with sqlite_server() as server:
            yield server.create("app")
        return
    server_of_mariadb: MariadbServer = request.getfixturevalue("mariadb_server")
    with made(server_of_mariadb, "") as database:
        yield database


def ask(database: Database, query: str) -> list[tuple[Any, ...]]:
    if database.private.scheme == "sqlite":
        with sqlite_session(database.private) as opened:
            return opened.execute(query).fetchall()
    with mariadb_session(database.private) as driver:
        return mariadb_rows(driver, query)


def there(database: Database) -> bool:
    listed = "select name from sqlite_master where name = 'a'"
    if database.private.scheme != "sqlite":
        listed = "select table_name from information_schema.tables where table_schema = database() and table_name = 'a'"
    return bool(ask(database, listed))


@pytest.mark.parametrize("engine", ["sqlite", "mariadb"])
@pytest.mark.parametrize("tool", FILES)
def test_it_migrates_and_goes_back(tool: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    adapter, files, last, line = FILES[tool]
    here = project(cast("Adapter", adapter), tmp_path)
    second = list(files)[-1]
    write(tmp_path, {"flyway.conf": "flyway.locations=filesystem:sql", **{k: files[k] for k in files if k != second}})
    with database_on(engine, request) as database:
        first = cast("Adapter", adapter).revisions(here)[0].id
        ways = [Step(way, first) for way in (Direction.UP, Direction.DOWN, Direction.UP)] + [Step(Direction.AGAIN)]
        seen, events = list[bool](), list[object]()
        for event in cast("Reversible", adapter).rehearse(here, database.addresses[Role.OWNER], ways):
            events.append(event)
            if isinstance(event, Paused):
                seen.append(there(database))
        assert seen == [True, False, True, True], events
        assert Came() in events
        assert engine == "mariadb" or next(one.statement.place for one in events if isinstance(one, Ran)) is not None
        assert ask(database, "select t from a") == [("100%;",)]
        assert ask(database, BOOKS[tool]) == KEPT[tool]
        write(tmp_path, files)
        done, broke = applied(cast("Adapter", adapter), here, database)
        assert isinstance(broke, Broke)
        assert (done, broke.revision, broke.place) == ([], Path(second).name.partition(".")[0], Place(last, line))
        assert "nowhere" in broke.said


def test_flyway_cuts_a_file_of_mariadb_up_at_its_delimiter(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = "-- it's\n# it's\ncreate table a (id integer);\nDELIMITER //\ncreate procedure twice() begin insert into a values (1);"
    files = {
        "sql/V1__a.sql": f"{text} insert into a values (2); end//\nDELIMITER ;\ncall twice();\n",
        "flyway.conf": "flyway.locations=filesystem:sql\nflyway.placeholders.x=1\n",
        "sql/R__v.sql": "create or replace view v as select ${x} as x, '${flyway:defaultSchema}' as `in`;",
    }
    write(tmp_path, files)
    here = project(flyway, tmp_path)
    with database_on("mariadb", request) as database:
        done, broke = applied(flyway, here, database)
        assert ([name.split()[0] for name in done], broke) == (["V1__a", "R__v"], None)
        assert ask(database, "select id from a order by 1") == [(1,), (2,)]
        assert ask(database, "select x, `in` from v") == [(1, database.name)]
        assert applied(flyway, here, database) == ([], None)
