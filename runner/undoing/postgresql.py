"""The state of a PostgreSQL database: every object as the server itself describes it, and what its tables hold.

About twenty queries, each of all objects of a kind, and one scan of each table that has rows. Left out are what belongs to
extensions (and with that dbproof's own recorder), the books of migration tools, and where sequences stand.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from checks.reversals import Difference
from checks.schema.names import ObjectKind, ObjectReference
from runner.errors import ServerFailed
from runner.servers.interface import Database, Server
from runner.servers.names import shortened
from runner.servers.postgresql import databases
from runner.servers.postgresql.sessions import session
from runner.undoing import postgresql_rows, relational
from runner.undoing.postgresql_objects import (
    COLUMNS,
    CONSTRAINTS,
    INDEXES,
    OWN_PARTS,
    POLICIES,
    RELATIONS,
    RULES,
    SCHEMAS,
    SEQUENCES,
    TRIGGERS,
    TYPES,
)
from runner.undoing.postgresql_rare import (
    DEFAULT_PRIVILEGES,
    EVENT_TRIGGERS,
    EXTENSIONS,
    FUNCTIONS,
    RARE,
    SETTINGS,
    STATISTICS,
    publications,
)
from runner.undoing.postgresql_sessions import looking
from runner.undoing.relational import State, without_books

if TYPE_CHECKING:
    from runner.undoing.postgresql_sessions import Session

#: Nothing is undone from nothing: what is applied before the first migration (roles, schemas) would be gone.
clear = None

_KINDS = {kind.value: kind for kind in ObjectKind}

_MEMBERS = "SELECT classid::bigint, objid::bigint FROM pg_depend WHERE deptype = 'e'"

_COMMENTS = """
SELECT classoid::bigint, objoid::bigint, objsubid, description, coalesce(attname, '')::text
FROM pg_description LEFT JOIN pg_attribute
  ON classoid = 'pg_class'::regclass AND attrelid = objoid AND attnum = objsubid AND objsubid > 0
WHERE objoid >= 16384 OR classoid = 'pg_namespace'::regclass
"""

#: An object's class, its number, and that of its column.
_Address = tuple[int, int, int]


@dataclass
class _Reading:
    """What has been read so far, by address too."""

    members: frozenset[tuple[int, int]]
    relation_class: int
    named: dict[_Address, ObjectReference] = field(default_factory=dict)
    facts: dict[ObjectReference, dict[str, str]] = field(default_factory=dict)
    owned: dict[ObjectReference, tuple[int, str]] = field(default_factory=dict)

    def take(self, row: tuple[Any, ...]) -> None:
        """Keep an object, unless an extension brought it or what it stands on."""
        classid, oid, subid, of, kind, schema, relation, name, facts = row
        if (classid, oid) in self.members or (self.relation_class, of) in self.members:
            return
        ours = _KINDS.get(kind)
        reference = ObjectReference(ours or ObjectKind.OTHER, schema, relation, name if ours else f"{kind} {name}")
        self.named[classid, oid, subid] = reference
        self.facts[reference] = {key: value for key, value in facts.items() if value not in (None, "")}
        if ours is ObjectKind.SEQUENCE and of:
            self.owned[reference] = of, facts["column"]

    def state(self) -> tuple[dict[ObjectReference, dict[str, str]], dict[ObjectReference, ObjectReference]]:
        """All objects, and what those that belong to a table's column go with."""
        tables = {oid: one for (classid, oid, subid), one in self.named.items() if classid == self.relation_class and not subid}
        within = {
            one: ObjectReference(ObjectKind.COLUMN, tables[of].schema, tables[of].relation, column)
            for one, (of, column) in self.owned.items()
            if of in tables
        }
        return self.facts, within


def read(database: Database, *, numbers: bool = False) -> State:
    """All objects and what every table holds; with ``numbers`` only how many rows. Raises ServerFailed."""
    with looking(database) as connection, connection.transaction():
        return state_of(connection, numbers=numbers)


def state_of(connection: Session, *, numbers: bool = False) -> State:
    """What a session sees, as :func:`looking` opens it, its own transaction included. Raises psycopg.Error."""
    objects, within = _objects(connection)
    return without_books(State(objects, postgresql_rows.contents(connection, numbers), within))


def _objects(connection: Session) -> tuple[dict[ObjectReference, dict[str, str]], dict[ObjectReference, ObjectReference]]:
    members = frozenset(connection.execute(_MEMBERS).fetchall())
    relations = connection.execute("SELECT 'pg_class'::regclass::oid::bigint").fetchone()
    reading = _Reading(members, relations[0] if relations else 0)
    usual = (SCHEMAS, RELATIONS, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, POLICIES, RULES, SEQUENCES, TYPES, FUNCTIONS)
    rare = (STATISTICS, EXTENSIONS, EVENT_TRIGGERS, DEFAULT_PRIVILEGES, SETTINGS, publications(connection.info.server_version))
    for query in (*usual, *rare, *RARE):
        for row in connection.execute(query):
            reading.take(row)
    _own_parts(connection, reading)
    _comments(connection, reading)
    return reading.state()


def _own_parts(connection: Session, reading: _Reading) -> None:
    for relation, column, facts in connection.execute(OWN_PARTS):
        of = reading.named.get((reading.relation_class, relation, 0))
        if of is not None:
            told = {f"{key} of column {column}": value for key, value in facts.items() if value not in (None, "")}
            reading.facts[of].update(told)


def _comments(connection: Session, reading: _Reading) -> None:
    """A comment on a column that is not an object of its own is its relation's."""
    for classid, oid, subid, text, column in connection.execute(_COMMENTS):
        own = reading.named.get((classid, oid, subid))
        of = reading.named.get((classid, oid, 0))
        if own is not None:
            reading.facts[own]["comment"] = text
        elif of is not None and column:
            reading.facts[of][f"comment on column {column}"] = text


def differences(
    before: State, after: State, *, live: tuple[Database, Database] | None = None, numbers: bool = False
) -> tuple[Difference, ...]:
    """In what the later state differs. Raises ServerFailed."""
    return relational.differences(before, after, postgresql_rows, live, numbers)


@contextmanager
def copied(database: Database, server: Server) -> Iterator[Database]:
    """A copy as it is now: by TEMPLATE, or where somebody is connected, on a fork of the server. Raises ServerFailed."""
    if _alone(database):
        with _cloned(database) as copy:
            yield copy
        return
    with server.fork() as fork:
        yield fork.database(database.name)


def _alone(database: Database) -> bool:
    with looking(database) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        found = connection.execute(query).fetchone()
    return found is not None and not found[0]


@contextmanager
def _cloned(database: Database) -> Iterator[Database]:
    import psycopg

    name = shortened(database.name, f"_{secrets.token_hex(4)}")
    elsewhere = replace(database.private, database="postgres")
    try:
        with session(elsewhere) as connection:
            databases.copy(connection, database.name, name)
        yield replace(database, name=name, private=replace(database.private, database=name), addresses={})
    except psycopg.Error as error:
        raise ServerFailed(f"database {database.name} could not be copied: {error}") from None
    finally:
        with session(elsewhere) as connection:
            databases.drop(connection, name)
