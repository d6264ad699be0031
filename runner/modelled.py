"""In what models that are printed as SQL differ from a database: one server writes both in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import psycopg
from psycopg import sql

from checks.drift import Drift, DriftKind, DriftOperation
from checks.reversals import Difference, DifferenceKind
from checks.schema.names import ObjectKind
from checks.targets import Role
from runner.migrations.printed_models import Printed
from runner.plan import Built
from runner.servers.interface import Database, Golden, Server
from runner.servers.postgresql.sessions import session
from runner.undoing import postgresql
from runner.undoing.relational import State

#: What all models are made of. The rest (functions, triggers, views) may be made by hand, and then only the database has it.
_KINDS = frozenset({ObjectKind.TABLE, ObjectKind.COLUMN, ObjectKind.CONSTRAINT, ObjectKind.INDEX, ObjectKind.TYPE})
#: What is the database's own, whoever made its tables: the schema public, its settings and extensions.
_OF_THE_DATABASE = frozenset({ObjectKind.SCHEMA, ObjectKind.EXTENSION, ObjectKind.OTHER})
#: Of what the database has in addition, what only few tools' models can say.
_BY_HAND = ("CHECK", "EXCLUDE")
_NAME = "models"


def compared(one: Built, role: Role, printed: Printed) -> Drift:
    """What differs, on a fork of the server. Raises ServerFailed."""
    with one.server.fork() as server:
        database = server.open(Golden(server.database(one.golden.database.name)))
        models = _empty(server, database)
        if refused := _refused(models, database, role, printed.sql):
            return Drift(printed.command, printed.write, gap=f"what `{printed.command}` prints is refused: {refused}")
        told, made = postgresql.read(models, numbers=True), postgresql.read(database, numbers=True)
        found = postgresql.differences(told, made, numbers=True)
        return Drift(printed.command, printed.write, tuple(_operations(found, made, printed)))


def _empty(server: Server, database: Database) -> Database:
    """A database beside it that belongs to the same owner."""
    models = server.create(_NAME if database.name != _NAME else f"{_NAME}_2")
    owner = database.addresses[Role.OWNER].user
    with session(models.private) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(models.name), sql.Identifier(owner)))
    return models


def _refused(models: Database, database: Database, role: Role, text: bytes) -> str:
    try:
        with session(replace(database.addresses[role], database=models.name)) as connection:
            connection.execute(text)
    except psycopg.Error as refused:
        return refused.diag.message_primary or str(refused)
    return ""


def _operations(found: tuple[Difference, ...], made: State, printed: Printed) -> Iterator[DriftOperation]:
    for one in found:
        if one.of.kind not in _OF_THE_DATABASE and not _is_by_hand(one, made):
            yield _operation(one, printed)


def _is_by_hand(one: Difference, made: State) -> bool:
    definition = made.objects.get(one.of, {}).get("definition", "")
    seldom = one.of.kind not in _KINDS or definition.startswith(_BY_HAND) or " WHERE " in definition
    return one.kind is DifferenceKind.EXTRA and seldom


def _operation(one: Difference, printed: Printed) -> DriftOperation:
    of = one.of
    table = of.relation if of.schema == "public" else f"{of.schema}.{of.relation}"
    label = ".".join(filter(None, (table, of.name)))
    words, kind = _words(one, f"{of.kind.value} {label}")
    place = printed.places.get(label) or printed.places.get(table)
    return DriftOperation(label, words, kind, place, (of,))


def _words(one: Difference, what: str) -> tuple[str, DriftKind]:
    if one.kind is DifferenceKind.MISSING:
        return f"{what} is in the models and not in the database", DriftKind.MISSING
    if one.kind is DifferenceKind.EXTRA:
        table = one.of.kind is ObjectKind.TABLE
        return f"no model has {what}", DriftKind.UNKNOWN_TABLE if table else DriftKind.UNKNOWN
    return f"{what} {one.words}", DriftKind.CHANGED
