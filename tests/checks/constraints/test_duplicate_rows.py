"""duplicate-rows: what a unique index should have refused, and copies in tables without a key."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from judging import NO_EVIDENCE, NOTHING_EXPECTED, Judge, Judged, Query
from sqlite_judging import made

from checks.interface import Severity
from checks.registries.relational import RELATIONAL
from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session
from runner.servers.sqlite.sessions import connect
from runner.targets.sqlite import SqliteTarget

CHECK = "duplicate-rows"

USERS = """
    CREATE TABLE users (id int PRIMARY KEY, email text, tenant int, gone bool);
    INSERT INTO users VALUES (1, 'a', 1, false), (2, 'A', 1, false), (3, NULL, 1, false), (4, NULL, 1, false), (5, 'a', 2, true);
"""
#: Unique indexes that cannot be built upon these rows, with how many rows and values are against them.
REFUSED = {
    "(email)": (2, 1, ("email=a (2)",)),
    "(tenant, lower(email))": (2, 1, ("tenant=1, lower(email)=a (2)",)),
    "(email) NULLS NOT DISTINCT": (4, 2, ("email=a (2)", "email=NULL (2)")),
    "(tenant) WHERE NOT gone AND email LIKE '%'": (2, 1, ("tenant=1 (2)",)),
}
BUILT = ("(email) WHERE NOT gone", "(tenant, email, id)", "(id) INCLUDE (email)")


def test_what_hinders_an_index_that_failed_is_counted(judge: Judge, database: Database, query: Query) -> None:
    query(USERS)
    with session(database.private) as connection:
        for number, (index, _) in enumerate(REFUSED.items()):
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(f"CREATE UNIQUE INDEX CONCURRENTLY failed_{number} ON users {index}".encode())
        for number, index in enumerate(BUILT):
            connection.execute(f"CREATE UNIQUE INDEX built_{number} ON users {index}".encode())
    said = judge(CHECK)
    assert [(found.count, found.evidence["values"], tuple(sorted(found.values))) for found in said.findings] == [
        (rows, values, tuple(sorted(shown))) for rows, values, shown in REFUSED.values()
    ]
    assert sorted(said.proven) == ["users.built_0", "users.built_1"]  # those on numbers alone are believed
    first = said.findings[0]
    assert first.message == "2 rows of users share 1 value under failed_0, which is to be unique and whose build failed"
    assert query(first.remedy.removeprefix("List them with: ").split("; then")[0]) == [("a", 2)]
    query("DELETE FROM users WHERE id IN (2, 4, 5)")
    for found in said.findings:
        query(found.remedy.partition("and: ")[2])
    assert judge(CHECK).findings == []


def test_a_valid_index_on_text_is_not_believed(judge: Judge, query: Query) -> None:
    """As after a change of the system's collation: the index holds both rows, each where nobody looks for it."""
    query(f"{USERS} CREATE UNIQUE INDEX broken ON users (email) WHERE id < 0;")
    query("UPDATE pg_index SET indpred = NULL WHERE indexrelid = 'broken'::regclass")
    finding = judge(CHECK).finding
    assert finding.message == "2 rows of users share 1 value under broken, which is unique"
    assert finding.objects[0].name == "broken"


KEYLESS = """
    CREATE TABLE log (a int, b json, c point, "d %s" text);
    INSERT INTO log VALUES (1, '{}', '(1,2)', NULL), (1, '{}', '(1,2)', NULL), (1, '{}', '(1,2)', 'x'), (2, NULL, NULL, NULL),
        (2, NULL, NULL, NULL), (2, NULL, NULL, NULL);
    CREATE TABLE once (a int); INSERT INTO once VALUES (1), (2), (NULL);
    CREATE TABLE empty (a int); CREATE TABLE empty_too (a text UNIQUE);
"""


def test_copies_in_a_table_without_a_key_are_a_notice(judge: Judge, query: Query) -> None:
    said = judge(CHECK, KEYLESS)
    finding = said.finding
    assert (finding.subject, finding.severity, finding.count) == ("log", Severity.NOTICE, 5)
    assert finding.message == "5 rows of log, which has no key, are copies of 2 different ones"
    assert len(query(finding.remedy.removeprefix("List them with: ").split("; and")[0])) == 2
    assert said.proven == ["once"]
    assert said.gaps == {"empty": "no rows", "empty_too.empty_too_a_key": "no rows"}


def test_partitions_and_hostile_names(judge: Judge, query: Query) -> None:
    query("""
        CREATE SCHEMA "Ü"; CREATE TABLE "Ü"."a ""b"" %s" ("c;d" varchar(9));
        CREATE TABLE parts (id int, a text, PRIMARY KEY (id, a)) PARTITION BY LIST (id);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
        INSERT INTO parts VALUES (1, 'x'), (2, 'x'); INSERT INTO "Ü"."a ""b"" %s" VALUES ('y'), ('y');
    """)
    with pytest.raises(psycopg.errors.UniqueViolation):
        query('CREATE UNIQUE INDEX CONCURRENTLY "sel ect" ON "Ü"."a ""b"" %s" ("c;d")')
    said = judge(CHECK)
    assert (said.finding.subject, said.finding.values) == ('Ü.a "b" %s.sel ect', ("c;d=y (2)",))
    assert said.proven == ["parts.parts_pkey"]


def test_a_file_of_sqlite_that_was_written_past_its_index_is_found() -> None:
    """As by a program that knows nothing of the index, or by a disk that lost a page of it."""
    index = "CREATE INDEX by_email ON users (email COLLATE NOCASE);"
    with made(f"{USERS} {index} CREATE UNIQUE INDEX by_lower ON users (lower(id)); {KEYLESS}") as (server, database):
        with closing(connect(database.private)) as writing:
            writing.executescript("""
                PRAGMA writable_schema = on;
                UPDATE sqlite_master SET sql = replace(sql, 'CREATE INDEX', 'CREATE UNIQUE INDEX') WHERE name = 'by_email';
            """)
        with SqliteTarget(server, server.seal(database), database, NOTHING_EXPECTED, NO_EVIDENCE) as target:
            said = Judged(tuple(RELATIONAL[CHECK].run(target)))
    assert {found.subject: found.count for found in said.findings} == {"users.by_email": 3, "log": 5}
    assert said.findings[0].values == ("email=a (3)",)
    assert said.proven == ["users.sqlite_autoindex_users_1", "once"]
    assert said.gaps == {
        "users.by_lower": "over an expression",
        "empty": "no rows",
        "empty_too.sqlite_autoindex_empty_too_1": "no rows",
    }
