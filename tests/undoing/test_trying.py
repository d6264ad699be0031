"""The pass itself: how many are tried, from where, and what stops it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from checks.reversals import Difference, DifferenceKind
from checks.schema.collections import collection_reference
from checks.targets import Role
from runner.migrations import python_files, sql_folder
from runner.migrations.interface import Broke, Direction, Event, Paused, Project, Step
from runner.servers.interface import Database, Server
from runner.servers.mongodb.sessions import session
from runner.servers.sqlite.server import sqlite_server
from runner.settings.model import MigrationSettings
from runner.undoing import mongodb, sqlite
from runner.undoing.trying import _Found, _Tried, _Walk

A = collection_reference("a")
UP = "def up(db):\n    db.a.insert_one({{'_id': {number}}})\n"
DOWN = "def down(db):\n    db.a.delete_one({{'_id': {number}}})\n"


def project(root: Path, files: Sequence[str]) -> Project:
    (root / "migrations").mkdir()
    for number, text in enumerate(files):
        (root / "migrations" / f"{number}_m.py").write_text(text.format(number=number))
    return Project(root, root / "migrations", MigrationSettings(tool="python", directory="migrations"), root)


def walked(here: Project, server: Server, database: Database, most: int = 5) -> _Found:
    """What became of a folder's files on an empty database."""
    tried = _Tried(python_files, here, mongodb, [one.id for one in python_files.revisions(here)])
    names, steps = tried.steps(most)
    found = _Found()
    walk = _Walk(mongodb, server, database, found)
    with walk.aside:
        walk.follow(python_files.rehearse(here, database.addresses[Role.OWNER], steps), steps, len(steps) - 3 * len(names))
    return found


def test_only_the_newest_are_undone_and_those_before_stand(
    tmp_path: Path, mongo_server: Server, mongo_database: Database
) -> None:
    found = walked(project(tmp_path, [UP + DOWN] * 3), mongo_server, mongo_database, most=2)
    assert [(one.revision, one.left, one.again, one.gap) for one in found.reversals] == [("1_m", (), (), ""), ("2_m", (), (), "")]
    with session(mongo_database.private) as client:
        assert [one["_id"] for one in client[mongo_database.name].a.find()] == [0, 1, 2]


def test_nothing_is_left_of_what_was_kept_aside(tmp_path: Path, mongo_server: Server, mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        before = set(client.list_database_names())
        walked(project(tmp_path, [UP + DOWN] * 2), mongo_server, mongo_database)
        assert set(client.list_database_names()) - before <= {mongo_database.name}


def test_what_a_later_one_finds_is_what_the_one_before_left(
    tmp_path: Path, mongo_server: Server, mongo_database: Database
) -> None:
    """A way back that leaves its document makes the second time up fail, and the rest is not tried."""
    found = walked(project(tmp_path, [UP + DOWN, UP + "def down(db):\n    pass\n", UP + DOWN]), mongo_server, mongo_database)
    first, second, third = found.reversals
    assert (first.left, first.failure) == ((), None)
    assert second.left == (Difference(A, DifferenceKind.ROWS_EXTRA, 1),)
    assert second.failure is not None
    assert (second.failure.code, second.failed_again) == ("11000", True)
    assert third.gap == "not tried, the steps stopped at 1_m"


def test_a_migration_that_cannot_be_applied_by_itself(tmp_path: Path, mongo_server: Server, mongo_database: Database) -> None:
    found = walked(
        project(tmp_path, ["def up(db):\n    db.command('collMod', 'none')\n", UP + DOWN]), mongo_server, mongo_database
    )
    assert [one.gap for one in found.reversals] == [
        "applied by itself it stops: ns does not exist",
        "not tried, the steps stopped at 0_m",
    ]


def test_what_is_applied_again_is_compared_with_the_first_time(
    tmp_path: Path, mongo_server: Server, mongo_database: Database
) -> None:
    text = "def up(db):\n    db.a.insert_one({{}})\n    if db.b.find_one(): db.a.insert_one({{}})\n"
    back = "def down(db):\n    db.a.delete_many({{}})\n    db.b.insert_one({{}})\n"
    (one,) = walked(project(tmp_path, [text + back]), mongo_server, mongo_database).reversals
    assert one.left == (Difference(collection_reference("b"), DifferenceKind.EXTRA, 1),)
    assert one.again == (
        Difference(A, DifferenceKind.ROWS_EXTRA, 1),
        Difference(collection_reference("b"), DifferenceKind.EXTRA, 1),
    )


class Books:
    """A tool that keeps books; it pauses where it is told to."""

    KEEPS_BOOKS = True

    def reversible(self, project: Project) -> bool:
        raise NotImplementedError

    def rehearse(self, project: Project, on: object, steps: Sequence[Step]) -> Iterator[Event]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("new", "tried", "ways"),
    [
        (["1", "2", "3"], ["2", "3"], "up1 up2 down2 up2 up3 down3 up3 again"),
        (["1"], ["1"], "up1 down1 up1 again"),
        ([], [""], "up down up again"),
    ],
)
def test_the_steps(new: list[str], tried: list[str], ways: str, tmp_path: Path) -> None:
    here = Project(tmp_path, tmp_path, MigrationSettings(tool="python"), tmp_path)
    names, steps = _Tried(Books(), here, mongodb, new).steps(2)
    assert names == tried
    assert " ".join(f"{step.direction.value}{step.revision}" for step in steps) == ways


