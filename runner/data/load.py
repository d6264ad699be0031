"""The repository's own rows: SQL files, loaded in order, each in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from checks.evidence import LoadedFile, MigrationFailure
from runner.errors import UsageError
from runner.migrations.interface import Broke
from runner.migrations.simple_query import session
from runner.migrations.sql_files import SqlFile, apply_file, read, refuse_psql
from runner.servers.interface import Address

#: Seconds that all files of one list may take.
DEADLINE = 600.0


def load(root: Path, files: Sequence[str], on: Address) -> tuple[LoadedFile, ...]:
    """Load files (paths relative to ``root``) up to the first that is refused; the rest are not tried.

    Each file is one transaction, so a refused one leaves nothing. Raises UsageError for a missing file, ToolFailed for one that
    only psql can run.
    """
    return tuple(_loaded(_read(root, files), on))


def read_all(root: Path, files: Sequence[str]) -> Sequence[bytes | None]:
    """The files' contents, ``None`` for one that is not there; two checkouts that agree in them have the same rows."""
    return [(root / file).read_bytes() if (root / file).is_file() else None for file in files]


def refuse_missing(root: Path, files: Sequence[str]) -> None:
    """Raises UsageError for the first file that is not there."""
    missing = [file for file in files if not (root / file).is_file()]
    if missing:
        raise UsageError(
            f"there is no file {missing[0]} in {root}", "Paths in `load` and `before` start at the repository's root."
        )


def _read(root: Path, files: Sequence[str]) -> Sequence[SqlFile]:
    refuse_missing(root, files)
    listed = [read(root / file, file, "statement") for file in files]
    for file in listed:
        refuse_psql(file)
    return listed


def _loaded(files: Sequence[SqlFile], on: Address) -> Iterator[LoadedFile]:
    deadline = time.monotonic() + DEADLINE
    refused = False
    for file in files:
        broke = None
        if not refused:
            with session(on, deadline) as opened:
                broke = apply_file(opened, file, "file")
            refused = broke is not None
        yield LoadedFile(file.name, failure(broke) if broke else None)


def failure(broke: Broke) -> MigrationFailure:
    """What an adapter's last event says, as evidence."""
    return MigrationFailure(
        revision=broke.revision,
        place=broke.place,
        statement=broke.statement,
        code=broke.code,
        said=broke.said,
        detail=broke.detail,
        timed_out=broke.timed_out,
    )
