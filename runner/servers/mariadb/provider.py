"""Chooses the MariaDB server for what is wanted: a given one, or a local ``mariadbd``. Never another version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from runner.errors import ServerFailed, UsageError
from runner.servers.interface import Server, Wanted
from runner.servers.mariadb.installations import Installation, installations

#: The first version that keeps its users and CHECKs as they are read here.
OLDEST = (10, 6)


@dataclass(frozen=True)
class Need:
    """What a server must be. ``version`` is empty for the newest there is; ``image`` is what the settings name."""

    version: tuple[int, ...]
    image: str = ""

    def __str__(self) -> str:
        image = f" (image {self.image})" if self.image else ""
        return (f"MariaDB {_written(self.version)}" if self.version else "MariaDB, any version") + image


def provide(wanted: Wanted) -> AbstractContextManager[Server]:
    """The server for what is wanted, as a context; raises UsageError, and ServerFailed naming what was found."""
    if wanted.url is not None:
        from runner.servers.mariadb.given import given_server

        return given_server(wanted)
    need, found = needed(wanted), installations()
    chosen = choose(need, found)
    if chosen is None:
        raise _nothing(need, found)
    from runner.servers.mariadb.local import local_server

    newest = "" if need.version else ", the newest here, as nothing says a version"
    return local_server(chosen, f"{chosen.program}{newest}")


def needed(wanted: Wanted) -> Need:
    """What the settings ask for, as one need; raises UsageError where they contradict each other."""
    named = _tag(wanted.image) if wanted.image else ()
    version = tuple(int(part) for part in wanted.version.split(".")) if wanted.version else named
    if named and any(ours != theirs for ours, theirs in zip(version, named, strict=False)):
        raise UsageError(
            f"version '{wanted.version}' and image '{wanted.image}' name different versions of MariaDB", "Keep one of the two."
        )
    if version and version[:2] < OLDEST[: len(version[:2])]:
        raise UsageError(
            f"MariaDB {_written(version)} is older than {_written(OLDEST)}, the oldest that is supported",
            "Set `version` to a newer one.",
        )
    return Need(version, wanted.image or "")


def _tag(image: str) -> tuple[int, ...]:
    """The version that an image's tag says: ``mariadb:10.11-jammy``; nothing for ``mariadb:latest``."""
    bare = image.partition("@")[0]
    tag = bare.rpartition(":")[2] if ":" in bare.rpartition("/")[2] else ""
    found = re.match(r"\d+(?:\.\d+)*", tag)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def choose(need: Need, found: Iterable[Installation]) -> Installation | None:
    """The installation of the wanted version, else the newest; the first where several are equal."""
    fitting = [each for each in found if each.fits(need.version) and each.version >= OLDEST]
    return max(fitting, key=lambda each: each.version, default=None)


def _written(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _nothing(need: Need, found: Iterable[Installation]) -> ServerFailed:
    lines = [f"no server for what is wanted: {need}"]
    for each in found:
        lines.append(f"  found {each}: {each.broken or _unfit(each)}")
    lines += [] if len(lines) > 1 else ["  found no mariadbd on PATH or in the system's places"]
    return ServerFailed(
        "\n".join(lines),
        "Install MariaDB's server (Debian: `apt install mariadb-server`), or set `version` to one that is installed; MariaDB in"
        " a container is not started by dbproof.",
    )


def _unfit(each: Installation) -> str:
    return "another version" if each.version >= OLDEST else f"older than {_written(OLDEST)}"
