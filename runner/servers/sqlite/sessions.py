"""Sessions of dbproof on a SQLite file, and what its refusals are called."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from runner.errors import ServerFailed
from runner.servers.interface import Address

#: ``pragma_table_list``, by which shadow tables are told from others, came with this version.
OLDEST = (3, 37, 0)

#: Seconds that a session waits for a lock that another one holds.
LOCK_TIMEOUT = 5.0

#: What ``extra`` of an address may say of our own sessions: what they do with ``PRAGMA foreign_keys`` (``on``, ``off``), and
#: whether the file is taken for one that nobody changes (``1``).
FOREIGN_KEYS = "foreign_keys"
IMMUTABLE = "immutable"

#: What would read or write other files than the database's own (VACUUM INTO attaches its target).
_OTHER_FILES = frozenset({sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH})

#: What stands beside a database: its write-ahead log, the index of that, its rollback journal.
BESIDE = ("-wal", "-shm", "-journal")


def check_version() -> None:
    """Raises ServerFailed where this Python's SQLite is too old to read a catalogue with."""
    if sqlite3.sqlite_version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST[:2]))
        raise ServerFailed(
            f"this Python has SQLite {sqlite3.sqlite_version}, and dbproof needs {wanted} or newer",
            "Run dbproof with another Python (uvx --python 3.13 dbproof brings its own SQLite), or in its image.",
        )


@contextmanager
def session(address: Address, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    """A session in autocommit mode, closed at the end. Raises ServerFailed where there is no such database."""
    with closing(connect(address, read_only=read_only)) as connection:
        yield connection


# What a signal raises while a statement runs is raised within the callback that watches the time, where sqlite3 drops it. So it
# comes to sys.unraisablehook instead, and the command line (runner/cli/signals.py) has the signal sent again.
sqlite3.enable_callback_tracebacks(True)


def connect(address: Address, *, read_only: bool = False) -> sqlite3.Connection:
    """A session in autocommit mode that any thread may use; the file must be there. Raises ServerFailed."""
    options = f"mode={'ro' if read_only else 'rw'}" + ("&immutable=1" if address.extra.get(IMMUTABLE) else "")
    try:
        connection = sqlite3.connect(
            f"file:{quote(address.database)}?{options}",
            uri=True,
            isolation_level=None,
            timeout=LOCK_TIMEOUT,
            check_same_thread=False,
        )
        # Bytes that are no UTF-8 are shown, not refused: a column holds whatever was once put into it.
        connection.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
        connection.execute(f"PRAGMA foreign_keys = {'on' if address.extra.get(FOREIGN_KEYS) == 'on' else 'off'}")
        if not read_only:  # only files of our own are written to, and those are forfeit where the machine fails
            connection.execute("PRAGMA synchronous = off")
        else:
            connection.execute("PRAGMA query_only = on")
            connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action in _OTHER_FILES else sqlite3.SQLITE_OK)
    except sqlite3.Error as failed:
        raise ServerFailed(
            f"no session on the SQLite database {Path(address.database).name}: {failed}", "See whether the file is there."
        ) from None
    return connection


def beside(path: Path) -> list[Path]:
    """The files that SQLite keeps beside a database, there or not."""
    return [path.with_name(path.name + ending) for ending in BESIDE]


def quoted(name: str) -> str:
    """An identifier as it stands in a statement (lang_keywords.html); Python's driver has no tool for it."""
    return '"{}"'.format(name.replace('"', '""'))


def code_of(failure: BaseException) -> str:
    """The name of SQLite's extended code, such as ``SQLITE_CONSTRAINT_NOTNULL``; empty where it gave none."""
    return str(getattr(failure, "sqlite_errorname", "") or "")
