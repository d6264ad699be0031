"""Two databases compared by what PostgreSQL's own dump says of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from checks.targets import Role
from real.own_tool import ask
from runner.migrations.interface import Adapter, Broke, Direction, Ended, Event, Project, Step
from runner.servers.installations import installations
from runner.servers.interface import Database


def schema(database: Database) -> str:
    """``pg_dump --schema-only`` without what differs each time; the owner's name is left out."""
    program = max(installations(), key=lambda one: one.version).binaries / "pg_dump"
    address = database.addresses[Role.OWNER]
    place = ["--host", address.host, "--port", str(address.port), "--username", address.user, "--dbname", address.database]
    command = [str(program), "--schema-only", "--no-owner", *place]
    environment = {"PGPASSWORD": address.password}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=60).stdout
    return "\n".join(line for line in said.splitlines() if not line.startswith(("\\restrict ", "\\unrestrict ")))


def books(database: Database, query: str) -> Sequence[tuple[Any, ...]]:
    """What a tool wrote down, in its order."""
    return ask(database, query)


def applied(adapter: Adapter, project: Project, database: Database) -> list[Event]:
    """What applying everything told; it must not have broken off."""
    events = list(adapter.apply(project, database.addresses[Role.OWNER]))
    assert not [event for event in events if isinstance(event, Broke)], events
    return events


def ended(events: Sequence[Event]) -> list[str]:
    """The revisions that ended well, in their order."""
    return [event.revision for event in events if isinstance(event, Ended)]


def same(one: Database, other: Database, query: str) -> None:
    """Both have the same schema, and the same in the books that ``query`` reads."""
    assert schema(one) == schema(other)
    assert books(one, query) == books(other, query) != []


def there_and_back(*names: str) -> list[Step]:
    """Each revision up, down and up again, then everything again."""
    ways = (Direction.UP, Direction.DOWN, Direction.UP)
    return [*(Step(way, name) for name in names for way in ways), Step(Direction.AGAIN)]
