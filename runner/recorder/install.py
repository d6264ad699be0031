"""Puts the recorder into a database, takes it out, and turns the watch over locks on and off.

The functions and event triggers stand in ``recorder.sql``, with why they are as they are.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, LiteralString

    from psycopg import Connection

_SQL = files(__package__).joinpath("recorder.sql").read_text(encoding="utf-8")

#: Changes whenever the recorder does; part of the key of a cached cluster that has the recorder in its template.
DIGEST = hashlib.sha256(_SQL.encode()).hexdigest()

_NAMES = ("dropped", "rewritten", "made", "indexed", "altered", "locked")
_TRIGGERS = tuple(f"dbproof_{name}" for name in _NAMES)


def install(connection: Connection[Any]) -> None:
    """Put the recorder into the connected database, anew where it is there already. Needs a superuser.

    Databases made from this one as a template carry it too. All or nothing: it happens in one transaction.
    """
    with connection.transaction():
        uninstall(connection)
        connection.execute(_SQL)


def uninstall(connection: Connection[Any]) -> None:
    """Take the recorder out of the connected database, as if it had never been there."""
    with connection.transaction():
        for name in _present(connection, "SELECT evtname FROM pg_catalog.pg_event_trigger WHERE evtname = ANY (%s)", _TRIGGERS):
            _drop(connection, "EVENT TRIGGER", name)
        for signature in _present(connection, _FUNCTIONS, (r"dbproof\_%",)):
            _drop(connection, "FUNCTION", signature)


def watch_locks(connection: Connection[Any], on: bool) -> None:
    """Record locks from the next statement of any session on, or stop it; off after :func:`install`. Needs a superuser.

    The switch is the state of an event trigger: it belongs to the database, clones keep it, and no dump shows it.
    """
    connection.execute(f"ALTER EVENT TRIGGER dbproof_locked {'ENABLE ALWAYS' if on else 'DISABLE'}")


_FUNCTIONS = (
    "SELECT format('pg_catalog.%%I(%%s)', proname, pg_get_function_identity_arguments(oid)) FROM pg_catalog.pg_proc"
    " WHERE pronamespace = 'pg_catalog'::regnamespace AND proname LIKE ANY (%s)"
)


def _present(connection: Connection[Any], query: LiteralString, names: tuple[str, ...]) -> list[str]:
    return [name for (name,) in connection.execute(query, [list(names)]).fetchall()]


def _drop(connection: Connection[Any], kind: str, name: str) -> None:
    connection.execute(f"ALTER EXTENSION plpgsql DROP {kind} {name}")
    connection.execute(f"DROP {kind} {name}")
