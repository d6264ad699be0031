"""Reads the indexes of a SQLite table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from checks.schema.model import Index
from checks.schema.names import TableName
from checks.schema.sqlite_tokens import Token, tokens

_ORIGINS = {"pk": "p", "u": "u"}
#: What asks for a value that is there, in SQLite's three ways.
_NOT_NULL = (("IS", "NOT", "NULL"), ("NOT", "NULL"), ("NOTNULL",))


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


def predicate_text(sql: str, columns: Sequence[str] = ()) -> str | None:
    """The condition of a partial index; one that only leaves out NULLs in the form ``"a" IS NOT NULL AND "b" IS NOT NULL``.

    Names in that form are spelled as in ``columns``.
    """
    found = tokens(sql)
    depth = 0
    for number, token in enumerate(found):
        depth += (token.text == "(") - (token.text == ")") if token.kind == "other" else 0
        if token.keyword == "WHERE" and not depth:
            return _without_nulls(found[number + 1 :], columns) or sql[token.end :].strip()
    return None


def _without_nulls(condition: Sequence[Token], columns: Sequence[str]) -> str | None:
    spelled = {column.lower(): column for column in columns}
    names: list[str] = []
    rest = [token for token in condition if token.keyword not in ("(", ")")]
    while rest:
        name, rest = rest[0], rest[1:]
        words = [token.keyword for token in rest[:3]]
        length = next((len(form) for form in _NOT_NULL if tuple(words[: len(form)]) == form), 0)
        if name.kind not in ("word", "name", "string") or not length or (rest[length:] and rest[length].keyword != "AND"):
            return None
        names.append(spelled.get(name.name.lower(), name.name))
        rest = rest[length + 1 :]
    return " AND ".join('"{}" IS NOT NULL'.format(name.replace('"', '""')) for name in names) or None


#: The indexes of a table, with what they stand for (``c`` a CREATE INDEX, ``u`` a UNIQUE, ``pk`` the primary key).
INDEXES = """
SELECT listed.name, listed."unique", listed.origin, listed.partial, master.sql, coalesce(master.rowid, 0)
FROM pragma_index_list(:table) AS listed LEFT JOIN sqlite_master AS master ON master.type = 'index' AND master.name = listed.name
ORDER BY listed.name
"""

_INDEX_COLUMNS = 'SELECT name, coll, "desc" FROM pragma_index_xinfo(:index) WHERE key = 1 ORDER BY seqno'
