"""The SQLite server for what is wanted: a directory of our own, or a file that was given."""

from __future__ import annotations

from contextlib import AbstractContextManager

from runner.servers.interface import Server, Wanted


def provide(wanted: Wanted) -> AbstractContextManager[Server]:
    """The server for what is wanted, as a context; raises UsageError or ServerFailed."""
    if wanted.url is not None:
        from runner.servers.sqlite.given import given_file

        return given_file(wanted.url, wanted.foreign_keys, wanted.statement_timeout)
    from runner.servers.sqlite.server import sqlite_server

    return sqlite_server(wanted.foreign_keys)
