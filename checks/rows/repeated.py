"""A row that two of are one too many: for an index whose predicate or expressions it has to satisfy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from checks.interface import Engine
from checks.rows.compiler import Compiler
from checks.rows.judging import Dialect
from checks.rows.missing import NoValue, Read
from checks.schema.model import Catalogue, CheckConstraint, Index, Table
from checks.sql.statements import quoted

# What PostgreSQL's reader writes behind a column or expression: operator class, collation, options.
_BEHIND = re.compile(r" \d+ \d+ \d+( \{.*\})?$")


def repeated(index: Index, table: Table, dialect: Dialect, read: Read) -> Mapping[str, Any]:
    """A row of only those columns that the index rests on: it is in the index, and no part of its key is NULL.

    It is compiled, or taken from the rows that are there. Raises NoValue where none was found, and StatementFailed.
    """
    condition = " AND ".join(_conditions(index, table, dialect.ENGINE))
    check = CheckConstraint(index.name, table.name, condition)
    alone = replace(
        table,
        columns=tuple(replace(column, nullable=True, generated=False, domain_checks=()) for column in table.columns),
        primary_key=(),
        foreign_keys=(),
        checks=(check,),
        indexes=(),
        partitioned=False,
        partition_of=None,
        bound=None,
    )
    compiler = Compiler(Catalogue((alone,)), dialect, read)
    found = compiler.satisfying(table.name)
    if found.breaks or not found.row:
        raise NoValue("no row could be thought of that is in the index")
    return compiler.inserted(alone, found.row).values


def _conditions(index: Index, table: Table, engine: Engine) -> Iterator[str]:
    if index.predicate:
        yield f"({index.predicate}) IS TRUE"
    for place, name in enumerate(index.columns):
        if name is not None:
            yield f"{quoted(engine, name)} IS NOT NULL"
        elif engine is Engine.SQLITE:
            yield from (f"{quoted(engine, column)} IS NOT NULL" for column in table.column if _speaks_of(index, column))
        else:
            yield f"({_BEHIND.sub('', index.keys[place])}) IS NOT NULL"


def _speaks_of(index: Index, column: str) -> bool:
    """SQLite's catalogue has all of an index with expressions as one text."""
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", index.keys[0], re.IGNORECASE) is not None