def test_a_second_run_that_stops_or_changes_something(mongo_server: Server, mongo_database: Database) -> None:
    steps = [*(Step(way, "1") for way in (Direction.UP, Direction.DOWN, Direction.UP)), Step(Direction.AGAIN)]
    with session(mongo_database.private) as client:

        def changing() -> Iterator[Event]:
            yield from (Paused(number, None) for number in range(3))
            client[mongo_database.name].a.insert_one({})
            yield Paused(3, None)

        def stopping() -> Iterator[Event]:
            yield from (Paused(number, None) for number in range(3))
            yield Broke(None, None, "", "no")

        for events, expected in ((changing(), (Difference(A, DifferenceKind.EXTRA, 1),)), (stopping(), ())):
            found = _Found()
            walk = _Walk(mongodb, mongo_server, mongo_database, found)
            with walk.aside:
                walk.follow(events, steps, 0)
            assert found.second_run is not None
            assert found.second_run.changed == expected
            assert (found.second_run.failure is None) is bool(expected)


def test_after_long_no_further_one_is_begun(
    tmp_path: Path, mongo_server: Server, mongo_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.undoing.trying.LONGEST", 0.0)
    found = walked(project(tmp_path, [UP + DOWN] * 2), mongo_server, mongo_database)
    assert [one.gap for one in found.reversals] == ["", "not tried: those before it took more than 0 s"]


def test_of_a_migration_that_only_writes_values_it_is_said(tmp_path: Path) -> None:
    """The first makes a table with a row, the second corrects its value, the third adds a row."""
    texts = ["CREATE TABLE t (id INTEGER PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1);", "UPDATE t SET v = 2;", _INSERT]
    (tmp_path / "migrations").mkdir()
    for number, text in enumerate(texts):
        (tmp_path / "migrations" / f"{number}_m.up.sql").write_text(text)
        (tmp_path / "migrations" / f"{number}_m.down.sql").write_text("DROP TABLE t;" if number == 0 else "SELECT 1;")
    here = Project(tmp_path, tmp_path / "migrations", MigrationSettings(tool="sql", directory="migrations"), tmp_path)
    with sqlite_server() as server:
        database = server.create("shop")
        tried = _Tried(sql_folder, here, sqlite, [one.id for one in sql_folder.revisions(here)])
        names, steps = tried.steps(3)
        walk = _Walk(sqlite, server, database, _Found())
        with walk.aside:
            walk.follow(sql_folder.rehearse(here, database.addresses[Role.OWNER], steps), steps, len(steps) - 3 * len(names))
    assert [(one.values_only, [each.kind for each in one.left]) for one in walk.found.reversals] == [
        (False, []), (True, [DifferenceKind.ROWS_CHANGED]), (False, [DifferenceKind.ROWS_EXTRA])
    ]  # fmt: skip


_INSERT = "INSERT INTO t SELECT max(id) + 1, 0 FROM t;"
