"""Statements that carry no stamp, traced to the repository's files: a whole statement that stands in one place only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from checks.evidence import Place
from runner.migrations.statements import Statement, split
from runner.recorder.reading import LONGEST
from runner.recorder.recording import Recording
from runner.recorder.words import words

#: Larger files are dumps or data, and are not searched; in bytes.
LARGEST = 4_000_000

#: Statements of fewer words (COMMIT, a lone SELECT 1) say nothing of where they stand.
_FEWEST = 3

_Key = bytes


def placed(recording: Recording, files: Iterable[Path], root: Path) -> Recording:
    """The recording with places for statements that have none and stand exactly once in the files, paths relative to ``root``.

    White space, comments and the case of keywords do not count, all other tokens do. A message of several statements is placed
    at its first, where the others follow it in the same file. Files that cannot be read as SQL in UTF-8 are passed over. Time
    and memory grow with the number of tokens.
    """
    index = _index(files, root)
    found = tuple(
        replace(statement, place=_find(statement.text, index)) if statement.place is None else statement
        for statement in recording.statements
    )
    return replace(recording, statements=found)


def _index(files: Iterable[Path], root: Path) -> dict[_Key, Place | None]:
    """Where each statement stands; ``None`` for what stands in more than one place."""
    index: dict[_Key, Place | None] = {}
    for file in files:
        for line, key in _keys(_text(file)):
            index[key] = None if key in index else Place(file.relative_to(root).as_posix(), line)
    return index


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8") if file.stat().st_size <= LARGEST else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _find(text: str, index: dict[_Key, Place | None]) -> Place | None:
    if len(text) >= LONGEST:
        return None
    places = [index.get(key) for _, key in _keys(text)]
    certain = [place for place in places if place]
    if not certain or len(certain) < len(places) or len({place.file for place in certain}) > 1:
        return None
    return certain[0]


def _keys(text: str) -> Iterator[tuple[int, _Key]]:
    for statement in split(text):
        said = words(statement.text) if isinstance(statement, Statement) else ()
        if len(said) >= _FEWEST:
            written = "\0".join(said).encode("utf-8", "surrogatepass")
            yield statement.line, hashlib.blake2b(written, digest_size=16).digest()
