"""The one row compiler: a row of a table that satisfies all that is declared of it, and rows that break one rule of it.

A pure description goes in (the catalogue), and rows come out; what conditions come to and which keys are taken is asked of the
server through ``read``, in a session that may only read. Parents come along in the order in which they have to be inserted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Any

from checks.rows.conditions import above, conditions, not_null, storing, unique
from checks.rows.judging import Dialect, Judge
from checks.rows.missing import NoValue, Read
from checks.rows.pools import plain, suggested
from checks.rows.search import Search
from checks.rows.shapes import Kind, Row, Shape, Value, decimal
from checks.rows.terms import Condition, Field, Violation
from checks.schema.model import Catalogue, Column, ForeignKey, Table
from checks.schema.names import TableName

#: Values of a column that are worth trying, at most.
POOL = 100
#: Rows of a table that a search may begin from where it found nothing by itself.
STARTS = 3


@dataclass(frozen=True)
class NewRow:
    """A row as it is inserted; columns that ``values`` does not name take their default."""

    table: TableName
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Compiled:
    """A row, and with it (``rows``, itself the last) the parents that it wants and that are not there yet, as they are inserted.

    ``breaks`` are the conditions that it does not meet, as nothing better was found, with what the server said where it could not
    work one out. ``orphan`` says which parent could not be
    made, and why; empty where there are all. ``found`` are values that rows which are there hold: they are somebody's.
    ``unknown`` are columns that must have a value, of types that none is known of: without them the row cannot go in. ``parents``
    are the new ones that it refers to itself.
    """

    table: Table
    row: Row
    rows: tuple[NewRow, ...]
    breaks: Mapping[Condition, str] = field(default_factory=dict)
    orphan: str = ""
    found: tuple[Value, ...] = ()
    unknown: tuple[Column, ...] = ()
    parents: tuple[Compiled, ...] = ()

    def of(self, table: Table) -> Iterator[Row]:
        """This row and the new ones above it that are of a table."""
        for parent in self.parents:
            yield from parent.of(table)
        if self.table.name == table.name:
            yield self.row


class Compiler:
    """Compiles rows of one database. ``read`` sees the rows that are there already; nothing is written."""

    def __init__(self, catalogue: Catalogue, dialect: Dialect, read: Read) -> None:
        self._catalogue = catalogue
        self._dialect = dialect
        self._read = read
        self._now = Decimal(int(time.time()))
        self._compiled: dict[object, Compiled | NoValue] = {}
        self._searches: dict[TableName, Search] = {}

    @property
    def dialect(self) -> Dialect:
        """The engine's."""
        return self._dialect

    def satisfying(self, table: TableName) -> Compiled:
        """A row of the table, or of a partition of it; raises NoValue where there is none."""
        return self._of(self._stored(table), {}, (), (), ())

    def with_values(self, table: TableName, columns: Sequence[str], where: Sequence[Condition] = ()) -> Compiled:
        """The same with a value in each of these columns, also where NULL would do, for which further conditions hold.

        Raises NoValue where there is none.
        """
        return self._of(self._stored(table), {}, columns, (), (), tuple(where))

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

    def _stored(self, table: TableName) -> Table:
        found = storing(self._catalogue.table[table], self._catalogue)
        if found is None:
            raise NoValue("no partition")
        return found

    def _of(
        self,
        table: Table,
        given: Row,
        wanted: Sequence[str],
        besides: tuple[Row, ...],
        path: tuple[TableName, ...],
        where: tuple[Condition, ...] = (),
    ) -> Compiled:
        """A row with these values; ``wanted`` columns must have one, and it goes in ``besides`` others. Remembered."""
        key = (table.name, tuple(given.items()), tuple(wanted), tuple(tuple(row.items()) for row in besides), where)
        if key not in self._compiled:
            try:
                self._compiled[key] = self._made(table, given, wanted, besides, (*path, table.name), where)
            except NoValue as reason:
                self._compiled[key] = reason
        found = self._compiled[key]
        if isinstance(found, NoValue):
            raise NoValue(*found.args)
        return found

    def _made(
        self,
        table: Table,
        given: Row,
        wanted: Sequence[str],
        besides: tuple[Row, ...],
        path: tuple[TableName, ...],
        where: tuple[Condition, ...],
    ) -> Compiled:
        held = conditions(table, self._catalogue, self._dialect)
        lacking = [table.column[name] for name in wanted if table.column[name].nullable and name not in given]
        names = _given(table, (*given, *wanted, *chain.from_iterable(condition.columns for condition in (*held, *where))))
        parents = _Parents(self, table, names, frozenset(wanted), path)
        options, orphan = parents.options(given, self._wished(table, given, held), held)
        besides = (*besides, *(row for parent in parents.made for row in parent.of(table)))
        held = [*held, *where, *(not_null(column, table, self._dialect) for column in lacking)]
        names = _given(table, (*names, *options))
        once = [one for index in table.indexes if (one := unique(index, table, names, besides, self._dialect)) is not None]
        sought = [self._field(table, name, held, options) for name in names]
        fields = [field for field in sought if field is not None]
        unknown = tuple(table.column[name] for name, field in zip(names, sought, strict=True) if field is None)
        held = [one for one in held if not any(column.name in one.columns for column in unknown)]
        judge = self._judge(table, fields, held)
        rules = Search(fields, held, judge, self._now)
        row, missed, found = self._best(table, Search(fields, [*held, *once], judge, self._now), fields, options)
        if any(condition in held for condition in missed):  # a table of one row has no room, but its rules can be met
            again, left, taken = self._best(table, rules, fields, options)
            if not left:
                row, missed, found = again, tuple(once), taken
        breaks = {condition: judge.failures.get(condition, "") for condition in missed}
        if not given and not wanted and not where:
            self._searches[table.name] = rules  # a CHECK is asked before a unique index is
        rows = (*parents.rows(), self.inserted(table, row))
        return Compiled(table, row, rows, breaks, orphan, (*parents.found, *found), unknown, tuple(parents.made))

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
        sought = [self._field(table, name, own, {}) for name in names]
        fields = [field for field in sought if field is not None]
        search = Search(fields, own, self._judge(table, fields, own), self._now)
        row, _ = search.satisfying({field.name: field.first for field in fields})
        return row

    def _best(
        self, table: Table, search: Search, fields: Sequence[Field], fixed: Mapping[str, Sequence[Value]]
    ) -> tuple[Row, tuple[Condition, ...], tuple[Value, ...]]:
        """The row that breaks least, what it breaks, and what it began with: nothing, or else a row that is there."""
        row, breaks = search.satisfying({field.name: field.first for field in fields})
        found: tuple[Value, ...] = ()
        if breaks:
            for start in self._rows(table, [field.name for field in fields], {}, STARTS):
                pinned = {name: values[0] for name, values in fixed.items()}
                further, left = search.satisfying({**start, **pinned})
                if len(left) < len(breaks):
                    row, breaks, found = further, left, tuple(start.values())
        return row, breaks, found

    def _judge(self, table: Table, fields: Sequence[Field], held: Sequence[Condition]) -> Judge:
        used = {one.name for one in fields} | {name for condition in held for name in condition.computed}
        return Judge(self._dialect, self._read, table, [column for column in table.columns if column.name in used])

    def _field(self, table: Table, name: str, held: Sequence[Condition], fixed: Mapping[str, Sequence[Value]]) -> Field | None:
        """What is worth trying in a column; None where nothing is known of its type and it must have a value."""
        column, shape = table.column[name], self._dialect.shape(table.column[name])
        kept = tuple(fixed.get(name, ()))
        rare = self._rare(column, shape)
        first = any(name == index.columns[0] for index in table.indexes if index.unique)
        listed = list(plain(shape))
        listed = [*rare, *listed] if first else listed or rare
        for condition in held:
            if name in condition.columns and condition.tree is not None:
                listed += suggested(condition.tree, shape, tuple(table.column))
        if not listed and not kept:
            listed = [row[name] for row in self._rows(table, [name], {}, 1)]
        pool = list(dict.fromkeys(value for value in listed if value is not None))[:POOL]
        if not pool and not column.nullable and not kept:
            return None
        return Field(name, shape, (*pool, None) if column.nullable else tuple(pool), kept)

    def _rare(self, column: Column, shape: Shape) -> list[Value]:
        return [] if shape.labels else [canonical(text, shape) for text in self._dialect.candidates(column)]

    def _rows(self, table: Table, names: Sequence[str], where: Row, limit: int) -> list[dict[str, Value]]:
        """Rows that are there, with what they hold in these columns."""
        shapes = [self._dialect.shape(table.column[name]) for name in names]
        found = self._read(self._dialect.existing(table, names, where, limit)) if names else ()
        return [{name: canonical(value, shape) for name, value, shape in zip(names, row, shapes, strict=True)} for row in found]


