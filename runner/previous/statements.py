"""Statements of the previous release: from what its tests send, or from a file, in the form in which they can be prepared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checks.evidence import Statement
from runner.errors import UsageError
from runner.migrations import statements as sql
from runner.recorder.reading import LONGEST
from runner.servers.interface import Address
from runner.servers.postgresql.sessions import ours, session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.schema.model import Catalogue, Column, Table

#: So many different statements are prepared.
MOST = 20_000
#: What can be prepared at all; the rest is transaction control, settings, and schema that tests make for themselves.
_PREPARED = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(select|insert|update|delete|merge|values|with|table)\b", re.I | re.S)
#: Values stand in texts of clients that put them there themselves: quoted ones may be anybody's.
_QUOTED = re.compile(r"(?:\b[eE])?'(?:[^'\\]|''|\\.)*'|\$(\w*)\$.*?\$\1\$", re.S)


def prepared(recorded: Iterable[Statement]) -> list[str]:
    """The different statements that a server executed and that can be prepared, in their order."""
    return _different(part.text for one in recorded if len(one.text) < LONGEST for part in _parts(one.text))


def captured(root: Path, name: str, where: str) -> list[str]:
    """The statements of a file, one after the other as psql reads them. Raises UsageError where it cannot be read."""
    remedy = "Name a file of SQL statements in UTF-8, by its path from the root of the repository."
    try:
        text = (root / name).read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{where}: {name}: {error.strerror}", remedy) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: {name} is no UTF-8 (byte {error.start})", remedy) from None
    return _different(part.text for part in _parts(text))


def _parts(text: str) -> Iterator[sql.Statement]:
    return (part for part in sql.split(text) if isinstance(part, sql.Statement))


def _different(texts: Iterable[str]) -> list[str]:
    kept = dict.fromkeys(text for text in texts if _PREPARED.match(text))
    return list(kept)[:MOST]


def refusals(on: Address, texts: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """By statement the code and words of the server that does not understand it; nothing is executed. Raises psycopg.Error.

    The extended protocol's Parse does what PREPARE does (PostgreSQL documentation, "Message Flow", Extended Query).
    """
    from psycopg import pq

    refused: dict[str, tuple[str, str]] = {}
    with session(ours(on, "")) as connection:  # who is no superuser may not say what is logged
        for text in texts:
            result = connection.pgconn.prepare(b"", text.encode("utf-8", "replace"))
            if result.status != pq.ExecStatus.COMMAND_OK:
                code = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
                said = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
                refused[text] = (code.decode(), said.decode("utf-8", "replace"))
    return refused


def lacking(texts: Sequence[str], before: Catalogue, after: Catalogue) -> Mapping[str, tuple[str, str]]:
    """Inserts that name no value for a column that is NOT NULL without a default since; they are understood, and fail."""
    demanding = {table.name.name: new for table in after.tables if (new := _demanded(table, before))}
    found: dict[str, tuple[str, str]] = {}
    for text in texts if demanding else ():
        into, columns = _insert(text)
        missing = [name for name in demanding.get(into, ()) if name not in columns]
        if missing and columns:
            names = ", ".join(missing)
            found[text] = ("23502", f"{into}.{names} is NOT NULL without a default, and the statement gives no value for it")
    return found


def _demanded(table: Table, before: Catalogue) -> list[str]:
    """The columns of a table of base that an INSERT has to name since; a trigger might, and then none."""
    was = before.table.get(table.name)
    if was is None or table.triggers:
        return []
    known = {column.name for column in was.columns}
    free = {column.name for column in was.columns if column.nullable or _is_given(column)}
    return [
        one.name for one in table.columns if not (one.nullable or _is_given(one)) and (one.name in free or one.name not in known)
    ]


def _is_given(column: Column) -> bool:
    return bool(column.default or column.identity or column.generated)


def _insert(text: str) -> tuple[str, frozenset[str]]:
    """The table that an INSERT writes to and the columns that it names; nothing where it is none, or names none."""
    if "insert" not in text[:LONGEST].lower():
        return "", frozenset()
    import sqlglot
    from sqlglot import exp

    try:
        parsed = sqlglot.parse_one(text, dialect="postgres")
    except sqlglot.errors.SqlglotError:
        return "", frozenset()
    insert = parsed.find(exp.Insert)
    target = insert.this if insert is not None else None
    if not isinstance(target, exp.Schema):
        return "", frozenset()
    return target.this.name, frozenset(column.name for column in target.expressions)


def without_values(text: str) -> str:
    """A statement on one line without what stands in quotes."""
    return " ".join(_QUOTED.sub("'…'", text).split())
