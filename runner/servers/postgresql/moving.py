"""Carries the data directory of a server from one container to another, while the first one runs."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from typing import IO, TYPE_CHECKING

from runner.errors import ServerFailed
from runner.servers.interface import Address
from runner.servers.postgresql.backup import backing_up

if TYPE_CHECKING:
    from docker.models.containers import Container

#: The data directory in containers of ours: outside the volumes that images declare, whose place changes with the version.
DATA = "/dbproof/data"
_STILL = "/dbproof-still"
_SPOOL = 64 << 20


def copy_out(container: Container, private: Address) -> IO[bytes]:
    """The data directory as a tar file, as a backup has it: everything that was committed."""
    _run(container, f"mkdir -p {_STILL}/dbproof")
    with backing_up(private) as ended:
        _run(container, f"cp -a {DATA} {_STILL}/dbproof/ || test -d {_STILL}/dbproof/data/base")
        label = ended().label
    still = f"{_STILL}/dbproof/data"
    _run(
        container,
        f"cd {still} && rm -rf pg_wal log postmaster.pid postmaster.opts && cp -a {DATA}/pg_wal . && rm -rf pg_replslot/*",
    )
    container.put_archive(still, _tar("backup_label", label))
    _run(container, f"chmod 0644 {still}/backup_label")
    try:
        return _spooled(container.get_archive(f"{_STILL}/dbproof")[0])
    finally:
        _run(container, f"rm -rf {_STILL}")


def put_in(container: Container, copied: IO[bytes]) -> None:
    """Lay such a tar file out in a container that has not started yet."""
    with closing(copied):
        container.put_archive("/", copied)


def _spooled(chunks: Iterator[bytes]) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 (handed to the caller, who closes it)
    for chunk in chunks:
        file.write(chunk)
    file.seek(0)
    return file


def _tar(name: str, content: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content.encode())
        tar.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def _run(container: Container, script: str) -> None:
    code, said = container.exec_run(["sh", "-c", script], user="root")
    if code != 0:
        words = said.decode("utf-8", "replace").strip() if isinstance(said, bytes) else ""
        raise ServerFailed(f"the server's container could not be copied: {words}", "See the words of its shell.")
