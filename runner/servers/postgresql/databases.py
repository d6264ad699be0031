"""What is done to databases of a PostgreSQL server, over a session of the superuser."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from runner.errors import ServerFailed

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

    Session = Connection[Any]

_PATIENCE = 10.0
_END: LiteralString = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


def run(connection: Session, statement: LiteralString, **parts: sql.Composable) -> None:
    """Execute a statement with identifiers and literals put into its named places."""
    connection.execute(sql.SQL(statement).format(**parts))


def make_role(connection: Session, name: str, password: str) -> None:
    """A role that may log in with this password; one that is there already gets the password."""
    there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb: LiteralString = "ALTER" if there else "CREATE"
    run(
        connection, f"{verb} ROLE {{role}} LOGIN PASSWORD {{password}}", role=sql.Identifier(name), password=sql.Literal(password)
    )


def make(connection: Session, name: str, owner: str) -> None:
    """A new database of this owner."""
    run(connection, "CREATE DATABASE {name} OWNER {owner}", name=sql.Identifier(name), owner=sql.Identifier(owner))


def drop(connection: Session, name: str) -> None:
    """Drop a database, ending the sessions in it."""
    run(connection, "DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=sql.Identifier(name))


def drop_role(connection: Session, name: str) -> None:
    """Drop a role that owns nothing any more."""
    run(connection, "DROP ROLE IF EXISTS {name}", name=sql.Identifier(name))


def owner_of(connection: Session, name: str) -> str | None:
    """The role that owns a database, or ``None`` where there is no such database."""
    found = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [name]).fetchone()
    return found[0] if found else None


def end_sessions(connection: Session, name: str) -> None:
    """End everybody else's sessions in a database and wait until they are gone; raises ServerFailed after 10 s."""
    deadline = time.monotonic() + _PATIENCE
    while connection.execute(_END, [name]).fetchall():
        if time.monotonic() > deadline:
            raise ServerFailed(f"sessions in database {name} did not end within {_PATIENCE:.0f} s", "See what they wait for.")
        time.sleep(0.005)


def shut(connection: Session, name: str, *, closed: bool) -> None:
    """Refuse connections to a database and make it a template, or undo both."""
    verb: LiteralString = "ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true"
    undo: LiteralString = "ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true IS_TEMPLATE false"
    run(connection, verb if closed else undo, name=sql.Identifier(name))


def copy(connection: Session, source: str, target: str) -> None:
    """Copy a sealed database, with what a copy loses: its owner, privileges, settings and limit of connections.

    By files, which beats the log from 15 on (before, there is no other way).
    """
    strategy: LiteralString = "STRATEGY file_copy" if connection.info.server_version >= 150000 else ""
    names = {"source": sql.Identifier(source), "target": sql.Identifier(target)}
    run(connection, f"CREATE DATABASE {{target}} TEMPLATE {{source}} {strategy}", **names)
    with connection.transaction():
        for statement in _RESTORE:
            connection.execute(statement, {"source": source, "target": target})


#: Rows of the catalogue as they are, because no statement says them exactly: grantors of privileges, lists among settings.
#: What a role's privileges hang on (``pg_shdepend``) comes along, so that DROP ROLE is refused in a clone as in the original.
_RESTORE: tuple[LiteralString, ...] = (
    """
    DELETE FROM pg_shdepend WHERE dbid = 0 AND classid = 'pg_database'::regclass
    AND objid = (SELECT oid FROM pg_database WHERE datname = %(target)s)
    """,
    """
    INSERT INTO pg_shdepend SELECT d.dbid, d.classid, t.oid, d.objsubid, d.refclassid, d.refobjid, d.deptype
    FROM pg_shdepend d JOIN pg_database s ON s.oid = d.objid AND s.datname = %(source)s, pg_database t
    WHERE t.datname = %(target)s AND d.dbid = 0 AND d.classid = 'pg_database'::regclass
    """,
    """
    INSERT INTO pg_db_role_setting SELECT t.oid, g.setrole, g.setconfig
    FROM pg_db_role_setting g JOIN pg_database s ON s.oid = g.setdatabase AND s.datname = %(source)s, pg_database t
    WHERE t.datname = %(target)s
    """,
    """
    UPDATE pg_database t SET datdba = s.datdba, datacl = s.datacl, datconnlimit = s.datconnlimit
    FROM pg_database s WHERE s.datname = %(source)s AND t.datname = %(target)s
    """,
)
