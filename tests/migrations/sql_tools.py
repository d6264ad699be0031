"""What the tests of SQL tools share: files written, applied by an adapter, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import psycopg

from checks.targets import Role
from runner.migrations.interface import Adapter, Broke, Direction, Ended, Event, Paused, Project, Reversible, Step
from runner.servers.interface import Database
from runner.settings.model import MigrationSettings


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files below a root."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())


def project(
    adapter: Adapter, root: Path, directory: str = ".", applied: frozenset[str] = frozenset(), **settings: Any
) -> Project:
    """The project of a tool in a folder."""
    given = MigrationSettings.model_validate({"tool": adapter.NAME, "directory": directory, **settings})
    return Project(root, root / directory, given, root, applied)


def applied(adapter: Adapter, here: Project, database: Database) -> tuple[list[str], Broke | None]:
    """The revisions that ended well, and what stopped the others."""
    events: list[Event] = list(adapter.apply(here, database.addresses[Role.OWNER]))
    broke = events[-1] if events and isinstance(events[-1], Broke) else None
    return [event.revision for event in events if isinstance(event, Ended)], broke


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    """What a query gives."""
    with psycopg.connect(**database.private.keywords(), autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def there_and_back(adapter: Adapter, here: Project, database: Database, *names: str) -> list[list[tuple[Any, ...]]]:
    """Each revision up, down and up again, then all again: which tables of ours and of the tool there are after each step."""
    tool = cast("Reversible", adapter)
    assert tool.reversible(here)
    steps = [Step(way, name) for name in names for way in (Direction.UP, Direction.DOWN, Direction.UP)]
    seen = list[list[tuple[Any, ...]]]()
    again = [Step(Direction.AGAIN)] if tool.KEEPS_BOOKS else []
    for event in tool.rehearse(here, database.addresses[Role.OWNER], [*steps, *again]):
        assert not isinstance(event, Broke), event
        if isinstance(event, Paused):
            assert event.number == len(seen)
            seen.append([*rows(database, _TABLES), (str(event.place), event.irreversible)])
    return seen


_TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') order by 1"
