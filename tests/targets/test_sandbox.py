"""The sandbox: verdicts are the server's own, nothing stays, and one constraint can be asked alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Query, target
from sqlalchemy import text

from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.targets import Accepted, Delete, Insert, Refused, Role, Sandbox, StatementFailed, Update
from runner.servers.interface import Database, Server

USERS, ORDERS = TableName("public", "users"), TableName("public", "orders")
BUYER = ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "buyer")


@pytest.fixture
def sandbox(server: Server, database: Database, query: Query) -> Iterator[Sandbox]:
    query("""
        CREATE TABLE users (id int PRIMARY KEY, name text);
        CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, total int NOT NULL CHECK (total > 0),
            buyer_id int CONSTRAINT buyer REFERENCES users DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'b');
        INSERT INTO orders (total, buyer_id) VALUES (5, 1);
    """)
    with target(server, database) as made, made.sandbox() as opened:
        yield opened


def counts(sandbox: Sandbox) -> list[tuple[int, ...]]:
    return [tuple(row) for row in sandbox.rows(text("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders)"))]


def test_an_accepted_write_is_counted_and_undone(sandbox: Sandbox) -> None:
    assert sandbox.attempt(Insert(ORDERS, {"id": 7, "total": 1, "buyer_id": 1})) == Accepted(1)
    assert sandbox.attempt(Insert(TableName("public", "users"), {"id": "4"})) == Accepted(1)
    assert sandbox.attempt(Delete(USERS, {"name": "b"})) == Accepted(2)
    assert sandbox.attempt(Delete(USERS, {"id": 99})) == Accepted(0)
    assert counts(sandbox) == [(3, 1)]


def test_a_refused_write_names_its_constraint_and_the_sandbox_goes_on(sandbox: Sandbox) -> None:
    assert sandbox.attempt(Insert(ORDERS, {"total": -1})) == Refused(
        "23514", "orders_total_check", 'new row for relation "orders" violates check constraint "orders_total_check"', "orders"
    )
    missing = sandbox.attempt(Insert(ORDERS, {}))
    assert isinstance(missing, Refused)
    assert (missing.code, missing.constraint, missing.relation) == ("23502", "", "orders")
    assert sandbox.attempt(Insert(USERS, {"id": 5})) == Accepted(1)


def test_deferred_constraints_answer_at_once_and_stay_deferred(sandbox: Sandbox) -> None:
    orphan = Insert(ORDERS, {"total": 1, "buyer_id": 99})
    for _ in range(2):
        verdict = sandbox.attempt(orphan)
        assert isinstance(verdict, Refused)
        assert (verdict.code, verdict.constraint, verdict.relation) == ("23503", "buyer", "orders")
    used = sandbox.attempt(Delete(USERS, {"id": 1}))
    assert isinstance(used, Refused)
    assert used.constraint == "buyer"


def test_one_constraint_alone(sandbox: Sandbox) -> None:
    broken = Insert(ORDERS, {"id": 1, "total": -1, "buyer_id": 99})
    alone = sandbox.attempt(broken, only=BUYER)
    assert isinstance(alone, Refused)
    assert alone.constraint == "buyer"
    assert sandbox.attempt(Insert(ORDERS, {"id": 1, "total": -1, "buyer_id": 1}), only=BUYER) == Accepted(1)
    check = ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "orders_total_check")
    refused = sandbox.attempt(broken, only=check)
    assert isinstance(refused, Refused)
    assert refused.constraint == "orders_total_check"
    key = ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "orders_pkey")
    taken = sandbox.attempt(broken, only=key)
    assert isinstance(taken, Refused)
    assert taken.code == "23505"
    everything = sandbox.attempt(Insert(ORDERS, {"total": None}))
    assert isinstance(everything, Refused)
    assert everything.code == "23502"


@pytest.mark.parametrize(
    "only",
    [
        ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "nobody"),
        ObjectReference(ObjectKind.INDEX, "public", "orders", "orders_pkey"),
    ],
)
def test_what_cannot_be_isolated_is_no_verdict(sandbox: Sandbox, only: ObjectReference) -> None:
    with pytest.raises(StatementFailed):
        sandbox.attempt(Insert(ORDERS, {"total": 1}), only=only)
    assert sandbox.attempt(Insert(ORDERS, {"total": 1})) == Accepted(1)


def test_a_failed_query_does_not_end_the_sandbox(sandbox: Sandbox) -> None:
    with pytest.raises(StatementFailed) as failure:
        sandbox.rows(text("SELECT 1 / 0"))
    assert failure.value.code == "22012"
    assert counts(sandbox) == [(3, 1)]


def test_a_lost_session_is_no_verdict(sandbox: Sandbox, query: Query) -> None:
    ((pid,),) = sandbox.rows(text("SELECT pg_backend_pid()"))
    query(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(StatementFailed):
        sandbox.attempt(Insert(USERS, {"id": 4}))


def test_nothing_stays_when_the_sandbox_is_closed(server: Server, database: Database, query: Query) -> None:
    query("CREATE TABLE users (id int PRIMARY KEY)")
    with target(server, database) as made:
        with made.sandbox() as sandbox:
            sandbox.attempt(Insert(USERS, {"id": 1}))
            sandbox.rows(text("INSERT INTO users VALUES (2) RETURNING id"))
        with made.sandbox() as sandbox:
            assert sandbox.rows(text("SELECT * FROM users")) == []
    assert query("SELECT count(*) FROM pg_event_trigger WHERE evtenabled <> 'D'")[0][0] > 0


def test_as_the_owner(server: Server, database: Database, query: Query) -> None:
    query("CREATE TABLE users (id int PRIMARY KEY)")
    with target(server, database) as made, made.sandbox(Role.OWNER) as sandbox:
        refused = sandbox.attempt(Insert(USERS, {"id": 1}))
    assert isinstance(refused, Refused)
    assert refused.code == "42501"


def test_partitions_answer_in_the_name_of_what_was_declared(server: Server, database: Database, query: Query) -> None:
    query("""
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE orders (at int, buyer_id int) PARTITION BY LIST (at);
        CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
        ALTER TABLE orders_1 ADD CONSTRAINT other FOREIGN KEY (buyer_id) REFERENCES users;
        ALTER TABLE orders ADD CONSTRAINT buyer FOREIGN KEY (buyer_id) REFERENCES users;
    """)
    with target(server, database) as made, made.sandbox() as sandbox:
        verdicts = [
            sandbox.attempt(Insert(ORDERS, {"at": 1, "buyer_id": 5})),
            sandbox.attempt(Insert(TableName("public", "orders_1"), {"buyer_id": 5}), only=BUYER),
        ]
        nowhere = sandbox.attempt(Insert(ORDERS, {"at": 2}))
    assert [(said.constraint, said.relation) for said in verdicts if isinstance(said, Refused)] == [("buyer", "orders")] * 2
    assert isinstance(nowhere, Refused)
    assert (nowhere.code, nowhere.constraint) == ("23514", "")


def test_a_trial_keeps_what_is_written_until_it_ends(sandbox: Sandbox) -> None:
    with sandbox.trial() as trial:
        assert trial.write(Insert(USERS, {"id": 4, "name": "d"})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"total": 1, "buyer_id": 4})) == Accepted(1)
        refused = trial.write(Update(USERS, {"id": 4}, {"id": 5}))
        assert isinstance(refused, Refused)
        assert (refused.code, refused.constraint) == ("23503", "buyer")
        assert trial.write(Update(USERS, {"id": 3, "name": "b"}, {"id": 6, "name": "c"})) == Accepted(1)
        with pytest.raises(StatementFailed):
            trial.rows(text("SELECT 1 / 0"))
        assert trial.rows(text("SELECT id, name FROM users ORDER BY id")) == [(1, "a"), (2, "b"), (4, "d"), (6, "c")]
    assert counts(sandbox) == [(3, 1)]


def test_a_trial_of_a_reference_has_its_child_and_its_parent_alone(sandbox: Sandbox) -> None:
    with sandbox.trial([BUYER], [ORDERS, USERS]) as trial:
        assert trial.rows(text("SELECT FROM users UNION ALL SELECT FROM orders")) == []
        assert trial.write(Insert(USERS, {"id": 1})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"buyer_id": 1})) == Accepted(1)
        refused = trial.write(Delete(USERS, {"id": 1}))
        assert isinstance(refused, Refused)
        assert (refused.constraint, refused.relation) == ("buyer", "orders")
    assert counts(sandbox) == [(3, 1)]


def test_a_part_of_a_trial_is_undone(sandbox: Sandbox) -> None:
    with sandbox.trial([BUYER], [ORDERS, USERS]) as trial:
        trial.write(Insert(USERS, {"id": 1}))
        with trial.undone():
            trial.write(Insert(ORDERS, {"buyer_id": 1}))
            assert isinstance(trial.write(Delete(USERS, {"id": 1})), Refused)
        assert trial.write(Delete(USERS, {"id": 1})) == Accepted(1)


def test_a_trial_of_nothing_leaves_columns_and_types(sandbox: Sandbox) -> None:
    with sandbox.trial([], [ORDERS]) as trial:
        for _ in range(2):
            assert trial.write(Insert(ORDERS, {"id": 1, "total": None, "buyer_id": 99})) == Accepted(1)
        assert isinstance(trial.write(Insert(ORDERS, {"total": "many"})), Refused)


def test_a_trial_of_what_is_not_null(sandbox: Sandbox) -> None:
    total = ObjectReference(ObjectKind.COLUMN, "public", "orders", "total")
    with sandbox.trial([total]) as trial:
        assert trial.write(Insert(ORDERS, {"total": -1})) == Accepted(1)
        refused = trial.write(Insert(ORDERS, {}))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.relation, refused.column) == ("23502", "orders", "total")


def test_a_trial_of_unique_indexes(server: Server, database: Database, query: Query) -> None:
    query("""
        CREATE TABLE orders (id int PRIMARY KEY, code text, note text CHECK (note <> ''));
        CREATE UNIQUE INDEX code ON orders (code) WHERE note IS NULL;
        CREATE UNIQUE INDEX ON orders (note);
    """)
    code = ObjectReference(ObjectKind.INDEX, "public", "orders", "code")
    with target(server, database) as made, made.sandbox() as sandbox, sandbox.trial([code]) as trial:
        assert trial.write(Insert(ORDERS, {"code": "a"})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"code": "a", "note": ""})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"code": "b", "note": ""})) == Accepted(1)
        refused = trial.write(Insert(ORDERS, {"code": "a"}))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.constraint) == ("23505", "code")


@pytest.mark.parametrize(
    ("by", "bounds"), [("RANGE", "FROM (0) TO (9)"), ("LIST", "IN (1)"), ("HASH", "WITH (MODULUS 2, REMAINDER 0)")]
)
def test_a_partitioned_table_takes_any_row_of_a_trial(
    server: Server, database: Database, query: Query, by: str, bounds: str
) -> None:
    query(f"""
        CREATE TABLE users (id int PRIMARY KEY) PARTITION BY {by} (id);
        CREATE TABLE users_1 PARTITION OF users FOR VALUES {bounds};
        CREATE TABLE orders (at int NOT NULL, buyer_id int CONSTRAINT buyer REFERENCES users ON DELETE CASCADE)
            PARTITION BY {by} (at);
        CREATE TABLE orders_1 PARTITION OF orders FOR VALUES {bounds};
        {"" if by == "HASH" else "CREATE TABLE orders_d PARTITION OF orders DEFAULT"};
    """)
    if by != "HASH":
        query("INSERT INTO users VALUES (1); INSERT INTO orders VALUES (5, 1)")
    with target(server, database) as made, made.sandbox() as sandbox, sandbox.trial([BUYER], [ORDERS, USERS]) as trial:
        assert trial.write(Insert(USERS, {"id": 77})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"buyer_id": 77})) == Accepted(1)
        assert trial.write(Delete(USERS, {"id": 77})) == Accepted(1)
        assert trial.rows(text("SELECT * FROM orders")) == []
