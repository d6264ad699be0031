"""Copies the data directory of a server that runs, by PostgreSQL's own low-level backup functions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

from runner.errors import ServerFailed
from runner.servers.account import Account
from runner.servers.files import copy_cluster
from runner.servers.interface import Address
from runner.servers.postgresql.sessions import session

#: What a backup leaves out: the running server's own state, and what the copy makes anew.
_LEFT = re.compile(
    r"postmaster\.(pid|opts)|pg_(wal|dynshmem|notify|serial|snapshots|stat_tmp|subtrans|replslot)/.*"
    r"|(.*/)?pgsql_tmp.*|(.*/)?pg_internal\.init.*"
)
_FUNCTIONS: tuple[LiteralString, LiteralString] = (
    "SELECT pg_backup_start('dbproof', true)",
    "SELECT labelfile FROM pg_backup_stop(false)",
)
_BEFORE_15: tuple[LiteralString, LiteralString] = (
    "SELECT pg_start_backup('dbproof', true, false)",
    "SELECT labelfile FROM pg_stop_backup(false, false)",
)


@contextmanager
def backing_up(private: Address) -> Iterator[Callable[[], str]]:
    """Between its begin and the call of what it yields, the data directory may be copied file by file, except ``pg_wal``.

    The call ends the backup and gives the content of ``backup_label`` for the copy; only then ``pg_wal`` is copied.
    Raises ServerFailed where tablespaces lie outside the directory: both servers would write to the same files.
    """
    with session(private) as connection:
        if connection.execute("SELECT 1 FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')").fetchone():
            raise ServerFailed(
                "a server with tablespaces of its own cannot be forked", "Keep CREATE TABLESPACE out of the migrations."
            )
        begin, end = _FUNCTIONS if connection.info.server_version >= 150000 else _BEFORE_15
        connection.execute(begin)

        def ended() -> str:
            found = connection.execute(end).fetchone()
            return str(found[0]) if found else ""

        yield ended


def copy_running(private: Address, source: Path, target: Path, account: Account) -> None:
    """Copy a running server's data directory, so that a server started on the copy holds all that was committed."""
    with backing_up(private) as ended:
        copy_cluster(source, target, account, leave=lambda path: _LEFT.fullmatch(path) is not None)
        label = ended()
    shutil.rmtree(target / "pg_wal")
    copy_cluster(source / "pg_wal", target / "pg_wal", account)
    (target / "backup_label").write_text(label, encoding="utf-8")
    account.own(target / "backup_label")
