"""Columns that the settings give by an expression: tried before rows are made, so that the server says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from checks.interface import Engine
from checks.schema.model import Catalogue, Column
from checks.schema.names import TableName
from checks.sql.statements import quoted, quoted_table
from checks.targets import StatementFailed


class ColumnRefused(Exception):
    """The server cannot make a column by its expression. ``column`` is as the settings name it, ``said`` the server's words."""

    def __init__(self, column: str, said: str) -> None:
        super().__init__(f"{column}: {said}")
        self.column = column
        self.said = said


def columns_of(catalogue: Catalogue) -> Mapping[TableName, Collection[str]]:
    """The tables of a catalogue with the names of their columns."""
    return {table.name: tuple(table.column) for table in catalogue.tables}


def try_columns(given: Mapping[str, str], catalogue: Catalogue, engine: Engine, ask: Callable[[str], object]) -> None:
    """Let the server read the expression of each column that is there; ``ask`` sends it. Raises ColumnRefused for the first."""
    by_label = {
        f"{table.name.label()}.{name}": (table.name, column)
        for table in catalogue.tables
        for name, column in table.column.items()
    }
    for name, expression in given.items():
        if name not in by_label:
            continue
        table, column = by_label[name]
        if column.generated:
            raise ColumnRefused(name, "the column is generated, and takes no value")
        try:
            ask(_statement(table, column, expression, catalogue, engine))
        except StatementFailed as failure:
            raise ColumnRefused(name, failure.said) from None


def _statement(table: TableName, column: Column, expression: str, catalogue: Catalogue, engine: Engine) -> str:
    """Reads no row; a line break ends a comment at the expression's end."""
    value = f"({expression}\n)"
    if engine is Engine.POSTGRESQL:
        value = f"CAST({value} AS {column.base or column.type})"
    rows = f"SELECT 1 AS dbproof_n, given.* FROM {quoted_table(engine, table, catalogue.default_schema)} AS given"
    return f"SELECT {value} FROM ({rows}) AS {quoted(engine, table.name)} WHERE 1 = 0"
