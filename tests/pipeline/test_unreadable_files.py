"""A new migration's file that no server takes is what the change has done, not something that this machine lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from building_pairs import pair
from proving import SQL, project
from repositories import Repository, repository

from checks.evidence import MigrationFailure, Place
from runner.errors import Exit, UnreadableFile

SQLITE = f'[databases.app]\nengine = "sqlite"\n{SQL}'
FIRST = "create table a (id integer primary key);"
NUL, UTF_16 = b"\n\ncreate table b (id int\0);", FIRST.encode("utf-16")


def change(tmp_path: Path, settings: str, file: bytes, name: str = "002.sql") -> Repository:
    made = repository(project(tmp_path / "repo", {"migrations/001.sql": FIRST}, settings), {})
    made.branch("change")
    (made.root / "migrations" / name).write_bytes(file)
    return made


@pytest.mark.parametrize(
    ("settings", "file", "line", "said"),
    [
        (SQLITE, NUL, 3, "there is a NUL byte, which SQLite does not take"),
        (SQLITE, UTF_16, None, "the file is UTF-16, which SQLite does not read"),
        (SQL, NUL, 3, "there is a NUL byte, which PostgreSQL does not take"),
    ],
)
def test_a_file_that_no_server_takes_is_a_failed_migration(
    tmp_path: Path, settings: str, file: bytes, line: int | None, said: str
) -> None:
    with pair(change(tmp_path, settings, file).root) as (both, _):
        assert both.head.evidence.failure == MigrationFailure("002", Place("migrations/002.sql", line), "", "", said)
        assert both.base is not None


def test_one_of_base_that_was_edited_to_be_so_fails_too(tmp_path: Path) -> None:
    with pair(change(tmp_path, SQLITE, UTF_16, "001.sql").root) as (both, _):
        failure = both.head.evidence.failure
        assert failure is not None
        assert (failure.revision, failure.place) == ("001", Place("migrations/001.sql"))


def test_where_nothing_is_known_of_base_it_may_be_this_machine_s_reading_of_it(tmp_path: Path) -> None:
    made = change(tmp_path, SQLITE, UTF_16)
    with pytest.raises(UnreadableFile, match=r"migrations/002\.sql: the file is UTF-16") as wrong, pair(made.root, "nothing"):
        pass
    assert wrong.value.exit is Exit.ENVIRONMENT
