"""The state of a MariaDB database: its objects by ``information_schema``, and what its tables hold.

Tables are counted and digested by the server, in one scan each. Left out are the books of migration tools, where AUTO_INCREMENT
and sequences stand, and the privileges on the whole database, which are those of its owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from checks.reversals import Difference
from checks.schema.mariadb import plain_type
from checks.schema.mariadb import read as read_catalogue
from checks.schema.model import Catalogue
from checks.schema.names import ObjectKind, ObjectReference
from runner.errors import ServerFailed
from runner.servers.interface import Database, Server
from runner.servers.mariadb.sessions import quoted, rows, session
from runner.undoing import mariadb_objects as asked
from runner.undoing import mariadb_rows, relational
from runner.undoing.catalogued import objects, plain
from runner.undoing.relational import State, without_books

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: Nothing is undone from nothing: without a base no migration is new.
clear = None

_Facts = dict[str, str]
_Rows = Sequence[tuple[Any, ...]]


def read(database: Database, *, numbers: bool = False) -> State:
    """All objects and what every table holds; with ``numbers`` only how many rows. Raises ServerFailed."""
    with looking(database) as driver:
        rows(driver, "SET SESSION group_concat_max_len = 1000000")
        catalogue = read_catalogue(lambda query: rows(driver, query))
        contents = {table.name: mariadb_rows.content(driver, table, numbers) for table in catalogue.tables}
        return without_books(State(_objects(driver, catalogue), contents))


@contextmanager
def looking(database: Database) -> Iterator[Driver]:
    """A session of our own, closed at the end. Raises ServerFailed."""
    import pymysql

    try:
        with session(database.private) as driver:
            yield driver
    except pymysql.err.Error as error:
        raise ServerFailed(f"the state of database {database.name} could not be read: {error}") from None


def _objects(driver: Driver, catalogue: Catalogue) -> dict[ObjectReference, _Facts]:
    found: dict[ObjectReference, _Facts] = {}
    of_tables, of_columns = _of_tables(driver), _of_columns(driver)
    for table in catalogue.tables:
        name = table.name.name
        for reference, facts in objects(table, of_tables.get(name, {}), of_columns.get(name, {})):
            found[reference] = dict(facts)
    for key in [one for one in found if one.kind is ObjectKind.COLUMN]:
        found[key]["type"] = plain_type(found[key]["type"])
    _add(found, rows(driver, asked.INDEX_COMMENTS), ObjectKind.INDEX, "comment")
    for table_name, trigger, order, mode in rows(driver, asked.TRIGGERS):
        reference = ObjectReference(ObjectKind.TRIGGER, "", table_name, trigger)
        found.setdefault(reference, {}).update({"place": str(order), "mode": mode})
    found.update(_others(driver))
    _privileges(found, rows(driver, asked.PRIVILEGES))
    return found


def _of_tables(driver: Driver) -> dict[str, _Facts]:
    found = {}
    for name, kind, engine, form, collation, options, comment in rows(driver, asked.TABLES):
        found[name] = {
            "kind": "" if kind == "BASE TABLE" else kind.lower(),
            "engine": engine,
            "row format": form,
            "collation": collation,
            "options": options.replace("partitioned", "").strip(),
            "comment": comment,
        }
    for name, parts in rows(driver, asked.PARTITIONS):
        found[name]["partitions"] = parts
    return found


def _of_columns(driver: Driver) -> dict[str, dict[str, _Facts]]:
    found: dict[str, dict[str, _Facts]] = {}
    for table, column, collation, extra, comment in rows(driver, asked.COLUMNS):
        facts = {"collation": collation, "options": " ".join(extra.split(" ")).strip(), "comment": comment}
        found.setdefault(table, {})[column] = facts
    return found


def _add(found: dict[ObjectReference, _Facts], told: _Rows, kind: ObjectKind, fact: str) -> None:
    for table, name, value in told:
        reference = ObjectReference(kind, "", table, name)
        if reference in found:
            found[reference][fact] = value


def _others(driver: Driver) -> Iterator[tuple[ObjectReference, _Facts]]:
    for name, definition, check, security, algorithm in rows(driver, asked.VIEWS):
        facts = {"definition": plain(definition), "check option": check, "security": security, "algorithm": algorithm}
        yield ObjectReference(ObjectKind.VIEW, "", "", name), facts
    for kind, name, result, parameters, definition, sure, access, security, mode, comment in rows(driver, asked.ROUTINES):
        yield (
            ObjectReference(ObjectKind.FUNCTION, "", "", name),
            {
                "kind": kind.lower(),
                "definition": " ".join(f"({parameters}) {result} {definition or ''}".split()),
                "options": f"{sure} {access} {security} {mode}",
                "comment": comment,
            },
        )
    for name, *said in rows(driver, asked.EVENTS):
        *what, comment = (str(one) for one in said)
        reference = ObjectReference(ObjectKind.OTHER, "", "", f"event {name}")
        yield reference, {"definition": " ".join(" ".join(what).split()), "comment": comment}
    for (name,) in rows(driver, asked.SEQUENCES):
        query = "SELECT start_value, minimum_value, maximum_value, increment, cache_size, cycle_option FROM "
        counting = ", ".join(str(one) for one in rows(driver, query + quoted(name))[0])
        yield ObjectReference(ObjectKind.SEQUENCE, "", "", name), {"counting": counting}
    ((charset, collation, comment),) = rows(driver, asked.SETTINGS)
    of_all = {"character set": charset, "collation": collation, "comment": comment}
    yield ObjectReference(ObjectKind.OTHER, "", "", "settings of the database"), of_all


def _privileges(found: dict[ObjectReference, _Facts], told: _Rows) -> None:
    """Said of what they are on; on a view of the view."""
    for kind, table, name, who, what in sorted(told):
        on = ObjectReference(ObjectKind.TABLE, "", table)
        if kind == "column":
            on = ObjectReference(ObjectKind.COLUMN, "", table, name)
        elif kind == "routine":
            on = ObjectReference(ObjectKind.FUNCTION, "", "", name)
        if on not in found:
            on = ObjectReference(ObjectKind.VIEW, "", "", table)
        if on in found:
            before = found[on].get("privileges", "")
            found[on]["privileges"] = f"{before}, {who} {what}" if before else f"{who} {what}"


def differences(
    before: State, after: State, *, live: tuple[Database, Database] | None = None, numbers: bool = False
) -> tuple[Difference, ...]:
    """In what the later state differs. Raises ServerFailed."""
    return relational.differences(before, after, mariadb_rows.Compared(looking), live, numbers)


@contextmanager
def copied(database: Database, server: Server) -> Iterator[Database]:
    """A copy as it is now, on a second server. Raises ServerFailed."""
    with server.fork() as fork:
        yield fork.database(database.name)
