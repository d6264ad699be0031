"""Writes a database's documents as files that mongoimport loads, and ``data.load`` here: a directory with one file a collection.

Each line is a document in canonical Extended JSON, which keeps every type (MongoDB's specification "Extended JSON"). Documents
pass through one by one, so memory stays flat.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from checks.rows.document_sets.parts import CODEC
from checks.schema.collections import Collections
from checks.schema.mongodb import read
from runner.data.generated.filled import WrittenRows
from runner.servers.interface import Address
from runner.servers.mongodb.sessions import session

if TYPE_CHECKING:
    from pymongo.database import Database

    Named = Database[dict[str, Any]]

#: What no file's name holds, as the reader of such files takes it for a part of the path.
_NO_FILE = ("/", "\\", "\0")


def written(address: Address, database: str, directory: Path) -> WrittenRows:
    """Write every collection that holds documents into files of a directory, which is made where it is not there.

    Files of the same names are written over, others are left alone. Raises OSError, and leaves nothing half-written then;
    PyMongoError where the server is lost.
    """
    beside = directory.with_name(f".{directory.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir()
        with session(address) as client:
            named, unnamed = _names(read(client[database]))
            size = sum(_collection(client[database], name, beside) for name in named)
        directory.mkdir(exist_ok=True)
        for file in beside.iterdir():
            file.replace(directory / file.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    each = f"for file in {quote(str(directory))}/*.jsonl"
    load = f'mongoimport --db {quote(database)} --collection "$(basename "$file" .jsonl)" "$file"'
    left = f" (left out, as no file can be called so: {', '.join(unnamed)})" if unnamed else ""
    return WrittenRows(size, f"{each}; do {load}; done{left}")


def _names(collections: Collections) -> tuple[Sequence[str], Sequence[str]]:
    """The collections that hold documents: those that a file can be called like, and the others."""
    held = [one.name for one in collections.all if one.documents]
    unnamed = [name for name in held if any(wrong in name for wrong in _NO_FILE)]
    return [name for name in held if name not in unnamed], unnamed


def _collection(database: Named, name: str, directory: Path) -> int:
    """Write one collection, and give the file's bytes."""
    from bson.json_util import CANONICAL_JSON_OPTIONS, dumps

    options = CANONICAL_JSON_OPTIONS.with_options(uuid_representation=CODEC.uuid_representation)
    file = directory / f"{name}.jsonl"
    with file.open("w", encoding="utf-8", newline="\n") as lines:
        for document in database.get_collection(name, codec_options=CODEC).find().batch_size(1_000):
            lines.write(dumps(document, json_options=options, ensure_ascii=False))
            lines.write("\n")
    return file.stat().st_size
