"""Lists of values for columns: what the conditions that speak of a column alone take, by asking the server for all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from checks.rows.compiler import Compiler
from checks.rows.judging import Dialect, Judge
from checks.rows.missing import NoValue
from checks.rows.sets.awkward import FEW, awkward, of_one_make
from checks.rows.sets.proposals import PLENTY, alike, as_meant, proposed
from checks.rows.sets.rules import feeds_a_formula
from checks.rows.shapes import Kind, Shape, Value
from checks.rows.terms import Condition
from checks.schema.model import Column, Table
from checks.schema.names import TableName
from checks.sql.statements import quoted

#: Gives the texts of a table's column that people like to read, if any.
Readable = Callable[[TableName, Column], Sequence[str]]

#: Kinds of which no value is believed before the server has read it.
_EXOTIC = frozenset({Kind.OTHER, Kind.JSON, Kind.ARRAY, Kind.BYTES})


class Lists:
    """Values of one table's columns; with ``ends`` also those at the end of their type, where nothing is computed from them.

    ``readable`` gives texts for a column that come before all others, where the conditions take them; ends are left out then.
    """

    def __init__(
        self,
        table: Table,
        dialect: Dialect,
        judge: Judge,
        compiler: Compiler,
        held: Sequence[Condition],
        readable: Readable | None,
        *,
        ends: bool,
    ) -> None:
        self._table = table
        self._dialect = dialect
        self._judge = judge
        self._compiler = compiler
        self._held = held
        self._readable = readable
        self._ends = ends and readable is None
        self._pools: dict[str, Sequence[Value]] = {}
        self._awkward: dict[str, Sequence[Value]] = {}

    def taken(self, column: Column) -> Sequence[Value]:
        """Values of a column for which the conditions that speak of it alone hold, by asking for all at once. Remembered."""
        if column.name not in self._pools:
            self._pools[column.name] = self._found(column)
        return self._pools[column.name]

    def awkward(self, column: Column) -> Sequence[Value]:
        """Those of a column's values that are to come up for certain: awkward ones, or all where they are few."""
        pool = self.taken(column)
        if len(pool) <= FEW:
            return pool
        return self._awkward.get(column.name, ())

    def _found(self, column: Column) -> Sequence[Value]:
        shape = self._dialect.shape(column)
        spoken = [one for one in self._held if column.name in one.columns]
        alone = [one for one in spoken if len(one.columns) == 1]
        if texts := self._held_by(column, alone, self._texts(column, shape)):
            return texts
        coupled = len(alone) < len(spoken) or feeds_a_formula(column, self._table)
        sought = as_meant(column, shape, alone)
        listed = list(proposed(sought, spoken, tuple(self._table.column), ends=self._ends and not coupled))
        if not listed or shape.kind in (Kind.OTHER, Kind.ARRAY, Kind.BYTES):
            rare = not coupled or bool(shape.labels) or shape.kind is Kind.BYTES
            listed += self._dialect.candidates(column) if rare else ()
        values = [value for value in dict.fromkeys(listed) if value is not None][: 2 * PLENTY]
        odd = self._odd(column, sought, spoken, values, coupled=coupled)
        found = self._held_by(column, alone, [*values, *(value for value in odd if value not in values)])
        found = of_one_make(column, found) if sought.kind is Kind.JSON else found
        self._awkward[column.name] = held = [value for value in odd if value in found]
        everyday = [value for value in found if value not in held]
        return [*everyday[: PLENTY - len(held)], *held] or self._held_by(column, alone, self._searched(column))[:PLENTY]

    def _odd(
        self, column: Column, shape: Shape, spoken: Sequence[Condition], values: Sequence[Value], *, coupled: bool
    ) -> Sequence[Value]:
        """Awkward values; of columns that rules bind to others only nothing, as more would leave few rows."""
        if not self._ends:
            return ()
        found = list(dict.fromkeys(awkward(column, shape, spoken, values)))
        return [value for value in found if value in (Decimal(0), "")] if coupled else found

    def _texts(self, column: Column, shape: Shape) -> Sequence[Value]:
        """Texts for people, as far as they fit."""
        if self._readable is None or shape.kind is not Kind.TEXT or shape.labels:
            return ()
        texts = self._readable(self._table.name, column)
        return [text for text in texts if shape.length is None or len(text) <= shape.length][:PLENTY]

    def _held_by(self, column: Column, alone: Sequence[Condition], values: Sequence[Value]) -> Sequence[Value]:
        if not alone and self._dialect.shape(column).kind not in _EXOTIC:
            return values
        alone = alone or [Condition("", f"{quoted(self._dialect.ENGINE, column.name)} IS NOT NULL", (column.name,))]
        truths = self._judge(alone, [{column.name: value} for value in values])
        return [value for value, said in zip(values, truths, strict=True) if all(map(Condition.holds, alone, said))]

    def _searched(self, column: Column) -> Sequence[Value]:
        """What the search for a single row comes to, and texts that look like it."""
        try:
            value = self._compiler.satisfying(self._table.name).row.get(column.name)
        except NoValue:
            return ()
        return () if value is None else tuple(dict.fromkeys((value, *alike(value))))

    def may_be_null(self, column: Column) -> bool:
        """Whether the conditions that speak of a column alone take NULL."""
        alone = [one for one in self._held if one.columns == (column.name,)]
        return not alone or all(map(Condition.holds, alone, self._judge(alone, [{column.name: None}])[0]))
