"""What the probes of keys that may occur only once share: which row is put in twice, and who refused it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checks.interface import Engine
from checks.probing.rules import CANDIDATES
from checks.rows import postgresql, sqlite
from checks.rows.judging import Dialect
from checks.rows.missing import NoValue, Read
from checks.rows.repeated import repeated
from checks.schema.model import Column, Index, Table
from checks.schema.names import ObjectKind, ObjectReference
from checks.targets import Refused, Verdict

_DIALECTS: Mapping[Engine, Dialect] = {Engine.POSTGRESQL: postgresql, Engine.SQLITE: sqlite}


def declared(index: Index) -> ObjectReference:
    """The constraint that an index stands for, or the index itself."""
    kind = ObjectKind.CONSTRAINT if index.constraint else ObjectKind.INDEX
    return ObjectReference(kind, index.table.schema, index.table.name, index.name)


def is_simple(index: Index) -> bool:
    """Whether every row is in the index, and its key is made of plain columns."""
    return index.predicate is None and None not in index.columns


def key(index: Index, table: Table, engine: Engine, number: int = 0) -> Mapping[str, str]:
    """The columns of a simple index with values that differ by ``number``. Raises NoValue."""
    columns = [table.column[name] for name in index.columns if name is not None]
    return {column.name: _value(column, engine, number) for column in columns}


def row_for(index: Index, table: Table, engine: Engine, read: Read) -> Mapping[str, Any]:
    """A row that is in the index, with no part of its key NULL. Raises NoValue and StatementFailed."""
    return key(index, table, engine) if is_simple(index) else repeated(index, table, _DIALECTS[engine], read)


def words(verdict: Verdict) -> str:
    """What came of a write, for a reason."""
    return f"{verdict.code} {verdict.said}" if isinstance(verdict, Refused) else f"{verdict.rows} rows"


def _value(column: Column, engine: Engine, number: int) -> str:
    found = CANDIDATES[engine](column)
    if not found:
        raise NoValue(f"type {column.type}")
    return found[min(number, len(found) - 1)]
