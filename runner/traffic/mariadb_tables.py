"""Which tables of MariaDB's the new migrations touch, and what is known of each before they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.evidence import Statement
from checks.schema.bookkeeping import BOOKKEEPING
from runner.recorder.mariadb_tokens import words
from runner.servers.mariadb.sessions import quoted, rows

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

# Of a table with a trigger on UPDATE, or of an engine that undoes nothing, no row is written.
_TABLES = """
SELECT one.table_name, coalesce(one.table_rows, 0), one.engine = 'InnoDB' AND NOT EXISTS (
           SELECT 1 FROM information_schema.triggers AS fired
           WHERE fired.event_object_schema = one.table_schema AND fired.event_object_table = one.table_name
             AND fired.event_manipulation = 'UPDATE')
FROM information_schema.tables AS one
WHERE one.table_schema = database() AND one.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND one.temporary <> 'Y'
ORDER BY one.table_name
"""
_COLUMN = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = database() AND binary table_name = %s AND is_generated = 'NEVER'
ORDER BY ordinal_position LIMIT 1
"""


@dataclass(frozen=True)
class Table:
    """A table as base has it; ``plain`` says that a row of it may be written and undone without anything else happening."""

    name: str
    rows: int
    plain: bool


def tables(driver: Driver) -> list[Table]:
    """The project's own tables of the session's database, with about as many rows as each has."""
    found = [Table(str(name), int(number), bool(plain)) for name, number, plain in rows(driver, _TABLES)]
    return [table for table in found if table.name not in BOOKKEEPING]


def touched(driver: Driver, there: Sequence[Table], statements: Sequence[Statement], most: int) -> list[Table]:
    """Those of base's tables that the statements of the verdict's run name or lock, with their exact numbers of rows.

    That is where to look, and says nothing yet. Those with the most rows come first; beyond ``most`` their number stays about.
    """
    said = {word.lower() for one in statements for word in (*words(one.text), *(lock.relation for lock in one.locks))}
    named = sorted((one for one in there if one.name.lower() in said), key=lambda one: (-one.rows, one.name))
    return [replace(one, rows=counted(driver, one.name)) for one in named[:most]] + named[most:]


def counted(driver: Driver, name: str) -> int:
    """How many rows a table has."""
    return int(rows(driver, f"SELECT count(*) FROM {quoted(name)}")[0][0])  # noqa: S608 - the name is quoted


def column(driver: Driver, name: str) -> str | None:
    """A column of a table that may be written, ``None`` where there is none."""
    found = rows(driver, _COLUMN, (name,))
    return str(found[0][0]) if found else None


def by_name(there: Sequence[Table]) -> Mapping[str, Table]:
    """The tables by their names."""
    return {one.name: one for one in there}
