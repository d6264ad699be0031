"""What MariaDB's performance schema tells of sessions that worked: each statement with its stages, tables, waits and rows.

The server keeps a ring of the last events, which is read while the migrations run, so that none is lost. Times are seconds since
the server's start, all of one clock. Stages and events: https://mariadb.com/kb/en/performance-schema/.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from runner.servers.mariadb.sessions import OUR_USER, rows

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: Stages of a statement. Those of copying and of reading tell how ALTER TABLE does its work; a log of what others wrote
#: meanwhile is applied only where they could write.
WAITING = "Waiting for table metadata lock"
COPYING = "copy to tmp table"
READING = "alter table (read PK and internal sort)"
APPLYING = frozenset({"alter table (log apply index)", "alter table (log apply table)"})
PREPARING = "preparing for alter table"
COMMITTING = "Committing alter table to storage engine"
_STAGES = (WAITING, COPYING, READING, *sorted(APPLYING), PREPARING, COMMITTING)

_SWITCHES = (
    "UPDATE performance_schema.setup_instruments SET enabled = 'NO', timed = 'NO'",
    "UPDATE performance_schema.setup_instruments SET enabled = 'YES', timed = 'YES' WHERE name = 'statement/sp/stmt'"
    " OR (name LIKE 'statement/%%' AND name NOT LIKE 'statement/sp/%%') OR name = 'wait/lock/table/sql/handler'"
    " OR substring_index(name, '/', -1) IN %s",
    "INSERT INTO performance_schema.setup_actors VALUES ('%%', %s, '%%', 'YES', 'NO')",
    "UPDATE performance_schema.setup_consumers SET enabled = 'YES'"
    " WHERE name LIKE 'events\\_%%\\_current' OR name LIKE 'events\\_%%\\_history\\_long'",
)

# Of our own sessions only those that may have waited, for a millisecond or more; and of the project's only such, where few rows
# are read or written: there may be very many.
_STATEMENTS = """
SELECT thread_id, event_id, end_event_id, event_name, timer_start, timer_end, rows_affected, current_schema,
       nesting_event_level, sql_text, mysql_errno
FROM performance_schema.events_statements_history_long
WHERE timer_end >= %s AND (timer_wait >= 1000000000 OR thread_id NOT IN %s)
  AND (event_name NOT IN %s OR timer_wait >= 1000000000 OR rows_affected >= 10)
"""
_ROWS_ONLY = tuple(f"statement/sql/{name}" for name in ("select", "insert", "replace", "update", "delete"))
# The rings have clocks of their own, which differ by some milliseconds.
_NEWEST = """
SELECT (SELECT max(timer_end) FROM performance_schema.events_statements_history_long),
       (SELECT max(timer_end) FROM performance_schema.events_stages_history_long),
       (SELECT max(timer_end) FROM performance_schema.events_waits_history_long)
