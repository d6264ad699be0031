"""The target: what is filled, which clones are made, what may be written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import NO_EVIDENCE, NOTHING_EXPECTED, Query, target
from sqlalchemy import text

from checks.interface import Engine
from checks.schema.names import TableName
from checks.targets import Accepted, Insert, RelationalTarget, Role, StatementFailed
from runner.errors import ServerFailed, UsageError
from runner.servers.interface import Database, Server, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision
from runner.targets.postgresql import PostgresTarget

USERS = TableName("public", "users")


def databases(database: Database) -> set[str]:
    with session(replace(database.private, database="postgres")) as admin:
        return {name for (name,) in admin.execute("SELECT datname::text FROM pg_database").fetchall()}


def test_a_sealed_database_is_read_and_tried_on_clones_that_are_dropped(server: Server, database: Database) -> None:
    with session(database.private) as owner:
        owner.execute("CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1)")
    golden = server.seal(database)
    before = databases(database)
    with PostgresTarget(server, golden, database, NOTHING_EXPECTED, NO_EVIDENCE) as made:
        assert databases(database) == before
        assert made.filled == {USERS}
        assert len(databases(database)) == len(before) + 1
        with made.sandbox() as sandbox, made.rows() as reading:
            assert sandbox.attempt(Insert(USERS, {"id": 2})) == Accepted(1)
            assert reading.raw("SELECT * FROM users", 5) == [(1,)]
            assert reading.raw("SHOW log_min_duration_statement", 1) == [("-1",)]
        with made.sandbox() as sandbox:
            assert sandbox.rows(text("SELECT * FROM users")) == [(1,)]
        assert len(databases(database)) == len(before) + 2
    assert databases(database) == before


def test_filled_is_true_to_the_rows_without_any_statistics(server: Server, database: Database, query: Query) -> None:
    many = "".join(f"CREATE TABLE empty_{n} (id int);" for n in range(600))
    query(f"""
        {many}
        CREATE TABLE "o'n %s" (id int); INSERT INTO "o'n %s" VALUES (1);
        CREATE TABLE emptied (id int); INSERT INTO emptied VALUES (1); ANALYZE emptied; DELETE FROM emptied;
        CREATE TABLE above (id int); CREATE TABLE below () INHERITS (above); INSERT INTO below VALUES (1);
        CREATE TABLE whole (id int) PARTITION BY LIST (id);
        CREATE TABLE half PARTITION OF whole DEFAULT PARTITION BY LIST (id);
        CREATE TABLE part PARTITION OF half DEFAULT; INSERT INTO whole VALUES (1);
        CREATE TABLE bare (id int) PARTITION BY LIST (id);
    """)
    with target(server, database) as made:
        assert {table.name for table in made.filled} == {"o'n %s", "below", "whole", "half", "part"}


def test_no_tables_at_all(server: Server, database: Database) -> None:
    with target(server, database) as made:
        assert (made.filled, made.catalogue.tables) == (frozenset(), ())


def test_the_catalogue_is_read_once_and_leaves_out_what_it_is_told(server: Server, database: Database, query: Query) -> None:
    query("CREATE TABLE users (id int); CREATE TABLE history (id int)")
    leave_out = frozenset({TableName("public", "history")})
    with PostgresTarget(server, None, database, NOTHING_EXPECTED, NO_EVIDENCE, leave_out=leave_out) as made:
        assert [table.name for table in made.catalogue.tables] == [USERS]
        query("CREATE TABLE later (id int)")
        assert made.catalogue is made.catalogue


def test_reading_does_not_write(server: Server, database: Database, query: Query) -> None:
    query("CREATE TABLE users (id int)")
    with target(server, database) as made, made.rows() as reading:
        with pytest.raises(StatementFailed) as refused:
            reading.rows(text("INSERT INTO users VALUES (1) RETURNING id"))
        assert refused.value.code == "25006"
        assert reading.rows(text("SELECT id FROM users")) == []


def test_a_given_address_is_read_only_and_no_superuser_is_needed(database: Database, query: Query) -> None:
    query("CREATE TABLE users (id int); GRANT SELECT ON users TO public; INSERT INTO users VALUES (1)")
    url = database.addresses[Role.OWNER].url()
    with provision(Wanted(Engine.POSTGRESQL, url=url)) as given:
        read_from = given.database(database.name)
        with PostgresTarget(given, None, read_from, NOTHING_EXPECTED, NO_EVIDENCE) as made:
            assert made.filled == {USERS}
            with made.rows() as reading:
                assert reading.raw("SELECT current_user, current_setting('application_name')", 1) == [
                    (f"{database.name}_owner", "dbproof")
                ]
            with pytest.raises(UsageError) as refused, made.sandbox():
                pass
            assert "disposable" in refused.value.remedy


def test_an_address_where_nobody_answers(server: Server, database: Database) -> None:
    nowhere = replace(database, private=replace(database.private, host="/nowhere", password="s3cret-word"))
    with target(server, nowhere) as made, pytest.raises(ServerFailed) as failure:
        made.catalogue  # noqa: B018 - reading it is what fails
    assert "s3cret-word" not in f"{failure.value.message} {failure.value.remedy}"
    assert failure.value.remedy


def test_it_is_a_relational_target(server: Server, database: Database) -> None:
    made: RelationalTarget = PostgresTarget(server, None, database, NOTHING_EXPECTED, NO_EVIDENCE)
    assert made.engine is Engine.POSTGRESQL
