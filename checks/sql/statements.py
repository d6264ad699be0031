"""Helpers for SQL in checks: dialects, tables for SQLAlchemy Core, and text for people to copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from sqlalchemy import FromClause, Select, column, make_url
from sqlalchemy import table as core_table
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement

from checks.declared.spelling import without_comments
from checks.interface import Engine
from checks.schema.model import Table
from checks.schema.names import TableName

#: The execution option by which a statement says that it looks for rows without a partner: there are several ways to that.
ANTI_JOIN = "anti_join"


@cache
def dialect(engine: Engine) -> Dialect:
    """SQLAlchemy's dialect of an engine, for text: with named parameters, so that no ``%`` is doubled."""
    made: Callable[..., Dialect] = make_url(f"{engine}://").get_dialect()
    return made(paramstyle="named")


def copyable(statement: ClauseElement, engine: Engine) -> str:
    """A statement on one line with its values in it, for people to copy; never sent to a server by dbproof."""
    compiled = statement.compile(dialect=dialect(engine), compile_kwargs={"literal_binds": True})
    return " ".join(line.strip() for line in without_comments(str(compiled)).splitlines())


def quoted(engine: Engine, names: str | Iterable[str]) -> str:
    """A name, or several with commas between, quoted where the engine asks for it."""
    preparer = dialect(engine).identifier_preparer
    return ", ".join(preparer.quote(name) for name in ([names] if isinstance(names, str) else names))


def quoted_table(engine: Engine, table: TableName, default_schema: str) -> str:
    """A table as it is written in a statement, with its schema where that is not the default."""
    name = quoted(engine, table.name)
    return name if table.schema == default_schema else f"{quoted(engine, table.schema)}.{name}"


def named(table: TableName, columns: Iterable[str], alias: str) -> FromClause:
    """A table with the columns that a statement needs, under an alias."""
    return core_table(table.name, *(column(name) for name in columns), schema=table.schema or None).alias(alias)


def only(statement: Select[*tuple[Any, ...]], source: FromClause, table: Table | None) -> Select[*tuple[Any, ...]]:
    """Leave out tables that inherit from ``source``: PostgreSQL's foreign keys do not reach them.

    A partitioned table holds no rows itself, so there ONLY would read nothing.
    """
    if table is not None and table.partitioned:
        return statement
    return statement.with_hint(source, "ONLY", "postgresql")
