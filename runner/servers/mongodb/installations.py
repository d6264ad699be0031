"""The ``mongod`` programs on this machine, each with its version, or with why it does not run."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_PLACES = (
    "/usr/bin/mongod",
    "/usr/local/bin/mongod",
    "/opt/mongodb*/bin/mongod",
    "/opt/*/mongodb*/bin/mongod",
    "/opt/mongo*/bin/mongod",
    "/opt/homebrew/opt/mongodb-community*/bin/mongod",
    "/usr/local/opt/mongodb-community*/bin/mongod",
)
_VERSION = re.compile(r"db version v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Installation:
    """A ``mongod``. ``broken`` holds its words where it does not even say its version (a library is missing)."""

    program: Path
    version: tuple[int, ...]
    broken: str = ""

    def fits(self, wanted: tuple[int, ...]) -> bool:
        """Whether it is of a version, of which as many numbers count as are given, at most two: ``7``, ``6.0``."""
        return not self.broken and self.version[: len(wanted[:2])] == wanted[:2]

    def __str__(self) -> str:
        if self.broken:
            return str(self.program)
        return f"MongoDB {'.'.join(map(str, self.version))} in {self.program.parent}"


def installations() -> tuple[Installation, ...]:
    """All installations, in the order they are preferred among equals: PATH, the system's, the PyPI wheel's."""
    programs = dict.fromkeys(each.resolve() for each in _programs())
    return tuple(installation(program) for program in programs if program.is_file())


def _programs() -> Iterator[Path]:
    found = shutil.which("mongod")
    if found:
        yield Path(found)
    for pattern in _PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
    yield from _wheel()


def _wheel() -> Iterator[Path]:
    """The ``embedded`` extra: its package is a part of the name ``fiftyone``, which is looked up, not imported."""
    package = importlib.util.find_spec("fiftyone")
    for place in (package.submodule_search_locations or ()) if package else ():
        yield Path(place) / "db" / "bin" / "mongod"


@lru_cache
def installation(program: Path) -> Installation:
    """What a program says of itself, asked once."""
    try:
        done = subprocess.run(  # noqa: S603 (a program that was looked for by its name)
            [str(program), "--version"],
            capture_output=True,
            check=False,
            timeout=30,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Installation(program, (), str(error))
    version = _VERSION.search(done.stdout)
    if version is None:
        words = (done.stderr or done.stdout).strip().splitlines()
        return Installation(program, (), words[-1][:300] if words else f"it ended with exit code {done.returncode}")
    return Installation(program, tuple(int(part) for part in version.groups()))
