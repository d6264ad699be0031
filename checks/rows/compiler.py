"""The one row compiler: a row of a table that satisfies all that is declared of it, and rows that break one rule of it.

A pure description goes in (the catalogue), and rows come out; what conditions come to and which keys are taken is asked of the
server through ``read``, in a session that may only read. Parents come along in the order in which they have to be inserted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from itertools import chain

from checks.rows.compiled import Compiled, NewRow
from checks.rows.conditions import above, conditions, not_null, storing, unique
from checks.rows.judging import Dialect, Judge
from checks.rows.known import Known
from checks.rows.missing import NoValue, Read
from checks.rows.parents import Child, Parents
from checks.rows.pools import plain, suggested
from checks.rows.search import Search
from checks.rows.shapes import Row, Value
from checks.rows.terms import Condition, Field, Violation
from checks.schema.model import Catalogue, Column, Table
from checks.schema.names import TableName

#: Values of a column that are worth trying, at most.
POOL = 100
#: Rows of a table that a search may begin from where it found nothing by itself.
STARTS = 3


class Compiler:
    """Compiles rows of one database. ``read`` sees the rows that are there already; nothing is written."""

    def __init__(self, catalogue: Catalogue, dialect: Dialect, read: Read) -> None:
        self._catalogue = catalogue
        self._dialect = dialect
        self._read = read
        self._known = Known(dialect, read)
        self._now = Decimal(int(time.time()))
        self._compiled: dict[object, Compiled | NoValue] = {}
        self._searches: dict[TableName, Search] = {}

    @property
    def dialect(self) -> Dialect:
        """The engine's."""
        return self._dialect

    def satisfying(self, table: TableName) -> Compiled:
        """A row of the table, or of a partition of it; raises NoValue where there is none."""
        return self._of(_Asked(self.stored(table)))

    def with_values(self, table: TableName, columns: Sequence[str], where: Sequence[Condition] = ()) -> Compiled:
        """The same with a value in each of these columns, also where NULL would do, for which further conditions hold.

        Raises NoValue where there is none.
        """
        return self._of(_Asked(self.stored(table), wanted=columns, where=tuple(where)))

    def violating(self, table: TableName, condition: Condition) -> Violation:
        """A row that breaks this condition and, where that was found, no other; made from the satisfying one. Raises NoValue."""
        compiled = self.satisfying(table)
        for column in compiled.unknown:
            if column.name in condition.columns:
                raise NoValue(f"type {column.type}")
        return self._searches[compiled.table.name].violating(compiled.row, condition)

    def inserted(self, table: Table, row: Row) -> NewRow:
        """A row as it is inserted."""
        values = {name: self._dialect.bound(value, self._dialect.shape(table.column[name])) for name, value in row.items()}
        return NewRow(table.name, values)

    def stored(self, table: TableName) -> Table:
        """The table that holds the rows of this one: itself, or a partition of it. Raises NoValue where there is none."""
        found = storing(self._catalogue.table[table], self._catalogue)
        if found is None:
            raise NoValue("no partition")
        return found

    def parent(self, table: TableName, fixed: Row, besides: tuple[Row, ...], path: tuple[TableName, ...]) -> Compiled:
        """A row with these values and one in each column that references speak of, which goes in ``besides`` others.

        ``path`` are the tables on the way to it. Raises NoValue where there is none.
        """
        return self._of(_Asked(self.stored(table), fixed, self._referred(table), besides, path))

    def _of(self, asked: _Asked) -> Compiled:
        """The row that is asked for; remembered. Raises NoValue where there is none."""
        if asked.key not in self._compiled:
            try:
                self._compiled[asked.key] = self._made(asked)
            except NoValue as reason:
                self._compiled[asked.key] = reason
        found = self._compiled[asked.key]
        if isinstance(found, NoValue):
            raise NoValue(*found.args)
        return found

    def _made(self, asked: _Asked) -> Compiled:
        table, given = asked.table, asked.given
        held = conditions(table, self._catalogue, self._dialect)
        names = asked.names(held)
        child = Child(table, names, frozenset(asked.wanted), (*asked.path, table.name))
        parents = Parents(child, self._catalogue, self._known, self)
        options, orphan = parents.options(given, self._wished(table, given, held), held)
        besides = (*asked.besides, *(row for parent in parents.made for row in parent.of(table)))
        held = [*held, *asked.where, *(not_null(column, table, self._dialect) for column in asked.lacking)]
        names = _given(table, (*names, *options))
        once = [one for index in table.indexes if (one := unique(index, table, names, besides, self._dialect)) is not None]
        fields, unknown = self._fields(table, names, held, options)
        held = [one for one in held if not any(column.name in one.columns for column in unknown)]
        judge = self._judge(table, fields, held)
        rules = Search(fields, held, judge, self._now)
        if asked.anything:
            self._searches[table.name] = rules  # a CHECK is asked before a unique index is
        best = self._best(table, Search(fields, [*held, *once], judge, self._now), fields, options)
        if any(condition in held for condition in best.missed):  # a table of one row has no room, but its rules can be met
            again = self._best(table, rules, fields, options)
            best = best if again.missed else replace(again, missed=tuple(once))
        breaks = {condition: judge.failures.get(condition, "") for condition in best.missed}
        rows = (*parents.rows(), self.inserted(table, best.row))
        found = (*parents.found, *best.found)
        return Compiled(table, best.row, rows, breaks, orphan, found, unknown, tuple(parents.made))

    def _referred(self, table: TableName) -> list[str]:
        """The columns that any reference to a table speaks of: whoever refers to a new row of it, it is the same one."""
        keys = (key for key in self._catalogue.foreign_keys if key.parent == table)
        return sorted({name for key in keys for name in key.parent_columns})

    def _wished(self, table: Table, given: Row, held: Sequence[Condition]) -> Row:
        """What columns of references have to be by conditions of their own, whatever parent is chosen."""
        referring = {name for one in above(table, self._catalogue) for key in one.foreign_keys for name in key.columns}
        own = [one for one in held if len(one.columns) == 1 and one.columns[0] in referring and not one.computed]
        names = [name for name in dict.fromkeys(one.columns[0] for one in own) if name not in given]
        if not names:
            return {}
        fields, _ = self._fields(table, names, own, {})
        search = Search(fields, own, self._judge(table, fields, own), self._now)
        row, _ = search.satisfying({field.name: field.first for field in fields})
        return row

    def _best(self, table: Table, search: Search, fields: Sequence[Field], fixed: Mapping[str, Sequence[Value]]) -> _Best:
        """The row that breaks least, made from nothing, or else from a row that is there."""
        best = _Best(*search.satisfying({field.name: field.first for field in fields}))
        if best.missed:
            for start in self._known.rows(table, [field.name for field in fields], {}, STARTS):
                pinned = {name: values[0] for name, values in fixed.items()}
                row, missed = search.satisfying({**start, **pinned})
                if len(missed) < len(best.missed):
                    best = _Best(row, missed, tuple(start.values()))
        return best

    def _judge(self, table: Table, fields: Sequence[Field], held: Sequence[Condition]) -> Judge:
        used = {one.name for one in fields} | {name for condition in held for name in condition.computed}
        return Judge(self._dialect, self._read, table, [column for column in table.columns if column.name in used])

    def _fields(
        self, table: Table, names: Sequence[str], held: Sequence[Condition], fixed: Mapping[str, Sequence[Value]]
    ) -> tuple[list[Field], tuple[Column, ...]]:
        """What is worth trying in these columns, and those of which nothing is known."""
        sought = [(name, self._field(table, name, held, fixed)) for name in names]
        unknown = tuple(table.column[name] for name, field in sought if field is None)
        return [field for _, field in sought if field is not None], unknown

    def _field(self, table: Table, name: str, held: Sequence[Condition], fixed: Mapping[str, Sequence[Value]]) -> Field | None:
        """What is worth trying in a column; None where nothing is known of its type and it must have a value."""
        column, shape = table.column[name], self._dialect.shape(table.column[name])
        kept = tuple(fixed.get(name, ()))
        rare = self._known.rare(column)
        first = any(name == index.columns[0] for index in table.indexes if index.unique)
        listed = list(plain(shape))
        listed = [*rare, *listed] if first else listed or rare
        for condition in held:
            if name in condition.columns and condition.tree is not None:
                listed += suggested(condition.tree, shape, tuple(table.column))
        if not listed and not kept:
            listed = [row[name] for row in self._known.rows(table, [name], {}, 1)]
        pool = list(dict.fromkeys(value for value in listed if value is not None))[:POOL]
        if not pool and not column.nullable and not kept:
            return None
        return Field(name, shape, (*pool, None) if column.nullable else tuple(pool), kept)


