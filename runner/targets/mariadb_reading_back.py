"""Has MariaDB take declared constraints, so that they are known in its own words, or why it refuses them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress

import pymysql

from checks.declared.candidates import CheckCandidate, UniqueCandidate
from checks.schema.mariadb import read
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.targets import ReadBack, StatementFailed
from runner.servers.mariadb.sessions import code_of, quoted, words_of
from runner.targets.mariadb_sessions import Session

Declared = Sequence[CheckCandidate | UniqueCandidate]


def read_back(session: Session, declared: Declared) -> Sequence[ReadBack]:
    """Each as the catalogue would have it, put upon an empty copy of its table in a database of our own, gone at the end."""
    beside = f"dbproof_{secrets.token_hex(4)}"
    with session.said_plainly():
        own = str(session.all("SELECT database()")[0][0])
        session.execute(f"CREATE DATABASE {quoted(beside)}")
        try:
            session.execute(f"USE {quoted(beside)}")
            refused = {number: said for number, one in enumerate(declared) if (said := _put(session, own, number, one))}
            catalogue = read(session.all)
        finally:
            with suppress(pymysql.err.Error, OSError):
                session.execute(f"USE {quoted(own)}")
                session.execute(f"DROP DATABASE {quoted(beside)}")
    return [refused.get(number) or _found(catalogue, number, one) for number, one in enumerate(declared)]


def _put(session: Session, own: str, number: int, one: CheckCandidate | UniqueCandidate) -> StatementFailed | None:
    copy, name = quoted(_name(number)), quoted(_constraint(number))
    if isinstance(one, UniqueCandidate) and (
        one.predicate or not one.nulls_distinct or any(part.expression for part in one.parts)
    ):
        return StatementFailed("MariaDB has unique keys of columns only, and of all rows")
    try:
        session.execute(f"CREATE TABLE {copy} LIKE {quoted(one.table.schema or own)}.{quoted(one.table.name)}")
        if isinstance(one, CheckCandidate):
            session.execute(f"ALTER TABLE {copy} ADD CONSTRAINT {name} CHECK ({one.expression}\n)")
        else:
            session.execute(f"ALTER TABLE {copy} ADD UNIQUE KEY {name} ({', '.join(quoted(part.text) for part in one.parts)})")
    except pymysql.err.Error as refusal:
        if not code_of(refusal):
            raise
        return StatementFailed(words_of(refusal), code_of(refusal))
    return None


def _found(catalogue: Catalogue, number: int, one: CheckCandidate | UniqueCandidate) -> ReadBack:
    copy = catalogue.table[TableName("", _name(number))]
    parts = copy.checks if isinstance(one, CheckCandidate) else copy.indexes
    return next(part for part in parts if part.name == _constraint(number))


def _name(number: int) -> str:
    return f"dbproof {number}"


def _constraint(number: int) -> str:
    return f"dbproof_{number}"
