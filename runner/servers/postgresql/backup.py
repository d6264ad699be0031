"""Copies the data directory of a server that runs, by PostgreSQL's own low-level backup functions."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import LiteralString

from runner.errors import ServerFailed
from runner.servers.interface import Address
from runner.servers.postgresql.account import Account
from runner.servers.postgresql.files import copy_cluster
from runner.servers.postgresql.sessions import session

#: What a backup must leave out: the running server's own state, and what the copy makes anew.
_LEFT = re.compile(
    r"postmaster\.(pid|opts)|pg_(wal|dynshmem|notify|serial|snapshots|stat_tmp|subtrans|replslot)/.*|(.*/)?pgsql_tmp.*|(.*/)?pg_internal\.init.*"
)


def copy_running(private: Address, source: Path, target: Path, account: Account) -> None:
    """Copy a running server's data directory, so that a server started on the copy holds all that was committed.

    Raises ServerFailed where tablespaces lie outside the directory: both servers would write to the same files.
    """
    if any((source / "pg_tblspc").iterdir()):
        raise ServerFailed(
            "a server with tablespaces of its own cannot be forked", "Keep CREATE TABLESPACE out of the migrations."
        )
    with session(private) as connection:
        begin, end = _FUNCTIONS if connection.info.server_version >= 150000 else _BEFORE_15
        connection.execute(begin)
        copy_cluster(source, target, account, leave=lambda path: _LEFT.fullmatch(path) is not None)
        label = connection.execute(end).fetchone()
    shutil.rmtree(target / "pg_wal")
    copy_cluster(source / "pg_wal", target / "pg_wal", account)
    (target / "backup_label").write_text(label[0] if label else "", encoding="utf-8")
    account.own(target / "backup_label")


_FUNCTIONS: tuple[LiteralString, LiteralString] = (
    "SELECT pg_backup_start('dbproof', true)",
    "SELECT labelfile FROM pg_backup_stop(false)",
)
_BEFORE_15: tuple[LiteralString, LiteralString] = (
    "SELECT pg_start_backup('dbproof', true, false)",
    "SELECT labelfile FROM pg_stop_backup(false, false)",
)
