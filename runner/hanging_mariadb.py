"""What migrations on MariaDB were at when they met their deadline: the server is asked shortly before, again and again.

It ends a session soon after its program is gone, and keeps nothing of it. Who works and who waits is told by its list of
processes, by InnoDB's waits for rows, and by a plugin that lists metadata locks, where it is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from runner.hanging import SHORT, Hanging
from runner.recorder.mariadb_tokens import words
from runner.recorder.stamps import unstamp
from runner.servers.interface import OURS, Database, Server
from runner.servers.mariadb.sessions import UNLOGGED, connect, rows

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: Seconds before the deadline at which looking begins, between two looks, and that an answer may take.
_BEFORE, _EACH, _ANSWER = 2.0, 0.2, 5.0
#: What hangs may hold what the plugin's books want.
_PATIENT = f"{UNLOGGED}, lock_wait_timeout = 1"
_WAITS = "Waiting for "
_METADATA = "table metadata lock"

# What has run longest comes first. Sessions in which nothing runs wait for their program, which is the one that hangs.
_ACTIVE = """
SELECT id, coalesce(state, ''), info FROM information_schema.processlist
WHERE (db = %s OR db IS NULL) AND user <> %s AND command IN ('Query', 'Execute') AND info IS NOT NULL ORDER BY time_ms DESC
"""
_FOR_ROWS = """
SELECT asking.trx_mysql_thread_id, wanted.lock_mode, wanted.lock_table, holding.trx_mysql_thread_id
FROM information_schema.innodb_lock_waits waits
JOIN information_schema.innodb_trx asking ON asking.trx_id = waits.requesting_trx_id
JOIN information_schema.innodb_trx holding ON holding.trx_id = waits.blocking_trx_id
JOIN information_schema.innodb_locks wanted ON wanted.lock_id = waits.requested_lock_id
"""
_PLUGIN = "'metadata_lock_info'"
_HELD = """
SELECT thread_id, table_name FROM information_schema.metadata_lock_info
WHERE table_schema = %s AND lock_type = 'Table metadata lock'
"""


@dataclass(frozen=True)
class _Look:
    """What was under way: the statement of ``session``, what it waited for, and the sessions that held that."""

    session: int
    text: str
    waited: str = ""
    behind: tuple[int, ...] = ()


@dataclass
class Looks:
    """Looks at what is under way in a database while its deadline comes; the last that saw anything is kept."""

    database: Database
    timeout: float
    _stop: Event = field(default_factory=Event)
    _last: _Look | None = None

    def look(self) -> None:
        """Look until told to stop, from shortly before the deadline on."""
        import pymysql

        if self._stop.wait(max(0.0, self.timeout - _BEFORE)):
            return
        with suppress(pymysql.err.Error, OSError), self._asking() as driver:
            while not self._stop.wait(_EACH):
                self._last = _look(driver, self.database.name) or self._last

    @contextmanager
    def _asking(self) -> Iterator[Driver]:
        with closing(connect(self.database.private, first=_PATIENT, answer=_ANSWER)) as driver, _listing_locks(driver):
            yield driver

    def stop(self, thread: Thread) -> None:
        """Look no more."""
        self._stop.set()
        thread.join(2 * _ANSWER)

    def told(self, server: Server, mark: int) -> Hanging | None:
        """What was seen last, ``None`` where nothing was. The log since ``mark`` says what others did before."""
        if self._last is None:
            return None
        place, statement = next(iter(unstamp(self._last.text)), (None, self._last.text))
        return Hanging(statement.strip(), place, self._last.waited + _behind(self._last, server, mark))


@contextmanager
def looking(database: Database, timeout: float) -> Iterator[Looks]:
    """For as long as a tool applies migrations that has so many seconds."""
    looks = Looks(database, timeout)
    thread = Thread(target=looks.look, name="dbproof-hanging", daemon=True)
    thread.start()
    try:
        yield looks
    finally:
        looks.stop(thread)


@contextmanager
def _listing_locks(driver: Driver) -> Iterator[None]:
    """With the plugin that lists metadata locks, where the installation has it; whoever watches may have loaded it already."""
    import pymysql

    try:
        rows(driver, f"INSTALL SONAME {_PLUGIN}")
    except pymysql.err.Error:
        yield
        return
    try:
        yield
    finally:
        with suppress(pymysql.err.Error, OSError):
            rows(driver, f"UNINSTALL SONAME {_PLUGIN}")


def _look(driver: Driver, database: str) -> _Look | None:
    """The statement that waits longest for a lock, else the one that runs longest."""
    active = [(int(number), str(state), str(text)) for number, state, text in rows(driver, _ACTIVE, (database, OURS))]
    for_rows = {int(one[0]): one[1:] for one in _as_told(driver, _FOR_ROWS)}
    for session, state, text in active:
        if session in for_rows:
            mode, table, holder = for_rows[session]
            return _Look(session, text, f"a row lock ({mode}) on {table}", (int(holder),))
        if state.startswith(_WAITS):
            return _waiting(driver, database, session, state.removeprefix(_WAITS), text)
    return _Look(active[0][0], active[0][2]) if active else None


def _waiting(driver: Driver, database: str, session: int, what: str, text: str) -> _Look:
    named = {word.lower() for word in words(text)}
    held = [(holder, table) for holder, table in _held(driver, database) if holder != session and table.lower() in named]
    tables = sorted({table for _, table in held})
    if what != _METADATA or len(tables) != 1:
        return _Look(session, text, f"a {what}")
    return _Look(session, text, f"a metadata lock on {tables[0]}", tuple(holder for holder, _ in held))


def _held(driver: Driver, database: str) -> Sequence[tuple[int, str]]:
    """Which sessions hold a metadata lock on which tables."""
    return [(int(number), str(table)) for number, table in _as_told(driver, _HELD, (database,))]


def _as_told(driver: Driver, query: str, values: tuple[str, ...] = ()) -> Sequence[tuple[Any, ...]]:
    """What the server answers; nothing where it lacks the plugin, or we the right (on a given server)."""
    import pymysql

    try:
        return rows(driver, query, values)
    except pymysql.err.Error:
        return []


def _behind(look: _Look, server: Server, mark: int) -> str:
    last = _last_statements(server, mark) if look.behind else {}
    said = next((last[str(holder)] for holder in look.behind if str(holder) in last), "")
    return f" behind another session of its own, whose last statement was: {said[:SHORT]}" if said else ""


def _last_statements(server: Server, mark: int) -> Mapping[str, str]:
    """The last statement of each session, on one line."""
    sent = ((one.session, one.sent) for one in server.log(mark) if one.message in ("Query", "Execute"))
    return {session: " ".join(" ".join(said for _, said in unstamp(text)).split()) for session, text in sent}