class _Parents:
    """The parents of a row: rows that are there, or new ones."""

    def __init__(
        self, compiler: Compiler, table: Table, names: Sequence[str], wanted: frozenset[str], path: tuple[TableName, ...]
    ) -> None:
        self._compiler = compiler
        self._catalogue = compiler._catalogue
        self._table = table
        self._names = names
        self._wanted = wanted
        self._path = path
        self.made: list[Compiled] = []
        self.found: list[Value] = []

    def rows(self) -> Iterator[NewRow]:
        """New parents and theirs, each once, in the order in which they have to be inserted."""
        seen: list[NewRow] = []
        for parent in self.made:
            for row in parent.rows:
                if row not in seen:
                    seen.append(row)
        yield from seen

    def options(self, given: Row, wished: Row, held: Sequence[Condition]) -> tuple[dict[str, list[Value]], str]:
        """The values that columns of references may have, and which parent could not be had."""
        options: dict[str, list[Value]] = {name: [value] for name, value in given.items()}
        keys = [key for one in above(self._table, self._catalogue) for key in one.foreign_keys]
        orphan = ""
        for key in sorted(keys, key=lambda key: key.parent != self._table.name):
            if not set(key.columns) <= set(self._names) or not key.enforced or key.mismatch:
                continue
            try:
                self._choose(key, options, wished, held)
            except NoValue as reason:
                orphan = orphan or f"no parent for {key.label}: {reason}"
        return options, orphan

    def _choose(self, key: ForeignKey, options: dict[str, list[Value]], wished: Row, held: Sequence[Condition]) -> None:
        known = {**wished, **{name: values[0] for name, values in options.items()}}
        fixed = {theirs: known[mine] for mine, theirs in zip(key.columns, key.parent_columns, strict=True) if mine in known}
        if len(fixed) == len(key.columns) and None in fixed.values():
            return
        if key.parent in self._path and self._refers_back(key, options):
            return
        several = len(key.columns) == 1 and any(key.columns[0] in one.columns and len(one.columns) > 1 for one in held)
        for found in self._parents(key, fixed, 2 if several else 1):
            for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
                if found[theirs] not in options.setdefault(mine, []):
                    options[mine].append(found[theirs])
        for mine in key.columns:
            if self._may_lack(mine) and None not in options[mine]:
                options[mine].append(None)

    def _parents(self, key: ForeignKey, fixed: Row, number: int) -> Iterator[Row]:
        """Rows that are there, unless each parent may have only one child; then new ones."""
        table = self._catalogue.table.get(key.parent)
        if table is None:
            raise NoValue(f"there is no table {key.parent.label()}")
        single = any(index.unique and set(index.columns) <= set(key.columns) for index in self._table.indexes)
        there = [] if single else self._compiler._rows(table, key.parent_columns, fixed, number)
        there = [row for row in there if None not in row.values()]
        self.found += [value for row in there for value in row.values()]
        yield from there
        stored = self._compiler._stored(key.parent)
        wanted = self._compiler._referred(key.parent)
        besides: list[Row] = []
        for _ in range(number - len(there)):
            made = self._compiler._of(stored, fixed, wanted, tuple(besides), self._path)
            besides.append(made.row)
            if made.unknown:
                raise NoValue(f"type {made.unknown[0].type}")
            if made.breaks or made.orphan:
                raise NoValue(made.orphan or f"no row of {stored.name.label()} satisfies {next(iter(made.breaks)).name}")
            self.made.append(made)
            yield made.row

    def _may_lack(self, name: str) -> bool:
        return self._table.column[name].nullable and name not in self._wanted

    def _refers_back(self, key: ForeignKey, options: dict[str, list[Value]]) -> bool:
        """Whether a reference back to a table on the way here is settled: by NULL where that may be, or by the row itself.

        Where it is not, the parent is one more row of that table, and of no further one.
        """
        nullable = [mine for mine in key.columns if self._may_lack(mine)]
        if nullable:
            options.update({mine: [None] for mine in nullable})
            return True
        if self._path.count(key.parent) == 1 and self._may_end_at(key.parent):
            return False
        if key.parent != self._table.name:
            raise NoValue("the tables refer to each other in a circle")
        self._refer_to_itself(key, options)
        return True

    def _may_end_at(self, parent: TableName) -> bool:
        """Whether one more row of a table on the way here may go without what leads back."""
        table = self._catalogue.table[parent]
        back = (key for key in table.foreign_keys if key.parent in self._path)
        return any(table.column[name].nullable for key in back for name in key.columns)

    def _refer_to_itself(self, key: ForeignKey, options: dict[str, list[Value]]) -> None:
        compiler = self._compiler
        for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
            column = self._table.column[theirs]
            shape = compiler._dialect.shape(column)
            value = options.get(theirs) or compiler._rare(column, shape)[:1]
            if not value:
                raise NoValue(f"type {column.type}")
            options[mine] = options[theirs] = value


def canonical(value: object, shape: Shape) -> Value:
    """A value as an engine gives it, as the row compiler takes it."""
    if value is None:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    number = decimal(text) if shape.kind is Kind.NUMBER else None
    return text if number is None else number


def _given(table: Table, names: Sequence[str]) -> list[str]:
    """The columns that a row names: these, and those that must have a value and get none by themselves."""
    return [column.name for column in table.columns if not column.generated and (column.name in names or _needed(column))]


def _needed(column: Column) -> bool:
    return not column.nullable and column.default is None and not column.identity
