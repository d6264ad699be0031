"""The engines that servers can be had for, and the one way to get a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from checks.interface import Engine
from runner.errors import ServerFailed
from runner.servers.interface import Server, Wanted

Provider = Callable[[Wanted], AbstractContextManager[Server]]


def _postgresql(wanted: Wanted) -> AbstractContextManager[Server]:
    from runner.servers.postgresql.provider import provide

    return provide(wanted)


def _mongodb(wanted: Wanted) -> AbstractContextManager[Server]:
    from runner.servers.mongodb.provider import provide

    return provide(wanted)


def _sqlite(wanted: Wanted) -> AbstractContextManager[Server]:
    from runner.servers.sqlite.provider import provide

    return provide(wanted)


def _mariadb(wanted: Wanted) -> AbstractContextManager[Server]:
    from runner.servers.mariadb.provider import provide

    return provide(wanted)


PROVIDERS: Mapping[Engine, Provider] = {
    Engine.POSTGRESQL: _postgresql,
    Engine.SQLITE: _sqlite,
    Engine.MARIADB: _mariadb,
    Engine.MONGODB: _mongodb,
}


def provision(wanted: Wanted) -> AbstractContextManager[Server]:
    """The server for what is wanted, running for the length of the context.

    Raises UsageError where the wish contradicts itself, ServerFailed where no server can be had.
    """
    provider = PROVIDERS.get(wanted.engine)
    if provider is None:
        raise ServerFailed(f"there are no servers for {wanted.engine} yet", f"Use one of {', '.join(PROVIDERS)}.")
    return provider(wanted)
