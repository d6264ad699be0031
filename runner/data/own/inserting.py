"""Records in batches, as engines without COPY take them: each batch one statement's columns, executed for every record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from checks.schema.model import Column
from runner.data.own.names import columns_of
from runner.data.own.order import TableFile
from runner.data.own.records import BATCH, Record, records
from runner.data.own.sources import RowFile
from runner.settings.loading import DELIMITED


@dataclass(frozen=True)
class Batch:
    """Records that have the same columns."""

    columns: tuple[Column, ...]
    records: Sequence[Record]


def batches(one: TableFile, *, folded: bool) -> Iterator[Batch]:
    """A file's records in order. Raises Refused for a column that the table does not have, and for what is not the format."""
    known: dict[tuple[str, ...], tuple[Column, ...]] = {}
    for named, several in groupby(records(one.file), key=lambda record: record.columns):
        while part := list(islice(several, BATCH)):
            if named not in known:
                line = named_at(one.file, part[0].line)
                known[named] = columns_of(one.file, one.table, named, line, folded=folded)
            yield Batch(known[named], part)


def named_at(file: RowFile, line: int) -> int | None:
    """The line that names the columns of a record: a file of values has one for all, or the settings name them."""
    if file.format in DELIMITED:
        return None if file.settings.columns else 1
    return line


def line_of(file: RowFile, number: int) -> int | None:
    """The line of a record by its number, from 1."""
    return next((record.line for record in islice(records(file), number - 1, number)), None)
