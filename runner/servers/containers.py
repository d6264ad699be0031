"""Containers of ours on a Docker engine: made with labels that name their run, found and removed by them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import ServerFailed
from runner.servers.locks import LOCK, held, try_lock
from runner.servers.shield import shielded

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.errors import APIError
    from docker.models.containers import Container

#: Labels: the id of the run, the lock that its owner holds, and the machine whose file that lock is.
RUN = "dbproof.run"
_OWNER = "dbproof.owner"
_HOST = "dbproof.host"

_PATIENCE = 60
_CONFLICT = 409


def engine() -> DockerClient:
    """The Docker engine that the environment names; raises ServerFailed where none answers."""
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=_PATIENCE)
        client.ping()
    except DockerException as error:
        reason = type(error.__cause__ or error).__name__
        raise ServerFailed(
            f"no Docker engine answers ({reason})", "Start Docker, or set DOCKER_HOST to an engine that runs."
        ) from None
    return client


@dataclass(frozen=True)
class Recipe:
    """What a container is made of. Without ``entrypoint`` and ``user`` it has the image's own; ``port`` is the server's."""

    image: str
    command: list[str]
    environment: Mapping[str, str]
    port: int = 5432
    entrypoint: list[str] | None = None
    user: str | None = None


def fetch(client: DockerClient, image: str, of: str = "PostgreSQL") -> None:
    """Pull an image that the engine does not have; raises ServerFailed where it cannot be had."""
    from docker.errors import DockerException, ImageNotFound

    try:
        client.images.get(image)
    except ImageNotFound:
        try:
            client.images.pull(image)
        except DockerException as error:
            words = str(getattr(error, "explanation", None) or error)
            raise ServerFailed(
                f"the Docker image {image} is not on this machine and cannot be pulled\n  {words[:500]}",
                f"Check its name, log in to its registry, or install that version of {of} here.",
            ) from None


def started(client: DockerClient, recipe: Recipe, run: Path, prepare: Callable[[Container], None]) -> Container:
    """A running container of this run; ``prepare`` is handed it before it starts. Raises ServerFailed.

    Its server is published on a free port of the loopback; an engine that cannot publish leaves the container's own address.
    """
    from docker.errors import APIError

    try:
        return _started(client, recipe, run, prepare, {"ports": {f"{recipe.port}/tcp": ("127.0.0.1", None)}})
    except APIError as error:
        if "port" not in str(error.explanation) and "external connectivity" not in str(error.explanation):
            raise _refused(recipe, error) from None
    try:
        return _started(client, recipe, run, prepare, {})
    except APIError as error:
        raise _refused(recipe, error) from None


def _started(
    client: DockerClient, recipe: Recipe, run: Path, prepare: Callable[[Container], None], ports: dict[str, Any]
) -> Container:
    with shielded():
        container = client.containers.create(
            recipe.image,
            recipe.command,
            environment=dict(recipe.environment),
            entrypoint=recipe.entrypoint,
            user=recipe.user,
            labels=labels(run),
            shm_size="256m",
            detach=True,
            **ports,
        )
    try:
        prepare(container)
        container.start()
    except BaseException:
        with shielded():
            remove(container)
        raise
    return container


def labels(run: Path) -> dict[str, str]:
    """What marks a container as this run's, so that it is found and removed where its owner died."""
    return {RUN: run.name, _OWNER: str(run / LOCK), _HOST: socket.gethostname()}


def _refused(recipe: Recipe, error: APIError) -> ServerFailed:
    return ServerFailed(f"Docker did not start {recipe.image}\n  {str(error.explanation)[:500]}", "See Docker's words above.")


def addresses(container: Container, port: int = 5432) -> list[tuple[str, int]]:
    """Where a container's server may be reached: the published port, and its own address (from within another container)."""
    container.reload()
    network = container.attrs["NetworkSettings"]
    published = (network.get("Ports") or {}).get(f"{port}/tcp") or []
    own = [each.get("IPAddress") for each in (network.get("Networks") or {}).values()]
    return [("127.0.0.1", int(each["HostPort"])) for each in published] + [(address, port) for address in own if address]


def remove_run(run: str) -> bool:
    """Remove the containers of a run with their volumes. False where the Docker engine cannot be asked."""
    from docker.errors import DockerException

    try:
        client = engine()
        for container in _labelled(client, f"{RUN}={run}"):
            remove(container)
    except (ServerFailed, DockerException):
        return False
    return True


def sweep(client: DockerClient) -> None:
    """Remove the containers of this machine's owners that died without doing so."""
    for container in _labelled(client, f"{_HOST}={socket.gethostname()}"):
        if _dead(Path(container.labels.get(_OWNER, ""))):
            remove(container)


def _labelled(client: DockerClient, label: str) -> list[Container]:
    return client.containers.list(all=True, filters={"label": label}, ignore_removed=True)


def _dead(lock: Path) -> bool:
    try:
        file = try_lock(lock, create=False)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    if file is None:
        return False
    with held(file):
        return True


def remove(container: Container) -> None:
    """Kill and remove a container with its volumes, and wait until it is gone."""
    from docker.errors import APIError, NotFound

    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            container.remove(force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != _CONFLICT:
                raise
            time.sleep(0.02)  # its removal is under way already
