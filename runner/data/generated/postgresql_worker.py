"""Who fills tables of a PostgreSQL database: its sessions, what it has to heed, how it sends statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checks.rows import postgresql as dialect
from checks.rows.missing import Read
from checks.rows.sets.language import Keys, Statement
from checks.rows.sets.planner import Planner
from checks.rows.sets.wishes import Wishes
from checks.schema.model import Catalogue
from runner.data.generated.promises import Made

if TYPE_CHECKING:
    from psycopg import Connection
    from sqlalchemy import Executable


@dataclass
class Worker:
    """Sessions of one who fills tables, what has to be heeded, and the keys that ``made`` tables have, known to all workers.

    A table is in ``made`` from when it is begun, where its keys can be foretold: ``promise`` says so to whoever rests on it.
    ``wait`` waits for the tables that the present one refers to.
    """

    catalogue: Catalogue
    driver: Connection[Any]
    read: Read
    seed: int
    wishes: Wishes
    made: Made
    keys: dict[tuple[object, ...], Keys] = field(default_factory=dict)
    promise: Callable[[], None] = lambda: None
    wait: Callable[[], None] = lambda: None

    @property
    def planner(self) -> Planner:
        """Who plans the tables."""
        return Planner(self.catalogue, dialect, self._asked)

    def _asked(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """What a planner asks: where that is about rows that are there, when all are that the table refers to."""
        from sqlalchemy import TextClause

        if not isinstance(statement, TextClause):
            self.wait()
        return self.read(statement)


def sent(statement: Statement) -> tuple[bytes, Sequence[Any] | None]:
    """A statement as psycopg takes it, with the values that it binds."""
    return (statement.sql.encode(), statement.values) if statement.values else (sql(statement.sql).encode(), None)


def sql(text: str) -> str:
    """A text without placeholders, as it is sent."""
    return text.replace("%%", "%")
