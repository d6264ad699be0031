"""What servers offer whose databases can be kept between runs: their files, to begin another server with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, cast

from runner.servers.interface import Server


class Keeping(Protocol):
    """How a server's databases are kept. Passwords are not: a server that begins with what was kept makes new ones."""

    @property
    def build(self) -> str:
        """Everything about the server that its files rest on: which program of which version, and what it loads."""
        ...

    def keep(self, server: Server, directory: Path) -> None:
        """Write all that a running server holds to a directory that does not exist yet. Raises ServerFailed, OSError."""
        ...

    def again(self, directory: Path, names: Sequence[str]) -> AbstractContextManager[Server]:
        """A second server with what was kept; ``names`` are the databases whose owners may come in. Raises ServerFailed."""
        ...


def keeping_of(server: Server) -> Keeping | None:
    """How this server's databases are kept; ``None`` for one of which that cannot be done (given, in a container)."""
    return cast("Keeping | None", getattr(server, "keeping", None))
