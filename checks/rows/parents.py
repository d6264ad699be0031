"""The parents of a row: rows that are there, or new ones that are compiled for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from checks.rows.compiled import Compiled, NewRow
from checks.rows.conditions import above
from checks.rows.known import Known
from checks.rows.missing import NoValue
from checks.rows.shapes import Row, Value
from checks.rows.terms import Condition
from checks.schema.model import Catalogue, ForeignKey, Table
from checks.schema.names import TableName


class Compiles(Protocol):
    """What compiles new parents."""

    def stored(self, table: TableName) -> Table:
        """The table that holds the rows of this one; raises NoValue where none does."""
        ...

    def parent(self, table: TableName, fixed: Row, besides: tuple[Row, ...], path: tuple[TableName, ...]) -> Compiled:
        """A row of the table with a value in all that references speak of, besides others; raises NoValue where there is none."""
        ...


@dataclass(frozen=True)
class Child:
    """Whose parents are sought: a row that names these columns, of which ``wanted`` must have a value.

    ``path`` are the tables on the way to it, itself the last.
    """

    table: Table
    names: Sequence[str]
    wanted: frozenset[str]
    path: tuple[TableName, ...]


class Parents:
    """The parents of a row: rows that are there, or new ones."""

    def __init__(self, child: Child, catalogue: Catalogue, known: Known, compiler: Compiles) -> None:
        self._table = child.table
        self._names = child.names
        self._wanted = child.wanted
        self._path = child.path
        self._catalogue = catalogue
        self._known = known
        self._compiler = compiler
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
        there = [] if single else self._known.rows(table, key.parent_columns, fixed, number)
        there = [row for row in there if None not in row.values()]
        self.found += [value for row in there for value in row.values()]
        yield from there
        stored = self._compiler.stored(key.parent)
        besides: list[Row] = []
        for _ in range(number - len(there)):
            made = self._compiler.parent(key.parent, fixed, tuple(besides), self._path)
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
        for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
            column = self._table.column[theirs]
            value = options.get(theirs) or self._known.rare(column)[:1]
            if not value:
                raise NoValue(f"type {column.type}")
            options[mine] = options[theirs] = value
