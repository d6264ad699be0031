"""The same of SQLite and MariaDB: each new migration below passes on an empty table, and meets a row that it cannot take."""

from __future__ import annotations

import re
import sqlite3

import pymysql
import pytest
import test_rows_for_mariadb as on_mariadb
import test_rows_for_sqlite as on_sqlite
from mariadb_judging import made as made_on_mariadb
from sqlite_judging import made

from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session

ROWS = 100
DDL = """
    CREATE TABLE tenants (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL);
    CREATE TABLE users (
        id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL, email VARCHAR(120){bin} NOT NULL UNIQUE, login VARCHAR(40) UNIQUE,
        nick VARCHAR(60){bin}, boss_id INTEGER, born DATE, ends_at DATETIME NOT NULL, role VARCHAR(9) NOT NULL,
        CHECK (role IN ('a', 'b', 'c')), FOREIGN KEY (tenant_id) REFERENCES tenants (id),
        FOREIGN KEY (boss_id) REFERENCES users (id)
    );
    CREATE TABLE projects (
        id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL, name VARCHAR(100) NOT NULL, number INTEGER NOT NULL,
        code TEXT NOT NULL, customer_id INTEGER NOT NULL, external INTEGER NOT NULL UNIQUE,
        UNIQUE (tenant_id, name), UNIQUE (tenant_id, number), FOREIGN KEY (tenant_id) REFERENCES tenants (id)
    );
    CREATE TABLE items (
        id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, place SMALLINT NOT NULL, price DECIMAL(12, 4) NOT NULL,
        big BIGINT NOT NULL, whole INTEGER NOT NULL, weight DOUBLE NOT NULL, label VARCHAR(50) NOT NULL, active BOOLEAN NOT NULL,
        CHECK (label <> ''), UNIQUE (project_id, place), FOREIGN KEY (project_id) REFERENCES projects (id)
    );
"""
#: Unique indexes that new migrations may want.
UNIQUE = (
    "users (nick)", "projects (name)", "projects (number)", "items (place)", "users (tenant_id)", "users (born)", "users (role)",
)  # fmt: skip
#: What a row must be there for.
SOME = (
    "users WHERE nick IS NULL", "users WHERE login IS NULL", "users WHERE boss_id IS NULL", "users WHERE born IS NULL",
    "items WHERE price = 0", "items WHERE whole = 0", "items WHERE price < 0", "items WHERE weight < 0", "items WHERE NOT active",
    "users WHERE nick = ''", "users WHERE length(nick) = 60", "projects WHERE length(code) > 255", "items WHERE label LIKE '% '",
    "users WHERE nick LIKE '%Mu\u0308ller'", "users WHERE role = 'a'", "users WHERE role = 'b'", "users WHERE role = 'c'",
    "items WHERE big > 2147483647", "items WHERE whole > 32767", "items WHERE round(price, 2) <> price",
    "items WHERE round(weight) <> weight", "projects WHERE code LIKE 'n%'", "users WHERE ends_at < '1971-01-01'",
    "users WHERE ends_at > '2100-01-01'", "users WHERE born = '2024-02-29'", "users WHERE ends_at NOT LIKE '%00:00:00'",
    "projects WHERE customer_id NOT IN (SELECT id FROM users)", "projects WHERE external NOT IN (SELECT id FROM users)",
)  # fmt: skip
SPELT = ("users (lower(email))", "users (trim(email))")


def test_what_only_rows_stop_is_stopped_on_sqlite() -> None:
    with made(DDL.format(bin="")) as (_, database):
        done = on_sqlite.filled(database, ROWS)
        assert {one.rows for one in done.values()} == {ROWS}, done
        for number, index in enumerate((*UNIQUE, *SPELT)):
            with pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE constraint failed|index 'i"):
                on_sqlite.asked(database, f"CREATE UNIQUE INDEX i{number} ON {index}")
        missed = [some for some in SOME if on_sqlite.asked(database, f"SELECT count(*) FROM {some}") == [(0,)]]
    assert missed == []


def test_what_only_rows_stop_is_stopped_on_mariadb(mariadb_server: MariadbServer) -> None:
    with made_on_mariadb(mariadb_server, DDL.format(bin=" COLLATE utf8mb4_nopad_bin")) as database:
        done = on_mariadb.filled(database, ROWS)
        assert {one.rows for one in done.values()} == {ROWS}, done
        wanted = [f"ALTER TABLE {re.sub(r' ', ' ADD UNIQUE ', index, count=1)}" for index in UNIQUE]
        wanted += ["ALTER TABLE users MODIFY nick VARCHAR(60) NOT NULL", "ALTER TABLE users MODIFY nick VARCHAR(50)"]
        wanted += ["ALTER TABLE items MODIFY big INTEGER", "ALTER TABLE items MODIFY whole SMALLINT"]
        wanted += [
            "ALTER TABLE projects MODIFY code INTEGER",
            "ALTER TABLE projects ADD FOREIGN KEY (external) REFERENCES users (id)",
        ]
        with session(database.private) as driver:
            for sql in wanted:
                with pytest.raises(pymysql.err.Error) as refused:
                    rows(driver, sql)
                assert refused.value.args[0] in (1062, 1264, 1265, 1292, 1366, 1406, 1452), sql
        missed = [some for some in SOME if on_mariadb.asked(database, f"SELECT count(*) FROM {some}") == [(0,)]]
        spelt = "count(*), count(DISTINCT email), count(DISTINCT lower(email)) < count(*), count(DISTINCT trim(email)) < count(*)"
        assert on_mariadb.asked(database, f"SELECT {spelt} FROM users") == [(ROWS, ROWS, 1, 1)]
    assert missed == []
