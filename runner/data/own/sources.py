"""Which files the entries of `load` mean in a checkout, and what tells two checkouts' rows apart."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from checks.interface import Engine
from runner.errors import UsageError
from runner.settings.loading import FORMATS, Format, LoadSettings, endings, format_of

#: An entry as it is handed on; a text names a file.
Entry = str | LoadSettings

_PATTERN = frozenset("*?[")
_DUMP = b"PGDMP"
_GZIP = b"\x1f\x8b"
#: What names the order of a folder's dump, and what mongodump writes beside documents.
_CONTENTS = "toc.dat"
_BESIDE = (".metadata.json", "prelude.json")


@dataclass(frozen=True)
class RowFile:
    """A file (a folder, where a dump is one) with rows, or a command. ``name`` is relative to the root, for people."""

    name: str
    path: Path
    format: Format
    settings: LoadSettings

    @property
    def table(self) -> str:
        """The table or collection as the settings say it, else the file's name without its endings."""
        if self.settings.table is not None:
            return self.settings.table
        bare = PurePosixPath(self.name).name.removesuffix(".gz")
        return PurePosixPath(bare).stem if self.settings.format or format_of(bare) else bare


@dataclass(frozen=True)
class Group:
    """What one entry means: files in the order of their names. ``ordered`` says that their order was said."""

    files: tuple[RowFile, ...] = ()
    command: LoadSettings | None = None
    ordered: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """What the parts are called."""
        return tuple(file.name for file in self.files) if self.command is None else (self.command.command or "",)


def entries(given: Sequence[Entry]) -> tuple[LoadSettings, ...]:
    """The entries as settings."""
    return tuple(LoadSettings(file=one) if isinstance(one, str) else one for one in given)


def there(root: Path, given: Sequence[Entry]) -> tuple[LoadSettings, ...]:
    """The entries of which this checkout has something."""
    return tuple(one for one in entries(given) if one.command is not None or _paths(root, one.file or ""))


def resolved(root: Path, given: Sequence[Entry], engine: Engine) -> tuple[Group, ...]:
    """What each entry means. Raises UsageError for a missing file and for a format that the engine takes no rows from."""
    return tuple(_group(root, one, engine) for one in entries(given))


def contents(root: Path, given: Sequence[Entry]) -> Sequence[object]:
    """Digests of the files; two checkouts that agree in them have the same rows. What a command makes agrees with nothing."""
    return [object() if one.command is not None else _digests(root, one.file or "") for one in entries(given)]


def _digests(root: Path, pattern: str) -> list[tuple[str, str]]:
    files = [file for path in _paths(root, pattern) for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return [(file.relative_to(root).as_posix(), _digest(file)) for file in files if file.is_file()]


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _paths(root: Path, pattern: str) -> list[Path]:
    """The files or the folder that a pattern means, in order."""
    if (root / pattern).exists() or not _PATTERN & set(pattern):
        return [root / pattern] if (root / pattern).exists() else []
    try:
        return sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.endswith(_BESIDE))
    except (ValueError, NotImplementedError) as wrong:
        raise UsageError(f"`load`: {pattern}: {wrong}", "Patterns start at the repository's root: seeds/*.csv.") from None


def _group(root: Path, entry: LoadSettings, engine: Engine) -> Group:
    if entry.command is not None:
        return Group(command=entry)
    pattern = entry.file or ""
    paths = _paths(root, pattern)
    if not paths:
        what = "no file matches" if _PATTERN & set(pattern) else "there is no file"
        raise UsageError(f"{what} {pattern} in {root}", "Paths in `load` and `before` start at the repository's root.")
    single = len(paths) == 1 and paths[0] == root / pattern
    if single and paths[0].is_dir() and not _is_dump(paths[0]):
        return Group(tuple(_file(root, path, entry, engine) for path in _within(paths[0], pattern, entry, engine)), ordered=False)
    return Group(tuple(_file(root, path, entry, engine) for path in paths), ordered=single)


def _is_dump(folder: Path) -> bool:
    return (folder / _CONTENTS).is_file() or (folder / f"{_CONTENTS}.gz").is_file()


def _within(folder: Path, name: str, entry: LoadSettings, engine: Engine) -> list[Path]:
    """The files of a folder that hold rows; of mongodump's folder of folders those of the only database in it."""
    inner = [path for path in sorted(folder.iterdir()) if path.is_dir() and any(path.glob("*.bson*"))]
    if engine is Engine.MONGODB and len(inner) > 1:
        named = ", ".join(path.name for path in inner)
        raise UsageError(f"{name} holds several databases: {named}", f"Name one of them: {name.rstrip('/')}/{inner[0].name}.")
    place = inner[0] if engine is Engine.MONGODB and inner else folder
    files = [path for path in sorted(place.iterdir()) if path.is_file() and not path.name.endswith(_BESIDE)]
    found = [path for path in files if entry.format or format_of(path.name) in FORMATS[engine]]
    if not found:
        raise UsageError(f"{name} holds no file with rows for {engine.label}", f"They end in {', '.join(endings(engine))}.")
    return found


def _file(root: Path, path: Path, entry: LoadSettings, engine: Engine) -> RowFile:
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
    kind = entry.format or _format(path)
    if kind is None:
        raise UsageError(
            f"{name}: its name does not say which format its rows have",
            f'It may end in {", ".join(endings(engine))}; else say it: {{ file = "…", format = "csv" }}.',
        )
    if kind not in FORMATS[engine]:
        others = ", ".join(sorted(one.value for one in FORMATS[engine]))
        raise UsageError(f"{name}: {engine.label} takes no rows from {kind.label}", f"There are: {others}.")
    return RowFile(name, path, kind, entry)


def _format(path: Path) -> Format | None:
    """By the name; an SQL dump of pg_dump's other formats is told by its first bytes whatever its name."""
    if path.is_dir():
        return Format.DUMP if _is_dump(path) else None
    named = format_of(path.name)
    if named in (None, Format.SQL) and _first(path, len(_DUMP)) == _DUMP:
        return Format.DUMP
    if named is Format.DUMP and _first(path, len(_DUMP)) != _DUMP and not tarfile.is_tarfile(path):
        return Format.SQL  # many call a plain dump so
    return named


def _first(path: Path, length: int) -> bytes:
    with path.open("rb") as content:
        return content.read(length)


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed, by its first bytes."""
    return _first(path, len(_GZIP)) == _GZIP


def chunks(file: RowFile, size: int = 1 << 16) -> Iterator[bytes]:
    """The bytes of a file, unpacked where it is compressed. Raises OSError and EOFError for what is no whole gzip."""
    with gzip.open(file.path) if is_gzip(file.path) else file.path.open("rb") as content:
        while part := content.read(size):
            yield part