"""
_STAGES_OF = """
SELECT thread_id, event_id, event_name, timer_start, timer_end, work_completed
FROM performance_schema.events_stages_history_long WHERE timer_end >= %s
"""
_TABLES_OF = """
SELECT thread_id, event_id, object_schema, object_name, operation, timer_end
FROM performance_schema.events_waits_history_long WHERE object_type = 'TABLE' AND timer_end >= %s AND thread_id NOT IN %s
"""
_PICO = 10**12
#: How often the rings are read, in seconds, and how far back: events end a little before they are in the ring.
_OFTEN, _BACK = 0.25, _PICO // 20
#: With more tables opened than this, those of statements that are not kept are let go.
_MANY = 20_000


@dataclass(frozen=True)
class Stage:
    """A stage of a statement, with the rows or pages that it went through."""

    name: str
    began: float
    ended: float
    done: int = 0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@dataclass(frozen=True)
class Executed:
    """A statement as the server saw it: ``kind`` is the server's own name of its kind (``alter_table``).

    ``rows`` is how many it wrote, ``tables`` those that it opened, by schema and name, true for writing.
    """

    thread: int
    kind: str
    text: str
    schema: str
    began: float
    ended: float
    rows: int
    error: int
    stages: tuple[Stage, ...] = ()
    tables: Mapping[tuple[str, str], bool] = field(default_factory=dict)

    def spent(self, *names: str) -> list[Stage]:
        """Its stages of these names."""
        return [one for one in self.stages if one.name in names]


def switch_on(driver: Driver) -> bool:
    """Let the server keep what is read here; false where it is not built for that."""
    if not rows(driver, "SELECT @@global.performance_schema")[0][0]:
        return False
    for statement, values in zip(_SWITCHES, ((), (_STAGES,), (OUR_USER,), ()), strict=True):
        rows(driver, statement if values else statement.replace("%%", "%"), values)
    return True


def watched_too(driver: Driver) -> tuple[int, int]:
    """Let the history have what this session of ours does, as those of others; its number, and that of its thread."""
    rows(driver, "UPDATE performance_schema.threads SET history = 'YES' WHERE processlist_id = connection_id()")
    (found,) = rows(
        driver, "SELECT processlist_id, thread_id FROM performance_schema.threads WHERE processlist_id = connection_id()"
    )
    return int(found[0]), int(found[1])


class History:
    """All that was read of the ring, by thread and number of the event; ``own`` are our sessions that are kept."""

    def __init__(self, own: Collection[int]) -> None:
        self._own = tuple(own) or (0,)
        self._statements: dict[tuple[int, int], tuple[Any, ...]] = {}
        self._stages: dict[tuple[int, int], tuple[Any, ...]] = {}
        self._tables: dict[tuple[int, int], tuple[Any, ...]] = {}
        self._since = (0, 0, 0)

    def keep(self, driver: Driver, stop: Event) -> None:
        """Read until told to stop; the last reading is :meth:`read`'s."""
        while not stop.wait(_OFTEN):
            self.read(driver)

    def read(self, driver: Driver) -> None:
        """Take over what has come since the last time."""
        (newest,) = rows(driver, _NEWEST)
        for since, statement, more, kept in zip(
            self._since,
            (_STATEMENTS, _STAGES_OF, _TABLES_OF),
            ((self._own, _ROWS_ONLY), (), (self._own,)),
            (self._statements, self._stages, self._tables),
            strict=True,
        ):
            kept.update(((int(row[0]), int(row[1])), row[2:]) for row in rows(driver, statement, (since, *more)))
        if len(self._tables) > _MANY:
            self._forget(self._since[2])
        first, second, third = (max(0, int(end or 0) - _BACK) for end in newest)
        self._since = first, second, third

    def _forget(self, before: int) -> None:
        """Let go of tables that statements opened of which nothing is kept."""
        kept = _by_thread({key: row for key, row in self._statements.items() if not row[6]})
        self._tables = {
            (thread, number): row
            for (thread, number), row in self._tables.items()
            if int(row[-1]) >= before or _of_kept(kept.get(thread, ()), number)
        }

    def executed(self) -> list[Executed]:
        """The statements in the order in which they began, those within a procedure as a part of its call."""
        stages = _by_thread(self._stages)
        opened = _by_thread(self._tables)
        inside = _by_thread({key: row for key, row in self._statements.items() if row[6]})
        found = [
            _executed(thread, number, row, stages.get(thread, ()), opened.get(thread, ()), inside.get(thread, ()))
            for (thread, number), row in self._statements.items()
            if not row[6]
        ]
        return sorted(found, key=lambda one: one.began)


_Numbered = Sequence[tuple[int, tuple[Any, ...]]]


def _by_thread(events: Mapping[tuple[int, int], tuple[Any, ...]]) -> Mapping[int, list[tuple[int, tuple[Any, ...]]]]:
    found: dict[int, list[tuple[int, tuple[Any, ...]]]] = {}
    for (thread, number), row in sorted(events.items(), key=lambda one: one[0]):
        found.setdefault(thread, []).append((number, row))
    return found


def _within(events: _Numbered, first: int, last: int) -> Iterator[tuple[Any, ...]]:
    start = bisect_left(events, first, key=lambda one: one[0])
    for number, row in events[start:]:
        if number > last:
            return
        yield row


def _of_kept(statements: _Numbered, number: int) -> bool:
    """Whether an event is part of one of the statements."""
    place = bisect_right(statements, number, key=lambda one: one[0]) - 1
    return place >= 0 and number <= int(statements[place][1][0] or number)


def _executed(
    thread: int, number: int, row: tuple[Any, ...], stages: _Numbered, opened: _Numbered, inside: _Numbered
) -> Executed:
    last, kind, began, ended, written, schema, _, text, error = row
    last = number if last is None else int(last)
    tables: dict[tuple[str, str], bool] = {}
    for where, name, how, _ in _within(opened, number, last):
        key = str(where), str(name)
        tables[key] = tables.get(key, False) or str(how).startswith("write")
    return Executed(
        thread=thread,
        kind=str(kind).rpartition("/")[2],
        text=str(text or ""),
        schema=str(schema or ""),
        began=int(began) / _PICO,
        ended=int(ended) / _PICO,
        rows=max(int(written), sum(int(one[4]) for one in _within(inside, number, last))),
        error=int(error or 0),
        stages=tuple(
            Stage(str(name).split("/", 2)[2], int(start) / _PICO, int(end) / _PICO, int(done or 0))
            for name, start, end, done in _within(stages, number, last)
        ),
        tables=tables,
    )
