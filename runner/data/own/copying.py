"""Values as PostgreSQL's COPY takes them in its text format (the manual, "COPY", "Text Format")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from checks.schema.model import Column
from runner.data.own.records import Record

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
#: Bytes that go to the server at once.
_CHUNK = 1 << 16


def lines(records: Iterable[Record], columns: Sequence[Column], *, of_json: bool) -> Iterator[bytes]:
    """The records in the order of the columns, in chunks; a column that a record lacks is NULL."""
    parts: list[str] = []
    length = 0
    for record in records:
        held = dict(zip(record.columns, record.values, strict=True))
        parts.append("\t".join(_field(held.get(column.name), column, of_json) for column in columns) + "\n")
        length += len(parts[-1])
        if length >= _CHUNK:
            yield "".join(parts).encode()
            parts, length = [], 0
    yield "".join(parts).encode()


def _field(value: Any, column: Column, of_json: bool) -> str:  # noqa: ANN401 - whatever a file holds
    if value is None:
        return "\\N"
    if of_json and (column.base or column.type) in ("json", "jsonb"):
        return dumped(value).translate(_ESCAPES)
    if isinstance(value, list) and column.element is not None:
        return _array(value).translate(_ESCAPES)
    return plain(value).translate(_ESCAPES)


def plain(value: Any) -> str:  # noqa: ANN401 - whatever a file holds
    """A value as a text that its type's input takes."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"
    return dumped(value) if isinstance(value, dict | list) else str(value)


def dumped(value: Any) -> str:  # noqa: ANN401 - whatever a file holds
    """A value as JSON in which numbers keep their digits."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name, ensure_ascii=False)}: {dumped(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(dumped, value))}]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=plain)


def _array(values: list[Any]) -> str:
    return "{" + ",".join(_element(value) for value in values) + "}"


def _element(value: Any) -> str:  # noqa: ANN401 - whatever a file holds
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return _array(value)
    escaped = plain(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
