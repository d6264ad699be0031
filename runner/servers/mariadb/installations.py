"""The ``mariadbd`` programs on this machine, each with its version and with what makes a data directory for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_PLACES = (
    "/usr/sbin/mariadbd",  # Debian, Ubuntu
    "/usr/bin/mariadbd",  # Alpine, Arch
    "/usr/libexec/mariadbd",  # Red Hat
    "/usr/local/bin/mariadbd",
    "/opt/homebrew/opt/mariadb*/bin/mariadbd",
    "/usr/local/opt/mariadb*/bin/mariadbd",
    "/opt/mariadb*/bin/mariadbd",
)
_VERSION = re.compile(r"Ver (\d+)\.(\d+)\.(\d+)-MariaDB")


@dataclass(frozen=True)
class Installation:
    """A ``mariadbd`` and its ``mariadb-install-db``. ``broken`` says why it cannot be used."""

    program: Path
    version: tuple[int, ...]
    maker: Path | None = None
    broken: str = ""

    def fits(self, wanted: tuple[int, ...]) -> bool:
        """Whether it is of a version, of which as many numbers count as are given, at most two: ``11``, ``10.11``."""
        return not self.broken and self.version[: len(wanted[:2])] == wanted[:2]

    def __str__(self) -> str:
        return str(self.program) if not self.version else f"MariaDB {'.'.join(map(str, self.version))} in {self.program.parent}"


def installations() -> tuple[Installation, ...]:
    """All installations, in the order they are preferred among equals: PATH, the system's."""
    programs = dict.fromkeys(each.resolve() for each in _programs())
    return tuple(_installation(program) for program in programs if program.is_file())


def _programs() -> Iterator[Path]:
    found = shutil.which("mariadbd")
    if found:
        yield Path(found)
    for pattern in _PLACES:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)


@lru_cache
def _installation(program: Path) -> Installation:
    try:
        done = subprocess.run(  # noqa: S603 (a program that was looked for by its name)
            [str(program), "--no-defaults", "--version"],
            capture_output=True,
            check=False,
            timeout=30,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Installation(program, (), broken=str(error))
    version = _VERSION.search(done.stdout)
    if version is None:
        words = (done.stderr or done.stdout).strip().splitlines()
        return Installation(program, (), broken=words[-1][:300] if words else "it does not say its version")
    maker = _maker(program)
    broken = "" if maker else "mariadb-install-db is missing beside it"
    return Installation(program, tuple(int(part) for part in version.groups()), maker, broken)


def _maker(program: Path) -> Path | None:
    """``mariadb-install-db``, beside the program or where packages put it."""
    top = program.parent.parent
    places = (program.parent, top / "bin", top / "scripts")
    beside = next((place / "mariadb-install-db" for place in places if (place / "mariadb-install-db").exists()), None)
    found = shutil.which("mariadb-install-db")
    return beside or (Path(found) if found else None)
