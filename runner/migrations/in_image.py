"""The project's command in a container image: it sees the project at the path that it has here, and reaches our server as we do.

It shares the network of the machine, or of the container that dbproof itself runs in, so that every address is the same inside.
Files that the Docker engine cannot see (it knows the machine's paths, not those of our container) are copied in.
"""

from __future__ import annotations

import io
import os
import queue
import re
import tarfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from threading import Thread
from typing import TYPE_CHECKING, Any

from runner.errors import ServerFailed, ToolFailed
from runner.lines import Lines
from runner.migrations.environment import told
from runner.migrations.interface import Broke, Event, Project, Said
from runner.servers import containers
from runner.servers.interface import Address
from runner.servers.runs import CONTAINER, run_directory
from runner.servers.shield import shielded

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_LOOK_AGAIN = 0.2
_LONGEST_LINE = 8_192
_LAST_WORDS = 5
_OURS = re.compile(r"/containers/([0-9a-f]{64})/(?:hostname|hosts|resolv\.conf) /etc/")
_SOCKET = "http+docker://"


def events(project: Project, image: str, arguments: Sequence[str], on: Address) -> Iterator[Event]:
    """Run a command in an image until it ends; a status other than 0 and the deadline are told as :class:`Broke`.

    Raises ToolFailed where no Docker engine answers, or it has no such image.
    """
    try:
        client = containers.engine()
        containers.sweep(client)
        containers.fetch(client, image)
    except ServerFailed as failed:
        remedy = f"Check its name, log in to its registry, or run `docker pull {image}` and see; or migrate without `image`."
        raise ToolFailed(f"migrations.image: {failed.message}", failed.remedy if "engine" in failed.message else remedy) from None
    with closing(client), _started(client, project, image, arguments, on) as container:
        yield from _followed(container, arguments, project.settings.timeout)


@contextmanager
def _started(client: DockerClient, project: Project, image: str, arguments: Sequence[str], on: Address) -> Iterator[Container]:
    from docker.errors import APIError

    if not str(client.api.base_url).startswith(_SOCKET):
        raise ToolFailed(
            "migrations.image: the Docker engine is on another machine, which cannot reach our server",
            "Use an engine on this machine, by its socket; or migrate without `image`.",
        )
    own = _own(client)
    folders = dict.fromkeys([project.root, project.work_tree, *([Path(on.database).parent] if on.scheme == "sqlite" else [])])
    seen = {folder: where for folder in folders if (where := _where(folder.resolve(), own)) is not None}
    made: Container | None = None
    with run_directory() as run:
        (run / CONTAINER).touch()
        try:
            with shielded():
                made = client.containers.create(
                    image,
                    list(arguments),
                    environment=dict(_variables(project, on)),
                    labels=containers.labels(run),
                    working_dir=str(project.directory.resolve()),
                    network_mode=f"container:{own.id}" if own else "host",
                    user=f"{os.getuid()}:{os.getgid()}",
                    volumes={where: {"bind": str(folder.resolve()), "mode": "rw"} for folder, where in seen.items()},
                    detach=True,
                    init=True,
                )
            for folder in folders.keys() - seen.keys():
                made.put_archive("/", _packed(folder.resolve()))
            made.start()
            yield made
        except APIError as error:
            words = str(error.explanation)[:500]
            raise ToolFailed(f"migrations.image: Docker did not start {image}\n  {words}", "See Docker's words above.") from None
        finally:
            if made is not None:
                with shielded():
                    containers.remove(made)


def _variables(project: Project, on: Address) -> Mapping[str, str]:
    """What the program is told; whoever is nobody in the image has its home where it may write."""
    return {**({"HOME": "/tmp"} if os.getuid() else {}), **told(project, on)}  # noqa: S108 - of the container


def _own(client: DockerClient) -> Container | None:
    """The container that dbproof itself runs in, where the engine knows it."""
    from docker.errors import NotFound

    try:
        found = _OURS.search(Path("/proc/self/mountinfo").read_text("utf-8", "replace"))
        return client.containers.get(found[1]) if found else None
    except (OSError, NotFound):
        return None


def _where(folder: Path, own: Container | None) -> str | None:
    """Where the machine has a folder of ours; nothing where it has it not."""
    if own is None:
        return str(folder)
    mounts = [(PurePosixPath(str(one["Destination"])), str(one["Source"])) for one in own.attrs.get("Mounts", ())]
    around = [(place, source) for place, source in mounts if folder.is_relative_to(place)]
    if not around:
        return None
    place, source = max(around, key=lambda one: len(one[0].parts))
    return str(PurePosixPath(source) / folder.relative_to(place))


def _packed(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder, arcname=str(folder).lstrip("/"))
    return packed.getvalue()


def _followed(container: Container, arguments: Sequence[str], timeout: float) -> Iterator[Event]:
    deadline, tail, lines = time.monotonic() + timeout, deque[str](maxlen=_LAST_WORDS), Lines(_LONGEST_LINE)
    for chunk in _chunks(container, deadline):
        for text in lines.feed(chunk):
            tail.append(text.strip())
            yield Said(text)
    for text in lines.rest():
        tail.append(text.strip())
        yield Said(text)
    status = _status(container, deadline)
    if status is None:
        yield Broke(None, None, "", f"did not end within {timeout:g} s and was ended", timed_out=True)
    elif status:
        said = "\n".join(filter(None, tail)) or f"`{' '.join(arguments)}` ended with status {status} and said nothing"
        yield Broke(None, None, "", said)


def _chunks(container: Container, deadline: float) -> Iterator[bytes]:
    """What the program writes, until it closes its output or the deadline is over."""
    heard: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    Thread(target=_listen, args=(container, heard), daemon=True).start()
    while time.monotonic() < deadline:
        try:
            chunk = heard.get(timeout=_LOOK_AGAIN)
        except queue.Empty:
            continue
        if chunk is None:
            return
        yield chunk


def _listen(container: Container, heard: queue.SimpleQueue[bytes | None]) -> None:
    try:
        written: Any = container.logs(stream=True, follow=True)
        for chunk in written:
            heard.put(chunk)
    finally:
        heard.put(None)


def _status(container: Container, deadline: float) -> int | None:
    """The status that the program ended with; nothing where it has not by the deadline."""
    from requests.exceptions import ConnectionError as Lost
    from requests.exceptions import ReadTimeout

    try:
        return int(container.wait(timeout=max(0.1, deadline - time.monotonic()))["StatusCode"])
    except (ReadTimeout, Lost):
        return None
