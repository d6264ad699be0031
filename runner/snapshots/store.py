"""Snapshots in the cache: a server's files, and beside them as JSON what is known of them.

Nothing that is read here is code. Each file's size and checksum is kept, and what does not agree is no snapshot.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from checks.evidence import SuperuserNeeded
from runner.migrations.interface import Revision
from runner.recorder.recording import Recording
from runner.servers import cache

if TYPE_CHECKING:
    from pydantic import TypeAdapter

#: What all snapshots together may hold, in bytes: those that were used last stay.
LIMIT = 2 << 30
#: How long one serves, in seconds: migrations may ask what day it is (partitions are named after it).
SERVES = 30 * 86400.0

_DATA, _TOLD, _MANIFEST = "data", "told.json", "manifest.json"


@dataclass(frozen=True)
class Told:
    """What is known of a base beside its files: its revisions, what the server saw, and the duration of each in seconds.

    ``refused`` says that base needs a superuser, and then there are no files. ``made`` is when, in seconds since 1970.
    """

    revisions: tuple[Revision, ...] = ()
    recording: Recording = field(default_factory=Recording)
    seconds: Mapping[str, float] = field(default_factory=dict)
    refused: SuperuserNeeded | None = None
    made: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that is whole. ``data`` are the server's files."""

    told: Told
    data: Path


class Damaged(Exception):
    """What is in the cache is no whole snapshot; says why."""


def found(name: str) -> Snapshot | None:
    """The snapshot of this name, ``None`` where there is none or it is too old. Raises Damaged."""
    place = cache.private(name)
    if place is None:
        return None
    try:
        if json.loads((place / _MANIFEST).read_bytes()) != dict(_sums(place)):
            raise Damaged("its files are not those that were written")
        told = _form().validate_json((place / _TOLD).read_bytes())
    except (OSError, ValueError) as error:
        raise Damaged(f"it cannot be read: {type(error).__name__}") from None
    return Snapshot(told, place / _DATA) if time.time() - told.made < SERVES else None


def drop(name: str) -> None:
    """Remove a snapshot."""
    cache.drop(name)


def keep(name: str, told: Told, data: Callable[[Path], None] | None) -> bool:
    """Keep a snapshot, for which ``data`` writes the files; whether that was done. Raises ServerFailed, OSError."""

    def build(place: Path) -> None:
        place.mkdir(mode=0o700)
        if data is not None:
            data(place / _DATA)
        _write(place / _TOLD, _form().dump_json(told))
        _write(place / _MANIFEST, manifest(place).encode())

    return cache.put(name, build, LIMIT)


def manifest(place: Path) -> str:
    """What is written down of a snapshot's files."""
    return json.dumps(dict(_sums(place)))


@lru_cache
def _form() -> TypeAdapter[Told]:
    from pydantic import TypeAdapter

    from checks.work import Work  # noqa: F401 - the evidence names it, and pydantic looks for names here

    return TypeAdapter(Told)


def _write(file: Path, content: bytes) -> None:
    file.touch(0o600)
    file.write_bytes(content)


def _sums(place: Path) -> Iterator[tuple[str, list[int]]]:
    """Size and checksum of each file but the manifest itself, by its path. There are thousands of small ones."""
    begins = len(str(place)) + 1
    for top, _, names in os.walk(str(place)):
        for name in names:
            path = f"{top}/{name}"
            if path[begins:] != _MANIFEST:
                yield path[begins:], _sum(path)


def _sum(path: str) -> list[int]:
    size = checksum = 0
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while block := os.read(file, 1 << 20):
            size, checksum = size + len(block), zlib.crc32(block, checksum)
    finally:
        os.close(file)
    return [size, checksum]
