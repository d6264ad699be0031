"""A folder of SQL files as tests write it, and what came of applying it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import psycopg

from checks.targets import Role
from runner.migrations import sql_folder
from runner.migrations.interface import Broke, Event, Project
from runner.servers.interface import Address, Database
from runner.settings.model import MigrationSettings

Connect = Callable[[Address], psycopg.Connection[Any]]
Mode = Literal["statement", "file", "whole"]
MODES: tuple[Mode, ...] = ("statement", "file", "whole")


def project(folder: Path, mode: Mode | None = None, **settings: Any) -> Project:
    root = folder.parent
    return Project(root, folder, MigrationSettings(tool="sql", directory="db", transaction=mode, **settings), root)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name.removeprefix('_')}.sql").write_bytes(text.encode())


def apply(given: Project, database: Database) -> list[Event]:
    return list(sql_folder.apply(given, database.addresses[Role.OWNER]))


def broken(events: list[Event]) -> Broke:
    assert isinstance(events[-1], Broke), events
    return events[-1]


def tables(connect: Connect, database: Database) -> set[str]:
    rows = connect(database.private).execute(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    )
    return {name for (name,) in rows}
