"""What MariaDB counts, read between the statements of new migrations, and what has moved since it was read last.

Rows by table come from user statistics, which are exact, triggers included; bytes of the redo log are its position; which InnoDB
tables are there from InnoDB's own numbers (one that was written anew has another); what was defined anew from the server's files,
which are ours. All of it over the project's sessions together. What has moved is written to the server's log, behind the
statement that moved it.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from runner.servers.mariadb.server import LONGEST, MOVED
from runner.servers.mariadb.sessions import quoted, rows

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

_STATUS = "SHOW GLOBAL STATUS WHERE variable_name IN ('Innodb_lsn_current', 'Handler_update', 'Handler_delete')"
_ROWS = "SELECT table_name, rows_read, rows_changed FROM information_schema.table_statistics WHERE table_schema = %s"
_NUMBERS = (
    "SELECT substring_index(name, '/', -1), table_id FROM information_schema.innodb_sys_tables"
    " WHERE substring_index(name, '/', 1) = %s"
)
_LOCKS = (
    "SELECT lock_mode, table_name FROM information_schema.metadata_lock_info"
    " WHERE thread_id = %s AND table_schema = %s AND lock_type = 'Table metadata lock'"
)
_NAMED = "SELECT CONVERT(CONVERT(CAST(%s AS BINARY) USING filename) USING utf8mb4)"
#: Endings of a table's files: its definition and its triggers, and such as every table has that keeps rows in files.
_DEFINED = frozenset({"frm", "TRG"})
_KEPT = frozenset({"ibd", "MYD", "MYI", "MAD", "MAI", "CSV", "ARZ"})

#: How a table that was written anew was written, as far as that shows.
COPIED, IN_PLACE, EMPTY = "copied", "in place", "empty"


@dataclass(frozen=True)
class Moved:
    """What ``statements`` of a session did: as it stands in the log.

    ``rows`` are those changed and read by table, ``updated`` and ``deleted`` how many in all. ``sizes`` are the bytes of each
    table that was there, or is, and by how much it grew. ``anew`` says how tables were written anew, ``exclusive`` which of those
    that were there were defined, written or named anew or dropped, ``held`` the locks that the session has got since.
    ``there`` are the tables of all these that none of the watched statements made.
    """

    session: int
    statements: int
    redo: int
    updated: int
    deleted: int
    rows: Mapping[str, tuple[int, int]]
    sizes: Mapping[str, tuple[int, int]]
    anew: Mapping[str, str]
    exclusive: tuple[str, ...]
    held: tuple[tuple[str, str], ...]
    there: tuple[str, ...]

    def written(self) -> str:
        """As it is written into the log, where it stands as it is."""
        return base64.b64encode(json.dumps(asdict(self), separators=(",", ":")).encode()).decode()


def told(sent: str) -> Moved | None:
    """What a statement of ours in the log says has moved; nothing where it is too long to be read whole."""
    written = sent.removeprefix(MOVED).strip("'")
    if len(sent) >= LONGEST:
        return None
    said: dict[str, Any] = json.loads(base64.b64decode(written))
    lists = {name: tuple(said[name]) for name in ("exclusive", "there")}
    return Moved(**{**said, **lists, "held": tuple((mode, name) for mode, name in said["held"])})


@dataclass(frozen=True)
class _Files:
    """A table's files: their bytes, and what tells one definition and one set of files from another."""

    bytes: int = 0
    defined: frozenset[tuple[str, int, int]] = frozenset()
    kept: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True)
class _State:
    redo: int
    updated: int
    deleted: int
    rows: Mapping[str, tuple[int, int]]
    files: Mapping[str, _Files]
    numbers: Mapping[str, frozenset[int]]


