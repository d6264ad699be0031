"""Which table and columns of the catalogue a file means; a near name is offered for one that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.schema.model import Catalogue, Column, Table
from checks.schema.names import TableName
from runner.data.own.refusing import refused
from runner.data.own.sources import RowFile
from runner.settings.wording import did_you_mean

#: What orders files by their names and is no part of the table's: ``01_users.csv``.
_NUMBER = re.compile(r"^\d+[-_. ]+(?=.)")


def table_of(file: RowFile, catalogue: Catalogue, *, folded: bool) -> Table:
    """The table that a file's rows belong to; ``folded`` where names know no case. Raises Refused."""
    named = file.table
    tries = [named] if file.settings.table else [named, _NUMBER.sub("", named)]
    found = next((table for name in tries if (table := _found(name, catalogue, folded)) is not None), None)
    if found is not None:
        return found
    labels = [table.name.label(catalogue.default_schema) for table in catalogue.tables]
    hint = did_you_mean(tries[-1], labels) if labels else "; there are no tables"
    said = f"there is no table {tries[-1]}{hint}"
    raise refused(file.name, None, said)


def _found(name: str, catalogue: Catalogue, folded: bool) -> Table | None:
    schema, _, bare = name.rpartition(".")
    for wanted in (TableName(catalogue.default_schema, name), TableName(schema, bare)):
        if wanted in catalogue.table:
            return catalogue.table[wanted]
    alike = [table for table in catalogue.tables if table.name.name.lower() == name.lower()] if folded else []
    return alike[0] if len(alike) == 1 else None


def columns_of(file: RowFile, table: Table, named: Iterable[str], line: int | None, *, folded: bool) -> tuple[Column, ...]:
    """The columns that names of a file mean. Raises Refused for one that the table does not have."""
    known = {(name.lower() if folded else name): column for name, column in table.column.items()}
    found = []
    for name in named:
        column = known.get(name.lower() if folded else name)
        if column is None:
            raise refused(file.name, line, f"table {table.name.name} has no column {name or 'of no name'}{_near(name, table)}")
        found.append(column)
    return tuple(found)


def _near(name: str, table: Table) -> str:
    return did_you_mean(name.strip(), table.column)
