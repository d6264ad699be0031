"""Asks the server what conditions come to for rows that are in no table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Executable

from checks.interface import Engine
from checks.rows.missing import Read
from checks.rows.shapes import Row, Shape, Value
from checks.rows.terms import Condition, Truth
from checks.schema.model import Column, Table
from checks.targets import StatementFailed

# Beginnings of codes that say that the session or the server is gone or full, not what became of one expression.
_LOST = ("08", "53", "57P")
#: Where an expression fails on each of so many rows, so many others are tried one by one, and the rest are taken to fail too.
_SAMPLE, _FEW = 3, 48


class Dialect(Protocol):
    """How rows are compiled for an engine; a module of this package is the implementation."""

    @property
    def DIALECT(self) -> str:  # noqa: N802 - a module's constant
        """sqlglot's name of the language."""
        ...

    @property
    def ENGINE(self) -> Engine:  # noqa: N802 - a module's constant
        """The engine."""
        ...

    def shape(self, column: Column, /) -> Shape:
        """What a column can hold as far as its type goes."""
        ...

    def candidates(self, column: Column, /) -> tuple[str, ...]:
        """Values that real rows hardly hold, as text; empty for a type that is not known."""
        ...

    def bound(self, value: Value, shape: Shape, /) -> Any:  # noqa: ANN401 - what a driver takes
        """A value as it is bound in a write."""
        ...

    def question(self, table: Table, columns: Sequence[Column], expressions: Sequence[str], rows: Sequence[Row], /) -> Executable:
        """What each expression comes to for each row, in order."""
        ...

    def existing(self, table: Table, columns: Sequence[str], where: Mapping[str, Value], limit: int, /) -> Executable:
        """Some rows of a table whose columns have these values."""
        ...


class Judge:
    """Asks of one table, about rows with values for ``columns``."""

    def __init__(self, dialect: Dialect, read: Read, table: Table, columns: Sequence[Column]) -> None:
        self._dialect = dialect
        self._read = read
        self._table = table
        self._columns = columns
        #: What the server said of expressions that failed on a row.
        self.failures: dict[Condition, str] = {}

    def __call__(self, conditions: Sequence[Condition], rows: Sequence[Row]) -> Sequence[Sequence[Truth]]:
        """What each condition comes to for each row, in one statement where no expression fails.

        Raises StatementFailed where the session was lost.
        """
        if not conditions or not rows:
            return [[] for _ in rows]
        spoken = {name for condition in conditions for name in (*condition.columns, *condition.computed)}
        columns = [column for column in self._columns if column.name in spoken]
        given = [{name: value for name, value in row.items() if name in spoken} for row in rows]
        question = self._dialect.question(self._table, columns, [condition.expression for condition in conditions], given)
        try:
            return [[_truth(value) for value in answer] for answer in self._read(question)]
        except StatementFailed as failure:
            if not failure.code or failure.code.startswith(_LOST):
                raise
            if len(conditions) == 1:
                self.failures[conditions[0]] = failure.said
        return self._apart(conditions, rows)

    def _apart(self, conditions: Sequence[Condition], rows: Sequence[Row]) -> Sequence[Sequence[Truth]]:
        """Some expression failed on some row: find out which, by halves of the rows, unless it fails on some others too."""
        if len(rows) == len(conditions) == 1:
            return [[Truth.BROKEN]]
        some = rows[:: max(1, len(rows) // _SAMPLE)][:_SAMPLE]
        if len(rows) == 1 or (len(conditions) > 1 and self._fail(conditions, some)):
            half = len(conditions) // 2
            left, right = self(conditions[:half], rows), self(conditions[half:], rows)
            return [[*first, *second] for first, second in zip(left, right, strict=True)]
        if len(rows) > _SAMPLE and self._fail(conditions, some):
            alone = [truths for row in rows[:_FEW] for truths in self(conditions, [row])]
            return [*alone, *([Truth.BROKEN] * len(conditions) for _ in rows[_FEW:])]
        half = len(rows) // 2
        return [*self(conditions, rows[:half]), *self(conditions, rows[half:])]

    def _fail(self, conditions: Sequence[Condition], rows: Sequence[Row]) -> bool:
        """Whether some condition fails on each of the rows."""
        return all(Truth.BROKEN in truths for row in rows for truths in self(conditions, [row]))


def _truth(value: object) -> Truth:
    if value is None:
        return Truth.NULL
    return Truth.TRUE if (value if isinstance(value, bool | int | float) else _number(str(value))) else Truth.FALSE


def _number(text: str) -> float:
    """What SQLite makes of a text where it wants to know whether it is true."""
    try:
        return float(text)
    except ValueError:
        return 0.0
