"""A few rows are changed when they are there, so that keys are no more different than the schema asks.

A number makes a column's values all different, which no rule may ask for: a name is unique within a tenant only, and real ones
come twice; of those that are unique some differ in case or in white space behind; and what may be NULL is. Every change is tried
by the server, which refuses what the schema does not allow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from checks.rows.sets.awkward import longest
from checks.rows.sets.language import Language, Statement, Writing
from checks.rows.sets.plan import Numbered, Series, TablePlan
from checks.rows.sets.rules import columns_of_index
from checks.schema.model import Catalogue, Column, Index, Table

#: Rows that are looked at, and how many a table has to have.
LOOKED_AT = 80
LEAST = 20
#: How many rows of a table are changed in the same way, and how many are tried.
CHANGED, TRIED = 2, 6
#: How far a unique number is put away from the others.
_FAR = 1_000_003
_DEFERRABLE = "deferrable"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Manner:
    """How an engine changes single rows.

    ``update`` stands before a table's name, ``alone`` where it is meant without those that inherit from it. A column is ``read``
    and ``ordered`` like this; ``unmoved`` are those that would change by themselves.
    """

    language: Language
    update: str = "UPDATE "
    alone: str = ""
    read: Callable[[str], str] = str
    ordered: Callable[[Column], str] = lambda column: column.name
    unmoved: Callable[[Table], Sequence[str]] = lambda _: ()


@dataclass(frozen=True)
class Change:
    """A value that a row of those that were read is to have in a column."""

    column: str
    value: Any
    row: Row


class Retouching:
    """What may be changed in one table's rows."""

    def __init__(self, plan: TablePlan, catalogue: Catalogue, fixed: Sequence[str], manner: Manner) -> None:
        self._table = plan.table
        self._manner = manner
        self._key = plan.table.primary_key
        self._columns = [source for source in plan.sources if isinstance(source, Numbered) and source.column not in fixed]
        named = {name for key in catalogue.foreign_keys for name in _named(plan.table, key.table, key.columns)}
        named |= {name for key in catalogue.foreign_keys for name in _named(plan.table, key.parent, key.parent_columns)}
        self._columns = [one for one in self._columns if one.column not in named and not self._is_kept(one.column)]

    def reading(self) -> Statement | None:
        """Reads some rows, always the same; None where there is nothing to change."""
        if not self._columns or not self._key:
            return None
        language, manner = self._manner.language, self._manner
        listed = ", ".join(manner.read(language.quoted(name)) for name in self._read())
        outside = "".join(f", ({language.plain(one.predicate or '')}\n) IS TRUE" for one in self._partial())
        order = ", ".join(manner.ordered(self._table.column[name]) for name in self._key)
        source = f"{self._source()}{language.table_name(self._table.name)}"
        return Statement(f"SELECT {listed}{outside} FROM {source} ORDER BY {order} LIMIT {LOOKED_AT}")

    def changes(self, found: Sequence[Sequence[Any]]) -> Iterator[Iterator[Change]]:
        """What is worth trying with the rows that were read: of each kind some, of which the first few that are taken will do."""
        names = [*self._read(), *map(_inside, self._partial())]
        rows = [dict(zip(names, row, strict=True)) for row in found]
        used: set[int] = set()
        for source in self._columns:
            column = self._table.column[source.column]
            yield self._repeated(column, rows, used)
            if column.name not in self._key:
                yield from self._of_a_key(source, column, rows, used)

    def _of_a_key(self, source: Numbered, column: Column, rows: Sequence[Row], used: set[int]) -> Iterator[Iterator[Change]]:
        if source.form.series is Series.TEXT and not any(None in index.columns for index in self._unique(column.name)):
            yield self._spelt(column, rows, used, str.upper)
            yield self._spelt(column, rows, used, lambda text: f"{text} ")
            yield self._spelt(column, rows, used, lambda text: longest(column, text))
            yield self._spelt(column, rows, used, lambda _: "")
        if source.form.series is Series.NUMBER and not self._is_counted(column):
            yield self._away(column, rows, used)
        if column.nullable:
            yield (Change(column.name, None, row) for row in _unused(rows, used))

    def writing(self, change: Change) -> Statement:
        """Changes one row."""
        language, manner = self._manner.language, self._manner
        writing = Writing(language, self._table, 0)
        sets = [f"{language.quoted(change.column)} = {self._bound(change.column, change.value, writing)}"]
        sets += [f"{language.quoted(name)} = {language.quoted(name)}" for name in manner.unmoved(self._table)]
        told = " AND ".join(f"{language.quoted(name)} = {self._bound(name, change.row[name], writing)}" for name in self._key)
        table = f"{self._source()}{language.table_name(self._table.name)}"
        return Statement(f"{manner.update}{table} SET {', '.join(sets)} WHERE {told}", writing.values)

    def _bound(self, name: str, value: Any, writing: Writing) -> str:  # noqa: ANN401 - what a driver gave
        return self._manner.language.cast(writing.parameter(value), self._table.column[name])

    def _source(self) -> str:
        return "" if self._table.partitioned else self._manner.alone

    def _read(self) -> Sequence[str]:
        """The key, the columns that are changed, and those that are in a key with them."""
        own = [index for one in self._columns for index in self._unique(one.column)]
        together = (name for index in own for name in index.columns if name is not None)
        return list(dict.fromkeys((*self._key, *(one.column for one in self._columns), *together)))

    def _unique(self, name: str) -> list[Index]:
        """The unique indexes that a column is a part of."""
        every = (index for index in self._table.indexes if index.unique or index.constraint == "x")
        return [index for index in every if name in index.columns or name in _spoken_of(index, self._table)]

    def _partial(self) -> list[Index]:
        return [index for index in self._table.indexes if index.unique and index.predicate]

    def _is_kept(self, name: str) -> bool:
        """Whether a column is a key by itself, or one that the server would not ask about: keys that are deferred, periods."""
        own = self._unique(name)
        alone = (self._key == (name,)) or not own
        return alone or any(index.constraint == "x" or _DEFERRABLE in index.traits for index in own)

    def _is_counted(self, column: Column) -> bool:
        """Whether the server numbers the column: what lies ahead of its sequence would be in its way."""
        counted = column.identity or "nextval" in (column.default or "").lower()
        return counted or any(one.column == column.name for one in self._table.sequences)

    def _repeated(self, column: Column, rows: Sequence[Row], used: set[int]) -> Iterator[Change]:
        """A row gets the value of another one, from which each key tells it by something else."""
        own = self._unique(column.name)
        if any(not (index.predicate or _rest(index, column.name)) for index in own):
            return
        for place, row in enumerate(rows):
            if place in used:
                continue
            for other in range(place):
                if other not in used and all(self._differ(index, column.name, row, rows[other]) for index in own):
                    used |= {place, other}
                    yield Change(column.name, rows[other][column.name], row)
                    break

    def _differ(self, index: Index, name: str, row: Row, other: Row) -> bool:
        """Whether two rows are told apart by the rest of a key, or one of them is outside of a partial index."""
        if index.predicate and not (row[_inside(index)] and other[_inside(index)]):
            return True
        return any(row[one] != other[one] for one in _rest(index, name))

    def _spelt(self, column: Column, rows: Sequence[Row], used: set[int], spelling: Callable[[str], str]) -> Iterator[Change]:
        """A row gets the value of another one, spelt otherwise."""
        free = _unused(rows, used)
        for row, other in zip(free, free, strict=False):
            text = other[column.name]
            if isinstance(text, str) and spelling(text) != text:
                yield Change(column.name, spelling(text), row)

    def _away(self, column: Column, rows: Sequence[Row], used: set[int]) -> Iterator[Change]:
        """A row gets a number far from the others."""
        for row in _unused(rows, used):
            value = row[column.name]
            yield Change(column.name, value + _FAR if isinstance(value, int) else str(Decimal(str(value)) + _FAR), row)
            return


def _named(table: Table, name: object, columns: Sequence[str]) -> Sequence[str]:
    return columns if table.name == name else ()


def _spoken_of(index: Index, table: Table) -> Sequence[str]:
    return columns_of_index(index, table) if None in index.columns else ()


def _rest(index: Index, name: str) -> Sequence[str]:
    """The columns of a key beside this one."""
    return [one for one in index.columns if one is not None and one != name]


def _inside(index: Index) -> str:
    """What says of a row whether it is inside a partial index: a name that no column has."""
    return f"\0{index.name}"


def _unused(rows: Sequence[Row], used: set[int]) -> Iterator[Row]:
    """Rows that nothing was done with, each once."""
    for place, row in enumerate(rows):
        if place not in used:
            used.add(place)
            yield row
