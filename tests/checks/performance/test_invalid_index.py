"""invalid-index: what a failed build leaves behind, and what is only on its way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from judging import Judge, Query

from checks.evidence import Evidence, MigrationFailure
from runner.servers.interface import Database
from runner.servers.postgresql.sessions import session

CHECK = "invalid-index"
TABLE = "CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1, 'a'), (2, 'a');"


_UNTIL_IT_WAITS = """
    DO $$ BEGIN FOR _ IN 1 .. 3000 LOOP
        EXIT WHEN EXISTS (SELECT FROM pg_stat_progress_create_index WHERE index_relid <> 0 AND phase LIKE 'waiting%');
        PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
    END LOOP; END $$
"""


def _broken(query: Query, name: str = "users_email", table: str = "users (email)") -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        query(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table}")


def test_valid_indexes_are_proven(judge: Judge) -> None:
    assert judge(CHECK, f"{TABLE} CREATE INDEX ON users (email)").proven == ["users.users_email_idx", "users.users_pkey"]


def test_what_a_failed_build_leaves_is_found_and_the_remedy_settles_it(judge: Judge, query: Query) -> None:
    judge(CHECK, f'CREATE SCHEMA "S"; SET search_path = "S"; {TABLE}')
    _broken(query, '"by; ""email"', '"S".users (email)')
    finding = judge(CHECK).finding
    assert finding.subject == 'S.users.by; "email'
    assert finding.message == 'index by; "email of S.users is invalid: its build failed, and no query uses it'
    query('DELETE FROM "S".users WHERE id = 2')
    query(finding.remedy)
    assert judge(CHECK).findings == []


def test_what_a_failed_reindex_leaves_is_to_be_dropped(judge: Judge, query: Query) -> None:
    judge(CHECK, TABLE)
    _broken(query)
    with pytest.raises(psycopg.errors.UniqueViolation):
        query("REINDEX INDEX CONCURRENTLY users_email")
    left = next(finding for finding in judge(CHECK).findings if "_cc" in finding.subject)
    assert left.remedy.startswith("DROP INDEX CONCURRENTLY users_email_cc")
    query(left.remedy)
    assert judge(CHECK).finding.subject == "users.users_email"


def test_a_partitioned_index_that_lacks_a_part(judge: Judge, query: Query) -> None:
    ddl = """
        CREATE TABLE t (n int) PARTITION BY LIST (n); CREATE TABLE p PARTITION OF t FOR VALUES IN (1);
        CREATE INDEX whole ON ONLY t (n);
    """
    finding = judge(CHECK, ddl).finding
    assert finding.message == "index whole of t is invalid: not every partition has a valid part of it"
    query("CREATE INDEX part ON p (n); ALTER INDEX whole ATTACH PARTITION part")
    assert judge(CHECK).proven == ["t.whole"]


def test_an_index_that_is_being_built_is_not_judged(judge: Judge, query: Query, database: Database) -> None:
    judge(CHECK, TABLE)
    query("BEGIN; DELETE FROM users WHERE id = 2")  # CREATE INDEX CONCURRENTLY waits for whoever writes
    with ThreadPoolExecutor() as pool:
        building = pool.submit(_build, database)
        try:
            with session(database.private) as watching:
                watching.execute(_UNTIL_IT_WAITS.encode())
            assert judge(CHECK).gaps == {"users.users_email": "an index is being built"}
        finally:
            query("COMMIT")
        building.result(timeout=60)
    assert judge(CHECK).findings == []


def _build(database: Database) -> None:
    with session(database.private) as connection:
        connection.execute(b"CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email)")


def test_where_the_migrations_stopped_it_may_not_have_been_reached(judge: Judge, query: Query) -> None:
    judge(CHECK, TABLE)
    _broken(query)
    stopped = Evidence(failure=MigrationFailure("2", None, "", "23505", "could not create unique index"))
    assert judge(CHECK, evidence=stopped).gaps == {"users.users_email": "not valid when the migrations failed"}
