"""What migrations were at when they met their deadline: the server is asked, as the program that was ended says nothing more.

PostgreSQL tells it afterwards: by the sessions that still work, and by its log of those that waited (``log_lock_waits``).
MariaDB is asked before (hanging_mariadb.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from checks.evidence import Place
from runner.recorder.stamps import unstamp
from runner.servers.interface import OURS, Database, LogRecord, Server
from runner.servers.postgresql.sessions import session
from runner.traffic.waits import LockWait, process_of, waits

#: Of what a program sent: counters are asked for by function calls.
_DURATION = re.compile(r"duration: \d+(?:\.\d+)? ms  (?:statement|execute [^:]*): ")
_A_WAIT = re.compile(r"process \d+ (?:still waiting for|acquired) ")
#: Characters of a statement that is named beside another one.
SHORT = 80

# What has run longest comes last. Sessions in which nothing runs wait for their program, which is the one that hangs.
_ACTIVE = """
SELECT pid, query FROM pg_stat_activity
WHERE datname = %s AND state = 'active' AND application_name <> %s AND pid <> pg_backend_pid() ORDER BY query_start DESC
"""


@dataclass(frozen=True)
class Hanging:
    """The statement that did not end, where it stands, and what it ``waited`` for, empty where it only ran."""

    statement: str
    place: Place | None
    waited: str = ""


def hanging(server: Server, database: Database, mark: int) -> Hanging | None:
    """What was under way in ``database`` since ``mark``; ``None`` where the server has nothing to tell. PostgreSQL's.

    The longest wait for a lock, else the statement that runs longest.
    """
    import psycopg

    try:
        return _asked(server, database, mark)
    except psycopg.OperationalError:  # a server that is gone says nothing, and what needs it next will say so
        return None


def _asked(server: Server, database: Database, mark: int) -> Hanging | None:
    last, waited = _logged(record for record in server.log(mark) if record.database == database.name)
    with session(database.private) as connection:
        active = {int(pid): str(query) for pid, query in connection.execute(_ACTIVE, [database.name, OURS]).fetchall()}
        longest = max(waited, key=lambda one: one.ended - one.began, default=None)
        if longest is not None and (text := active.get(longest.process) or last.get(longest.process)):
            relation = connection.execute("SELECT %s::oid::regclass::text", [longest.relation]).fetchone()
            return _told(text, _behind(longest, str(relation[0]) if longest.relation and relation else "", last))
    return _told(list(active.values())[-1]) if active else None


def _logged(records: Iterable[LogRecord]) -> tuple[Mapping[int, str], list[LockWait]]:
    """The last statement of each process that ended, and who waited for a lock for a second or longer."""
    last, told = dict[int, str](), list[LogRecord]()
    for record in records:
        if found := _DURATION.match(record.message):
            last[process_of(record)] = record.message[found.end() :]
        elif _A_WAIT.match(record.message):
            told.append(record)
    return last, list(waits(told))


def _behind(wait: LockWait, relation: str, last: Mapping[int, str]) -> str:
    names = [_told(last[process]).statement for process in wait.behind if process in last]
    others = (
        f" behind another session of its own, whose last statement was: {' '.join(names[0].split())[:SHORT]}" if names else ""
    )
    return f"{wait.mode}{f' on {relation}' if relation else ''}{others}"


def _told(text: str, waited: str = "") -> Hanging:
    place, statement = next(iter(unstamp(text)), (None, text))
    return Hanging(statement.strip(), place, waited)
