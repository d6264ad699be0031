"""Milder rows: what the rows that migrations meet first are refused for, these take, as far as it lies in them."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import pymysql
import test_nasty_documents as documents
import test_nasty_rows as nasty
import test_nasty_rows_of_others as others
import test_rows_for_mariadb as on_mariadb
import test_rows_for_sqlite as on_sqlite
from mariadb_judging import made as made_on_mariadb
from psycopg import Connection
from pymongo.database import Database as Documents
from sound import violations
from sqlite_judging import made as made_on_sqlite
from test_generated_documents import TENANCY
from test_generated_rows import filled

from checks.rows.document_sets.wishes import DocumentWishes
from checks.rows.sets.wishes import Wishes
from checks.schema.mongodb import read
from runner.data.generated.mongodb import fillable, generate
from runner.servers.interface import Database, Server
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows
from runner.servers.mariadb.sessions import session as mariadb_session
from runner.servers.mongodb.sessions import session as mongo_session
from runner.servers.postgresql.sessions import session

ROWS = 100
MILD = Wishes(mild=ROWS)
#: What no rows of theirs are mild enough for: few parents, values of which there are few, a leap day, a second word.
STILL = {
    "unique over a reference", "partial unique", "a role fewer", "true alone", "a label fewer", "a day of February",
    "the second word",
}  # fmt: skip
#: Of the nasty ones those that are there all the same: there are few values, or it is everyday.
STAYS = {
    "items WHERE NOT active", *(f"users WHERE role = '{role}'" for role in "abc"), "items WHERE round(price, 2) <> price",
    "items WHERE round(weight) <> weight", "users WHERE ends_at NOT LIKE '%00:00:00'",
}  # fmt: skip


def test_what_stopped_at_rows_passes_on_milder_ones(server: Server, database: Database) -> None:
    made = filled(database, nasty.DDL, ROWS, wishes=MILD)
    assert {name: one.rows for name, one in made.items()} == dict.fromkeys(made, ROWS)
    assert violations(server, database) == []
    with session(database.private) as connection:
        assert {name for name, (sql, _) in nasty.REFUSED.items() if _is_refused(connection, sql)} == STILL


def _is_refused(connection: Connection[Any], sql: str) -> bool:
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.encode())
    except psycopg.Error:
        return True
    return False


def test_where_rules_bind_columns_rows_are_still_made(server: Server, database: Database) -> None:
    """NULL where a rule asks for it, values twice where there are few, a tenant for many."""
    ddl = """
        CREATE TABLE tenants (id smallint PRIMARY KEY);
        CREATE TABLE jobs (
            id int PRIMARY KEY, tenant_id int NOT NULL, one text, other text, CHECK ((one IS NULL) <> (other IS NULL)),
            low int NOT NULL, high int, CHECK (low < high), code char(1), sign varchar(4),
            size numeric(3, 2) NOT NULL CHECK (size > 1)
        );
    """
    made = filled(database, ddl, ROWS, wishes=Wishes(tenants=("tenant_id",), mild=ROWS))
    assert (made["tenants"].rows, made["jobs"].rows) == (ROWS, ROWS), made
    assert violations(server, database) == []
    with session(database.private) as connection:
        told = connection.execute(
            "SELECT count(high), count(DISTINCT sign), count(DISTINCT tenant_id) < count(*) FROM jobs"
        ).fetchone()
    assert told == (ROWS, ROWS, True)


def test_the_same_on_sqlite() -> None:
    with made_on_sqlite(others.DDL.format(bin="")) as (_, database):
        done = on_sqlite.filled(database, ROWS, wishes=MILD)
        assert {one.rows for one in done.values()} == {ROWS}, done
        taken = [index for index in (*others.UNIQUE, *others.SPELT) if _takes_on_sqlite(database, index)]
        there = {some for some in others.SOME if on_sqlite.asked(database, f"SELECT count(*) FROM {some}") != [(0,)]}
    assert taken == [one for one in (*others.UNIQUE, *others.SPELT) if one not in ("users (tenant_id)", "users (role)")]
    assert there == STAYS


def _takes_on_sqlite(database: Database, index: str) -> bool:
    try:
        on_sqlite.asked(database, f"CREATE UNIQUE INDEX one ON {index}")
    except sqlite3.IntegrityError:
        return False
    on_sqlite.asked(database, "DROP INDEX one")
    return True


def test_the_same_on_mariadb(mariadb_server: MariadbServer) -> None:
    with made_on_mariadb(mariadb_server, others.DDL.format(bin=" COLLATE utf8mb4_nopad_bin")) as database:
        done = on_mariadb.filled(database, ROWS, wishes=MILD)
        assert {one.rows for one in done.values()} == {ROWS}, done
        wanted = {
            "users": "ADD UNIQUE (nick), ADD UNIQUE (born), MODIFY nick VARCHAR(50) NOT NULL, MODIFY boss_id INTEGER NOT NULL",
            "projects": "ADD UNIQUE (name), MODIFY code INTEGER, ADD FOREIGN KEY (external) REFERENCES users (id)",
            "items": "ADD UNIQUE (place), MODIFY big INTEGER, MODIFY whole SMALLINT",
        }
        with mariadb_session(database.private) as driver:
            refused = [said for table, more in wanted.items() if (said := _refusal(driver, f"ALTER TABLE {table} {more}"))]
        assert refused == []
        there = {some for some in others.SOME if on_mariadb.asked(database, f"SELECT count(*) FROM {some}") != [(0,)]}
    assert there == STAYS


def _refusal(driver: Any, sql: str) -> str:
    try:
        rows(driver, sql)
    except pymysql.err.Error as refused:
        return str(refused)
    return ""


def test_the_same_of_documents(mongo_database: Database) -> None:
    with mongo_session(mongo_database.private) as client:
        db: Documents[dict[str, Any]] = client[mongo_database.name]
        people = db.create_collection("people", validator={"$jsonSchema": documents.PEOPLE})
        collections = read(db)
        wanted = dict.fromkeys(fillable(collections), ROWS)
        wishes = DocumentWishes(TENANCY.columns, mild=ROWS)
        (made,) = generate(mongo_database.private, collections, wanted, 1, wishes, lambda _: None)
        assert (made.rows, people.count_documents({})) == (ROWS, ROWS)
        assert {name for name, query in documents.SOME.items() if people.count_documents(query)} == {"new", "paid", "lost"}
        for field in ("name", "nick", "city", "whole", "born", "company", "price", "rate"):
            people.create_index(field, unique=True)
