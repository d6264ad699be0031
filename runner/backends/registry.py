"""The backend of each engine, imported only where a database of that engine is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from checks.interface import Engine
from runner.backends.interface import Backend


def _postgresql() -> Backend:
    from runner.backends import postgresql

    return postgresql


def _sqlite() -> Backend:
    from runner.backends import sqlite

    return sqlite


def _mongodb() -> Backend:
    from runner.backends import mongodb

    return mongodb


def _mariadb() -> Backend:
    from runner.backends import mariadb

    return mariadb


BACKENDS: Mapping[Engine, Callable[[], Backend]] = {
    Engine.POSTGRESQL: _postgresql,
    Engine.MONGODB: _mongodb,
    Engine.SQLITE: _sqlite,
    Engine.MARIADB: _mariadb,
}


def backend_of(engine: Engine) -> Backend:
    """The backend for an engine that the settings accept."""
    return BACKENDS[engine]()
