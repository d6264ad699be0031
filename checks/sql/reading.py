"""Which tables the repository's own SQL reads, by parsing it."""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from checks.interface import Engine
from checks.schema.model import Catalogue
from checks.schema.names import ObjectKind, ObjectReference, TableName, table_reference
from checks.targets import RelationalTarget

#: sqlglot's names of languages that it calls otherwise than we do.
_DIALECTS = {Engine.POSTGRESQL: "postgres", Engine.MARIADB: "mysql"}

# Only what prints for dbproof may print: without a handler, logging would write sqlglot's warnings to stderr.
_SILENT = logging.NullHandler()


def without_rows(sql: str, target: RelationalTarget) -> bool:
    """Whether the query has no row to say anything about: every table it names is empty.

    Where it names none that is known (a view, a function, text that does not parse), the whole database has to be empty.
    """
    return not (tables_read(sql, target.engine, target.catalogue) or set(target.catalogue.table)) & target.filled


def tables_read(sql: str, engine: Engine, catalogue: Catalogue) -> set[TableName]:
    """The tables of the catalogue that a query names; empty where it cannot be parsed."""
    return _named(sql, engine, catalogue) & set(catalogue.table)


def objects_read(sql: str, engine: Engine, catalogue: Catalogue) -> tuple[ObjectReference, ...]:
    """What a query reads, for its provenance: views first, for their SQL is a part of the query's, then tables.

    Every name that is no table of the catalogue is taken for a view's.
    """
    named = _named(sql, engine, catalogue)
    views = (ObjectReference(ObjectKind.VIEW, view.schema, "", view.name) for view in sorted(named - set(catalogue.table)))
    return (*views, *(table_reference(table) for table in sorted(named & set(catalogue.table))))


def _named(sql: str, engine: Engine, catalogue: Catalogue) -> set[TableName]:
    logging.getLogger("sqlglot").addHandler(_SILENT)
    try:
        parsed = sqlglot.parse_one(sql, read=_DIALECTS.get(engine, engine.value))
    except SqlglotError:
        return set()
    defined = {TableName(catalogue.default_schema, _folded(query.args["alias"].this)) for query in parsed.find_all(exp.CTE)}
    named = {_name(table, catalogue.default_schema) for table in parsed.find_all(exp.Table)}
    if engine is Engine.SQLITE:
        named = {_spelled(table, catalogue) for table in named}
    return named - (defined - set(catalogue.table))


def _spelled(table: TableName, catalogue: Catalogue) -> TableName:
    """SQLite's names know no case, quoted or not, and its one file may be called ``main``."""
    same = (name for name in catalogue.table if name.name.lower() == table.name.lower() and table.schema.lower() in ("", "main"))
    return next(same, table)


def _name(table: exp.Table, default_schema: str) -> TableName:
    """The name as the engine sees it: PostgreSQL folds what is not quoted to lower case."""
    return TableName(_folded(table.args.get("db")) or default_schema, _folded(table.this))


def _folded(part: object) -> str:
    if not isinstance(part, exp.Identifier):
        return ""
    return str(part.this) if part.args.get("quoted") else str(part.this).lower()
