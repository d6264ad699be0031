"""The file that says which documents were made, one a line, so that exactly these can be removed again.

Lines are written before their documents are, so that none is made that the file does not know; one that was not made after all
is not found when it is undone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from runner.errors import DbproofError, UsageError
from runner.reports.ownership import hand_over, make_directory

if TYPE_CHECKING:
    from bson.raw_bson import RawBSONDocument

FORMAT = "dbproof-fix/1"
_WHICH = "`dbproof fix` names the file that it writes, in dbproof-undo/."


@dataclass(frozen=True)
class Entry:
    """A document that was made: where, its ``_id``, and a digest of all of it."""

    collection: str
    identity: Any
    digest: str


def digest(document: bytes) -> str:
    """Of a document as BSON."""
    return hashlib.sha256(document).hexdigest()


class Ledger:
    """A new file for its owner alone. Raises DbproofError where it cannot be written."""

    def __init__(self, database: str, directory: Path) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.path = directory / f"{database}-fix-{stamp}-{os.getpid()}.jsonl"
        self._database = database
        self._file: IO[str] | None = None

    def __enter__(self) -> Ledger:
        try:
            if self.path.parent.is_symlink():
                raise DbproofError(f"{self.path.parent}: is a symbolic link, and nothing is written through one", "Remove it.")
            make_directory(self.path.parent)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8")
            hand_over(descriptor, self.path)
            self._write([json.dumps({"format": FORMAT, "database": self._database})])
        except OSError as refused:
            said = (refused.strerror or "cannot be written").lower()
            raise DbproofError(f"{self.path}: {said}: nothing was changed", "Start dbproof where this user may write.") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, entries: Sequence[Entry]) -> None:
        """Write down what is about to be made; it is on the disk when this returns."""
        from bson import json_util

        options = json_util.CANONICAL_JSON_OPTIONS
        told = ({"collection": one.collection, "_id": one.identity, "sha256": one.digest} for one in entries)
        self._write([json_util.dumps(one, json_options=options) for one in told])

    def _write(self, lines: Sequence[str]) -> None:
        if self._file is not None:
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()
            os.fsync(self._file.fileno())


def entries(path: Path, database: str) -> Iterator[Entry]:
    """What a file says, line by line. Raises UsageError for one that is none, or of another database."""
    from bson import json_util

    try:
        with path.open(encoding="utf-8") as file:
            head = json.loads(file.readline())
            if head["format"] != FORMAT:
                raise ValueError
            if head["database"] != database:
                raise UsageError(
                    f"--undo: the file is of the database {head['database']}, and the address leads to {database}",
                    "Name the address that it was made at.",
                )
            for line in file:
                told = json_util.loads(line, json_options=json_util.CANONICAL_JSON_OPTIONS)
                yield Entry(told["collection"], told["_id"], told["sha256"])
    except OSError as refused:
        raise UsageError(f"--undo {path}: {(refused.strerror or 'cannot be read').lower()}", _WHICH) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"--undo {path}: is no file of `dbproof fix`", _WHICH) from None


def unchanged(document: RawBSONDocument, entry: Entry) -> bool:
    """Whether a document is as it was made, byte by byte."""
    return digest(bytes(document.raw)) == entry.digest
