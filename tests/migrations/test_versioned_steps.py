"""goose, dbmate and golang-migrate one file up and one back, with their books, and what offers no way back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from sql_tools import applied, project, rows, there_and_back, write

from checks.evidence import Place
from checks.targets import Role
from runner.migrations import dbmate, golang_migrate, goose
from runner.migrations.interface import Adapter, Broke, Direction, Step
from runner.servers.interface import Database

GOOSE = {
    "1_a.sql": "-- +goose Up\ncreate table a (id int);\n\n-- +goose Down\ndrop table a;\n",
    "2_b.sql": "-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently b on a (id);\n"
    "-- +goose Down\n-- +goose StatementBegin\ndrop index concurrently b;\n-- +goose StatementEnd\n",
    "3_c.sql": "-- +goose Up\ncreate table c (id int);\n-- +goose Down\n-- not possible\n",
}
DBMATE = {
    "1_a.sql": "-- migrate:up\ncreate table a (id int);\n\n-- migrate:down\ndrop table a;\n",
    "2_b.sql": "-- migrate:up transaction:false\ncreate index concurrently b on a (id);\n"
    "\n-- migrate:down transaction:false\ndrop index concurrently b;\n",
    "3_c.sql": "-- migrate:up\ncreate table c (id int);\n-- migrate:down\n-- not possible\n",
}
GOLANG = {
    "1_a.up.sql": "create table a (id int);",
    "1_no_a.down.sql": "drop table a;",
    "2_b.up.sql": "create index concurrently b on a (id);",
    "2_b.down.sql": "\ndrop index concurrently b;",
    "3_c.up.sql": "create table c (id int);",
}
TOOLS: dict[str, tuple[Adapter, Mapping[str, str], str, str, str, tuple[str, str, str]]] = {
    "goose": (
        goose,
        GOOSE,
        "goose_db_version",
        "select version_id::text from goose_db_version order by id",
        "it has no statement after `-- +goose Down`",
        ("1_a.sql:4", "2_b.sql:4", "3_c.sql:3"),
    ),
    "dbmate": (
        dbmate,
        DBMATE,
        "schema_migrations",
        "select version from schema_migrations order by 1",
        "it has no statement after `-- migrate:down`",
        ("1_a.sql:4", "2_b.sql:4", "3_c.sql:3"),
    ),
    "golang-migrate": (
        golang_migrate,
        GOLANG,
        "schema_migrations",
        "select version::text || dirty from schema_migrations",
        "there is no 3_c.down.sql",
        ("1_no_a.down.sql:1", "2_b.down.sql:1", "3_c.up.sql:1"),
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_each_goes_up_down_and_up_again(tool: str, tmp_path: Path, database: Database) -> None:
    adapter, files, books, versions, why, places = TOOLS[tool]
    write(tmp_path, files)
    here = project(adapter, tmp_path)
    names = [one.id for one in adapter.revisions(here)]
    seen = there_and_back(adapter, here, database, *names)
    made = [{name for (name, *rest) in one[:-1] if not rest} - {books, f"{books}_pkey"} for one in seen]
    assert made == [{"a"}, set(), {"a"}, {"a", "b"}, {"a"}, {"a", "b"}, *[{"a", "b", "c"}] * 4]
    assert [one[-1][0] for one in seen[1::3]] == list(places)
    assert [one[-1][1] for one in seen] == ["", "", "", "", "", "", "", why, "", ""]
    stepped = rows(database, versions)
    assert applied(adapter, here, database) == ([], None)
    assert rows(database, versions) == stepped


@pytest.mark.parametrize("tool", TOOLS)
def test_a_way_back_that_the_server_refuses_is_told_at_its_line(tool: str, tmp_path: Path, database: Database) -> None:
    adapter, files, _, versions, _, _ = TOOLS[tool]
    write(tmp_path, {name: text.replace("drop table a;", "\ndrop table b;") for name, text in files.items()})
    here = project(adapter, tmp_path)
    steps = [Step(way, adapter.revisions(here)[0].id) for way in (Direction.UP, Direction.DOWN, Direction.UP)]
    broke = list(adapter.rehearse(here, database.addresses[Role.OWNER], steps))[-1]  # type: ignore[attr-defined]  # reversible
    assert isinstance(broke, Broke)
    assert (broke.revision, broke.code, broke.said) == ("1_a", "42P01", 'table "b" does not exist')
    assert broke.place == Place(
        "1_no_a.down.sql" if tool == "golang-migrate" else "1_a.sql", 2 if tool == "golang-migrate" else 6
    )
    left = {"goose": [("0",), ("1",)], "dbmate": [("1",)], "golang-migrate": [("-1true",)]}
    assert rows(database, versions) == left[tool]


def test_the_newest_is_undone_first(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"2_b.sql": DBMATE["1_a.sql"]})
    here = project(dbmate, tmp_path)
    applied(dbmate, here, database)
    write(tmp_path, {"1_late.sql": DBMATE["3_c.sql"].replace("-- not", "drop table c; -- not")})
    steps = [Step(way, "1_late") for way in (Direction.UP, Direction.DOWN)]
    broke = list(dbmate.rehearse(here, database.addresses[Role.OWNER], steps))[-1]
    assert isinstance(broke, Broke)
    assert (broke.revision, broke.said) == ("1_late", "the tool undoes 2_b.sql first")


def test_new_ones_that_were_stepped_through_are_not_passed_over(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {name: text for name, text in GOLANG.items() if name.startswith("1")})
    applied(golang_migrate, project(golang_migrate, tmp_path), database)
    write(tmp_path, {**GOLANG, "3_c.down.sql": "drop table c;"})
    here = project(golang_migrate, tmp_path, applied=frozenset({"1_a"}))
    assert len(there_and_back(golang_migrate, here, database, "2_b", "3_c")) == 7
