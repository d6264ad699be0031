"""A server in a Docker container, of any image that has ``mongod`` on its PATH."""

from __future__ import annotations

import io
import secrets
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import IO, TYPE_CHECKING

from runner.errors import ServerFailed
from runner.servers import containers
from runner.servers.growing_logs import PIECE
from runner.servers.interface import Address
from runner.servers.mongodb.configuration import configuration
from runner.servers.mongodb.process import LINES, last_lines
from runner.servers.mongodb.replica_set import found, take_over
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import ADMIN_USER, OUR_USER, admin_address, keyholder, session
from runner.servers.runs import CONTAINER, run_directory

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

_START = 120.0
_ANSWER = 2.0
_SPOOL = 64 << 20
_PORT = 27017
_PLACE = "/dbproof"
_KEY = f"{_PLACE}/key"
_LOG = f"{_PLACE}/server.json"
_DATA = f"{_PLACE}/data"
#: What the member of the replica set is called: itself, as it is seen from within its container.
_SELF = f"127.0.0.1:{_PORT}"

_Prepare = Callable[["Container"], None]


@dataclass(frozen=True)
class _Pot:
    """What the container of a server, and those of its forks, are made with."""

    client: DockerClient
    recipe: containers.Recipe
    password: str = field(repr=False)
    key: str = field(repr=False)


@contextmanager
def docker_server(client: DockerClient, image: str) -> Iterator[MongoServer]:
    """An empty server for the length of the context; raises ServerFailed. Pulls the image where the engine does not have it."""
    containers.sweep(client)
    containers.fetch(client, image, "MongoDB")
    pot = _Pot(client, _recipe(image), secrets.token_urlsafe(24), secrets.token_hex(48))
    with _served(pot, {}, partial(_lay_out, pot), fresh=True) as server:
        yield server


def _recipe(image: str) -> containers.Recipe:
    """Not the image's own entrypoint, which starts the server twice; as root, who may read what we lay out."""
    return containers.Recipe(image, ["--config", f"{_PLACE}/mongod.json"], {}, port=_PORT, entrypoint=["mongod"], user="0:0")


def _lay_out(pot: _Pot, container: Container) -> None:
    """An empty data directory, the key and the configuration."""
    text = configuration(_PORT, _DATA, _KEY, _LOG, "0.0.0.0")  # noqa: S104 - within the container; published on the loopback
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in (_PLACE, _DATA):
            entry = tarfile.TarInfo(folder.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o700
            tar.addfile(entry)
        for path, content in ((_KEY, pot.key), (f"{_PLACE}/mongod.json", text)):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content.encode()), 0o600
            tar.addfile(entry, io.BytesIO(content.encode()))
    container.put_archive("/", buffer.getvalue())


@contextmanager
def _served(pot: _Pot, passwords: dict[str, str], prepare: _Prepare, *, fresh: bool) -> Iterator[MongoServer]:
    """A run directory marks the container as ours: its end, or whoever sweeps it up, removes the container."""
    with run_directory() as run, ExitStack() as stack:
        (run / CONTAINER).touch()
        container = containers.started(pot.client, pot.recipe, run, prepare)
        host, port = _answering(container, pot)
        version = _prepared(container, pot, keyholder(host, port, pot.key), fresh=fresh)
        private = admin_address(host, port, OUR_USER, pot.password)
        yield MongoServer(
            version=version,
            origin=f"docker {pot.recipe.image}",
            admin=admin_address(host, port, ADMIN_USER, pot.password),
            private=private,
            client=stack.enter_context(session(private)),
            read=partial(_read, container),
            forked=partial(_fork, pot, container),
            passwords=passwords,
        )


def _prepared(container: Container, pot: _Pot, internal: Address, *, fresh: bool) -> str:
    from pymongo.errors import PyMongoError

    try:
        return found(internal, _SELF, pot.password) if fresh else take_over(internal, _SELF)
    except PyMongoError as error:
        raise _failure(container, pot, f"could not be made ready: {type(error).__name__}") from None


@contextmanager
def _fork(pot: _Pot, container: Container, server: MongoServer) -> Iterator[MongoServer]:
    def prepare(fresh: Container) -> None:
        _lay_out(pot, fresh)
        with closing(copied):
            fresh.put_archive(_PLACE, copied)

    with server.standing_still():
        copied = _spooled(container.get_archive(_DATA)[0])
    with _served(pot, dict(server.passwords), prepare, fresh=False) as fork:
        yield fork


def _spooled(chunks: Iterator[bytes]) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 (handed to the caller, who closes it)
    for chunk in chunks:
        file.write(chunk)
    file.seek(0)
    return file


def _read(container: Container, position: int) -> bytes:
    """A piece of the log, which lies in the container."""
    command = ["sh", "-c", 'tail -c "+$1" "$0" | head -c "$2"', _LOG, str(position + 1), str(PIECE)]
    code, said = container.exec_run(command, user="root", stderr=False)
    return said if code == 0 and isinstance(said, bytes) else b""


def _answering(container: Container, pot: _Pot) -> tuple[str, int]:
    """The first address at which the server answers; raises ServerFailed with its last words."""
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        places = containers.addresses(container, _PORT)
        for host, port in places:
            if _answers(host, port, pot):
                return host, port
        if container.status in ("exited", "dead"):
            raise _failure(container, pot, "ended at its start")
        time.sleep(0.02)
    raise _failure(container, pot, f"did not answer within {_START:.0f} s")


def _answers(host: str, port: int, pot: _Pot) -> bool:
    from pymongo.errors import PyMongoError

    with suppress(PyMongoError), session(keyholder(host, port, pot.key), patience=_ANSWER) as client:
        return bool(client.admin.command("ping"))
    return False


def _failure(container: Container, pot: _Pot, words: str) -> ServerFailed:
    tail = "\n".join(f"  {line[:500]}" for line in _last_words(container)) or "  (it said nothing)"
    return ServerFailed(f"the container of {pot.recipe.image} {words}\n{tail}", "See the server's words above.")


def _last_words(container: Container) -> list[str]:
    """What it wrote to its standard output, and the last of its log, which is taken out of a container that has ended too."""
    from docker.errors import DockerException

    told = container.logs(tail=LINES).decode("utf-8", "replace").splitlines()
    with ExitStack() as stack:
        stack.enter_context(suppress(DockerException, tarfile.TarError, KeyError))
        file = stack.enter_context(_spooled(container.get_archive(_LOG)[0]))
        log = stack.enter_context(tarfile.open(fileobj=file)).extractfile("server.json")
        return last_lines(told, log.read() if log else b"")
    return told
