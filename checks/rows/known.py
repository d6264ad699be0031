"""What is known of the values of columns: those that rows hold, and those that hardly any row has."""

from __future__ import annotations

from collections.abc import Sequence

from checks.rows.judging import Dialect
from checks.rows.missing import Read
from checks.rows.shapes import Kind, Row, Shape, Value, decimal
from checks.schema.model import Column, Table


class Known:
    """Asks a server, and its dialect."""

    def __init__(self, dialect: Dialect, read: Read) -> None:
        self._dialect = dialect
        self._read = read

    def rows(self, table: Table, names: Sequence[str], where: Row, limit: int) -> list[dict[str, Value]]:
        """Rows that are there, with what they hold in these columns."""
        shapes = [self._dialect.shape(table.column[name]) for name in names]
        found = self._read(self._dialect.existing(table, names, where, limit)) if names else ()
        return [{name: canonical(value, shape) for name, value, shape in zip(names, row, shapes, strict=True)} for row in found]

    def rare(self, column: Column) -> list[Value]:
        """Values that hardly any row has; none of a type that lists its own."""
        shape = self._dialect.shape(column)
        return [] if shape.labels else [canonical(text, shape) for text in self._dialect.candidates(column)]


def canonical(value: object, shape: Shape) -> Value:
    """A value as an engine gives it, as the row compiler takes it."""
    if value is None:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    number = decimal(text) if shape.kind is Kind.NUMBER else None
    return text if number is None else number
