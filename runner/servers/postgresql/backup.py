"""Copies the data directory of a server that runs, by PostgreSQL's own low-level backup functions."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
_FIRST = re.compile(r"START WAL LOCATION: .* \(file ([0-9A-F]{24})\)")
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_FUNCTIONS: tuple[LiteralString, LiteralString] = (
    "SELECT pg_backup_start('dbproof', true)",
    "SELECT labelfile, pg_walfile_name(lsn) FROM pg_backup_stop(false)",
)
_BEFORE_15: tuple[LiteralString, LiteralString] = (
    "SELECT pg_start_backup('dbproof', true, false)",
    "SELECT labelfile, pg_walfile_name(lsn) FROM pg_stop_backup(false, false)",
)


@dataclass(frozen=True)
class Ended:
    """A backup that has ended: the content of ``backup_label``, and the ``last`` file of ``pg_wal`` that the copy needs."""

    label: str
    last: str

    def needs(self, name: str) -> bool:
        """Whether a file of ``pg_wal`` belongs to the copy: older ones are done with, newer ones stand ready to be written."""
        first = _FIRST.search(self.label)
        return first is None or not _SEGMENT.fullmatch(name) or first[1] <= name <= self.last


@contextmanager
def backing_up(private: Address) -> Iterator[Callable[[], Ended]]:
    """Between its begin and the call of what it yields, the data directory may be copied file by file, except ``pg_wal``.

    The call ends the backup; only then ``pg_wal`` is copied.
    Raises ServerFailed where tablespaces lie outside the directory: both servers would write to the same files.
    """
    with session(private) as connection:
        if connection.execute("SELECT 1 FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')").fetchone():
            raise ServerFailed(
                "a server with tablespaces of its own cannot be forked", "Keep CREATE TABLESPACE out of the migrations."
            )
        begin, end = _FUNCTIONS if connection.info.server_version >= 150000 else _BEFORE_15
        connection.execute(begin)

        def ended() -> Ended:
            label, last = connection.execute(end).fetchone() or ("", "")
            return Ended(str(label), str(last))

        yield ended


def copy_running(private: Address, source: Path, target: Path, account: Account) -> None:
    """Copy a running server's data directory, so that a server started on the copy holds all that was committed."""
    with backing_up(private) as ended:
        copy_cluster(source, target, account, leave=lambda path: _LEFT.fullmatch(path) is not None)
        end = ended()
    shutil.rmtree(target / "pg_wal")
    copy_cluster(source / "pg_wal", target / "pg_wal", account, leave=lambda name: not end.needs(name))
    (target / "backup_label").write_text(end.label, encoding="utf-8")
    account.own(target / "backup_label")
