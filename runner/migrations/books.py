"""The books of a tool of SQL files: what it writes down of its migrations, and the tables it does that in, on every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from runner.migrations.engine_sessions import EngineBooks
from runner.migrations.scripts import Script

if TYPE_CHECKING:
    from psycopg import Connection

    Connected = Connection[tuple[object, ...]]


class Books(Protocol):
    """How a tool keeps its books. Every method may raise psycopg's Error, which is told as the end of the migration."""

    @property
    def at_once(self) -> bool:
        """Whether one transaction holds all that is pending."""
        ...

    def pending(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What is to be applied, in order; the tool's table is made on the way. Raises :class:`Refused`."""
        ...

    def begin(self, connection: Connected, script: Script) -> None:
        """What the tool does before a script, outside of its transaction."""
        ...

    def end(self, connection: Connected, script: Script) -> None:
        """Write a script down as applied, within its transaction."""
        ...

    def ended(self, connection: Connected, script: Script) -> None:
        """What the tool does after a script, outside of its transaction."""
        ...

    def failed(self, connection: Connected, script: Script) -> None:
        """What the tool does after a script without a transaction that failed; what is refused then is passed over."""
        ...


class ReversibleBooks(Books, Protocol):
    """Books of a tool that also undoes; of a script, in the order in which it applied them, the tool knows the one ``before``."""

    def held(self, connection: Connected, scripts: Sequence[Script]) -> Sequence[Script]:
        """What the database holds, in the order in which it is undone from its end."""
        ...

    def back(self, connection: Connected, script: Script, before: Script | None) -> None:
        """What the tool does before it undoes a script, outside of its transaction."""
        ...

    def undo(self, connection: Connected, script: Script) -> None:
        """Write a script down as applied no more, within its transaction."""
        ...

    def undone(self, connection: Connected, script: Script, before: Script | None) -> None:
        """What the tool does after it undid a script, outside of its transaction."""
        ...


class Plain:
    """Books that do nothing but what a subclass says."""

    at_once: bool = False

    def back(self, connection: Connected, script: Script, before: Script | None) -> None:
        """Nothing."""

    def undo(self, connection: Connected, script: Script) -> None:
        """Nothing."""

    def undone(self, connection: Connected, script: Script, before: Script | None) -> None:
        """Nothing."""

    def begin(self, connection: Connected, script: Script) -> None:
        """Nothing."""

    def end(self, connection: Connected, script: Script) -> None:
        """Nothing."""

    def ended(self, connection: Connected, script: Script) -> None:
        """Nothing."""

    def failed(self, connection: Connected, script: Script) -> None:
        """Nothing."""


def own_table(connection: Connected, name: str, within: str = "") -> bytes:
    """The name of a tool's table, quoted; on PostgreSQL in a schema, that of new tables where none is named."""
    if isinstance(connection, EngineBooks):
        return connection.quoted(name)
    return quoted(within or schema(connection), name)


def on_engine(connection: Connected, postgresql: str, mariadb: str, sqlite: str) -> str:
    """What is meant for the engine that is at hand."""
    scheme = connection.scheme if isinstance(connection, EngineBooks) else ""
    return {"mysql": mariadb, "sqlite": sqlite}.get(scheme, postgresql)


def quoted(*names: str) -> bytes:
    """A name on PostgreSQL, with what it stands in before it, quoted."""
    from psycopg import sql

    return sql.Identifier(*names).as_string(None).encode()


def schema(connection: Connected) -> str:
    """The schema that new tables go to."""
    row = connection.execute(b"SELECT current_schema()").fetchone()
    return str(row[0]) if row and row[0] else "public"


def make(connection: Connected, name: bytes, columns: str) -> bool:
    """Make a table of books where there is none; whether it was made."""
    if isinstance(connection, EngineBooks):
        if connection.has(name.decode()[1:-1]):
            return False
    elif connection.execute(b"SELECT to_regclass(%s)", (name.decode(),)).fetchone() != (None,):
        return False
    connection.execute(b"CREATE TABLE %s (%s)" % (name, columns.encode()))
    return True
