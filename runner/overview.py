"""What a database that exists is, at a glance, before it is judged: one function per engine that has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from checks.interface import Engine
from runner.servers.interface import Database

#: The share of tables that may lack an estimate for their sum to say something.
_FEW = 0.2


@dataclass(frozen=True)
class Overview:
    """``size`` is in bytes. ``rows`` are the server's own estimates by table; ``unknown`` counts the tables without one.
    ``references`` are the declared ones, ``None`` where the engine has none.

    ``standby`` says that the server replays another one's changes. ``nouns`` are what tables and rows are called there.
    """

    size: int | None = None
    standby: bool = False
    rows: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0
    references: int | None = 0
    nouns: tuple[str, str] = ("table", "row")

    def sentence(self) -> str:
        """``9 tables, 10 references, about 1.3 M rows, 190 MB``; empty where nothing is known."""
        tables = len(self.rows) + self.unknown
        table, row = self.nouns
        count = f"about {rounded(sum(self.rows.values()))} {row}s"
        rows = (count if self.unknown <= _FEW * tables else "never analysed") if tables else ""
        size = "" if self.size is None else in_bytes(self.size)
        references = "" if self.references is None else _plural(self.references, "reference")
        counts = (_plural(tables, table), references) if tables else ()
        return ", ".join(part for part in (*counts, rows, size) if part)


def rounded(count: int) -> str:
    """``940``, ``12 k``, ``1.3 M``: what an estimate is good for."""
    for power, letter in ((9, "G"), (6, "M"), (3, "k")):
        if count >= 10**power:
            of_it = count / 10**power
            return f"{of_it:.1f} {letter}" if of_it < 10 and power > 3 else f"{of_it:.0f} {letter}"
    return str(count)


def in_bytes(size: int) -> str:
    """``190 MB``, by powers of 1024 as PostgreSQL's ``pg_size_pretty`` counts."""
    for power, letter in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if size >= 1024**power:
            of_it = size / 1024**power
            return f"{of_it:.1f} {letter}" if of_it < 10 and power > 2 else f"{of_it:.0f} {letter}"
    return f"{size} bytes"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _postgresql(database: Database) -> Overview:
    from runner.servers.postgresql.overview import overview

    return overview(database)


def _mongodb(database: Database) -> Overview:
    from runner.servers.mongodb.overview import overview

    return overview(database)


def _mariadb(database: Database) -> Overview:
    from runner.servers.mariadb.overview import overview

    return overview(database)


OVERVIEWS: Mapping[Engine, Callable[[Database], Overview]] = {
    Engine.POSTGRESQL: _postgresql,
    Engine.MARIADB: _mariadb,
    Engine.MONGODB: _mongodb,
}
