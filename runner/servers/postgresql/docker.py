"""A server in a Docker container, of any image that honours the official one's variables."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from runner.errors import ServerFailed
from runner.recorder.install import install
from runner.servers import containers
from runner.servers.interface import Address
from runner.servers.postgresql.configuration import loaded, log_name, throwaway
from runner.servers.postgresql.following import OverSession
from runner.servers.postgresql.images import image as read_image
from runner.servers.postgresql.moving import DATA, copy_out, put_in
from runner.servers.postgresql.server import PostgresServer
from runner.servers.postgresql.sessions import ours, session
from runner.servers.runs import CONTAINER, run_directory

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_START = 120.0
_LINES = 8
#: A format of log that every version knows; JSON came with 15.
_OLDEST = 14

Prepare = Callable[["Container"], None]


@dataclass(frozen=True)
class _Pot:
    """What the container of a server, and those of its forks, are made with."""

    client: DockerClient
    recipe: containers.Recipe
    password: str
    log: str


@contextmanager
def docker_server(
    client: DockerClient, image: str, preload: tuple[str, ...] = (), extensions: frozenset[str] = frozenset()
) -> Iterator[PostgresServer]:
    """An empty server for the length of the context; raises ServerFailed. Pulls the image where the engine does not have it."""
    containers.sweep(client)
    containers.fetch(client, image)
    with _served(_pot(client, image, preload), {}) as server:
        _require(server, image, extensions)
        with session(replace(server.private, database="template1")) as connection:
            install(connection)
        yield server


def _pot(client: DockerClient, image: str, preload: tuple[str, ...]) -> _Pot:
    major = read_image(image).major or _OLDEST
    password = secrets.token_urlsafe(24)
    settings = {**throwaway(major), "log_directory": "log", "shared_preload_libraries": loaded(preload)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    recipe = containers.Recipe(image, ["postgres", *options], {"POSTGRES_PASSWORD": password, "PGDATA": DATA})
    return _Pot(client, recipe, password, f"log/{log_name(major)}")


def _leave_as_made(_: Container) -> None:
    """A container that begins empty."""


@contextmanager
def _served(pot: _Pot, passwords: dict[str, str], prepare: Prepare = _leave_as_made) -> Iterator[PostgresServer]:
    """A run directory marks the container as ours: its end, or whoever sweeps it up, removes the container."""
    with run_directory() as run:
        (run / CONTAINER).touch()
        container = containers.started(pot.client, pot.recipe, run, prepare)
        admin, version = _answering(container, pot)
        private = ours(admin)
        yield PostgresServer(
            version=version,
            origin=f"docker {pot.recipe.image}",
            admin=admin,
            private=private,
            logfile=OverSession(private, pot.log),
            forked=partial(_fork, pot, container),
            passwords=passwords,
        )


@contextmanager
def _fork(pot: _Pot, container: Container, server: PostgresServer) -> Iterator[PostgresServer]:
    copied = copy_out(container, server.private)
    with _served(pot, dict(server.passwords), lambda fresh: put_in(fresh, copied)) as fork:
        yield fork


def _answering(container: Container, pot: _Pot) -> tuple[Address, str]:
    """The first address at which the server answers a query, and its version; raises ServerFailed with its last words."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        places = [Address(host, port, "postgres", pot.password, "postgres") for host, port in containers.addresses(container)]
        if any(_version(each) for each in places):  # asked again in order: it may have come up between the first and the last
            return next((each, version) for each in places if (version := _version(each)))
        if container.status in ("exited", "dead"):
            raise _failure(container, pot, "ended at its start")
        time.sleep(0.02)
    raise _failure(container, pot, f"did not answer within {_START:.0f} s")


def _version(address: Address) -> str:
    """The version of the server at an address; empty where none answers yet."""
    quick = ours(address)
    try:
        with session(replace(quick, extra={**quick.extra, "connect_timeout": "2"})) as connection:
            return (connection.info.parameter_status("server_version") or "").split(" ")[0]
    except psycopg.OperationalError:
        return ""


def _failure(container: Container, pot: _Pot, what: str) -> ServerFailed:
    lines = container.logs(tail=_LINES).decode("utf-8", "replace").splitlines()
    words = "\n".join(f"  {line}" for line in lines)
    return ServerFailed(
        f"the container of {pot.recipe.image} {what}\n{words}",
        "See its words above: the image must be PostgreSQL and honour POSTGRES_PASSWORD and PGDATA as the official one does,"
        " and its port must be reachable from here.",
    )


def _require(server: PostgresServer, image: str, extensions: frozenset[str]) -> None:
    with session(server.private) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions").fetchall()}
    if extensions - there:
        raise ServerFailed(
            f"the image {image} lacks extensions that the migrations create: {', '.join(sorted(extensions - there))}",
            "Set `image` to one that has them, such as pgvector/pgvector:pg16 or postgis/postgis:16-3.4.",
        )
