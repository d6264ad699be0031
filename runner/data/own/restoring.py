"""Dumps in pg_dump's own formats: pg_restore writes them out as SQL, of which only the rows are taken, parents first."""

from __future__ import annotations

import os
import re
import tarfile
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import IO

from checks.schema.model import Catalogue
from checks.schema.names import TableName
from runner import children
from runner.child_environment import clean_environment
from runner.children import Command, Finished
from runner.data.own.order import TableFile, in_order
from runner.data.own.sources import RowFile
from runner.errors import ToolFailed
from runner.servers.installations import installations

#: A line of pg_restore's list: number, the object's and its catalogue's OID, what it is, schema, name, owner.
_ENTRY = re.compile(r"\d+; \d+ \d+ (?P<kind>TABLE DATA|SEQUENCE SET) (?P<schema>\S+) (?P<name>.+) \S+")
#: More of a list than this is no list.
_MOST = 1 << 26
_PATIENCE = 60.0


@dataclass(frozen=True)
class _Entry:
    line: str
    kind: str
    table: TableName


def restored(file: RowFile, catalogue: Catalogue, deadline: float) -> Generator[IO[str], None, None]:
    """The rows of a dump as SQL, in one text or several, while they are written. Raises ToolFailed where it cannot be read."""
    program = _program(file)
    lines = _ordered(_entries(program, file), file, catalogue)
    # From a tar pg_restore takes parts in no other order than they stand in it.
    several = [[line] for line in lines] if file.path.is_file() and tarfile.is_tarfile(file.path) else [lines]
    with tempfile.TemporaryDirectory(prefix="dbproof-") as folder:
        for number, part in enumerate(several):
            listed = Path(folder) / f"list{number}"
            listed.write_text("\n".join(part) + "\n", "utf-8", "surrogateescape")
            arguments = (program, "--data-only", "--no-owner", f"--use-list={listed}", "--file=-", str(file.path))
            left = max(1.0, deadline - time.monotonic())
            with _running(Command(arguments, Path(folder), clean_environment(), left), file) as text:
                yield text


def _program(file: RowFile) -> str:
    """The newest pg_restore here: it reads the dumps of all versions before it."""
    found = [each for each in installations() if (each.binaries / "pg_restore").exists()]
    if not found:
        raise ToolFailed(
            f"{file.name}: there is no pg_restore here to read it with",
            "Install PostgreSQL's client programs, or write the dump as SQL: pg_dump --format=plain.",
        )
    return str(max(found, key=lambda each: each.version).binaries / "pg_restore")


def _entries(program: str, file: RowFile) -> list[_Entry]:
    command = Command((program, "--list", str(file.path)), Path.cwd(), clean_environment(), _PATIENCE)
    finished, said = children.captured(command, _MOST)
    if finished.status:
        raise _failed(finished, file)
    lines = said.decode("utf-8", "surrogateescape").splitlines()
    return [
        _Entry(line, found["kind"], TableName(found["schema"], found["name"]))
        for line in lines
        if (found := _ENTRY.fullmatch(line))
    ]


def _failed(finished: Finished, file: RowFile) -> ToolFailed:
    said = (finished.tail or ("it said nothing",))[-1].removeprefix("pg_restore: ").removeprefix("error: ")
    remedy = "Make it with pg_dump --format=custom, directory or tar."
    if "unsupported version" in said:
        remedy = "Install the client programs of the PostgreSQL that made it, or write it as SQL: pg_dump --format=plain."
    return ToolFailed(f"{file.name}: pg_restore cannot read it: {said}", remedy)


def _ordered(entries: Sequence[_Entry], file: RowFile, catalogue: Catalogue) -> list[str]:
    """The lines of the list, parents before children; what has no table in the catalogue keeps its place before them."""
    tables = {entry.table: entry for entry in entries if entry.kind == "TABLE DATA"}
    known = [TableFile(file, catalogue.table[name]) for name in tables if name in catalogue.table]
    units = in_order(known, catalogue)
    others = [entry.line for entry in tables.values() if entry.table not in catalogue.table]
    sequences = [entry.line for entry in entries if entry.kind != "TABLE DATA"]
    return [*others, *(tables[one.table.name].line for unit in units for one in unit), *sequences]


@contextmanager
def _running(command: Command, file: RowFile) -> Iterator[IO[str]]:
    """What a program writes, as it comes; where nobody reads on it ends. Raises ToolFailed where it fails."""
    reading, writing = os.pipe()
    ended: list[Finished] = []
    thread = Thread(target=_run, args=(command, writing, ended), daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, encoding="utf-8", errors="surrogateescape", newline="\n") as text:
            yield text
    finally:
        thread.join(_PATIENCE)
    if not ended or ended[0].status:
        raise _failed(ended[0] if ended else Finished(1, True, ()), file)


def _run(command: Command, writing: int, ended: list[Finished]) -> None:
    try:
        ended.append(children.run(replace(command, output=writing)))
    finally:
        os.close(writing)
