"""Parquet, read batch by batch through pyarrow, which the extra ``parquet`` brings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from runner.data.own.records import BATCH, Record
from runner.data.own.refusing import refused
from runner.data.own.sources import RowFile
from runner.errors import UsageError

if TYPE_CHECKING:
    from pyarrow import DataType, RecordBatch


def rows(file: RowFile) -> Iterator[Record]:
    """The rows of a file; ``line`` is a row's number. Raises Refused for what is no Parquet, UsageError without the extra."""
    for number, (columns, values) in enumerate(_rows(file), 1):
        yield Record(number, columns, values)


def _rows(file: RowFile) -> Iterator[tuple[tuple[str, ...], tuple[Any, ...]]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UsageError(
            f"{file.name}: reading Parquet needs pyarrow, which is not installed",
            'Install the extra: pip install "dbproof[parquet]".',
        ) from None
    try:
        with parquet.ParquetFile(file.path) as content:
            for batch in content.iter_batches(BATCH):
                plain = _to_microseconds(batch)
                columns = tuple(plain.schema.names)
                yield from ((columns, values) for values in zip(*(one.to_pylist() for one in plain.columns), strict=True))
    except (pyarrow.ArrowException, OSError, ValueError) as wrong:
        raise refused(file.name, None, f"is no Parquet that can be read: {_first_line(wrong)}") from None


def _to_microseconds(batch: RecordBatch) -> RecordBatch:
    """The batch with its times in microseconds, which is what databases hold. Raises ArrowInvalid where that loses something."""
    schema = batch.schema
    for at, field in enumerate(schema):
        if (kind := _coarser(field.type)) is not None:
            schema = schema.set(at, field.with_type(kind))
    return batch if schema is batch.schema else batch.cast(schema)


def _coarser(kind: DataType) -> DataType | None:
    import pyarrow
    from pyarrow import types

    if types.is_timestamp(kind) and kind.unit == "ns":
        return pyarrow.timestamp("us", kind.tz)
    if types.is_time64(kind) and kind.unit == "ns":
        return pyarrow.time64("us")
    return pyarrow.duration("us") if types.is_duration(kind) and kind.unit == "ns" else None


def _first_line(wrong: Exception) -> str:
    return str(wrong).partition("\n")[0]
