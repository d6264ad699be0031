"""The rows of a child that find no parent: the statements that read them, in every engine's own sense of equal keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, cast, exists, func, literal_column, or_, select
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from checks.declared.references import ExpectedReference
from checks.interface import Engine
from checks.schema.model import Catalogue, ForeignKey, Match, Table
from checks.schema.names import no_table
from checks.sql.families import alike
from checks.sql.statements import ANTI_JOIN, copyable, named, only

#: How many orphans a finding shows, of however many there are.
SAMPLE = 5

#: What PostgreSQL calls the database's own collation.
DEFAULT_COLLATION = 'pg_catalog."default"'

Rows = Select[*tuple[Any, ...]]


def key_of(reference: ExpectedReference) -> ForeignKey:
    """A declared reference as a foreign key would be, for what counts rows by it."""
    return ForeignKey("", reference.table, reference.columns, reference.parent, reference.parent_columns)


def has_no_parents(key: ForeignKey) -> bool:
    """Whether the parent is a table that does not exist (SQLite takes such a key)."""
    return key.mismatch == no_table(key.parent)


def shown(key: ForeignKey, catalogue: Catalogue) -> tuple[str, ...]:
    """The columns by which an orphan is shown: its primary key, then what it refers by."""
    child = catalogue.table.get(key.table)
    return tuple(dict.fromkeys((*(child.primary_key if child else ()), *key.columns)))


def shown_row(names: Sequence[str], values: Sequence[str | None]) -> str:
    """``id=7, buyer_id=99``."""
    return ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in zip(names, values, strict=True))


def counted(key: ForeignKey, catalogue: Catalogue, engine: Engine) -> Rows:
    """How many orphans a reference has: one number, from nothing but the reference's columns, so that indexes may do."""
    child = named(key.table, key.columns, "child")
    return _orphans(select(func.count()), child, key, catalogue, engine).execution_options(**{ANTI_JOIN: True})


def sample(key: ForeignKey, catalogue: Catalogue, engine: Engine = Engine.POSTGRESQL) -> Rows:
    """The first orphans of a reference in the order of their primary key, each row with the count of all.

    Columns: the child's primary key and the reference's columns as text, then the count.
    """
    child = named(key.table, shown(key, catalogue), "child")
    return _first(_orphans(_shown(child, key, catalogue), child, key, catalogue, engine), key, catalogue, engine)


def listing(key: ForeignKey, catalogue: Catalogue, engine: Engine) -> str:
    """The statement that lists every orphan, for people to copy."""
    child = named(key.table, key.columns, "child")
    return copyable(_orphans(select(literal_column("child.*")), child, key, catalogue, engine), engine)


def sample_lost(key: ForeignKey, where: str, catalogue: Catalogue, engine: Engine) -> Rows:
    """The first rows that find their parent, but none that fulfils ``where``; columns as those of :func:`sample`.

    In ``where`` both tables go by their own names; where that is the same name, the child's is ``child``.
    """
    child = named(key.table, shown(key, catalogue), _name_of_child(key))
    return _first(_lost(_shown(child, key, catalogue), child, key, where, catalogue, engine), key, catalogue, engine)


def listing_lost(key: ForeignKey, where: str, catalogue: Catalogue, engine: Engine) -> str:
    """The statement that lists every row of :func:`sample_lost`, for people to copy."""
    child = named(key.table, key.columns, _name_of_child(key))
    return copyable(_lost(select(literal_column("*")), child, key, where, catalogue, engine), engine)


def _shown(child: FromClause, key: ForeignKey, catalogue: Catalogue) -> Rows:
    return select(*(child.c[name].label(name) for name in shown(key, catalogue)))


def _first(rows: Rows, key: ForeignKey, catalogue: Catalogue, engine: Engine) -> Rows:
    """The first of some rows with the count of all.

    OFFSET keeps PostgreSQL's planner from looking for the first five by the primary key's index, row after row and parent after
    parent, which is the dearest way to find that there are none.
    """
    found = (rows.offset(0) if engine is Engine.POSTGRESQL else rows).subquery("orphan")
    columns = [found.c[name] for name in shown(key, catalogue)]
    texts = [cast(column, Text) for column in columns]
    return select(*(*texts, func.count().over().label("orphans"))).order_by(*columns).limit(SAMPLE)


def _orphans(statement: Rows, child: FromClause, key: ForeignKey, catalogue: Catalogue, engine: Engine) -> Rows:
    """Read from the child only rows that refer to something and find no parent.

    A key that is NULL in part equals no parent, so that MATCH FULL needs no more than to look at those rows as well.
    """
    source = _referring(statement, child, key, catalogue)
    return source if has_no_parents(key) else source.where(~exists(_parent(child, key, catalogue, engine)))