@dataclass
class Counters:
    """The counters of one database. ``asking`` is a session of ours that is not logged, ``saying`` one that is."""

    asking: Driver
    saying: Driver
    database: str
    _directory: bytes = b""
    _folder: str = ""
    _names: dict[str, str] = field(default_factory=dict)
    _held: dict[int, frozenset[tuple[str, str]]] = field(default_factory=dict)
    _there: set[str] = field(default_factory=set)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Read everything for the first time. Raises pymysql.err.Error."""
        ((self._folder, self._directory),) = rows(
            self.asking, "SELECT @@datadir, CAST(CONVERT(%s USING filename) AS BINARY)", (self.database,)
        )
        self._state = self._now(None)
        self._there = {*self._state.files, *self._state.numbers}

    def read(self, session: int, statements: int) -> bool:
        """Write into the log what has moved since the last time; whether that was possible."""
        import pymysql

        with self._reading:
            try:
                moved = self._moved(session, statements)
                rows(self.saying, f"{MOVED}%s", (moved.written(),))
            except (pymysql.err.Error, OSError):
                return False
            return True

    def _moved(self, session: int, statements: int) -> Moved:
        before, now = self._state, self._now(self._state)
        counted = _counted(before, now)
        anew = {name: self._how(name, counted.get(name, (0, 0))[1]) for name in _written_anew(before, now)}
        if anew:
            now = replace(now, rows=self._rows())  # without the row that was looked for
        self._state = now
        exclusive = sorted(_defined_anew(before, now) | anew.keys())
        held = self._newly_held(session)
        return Moved(
            session=session,
            statements=statements,
            redo=max(0, now.redo - before.redo),
            updated=max(0, now.updated - before.updated),
            deleted=max(0, now.deleted - before.deleted),
            rows=counted,
            sizes={name: _size(name, before, now) for name in {*counted, *anew, *exclusive} if name in now.files},
            anew=anew,
            exclusive=tuple(exclusive),
            held=held,
            there=self._from_before(before, now, {*counted, *anew, *exclusive, *(name for _, name in held)}),
        )

    def _from_before(self, before: _State, now: _State, names: set[str]) -> tuple[str, ...]:
        """Those of the tables that none of the watched statements made, whatever they are called by now."""
        self._there |= {name for name, numbers in now.numbers.items() if numbers & _all(before.numbers, self._there)}
        found = names & self._there
        self._there &= now.files.keys() | now.numbers.keys()
        return tuple(sorted(found))

    def _now(self, before: _State | None) -> _State:
        status = {name.lower(): int(value) for name, value in rows(self.asking, _STATUS)}
        files = self._files()
        same = before is not None and bool(files) and files.keys() == before.files.keys()
        unmoved = same and all(_same_files(before.files[name], one) for name, one in files.items()) if before else False
        return _State(
            status["innodb_lsn_current"],
            status["handler_update"],
            status["handler_delete"],
            self._rows(),
            files,
            before.numbers if before and unmoved else self._numbers(),
        )

    def _rows(self) -> dict[str, tuple[int, int]]:
        found = rows(self.asking, _ROWS, (self.database,))
        return {name: (int(changed), int(read)) for name, read, changed in found}

    def _numbers(self) -> dict[str, frozenset[int]]:
        numbers: dict[str, frozenset[int]] = {}
        for file, number in rows(self.asking, _NUMBERS, (self._directory.decode(),)):
            if name := self._name(file):
                numbers[name] = numbers.get(name, frozenset()) | {int(number)}
        return numbers

    def _files(self) -> dict[str, _Files]:
        """The tables' files by table; nothing where they cannot be seen."""
        found: dict[str, _Files] = {}
        try:
            entries = [(entry.name, entry.stat()) for entry in os.scandir(os.fsencode(self._folder) + self._directory)]
        except OSError:
            return {}
        for raw, stat in entries:
            stem, _, ending = os.fsdecode(raw).rpartition(".")
            if ending not in _DEFINED | _KEPT or not (name := self._name(stem)):
                continue
            one = found.get(name, _Files())
            if ending in _DEFINED:
                found[name] = replace(one, defined=one.defined | {(ending, stat.st_ino, stat.st_mtime_ns)})
            else:
                found[name] = replace(one, bytes=one.bytes + stat.st_size, kept=one.kept | {(ending, stat.st_ino)})
        return {name: one for name, one in found.items() if one.kept}

    def _name(self, file: str) -> str:
        """The table that a file (or a partition's) belongs to; empty for what is the server's own."""
        stem = file.replace("#p#", "#P#").partition("#P#")[0]
        if stem.startswith(("#sql", "FTS_")):
            return ""
        if "@" not in stem:
            return stem
        if stem not in self._names:
            ((self._names[stem],),) = rows(self.asking, _NAMED, (stem,))
        return self._names[stem]

    def _how(self, name: str, read: int) -> str:
        """How a table was written anew: the server reads it to copy it, and InnoDB does what the server does not see.

        Nothing is said where the project keeps others from reading it.
        """
        import pymysql

        if read:
            return COPIED
        table = f"{quoted(self.database)}.{quoted(name)}"
        try:
            return IN_PLACE if rows(self.asking, f"SELECT 1 FROM {table} LIMIT 1") else EMPTY  # noqa: S608 - quoted
        except pymysql.err.OperationalError:
            return ""

    def _newly_held(self, session: int) -> tuple[tuple[str, str], ...]:
        """The locks that the session holds, and did not when it was read last; none where the server has no way to say."""
        import pymysql

        try:
            found = rows(self.asking, _LOCKS, (session, self.database))
        except pymysql.err.ProgrammingError:
            return ()
        held = frozenset((str(mode), str(name)) for mode, name in found)
        new = held - self._held.get(session, frozenset())
        self._held[session] = held
        return tuple(sorted(new))


def _counted(before: _State, now: _State) -> dict[str, tuple[int, int]]:
    """By table how many rows were changed and read since, where any were."""
    none = (0, 0)
    return {
        name: (changed - before.rows.get(name, none)[0], read - before.rows.get(name, none)[1])
        for name, (changed, read) in now.rows.items()
        if (changed, read) != before.rows.get(name, none)
    }


def _same_files(one: _Files, other: _Files) -> bool:
    return one.defined == other.defined and one.kept == other.kept


def _written_anew(before: _State, now: _State) -> list[str]:
    """Tables whose rows went into another table of the same name; one that only took another's name was not written."""
    all_before, all_now = _all(before.numbers), _all(now.numbers)
    anew = []
    for name in before.numbers.keys() & now.numbers.keys():
        gone, new = before.numbers[name] - all_now, now.numbers[name] - all_before
        if gone and new:
            anew.append(name)
    of_files = (before.files.keys() & now.files.keys()) - before.numbers.keys() - now.numbers.keys()
    anew += [name for name in of_files if not before.files[name].kept & now.files[name].kept]
    return sorted(anew)


def _defined_anew(before: _State, now: _State) -> set[str]:
    gone = (before.files.keys() - now.files.keys()) | (before.numbers.keys() - now.numbers.keys())
    changed = {name for name, one in before.files.items() if name in now.files and one.defined != now.files[name].defined}
    renumbered = {name for name, numbers in before.numbers.items() if name in now.numbers and numbers != now.numbers[name]}
    return gone | changed | renumbered


def _all(numbers: Mapping[str, frozenset[int]], of: Collection[str] | None = None) -> frozenset[int]:
    return frozenset(number for name, each in numbers.items() if of is None or name in of for number in each)


def _size(name: str, before: _State, now: _State) -> tuple[int, int]:
    size = now.files[name].bytes
    return size, size - (before.files[name].bytes if name in before.files else 0)
