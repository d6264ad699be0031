"""The settings file: which one it is, and its text as a document."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import UsageError

OWN_FILE = "dbproof.toml"
PROJECT_FILE = "pyproject.toml"

Table = Mapping[str, object]


@dataclass(frozen=True)
class Document:
    """A settings file as it was read. ``name`` is how errors call it, ``prefix`` the keys above ours."""

    path: Path
    name: str
    content: Table
    prefix: tuple[str, ...] = ()


def find(root: Path, config: str | None) -> Document | None:
    """The one settings file: ``config`` where it is given, else dbproof.toml or ``[tool.dbproof]``, else ``None``.

    Raises UsageError where a file cannot be read, is not TOML, or where two files say something.
    """
    if config is not None:
        return _named(Path(config))
    own, project = root / OWN_FILE, root / PROJECT_FILE
    within = _section(project, PROJECT_FILE) if _there(project) else None
    if not _there(own):
        return within
    if within is not None:
        raise UsageError(
            f"{OWN_FILE} and [tool.dbproof] in {PROJECT_FILE}: both hold settings",
            "Keep one of them, or name the one to use with --config.",
        )
    return Document(own, OWN_FILE, _table(own, OWN_FILE))


def check_root(root: Path) -> None:
    """Raises UsageError where the repository's root is no directory that can be looked into."""
    try:
        mode = root.stat().st_mode
    except OSError as refused:
        raise UsageError(f"{root}: {_words(refused)}; expected the repository's root") from None
    if not stat.S_ISDIR(mode):
        raise UsageError(f"{root}: is a file; expected the repository's root")


def _there(path: Path) -> bool:
    """Whether anything stands there, be it a dangling link or unreadable, so that it is not passed over in silence."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as refused:
        raise UsageError(f"{path}: {_words(refused)}") from None
    return True


def _words(refused: OSError) -> str:
    return (refused.strerror or "cannot be read").lower()


def _named(path: Path) -> Document:
    if not _there(path):
        raise UsageError(
            f"{path}: no such settings file",
            "--config and DBPROOF_CONFIG start from the directory that dbproof is started in.",
        )
    if path.name != PROJECT_FILE:
        return Document(path, str(path), _table(path, str(path)))
    section = _section(path, str(path))
    if section is None:
        raise UsageError(f"{path}: has no [tool.dbproof]", "Write the settings under [tool.dbproof], or name another file.")
    return section


def _section(path: Path, name: str) -> Document | None:
    text = _text(path, name)
    if "dbproof" not in text:  # some pyproject.toml are templates and no TOML at all: not our concern
        return None
    tool = _parse(text, name).get("tool")
    if not isinstance(tool, Mapping) or "dbproof" not in tool:
        return None
    if not isinstance(tool["dbproof"], Mapping):
        raise UsageError(f"{name}: tool.dbproof: expected a table")
    return Document(path, name, tool["dbproof"], ("tool", "dbproof"))


def _table(path: Path, name: str) -> Table:
    return _parse(_text(path, name), name)


def _text(path: Path, name: str) -> str:
    try:
        # With its byte order mark, which editors on Windows write.
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise UsageError(f"{name}: is not UTF-8 (byte {wrong.start})", "Save the file as UTF-8.") from None
    except IsADirectoryError:
        raise UsageError(f"{name}: is a directory, expected a file") from None
    except OSError as refused:
        raise UsageError(f"{name}: cannot be read: {_words(refused)}") from None


def _parse(text: str, name: str) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        line, column, said = _position(str(wrong), text)
        raise UsageError(f"{name}:{line}:{column}: not TOML: {said}") from None
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply") from None


def _position(said: str, text: str) -> tuple[int, int, str]:
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    words = said[: found.start()] if found else said
    if found and found[1]:
        return int(found[1]), int(found[2]), words
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1, words
