"""Sessions that look at the state of a PostgreSQL database: every value as text in one way, every name with its schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from runner.errors import ServerFailed
from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session

if TYPE_CHECKING:
    from psycopg import Connection

    Session = Connection[Any]

#: A role or a database may have settings of its own for each of these; rows without privileges on them are read too.
_ALIKE = (
    "SET search_path TO ''; SET datestyle TO 'ISO, YMD'; SET intervalstyle TO 'postgres'; SET timezone TO 'UTC'; "
    "SET extra_float_digits TO 3; SET bytea_output TO 'hex'; SET xmloption TO 'content'; SET lc_monetary TO 'C'; "
    "SET row_security TO 'off'; SET statement_timeout TO 0; SET jit TO off; SET quote_all_identifiers TO off"
)


@contextmanager
def looking(database: Database) -> Iterator[Session]:
    """A session of our own, closed at the end. Raises ServerFailed."""
    import psycopg

    try:
        with session(database.private) as connection:
            connection.execute(_ALIKE)
            yield connection
    except psycopg.Error as error:
        raise ServerFailed(f"the state of database {database.name} could not be read: {error}") from None
