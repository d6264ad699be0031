"""A row that refers to a parent that does not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any

from sqlalchemy import ColumnElement, Executable, and_, bindparam, column, exists, literal_column, select
from sqlalchemy import table as core_table
from sqlalchemy.types import NullType

from checks.schema.model import Catalogue, Column, ForeignKey
from checks.schema.names import TableName

#: How many rows are thought of before giving up; how many of them the first statement asks about, and each further one.
THOUGHT_OF = 256
FIRST = 1
AT_ONCE = 32

_INTEGERS = ("smallint", "integer", "bigint")

#: The values that a column can hold, as text (one function per engine in this package).
Candidates = Callable[[Column], tuple[str, ...]]

#: All rows of a SQLAlchemy Core statement (the ``rows`` of a sandbox).
Read = Callable[[Executable], Sequence[tuple[Any, ...]]]


class NoValue(Exception):
    """No such row can be thought of, and why: the type is not known, or every value has a parent."""


def missing_parent(key: ForeignKey, catalogue: Catalogue, read: Read, candidates: Candidates) -> Mapping[str, str]:
    """Values for the columns of ``key`` that no parent has, each as text that its column reads; ``read`` has verified it.

    A row of a table that refers to itself comes with a key of its own, which is new as well and not the one it refers to.
    Raises NoValue.
    """
    rows = list(islice(_thought_of(key, catalogue, candidates), THOUGHT_OF))
    if not rows:
        raise NoValue("a row always refers to itself")
    for some in (rows[:FIRST], *(rows[start : start + AT_ONCE] for start in range(FIRST, len(rows), AT_ONCE))):
        taken = read(select(*(_taken(key, row) for row in some)))[0]
        for row, has_parent in zip(some, taken, strict=True):
            if not has_parent:
                return row
    raise NoValue(f"every value that was thought of has a parent ({len(rows)})")


def _thought_of(key: ForeignKey, catalogue: Catalogue, candidates: Candidates) -> Iterator[Mapping[str, str]]:
    own = key.parent_columns if key.table == key.parent else ()
    names = tuple(dict.fromkeys((*key.columns, *own)))
    for values in product(*(fitting(key, name, catalogue, candidates) for name in names)):
        row = dict(zip(names, values, strict=True))
        if not own or _folded(row, key.columns) != _folded(row, own):
            yield row


def _folded(row: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    """A collation may take what differs only in case for the same."""
    return [row[name].casefold() for name in names]


def fitting(key: ForeignKey, name: str, catalogue: Catalogue, candidates: Candidates) -> tuple[str, ...]:
    """Values of a child's column that the parent's can hold as well. Raises NoValue where none can be thought of."""
    mine, theirs = catalogue.table[key.table].column[name], _parent_column(key, name, catalogue)
    found = candidates(replace(_narrower(mine, theirs), identity=mine.identity or (theirs is not None and theirs.identity)))
    if not found:
        raise NoValue(f"type {mine.type}")
    return found


def _parent_column(key: ForeignKey, name: str, catalogue: Catalogue) -> Column | None:
    parent = catalogue.table.get(key.parent)
    if parent is None or name not in key.columns:
        return None
    return parent.column.get(key.parent_columns[key.columns.index(name)])


def _narrower(mine: Column, theirs: Column | None) -> Column:
    """An integer that does not fit the parent's column could not even be looked for there."""
    types = [column.base or column.type for column in (mine, theirs) if column is not None]
    if theirs is None or not set(types) <= set(_INTEGERS):
        return mine
    return min((mine, theirs), key=lambda column: _INTEGERS.index(column.base or column.type))


def _taken(key: ForeignKey, row: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether some parent has the key that the row refers to, or the row's own.

    Of a period only the columns before it are compared: parents may cover a period together.
    """
    compared = len(key.columns) - 1 if key.period else len(key.columns)
    columns = key.parent_columns[:compared]
    taken = _exists(key.parent, columns, [row[name] for name in key.columns[:compared]])
    if key.table != key.parent:
        return taken
    return taken | _exists(key.parent, columns, [row[name] for name in columns])


def _exists(table: TableName, columns: Sequence[str], values: Sequence[str]) -> ColumnElement[bool]:
    source = core_table(table.name, *(column(name) for name in columns), schema=table.schema or None).alias("parent")
    equal = (
        source.c[name] == bindparam(None, value, NullType(), unique=True) for name, value in zip(columns, values, strict=True)
    )
    return exists(select(literal_column("1")).select_from(source).where(and_(*equal)))
