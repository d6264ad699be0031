"""References that hold by their numbers: whatever is said to hold has no orphan, and what could hide one is not said to hold."""

from __future__ import annotations

import pytest
from judging import Query, target

from checks.sql.spans import held
from runner.servers.interface import Database, Server

HOLDS = {
    "every number is there": "INSERT INTO p SELECT generate_series(1, 9); INSERT INTO c VALUES (1), (9), (NULL)",
    "no child says anything": "INSERT INTO p VALUES (5); INSERT INTO c VALUES (NULL)",
    "numbers below nothing": "INSERT INTO p SELECT generate_series(-3, 3); INSERT INTO c VALUES (-3), (0)",
}
OPEN = {
    "a number in between is missing": "INSERT INTO p VALUES (1), (3); INSERT INTO c VALUES (1), (3)",
    "a child goes further": "INSERT INTO p VALUES (1), (2); SET session_replication_role = replica; INSERT INTO c VALUES (3)",
    "a child begins before": "INSERT INTO p VALUES (1), (2); SET session_replication_role = replica; INSERT INTO c VALUES (0)",
    "there is no parent": "INSERT INTO c VALUES (NULL)",
    "what inherits is no parent": "CREATE TABLE q () INHERITS (p); INSERT INTO p VALUES (1); INSERT INTO q VALUES (2); "
    "SET session_replication_role = replica; INSERT INTO c VALUES (2)",
}
TABLES = "CREATE TABLE p (id bigint PRIMARY KEY); CREATE TABLE c (p_id integer REFERENCES p);"


@pytest.mark.parametrize("case", [*HOLDS, *OPEN])
def test_a_reference_holds_where_no_key_is_missing_between(server: Server, database: Database, query: Query, case: str) -> None:
    query(f"{TABLES} {(HOLDS | OPEN)[case]}")
    with target(server, database) as found, found.rows() as session:
        keys = found.catalogue.foreign_keys
        assert held(keys, found.catalogue, session.rows) == (frozenset(keys) if case in HOLDS else frozenset())


def test_numbers_with_a_fraction_and_keys_of_several_columns_are_left_alone(
    server: Server, database: Database, query: Query
) -> None:
    query(
        """
        CREATE TABLE p (id numeric PRIMARY KEY, a integer, b integer, UNIQUE (a, b));
        CREATE TABLE c (p_id numeric REFERENCES p, a integer, b integer, FOREIGN KEY (a, b) REFERENCES p (a, b));
        INSERT INTO p VALUES (1, 1, 1), (2, 2, 2); INSERT INTO c VALUES (1, 1, 1);
        """
    )
    with target(server, database) as found, found.rows() as session:
        assert held(found.catalogue.foreign_keys, found.catalogue, session.rows) == frozenset()
