"""The repository's own rows on MariaDB: SQL files, loaded in order, each in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks.evidence import LoadedFile
from runner.data.load import DEADLINE, failure, refuse_missing
from runner.migrations import mariadb_files
from runner.migrations.sql_files import SqlFile
from runner.servers.interface import Address


def load(root: Path, files: Sequence[str], on: Address) -> tuple[LoadedFile, ...]:
    """Load files (paths relative to ``root``) up to the first that is refused; the rest are not tried.

    Each file is one transaction, so a refused one leaves no rows in tables of InnoDB; what DDL it holds stays. Raises UsageError
    for a missing file, ToolFailed for one that only the mariadb client can run.
    """
    refuse_missing(root, files)
    return tuple(_loaded([mariadb_files.read(root / file, file) for file in files], on))


def _loaded(files: Sequence[SqlFile], on: Address) -> Iterator[LoadedFile]:
    deadline = time.monotonic() + DEADLINE
    refused = False
    for file in files:
        broke = None if refused else mariadb_files.apply_file(on, file, "file", deadline)
        refused = refused or broke is not None
        yield LoadedFile(file.name, failure(broke) if broke else None)
