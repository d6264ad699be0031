"""dbproof's own sessions on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from runner.servers.interface import OURS, Address

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

#: Our own statements are not logged: the log is for what the project sends.
_UNLOGGED = "-c log_min_duration_statement=-1"
_PATIENCE = 10


def ours(address: Address, options: str = _UNLOGGED) -> Address:
    """The address for sessions of dbproof itself: named as such, and with options of the session."""
    kept = address.extra.get("options", "")
    extra = {**address.extra, "application_name": OURS, "options": f"{kept} {options}".strip()}
    return replace(address, extra={"connect_timeout": str(_PATIENCE), **extra})


@contextmanager
def session(address: Address) -> Iterator[Connection[Any]]:
    """A session in autocommit mode, closed at the end of the context; raises psycopg.OperationalError."""
    import psycopg

    # Nothing is prepared: behind a pooler the next statement may meet another session of the server.
    with psycopg.connect(**address.keywords(), autocommit=True, prepare_threshold=None) as connection:
        yield connection


def takes_connections(host: str, port: int) -> bool:
    """Whether a server there would take a connection now, as ``pg_isready`` asks: nobody has to be known to it."""
    from psycopg import pq

    asked = f"host='{host}' port={port} dbname=postgres user=postgres connect_timeout=2"
    return pq.PGconn.ping(asked.encode()) == pq.Ping.OK
