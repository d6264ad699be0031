"""Watches the migrations that are new: what they lock, write and change, statement by statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from runner.recorder.concurrently import Concurrently
from runner.recorder.relay import Functions, Relay
from runner.servers.postgresql.sessions import ours, session

if TYPE_CHECKING:
    from runner.servers.interface import Address, Database

#: Since when counters are in shared memory, where they can be told to be up to date.
_SINCE = 150000
_FUNCTIONS = """
SELECT to_regprocedure('pg_catalog.dbproof_wrote(text)')::oid, to_regprocedure('pg_catalog.dbproof_within(int, boolean)')::oid
"""


@contextmanager
def watched(database: Database) -> Iterator[Database]:
    """The database at addresses that are watched, for as long as new migrations are applied to it.

    The same addresses where sessions cannot be followed: no recorder in it, PostgreSQL before 15, or a server that wants more
    than a password (TLS, sockets). Then rows and bytes are not known.
    """
    with session(ours(database.private)) as connection:
        version = connection.info.server_version
        wrote, within = connection.execute(_FUNCTIONS).fetchone() or (None, None)
    plain = all(_is_plain(address) for address in database.addresses.values())
    if wrote is None or within is None or version < _SINCE or not plain:
        yield database
        return
    watching = partial(Concurrently, ours(database.private))
    with ExitStack() as until:
        addresses = {
            role: Relay(address, database.name, Functions(wrote, within), watching).open(until)
            for role, address in database.addresses.items()
        }
        yield replace(database, addresses=addresses)


def _is_plain(address: Address) -> bool:
    return bool(address.host) and not address.host.startswith(("/", "@")) and bool(address.port) and not address.extra