@dataclass(frozen=True)
class _Asked:
    """What a row is to be: it has the ``given`` values and one in each ``wanted`` column, and goes in ``besides`` others.

    ``path`` are the tables on the way to it, ``where`` further conditions that hold for it.
    """

    table: Table
    given: Row = field(default_factory=dict)
    wanted: Sequence[str] = ()
    besides: tuple[Row, ...] = ()
    path: tuple[TableName, ...] = ()
    where: tuple[Condition, ...] = ()

    @cached_property
    def key(self) -> object:
        """What it is remembered by: whatever way led to it."""
        others = tuple(tuple(row.items()) for row in self.besides)
        return (self.table.name, tuple(self.given.items()), tuple(self.wanted), others, self.where)

    @property
    def anything(self) -> bool:
        """Whether any row will do that can be there."""
        return not self.given and not self.wanted and not self.where

    @property
    def lacking(self) -> list[Column]:
        """The columns that would do without a value and must have one."""
        columns = [self.table.column[name] for name in self.wanted if name not in self.given]
        return [column for column in columns if column.nullable]

    def names(self, held: Sequence[Condition]) -> list[str]:
        """The columns that it names, where these conditions hold."""
        spoken = chain.from_iterable(condition.columns for condition in (*held, *self.where))
        return _given(self.table, (*self.given, *self.wanted, *spoken))


@dataclass(frozen=True)
class _Best:
    """A row that breaks least, the conditions that it does not meet, and what it began with: what a row that is there holds."""

    row: Row
    missed: tuple[Condition, ...]
    found: tuple[Value, ...] = ()


def _given(table: Table, names: Sequence[str]) -> list[str]:
    """The columns that a row names: these, and those that must have a value and get none by themselves."""
    return [column.name for column in table.columns if not column.generated and (column.name in names or _needed(column))]


def _needed(column: Column) -> bool:
    return not column.nullable and column.default is None and not column.identity
