"""The repository's own rows on SQLite: SQL files, loaded in order, each in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks.evidence import LoadedFile
from runner.data.load import DEADLINE, failure, refuse_missing
from runner.migrations import sqlite_files
from runner.migrations.interface import Broke
from runner.migrations.sql_files import SqlFile
from runner.servers.interface import Address


def load(root: Path, files: Sequence[str], on: Address) -> tuple[LoadedFile, ...]:
    """Load files (paths relative to ``root``) up to the first that is refused; the rest are not tried.

    Each file is one transaction, so a refused one leaves nothing. Raises UsageError for a missing file, ToolFailed for one that
    only SQLite's shell can run.
    """
    refuse_missing(root, files)
    return tuple(_loaded([sqlite_files.read(root / file, file) for file in files], on))


def _loaded(files: Sequence[SqlFile], on: Address) -> Iterator[LoadedFile]:
    deadline = time.monotonic() + DEADLINE
    broke: Broke | None = None
    for file in files:
        broke = broke or _applied(file, on, deadline)
        yield LoadedFile(file.name, failure(broke) if broke and _is_of(broke, file) else None)


def _applied(file: SqlFile, on: Address, deadline: float) -> Broke | None:
    events = sqlite_files.apply_file(on, file, "file", deadline)
    while True:
        try:
            next(events)
        except StopIteration as ended:
            broke: Broke | None = ended.value
            return broke


def _is_of(broke: Broke, file: SqlFile) -> bool:
    return broke.place is not None and broke.place.file == file.name
