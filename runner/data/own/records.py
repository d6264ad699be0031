"""Records: what a file of any format holds for one table, with the line that each begins at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.data.own.sources import RowFile
from runner.settings.loading import Format

#: How many records go to a server at once.
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Record:
    """Values by column. ``line`` counts from 1: a text's line, else the number of the record."""

    line: int
    columns: tuple[str, ...]
    values: tuple[Any, ...]


def records(file: RowFile) -> Iterator[Record]:
    """The records of a file in order, one at a time. Raises Refused for what is not the format."""
    yield from _readers()[file.format](file)


def _readers() -> Mapping[Format, Callable[[RowFile], Iterator[Record]]]:
    from runner.data.own import delimited, json_files, parquet

    return {
        Format.CSV: delimited.read,
        Format.TSV: delimited.read,
        Format.JSONL: json_files.rows,
        Format.JSON: json_files.rows,
        Format.PARQUET: parquet.rows,
    }
