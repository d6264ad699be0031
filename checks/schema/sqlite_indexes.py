"""Reads the indexes of a SQLite table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from checks.schema.model import Index
from checks.schema.names import TableName
from checks.schema.sqlite_text import predicate_text
from checks.schema.sqlite_tokens import tokens

_ORIGINS = {"pk": "p", "u": "u"}


def indexes(connection: Connection, table: TableName, columns: Sequence[str]) -> Iterator[Index]:
    """The indexes of a table but that of its rowid; ``columns`` are the table's."""
    for name, unique, origin, partial, sql, number in connection.execute(text(INDEXES), {"table": table.name}).all():
        parts = connection.execute(text(_INDEX_COLUMNS), {"index": name}).all()
        yield Index(
            name=name,
            table=table,
            columns=tuple(column for column, _, _ in parts),
            unique=bool(unique),
            primary=origin == "pk",
            predicate=predicate_text(sql, columns) if partial else None,
            definition=sql or "",
            collations=tuple(collation.upper() for _, collation, _ in parts),
            keys=_keys(parts, sql),
            constraint=_ORIGINS.get(origin),
            number=number,
        )


def _keys(parts: Sequence[Sequence[Any]], sql: str | None) -> tuple[str, ...]:
    """Column, collation and direction. Where there is an expression all are one text, which is equal only as a whole."""
    if any(column is None for column, _, _ in parts):
        found = tokens(sql or "")
        start = next((place for place, token in enumerate(found) if token.keyword == "("), 0)
        return (" ".join(token.plain for token in found[start:]),)
    return tuple(f'"{column}" {collation.upper()} {"desc" if descending else "asc"}' for column, collation, descending in parts)


#: The indexes of a table, with what they stand for (``c`` a CREATE INDEX, ``u`` a UNIQUE, ``pk`` the primary key).
INDEXES = """
SELECT listed.name, listed."unique", listed.origin, listed.partial, master.sql, coalesce(master.rowid, 0)
FROM pragma_index_list(:table) AS listed LEFT JOIN sqlite_master AS master ON master.type = 'index' AND master.name = listed.name
ORDER BY listed.name
"""

_INDEX_COLUMNS = 'SELECT name, coll, "desc" FROM pragma_index_xinfo(:index) WHERE key = 1 ORDER BY seqno'
