"""Statements that carry no stamp, traced to the repository's files: a whole statement that stands in one place only."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from checks.evidence import Place
from checks.evidence import Statement as RecordedStatement
from runner.migrations.statements import Statement, split
from runner.recorder.reading import LONGEST
from runner.recorder.recording import Recording
from runner.recorder.words import words

#: Larger files are dumps or data, and are not searched; in bytes.
LARGEST = 4_000_000

#: Statements of fewer words (COMMIT, a lone SELECT 1) say nothing of where they stand.
_FEWEST = 3
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"\w+")
#: So much of a statement is looked at, and so many of its words, before it is read in full.
_HEAD = 400
_HEAD_WORDS = 4

#: Folders that hold no files of the project's own.
_NOT_OURS = frozenset({".git", ".venv", "venv", "node_modules", "site-packages", "__pycache__", "vendor", "target"})

_Key = bytes
_Beginning = tuple[str, ...]


def _any(_: RecordedStatement) -> bool:
    return True


def placed(
    recording: Recording, files: Iterable[Path], root: Path, worth: Callable[[RecordedStatement], bool] = _any
) -> Recording:
    """The recording with places for statements and errors that have none, where the files hold them exactly once.

    Of the statements only those are looked for that are ``worth`` it.

    Places are relative to ``root``. White space, comments and the case of keywords do not count, all other tokens do. A message
    of several statements is placed at its first, where all of them stand in the same file. Files that are not UTF-8 are passed
    over. Time grows with the number of tokens.
    """
    texts = [each.text for each in recording.statements if each.place is None and worth(each)]
    texts += [each.statement for each in recording.errors if each.place is None]
    sent = {text: _statements(text) for text in set(texts) if len(text) < LONGEST}
    index = _index(files, root, {_beginning(part) for parts in sent.values() for part in parts})
    found = {text: _place(parts, index) for text, parts in sent.items()}
    return replace(
        recording,
        statements=tuple(replace(each, place=each.place or found.get(each.text)) for each in recording.statements),
        errors=tuple(replace(each, place=each.place or found.get(each.statement)) for each in recording.errors),
    )


def sql_files(folder: Path) -> list[Path]:
    """The SQL files of a project, in order, in which the statements of a program that tells nothing may stand."""
    found: list[Path] = []
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_OURS]
        found += (Path(where, name) for name in files if name.endswith(".sql"))
    return sorted(found)


def _statements(text: str) -> list[Statement]:
    return [part for part in split(text) if isinstance(part, Statement)]


def _index(files: Iterable[Path], root: Path, wanted: set[_Beginning]) -> dict[_Key, Place | None]:
    """Where the statements that begin as wanted stand; ``None`` for what stands in more than one place."""
    index: dict[_Key, Place | None] = {}
    for file in files if wanted else ():
        for statement in _statements(_text(file)):
            key = _key(statement) if _beginning(statement) in wanted else None
            if key:
                index[key] = None if key in index else Place(file.relative_to(root).as_posix(), statement.line)
    return index


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8") if file.stat().st_size <= LARGEST else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _place(sent: list[Statement], index: dict[_Key, Place | None]) -> Place | None:
    places = [index.get(key) for key in map(_key, sent) if key]
    certain = [place for place in places if place]
    if not certain or len(certain) < len(places) or len({place.file for place in certain}) > 1:
        return None
    return certain[0]


def _beginning(statement: Statement) -> _Beginning:
    """The first words, cheaply: most statements of a large repository are told apart by them, without the tokenizer."""
    head = _COMMENT.sub(" ", statement.text[:_HEAD]).lower()
    return tuple(found[0] for found in islice(_WORD.finditer(head), _HEAD_WORDS))


def _key(statement: Statement) -> _Key | None:
    said = words(statement.text)
    if len(said) < _FEWEST:
        return None
    return hashlib.blake2b("\0".join(said).encode("utf-8", "surrogatepass"), digest_size=16).digest()
