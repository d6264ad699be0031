"""The configuration that a server of ours runs with: no durability, everything logged that the recorder reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (asked for its size only)
_ENOUGH_SHARED_MEMORY = 256 << 20

#: Trust stands on the socket only, which lies in a directory that nobody else may enter.
ACCESS = """\
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""

#: The mark of a server that ``dbproof service`` started, in its configuration file and nowhere else.
SERVICE = "dbproof.service"


@dataclass(frozen=True)
class Doors:
    """Where a server takes connections and whom it lets in; ``port`` is ``None`` for a free one.

    ``sockets`` are directories for further sockets that every user may connect by.
    """

    addresses: str = "127.0.0.1"
    port: int | None = None
    access: str = ACCESS
    sockets: tuple[Path, ...] = ()


#: As every server of ours has them: on the loopback only, and by the socket in its private directory.
PRIVATE = Doors()


def throwaway(major: int) -> dict[str, str]:
    """Settings of a server whose data nobody needs after a crash; the rest is as PostgreSQL comes, as in production."""
    return {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "wal_level": "replica",
        "wal_init_zero": "off",  # new files of the log are not written twice, first with zeros
        "wal_buffers": "16MB",  # as larger servers have it: sessions that write much at once wait less for each other
        "autovacuum": "off",
        "huge_pages": "off",
        "jit": "off",  # the image has no LLVM, and what is measured there and elsewhere should compare
        "timezone": "UTC",
        "default_text_search_config": "pg_catalog.english",
        "password_encryption": "scram-sha-256",
        **_logging(major),
    }


def _logging(major: int) -> dict[str, str]:
    """One file, never rotated, in a format that can be parsed (JSON came with 15)."""
    return {
        "logging_collector": "on",
        "log_destination": "jsonlog" if major >= 15 else "csvlog",
        "log_filename": "server.log",
        "log_rotation_age": "0",
        "log_rotation_size": "0",
        "log_file_mode": "0600",
        "log_connections": "on",
        "log_disconnections": "off",
        "log_statement": "none",
        "log_duration": "off",
        "log_lock_waits": "on",  # what hangs at a lock is named
        "log_min_duration_statement": "0",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_min_messages": "warning",
        "log_min_error_statement": "error",
        "log_checkpoints": "off",
        "log_error_verbosity": "default",
        "log_timezone": "UTC",
        "lc_messages": "C",
    }


def log_name(major: int) -> str:
    """The name of the log file: PostgreSQL puts the format's own ending in the place of ``.log``."""
    return "server.json" if major >= 15 else "server.csv"


def local(port: int, socket: Path, log: Path, preload: tuple[str, ...], doors: Doors = PRIVATE) -> dict[str, str]:
    """What belongs to one run: where it listens, where it logs, what it loads."""
    return {
        "listen_addresses": doors.addresses,
        "port": str(port),
        "unix_socket_directories": ", ".join(str(place) for place in (socket, *doors.sockets)),
        "unix_socket_permissions": "0777" if doors.sockets else "0700",
        "log_directory": str(log),
        "shared_preload_libraries": loaded(preload),
        "dynamic_shared_memory_type": _shared_memory(),
    }


def loaded(preload: tuple[str, ...]) -> str:
    """The libraries of a server of ours: the recorder's language too, which each session would otherwise load for itself."""
    return ",".join(dict.fromkeys(("plpgsql", *preload)))


def text(settings: Mapping[str, str]) -> str:
    """The settings as a configuration file."""
    return "".join(f"{name} = '{_quoted(value)}'\n" for name, value in settings.items())


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _shared_memory() -> str:
    """Containers often have 64 MB of shared memory, on which parallel queries fail; files in the run directory do not."""
    with suppress(OSError):
        found = os.statvfs(_SHARED_MEMORY)
        if found.f_bavail * found.f_frsize < _ENOUGH_SHARED_MEMORY:
            return "mmap"
    return "posix" if _SHARED_MEMORY.exists() else "mmap"
