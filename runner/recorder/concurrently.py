"""What CONCURRENTLY locks: it commits on its way, so that nothing of it can be seen at its end.

``CREATE INDEX CONCURRENTLY`` waits for every older snapshot in its database. A session of ours holds one, sees who waits for it,
has the waiting session's locks written into the log, and lets go. So it is seen for certain however small the table is, and waits
a few milliseconds more. What waits for no snapshot (``DROP INDEX CONCURRENTLY``) tells of its locks at its end.
"""

from __future__ import annotations

import threading

import psycopg

from runner.servers.interface import Address
from runner.servers.postgresql.sessions import session

_EVERY = 0.002
#: No snapshot is held longer than this, in seconds: rows that are dead stay in their tables for it.
_LONGEST = 600.0
_WAITS = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS wanted JOIN pg_catalog.pg_locks AS held USING (virtualxid)"
    " WHERE wanted.pid = %s AND NOT wanted.granted AND held.granted AND held.pid = pg_backend_pid())"
)


class Concurrently:
    """Holds a snapshot from now on until the session ``process`` waits for it, or its statement is over."""

    def __init__(self, private: Address, process: int) -> None:
        self._private, self._process = private, process
        self._over = threading.Event()
        self._holds = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dbproof-concurrently", daemon=True)
        self._thread.start()
        self._holds.wait(_LONGEST)

    def stop(self) -> None:
        """The statement is over."""
        self._over.set()
        self._thread.join(_LONGEST)

    def _run(self) -> None:
        try:
            with session(self._private) as connection:
                connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                connection.execute("SELECT 1")
                self._holds.set()
                self._watch(connection)
                connection.execute("COMMIT")
        except psycopg.Error:
            pass  # the server is gone, and with it what there was to see
        finally:
            self._holds.set()

    def _watch(self, connection: psycopg.Connection[object]) -> None:
        waited = 0.0
        while waited < _LONGEST and not self._over.wait(_EVERY):
            waited += _EVERY
            found = connection.execute(_WAITS, [self._process]).fetchone()
            if found == (True,):
                connection.execute("SELECT pg_catalog.dbproof_sampled(%s)", [self._process])
                return