def _lost(statement: Rows, child: FromClause, key: ForeignKey, where: str, catalogue: Catalogue, engine: Engine) -> Rows:
    """Read from the child only rows with a parent, all of whose parents fail the condition."""
    found = _parent(child, key, catalogue, engine, key.parent.name)
    condition: ColumnElement[bool] = literal_column(f"({where}\n)")  # the line break ends a comment on its last line
    return _referring(statement, child, key, catalogue).where(exists(found), ~exists(found.where(condition)))


def _name_of_child(key: ForeignKey) -> str:
    return "child" if key.table.name == key.parent.name else key.table.name


def _referring(statement: Rows, child: FromClause, key: ForeignKey, catalogue: Catalogue) -> Rows:
    """Read from the child only rows that refer to something."""
    given = [child.c[name].is_not(None) for name in key.columns]
    refers = or_(*given) if key.match is Match.FULL else and_(*given)
    return only(statement.select_from(child), child, catalogue.table.get(key.table)).where(refers)


def matching(
    child: FromClause, parent: FromClause, key: ForeignKey, catalogue: Catalogue, engine: Engine
) -> list[ColumnElement[bool]]:
    """What makes a row the parent of a child, pair by pair, as the engine's own foreign keys compare."""
    if engine is Engine.MARIADB:
        return _collated(child, parent, key, catalogue)
    return _same(child, parent, key) if engine is Engine.SQLITE else _equalities(child, parent, key, catalogue)


def _parent(child: FromClause, key: ForeignKey, catalogue: Catalogue, engine: Engine, name: str = "parent") -> Rows:
    """What a child's parent is found by; a period must be covered by all the parent's periods together."""
    parent = named(key.parent, key.parent_columns, name)
    found = only(select(literal_column("1")).select_from(parent), parent, catalogue.table.get(key.parent))
    same = matching(child, parent, key, catalogue, engine)
    if not key.period:
        return found.where(*same)
    mine, theirs = child.c[key.columns[-1]], parent.c[key.parent_columns[-1]]
    return found.where(*same[:-1], theirs.op("&&")(mine)).having(mine.op("<@")(func.range_agg(theirs)))


def _same(child: FromClause, parent: FromClause, key: ForeignKey) -> list[ColumnElement[bool]]:
    """Each pair as SQLite's own foreign keys compare it: the parent stands left, so that its collation decides, and a plus sign
    takes the child's affinity away, so that its value gets the parent's (datatype3.html, 4.2; foreignkeys.html, 3)."""
    return [
        parent.c[theirs] == UnaryExpression(child.c[mine], operator=custom_op("+"))
        for mine, theirs in zip(key.columns, key.parent_columns, strict=True)
    ]


def _equalities(child: FromClause, parent: FromClause, key: ForeignKey, catalogue: Catalogue) -> list[ColumnElement[bool]]:
    """Each pair of columns compared as the server's own trigger does: its operator, the parent's collation."""
    compared: list[ColumnElement[bool]] = []
    operators = key.operators or ("=",) * len(key.columns)
    for mine, theirs, operator in zip(key.columns, key.parent_columns, operators, strict=True):
        column: ColumnElement[Any] = child.c[mine]
        if not key.operators and not alike(*_types(key, mine, theirs, catalogue)):
            compared.append(cast(parent.c[theirs], Text) == cast(column, Text))
            continue
        collation = _collation(catalogue.table.get(key.parent), theirs)
        if collation != _collation(catalogue.table.get(key.table), mine):
            column = column.op("COLLATE")(literal_column(collation or DEFAULT_COLLATION))
        compared.append(parent.c[theirs].bool_op(operator)(column))
    return compared


def _collated(child: FromClause, parent: FromClause, key: ForeignKey, catalogue: Catalogue) -> list[ColumnElement[bool]]:
    """Each pair by the parent's collation, where the two differ (a key that was made with its checks switched off)."""
    compared: list[ColumnElement[bool]] = []
    for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
        collation = _collation(catalogue.table.get(key.parent), theirs)
        column: ColumnElement[Any] = child.c[mine]
        if collation is not None and collation != _collation(catalogue.table.get(key.table), mine):
            # A collation belongs to one set of characters alone, whose name it begins with.
            characters: ColumnElement[Any] = literal_column(collation.partition("_")[0])
            column = func.convert(column.op("USING")(characters)).op("COLLATE")(literal_column(collation))
        compared.append(parent.c[theirs] == column)
    return compared


def _types(key: ForeignKey, mine: str, theirs: str, catalogue: Catalogue) -> tuple[str, str]:
    child, parent = catalogue.table[key.table].column[mine], catalogue.table[key.parent].column[theirs]
    return child.base or child.type, parent.base or parent.type


def _collation(table: Table | None, column: str) -> str | None:
    found = table.column.get(column) if table is not None else None
    return found.collation if found is not None else None
