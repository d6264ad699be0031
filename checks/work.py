"""What a statement had the server do: rows by table, bytes, log. Exact counts of the server's, as frozen data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

#: PostgreSQL's modes of locks on tables, the weakest first (https://www.postgresql.org/docs/current/explicit-locking.html).
MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
#: MariaDB's locks on tables, the weakest first (https://mariadb.com/kb/en/metadata-locking/, sql/mdl.h).
METADATA_MODES = (
    "MDL_SHARED",
    "MDL_SHARED_HIGH_PRIO",
    "MDL_SHARED_READ",
    "MDL_SHARED_WRITE",
    "MDL_SHARED_UPGRADABLE",
    "MDL_SHARED_READ_ONLY",
    "MDL_SHARED_NO_WRITE",
    "MDL_SHARED_NO_READ_WRITE",
    "MDL_EXCLUSIVE",
)


def strength(mode: str) -> int:
    """How strong a mode is, for comparing: its number among those of its engine, -1 for a mode that is none of them."""
    return next((modes.index(mode) for modes in (MODES, METADATA_MODES) if mode in modes), -1)


class Log(StrEnum):
    """The log that an engine writes its changes into before anything else, in its own words."""

    WAL = "WAL"
    REDO = "redo log"


@dataclass(frozen=True)
class TableWork:
    """Rows of one table that were inserted, updated, deleted, and read by scanning it.

    ``bytes`` is the size of its file afterwards and ``grown`` by how much that is more than before (less is negative), both
    ``None`` where that is not known. Rows that are undone later count too: the server wrote them. ``changed`` are further rows of
    which it is not known what became of them; of SQLite these are all, and ``relation`` is empty, as it does not tell the table.
    """

    relation: str
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    read: int = 0
    bytes: int | None = None
    grown: int | None = None
    changed: int = 0

    @property
    def rows(self) -> int:
        """How many rows were changed."""
        return self.inserted + self.updated + self.deleted + self.changed


@dataclass(frozen=True)
class Work:
    """What was done between two readings of the server's counters; ``wal`` is the engine's log (``log``) in bytes.

    ``wal`` is ``None`` where it is not known. ``statements`` is more than one where no reading stands between several: then it is
    the work of all of them together.
    """

    tables: tuple[TableWork, ...] = ()
    wal: int | None = 0
    statements: int = 1
    log: Log = Log.WAL

    @property
    def rows(self) -> int:
        """How many rows were changed in all tables."""
        return sum(table.rows for table in self.tables)


def together(works: Iterable[Work]) -> Work | None:
    """The work of several statements added up; ``None`` where there is none to add."""
    found = list(works)
    if not found:
        return None
    by_table: dict[str, TableWork] = {}
    for table in (table for work in found for table in work.tables):
        by_table[table.relation] = _added(by_table[table.relation], table) if table.relation in by_table else table
    logged = [work.wal for work in found if work.wal is not None]
    statements = sum(work.statements for work in found)
    return Work(tuple(by_table.values()), sum(logged) if logged else None, statements, found[0].log)


def _added(one: TableWork, other: TableWork) -> TableWork:
    grown = None if one.grown is None or other.grown is None else one.grown + other.grown
    return TableWork(
        one.relation,
        one.inserted + other.inserted,
        one.updated + other.updated,
        one.deleted + other.deleted,
        one.read + other.read,
        other.bytes,
        grown,
        one.changed + other.changed,
    )
