"""Trials on SQLite: with everything in place on real rows, and of some constraints alone on none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlite_judging import target

from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.targets import Accepted, Delete, Insert, Refused, Sandbox, StatementFailed, Update

USERS, ORDERS = TableName("", "users"), TableName("", "orders")
BUYER = ObjectReference(ObjectKind.CONSTRAINT, "", "orders", "buyer")
DDL = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT);
    CREATE UNIQUE INDEX named ON users (name) WHERE name IS NOT NULL;
    CREATE TABLE plans (id INTEGER PRIMARY KEY);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, total INT NOT NULL CONSTRAINT positive CHECK (total > 0),
        plan_id INT NOT NULL REFERENCES plans,
        buyer_id INT CONSTRAINT buyer REFERENCES users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO users VALUES (1, 'a', 'a'), (2, 'b', 'b');
    INSERT INTO plans VALUES (1);
    INSERT INTO orders VALUES (1, 5, 1, 1);
    CREATE TRIGGER stop BEFORE DELETE ON plans BEGIN SELECT RAISE(ROLLBACK, 'plans stay'); END;
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with target(DDL) as made, made.sandbox() as opened:
        yield opened


def counts(sandbox: Sandbox) -> list[tuple[int, ...]]:
    return [tuple(row) for row in sandbox.rows(text("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM orders)"))]


def test_a_trial_has_the_real_rows_and_keeps_what_is_written_until_it_ends(sandbox: Sandbox) -> None:
    with sandbox.trial() as trial:
        assert trial.write(Insert(USERS, {"id": 3, "email": "c"})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"total": 1, "plan_id": 1, "buyer_id": 3})) == Accepted(1)
        orphan = trial.write(Update(ORDERS, {"id": 2}, {"buyer_id": 99}))
        assert isinstance(orphan, Refused)
        assert orphan.code == "SQLITE_CONSTRAINT_FOREIGNKEY"
        stopped = trial.write(Delete(TableName("", "plans"), {"id": 1}))
        assert isinstance(stopped, Refused)
        assert stopped.said == "plans stay"
        assert trial.write(Delete(USERS, {"id": 1})) == Accepted(1)
        assert trial.rows(text("SELECT id, buyer_id FROM orders")) == [(2, 3)]
    assert counts(sandbox) == [(2, 1)]


def test_a_trial_of_a_reference_alone(sandbox: Sandbox) -> None:
    with sandbox.trial([BUYER], [ORDERS, USERS]) as trial:
        assert trial.rows(text("SELECT 1 FROM users UNION ALL SELECT 1 FROM orders")) == []
        orphan = trial.write(Insert(ORDERS, {"total": -1, "buyer_id": 7}))
        assert isinstance(orphan, Refused)
        assert (orphan.constraint, orphan.relation) == ("buyer", "orders")
        assert trial.write(Insert(USERS, {"id": 7})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"buyer_id": 7})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"buyer_id": 7})) == Accepted(1)
        assert trial.write(Delete(USERS, {"id": 7})) == Accepted(1)
        assert trial.rows(text("SELECT * FROM orders")) == []
    assert counts(sandbox) == [(2, 1)]


@pytest.mark.parametrize("only", [None, [BUYER]])
def test_a_part_of_a_trial_is_undone(sandbox: Sandbox, only: list[ObjectReference] | None) -> None:
    with sandbox.trial(only, [ORDERS, USERS]) as trial:
        trial.write(Insert(USERS, {"id": 7, "email": "g"}))
        with trial.undone():
            assert trial.write(Insert(ORDERS, {"total": 1, "plan_id": 1, "buyer_id": 7})) == Accepted(1)
        assert trial.rows(text("SELECT * FROM orders WHERE buyer_id = 7")) == []
        assert trial.write(Delete(USERS, {"id": 7})) == Accepted(1)


def test_a_trial_of_what_is_not_null_unique_or_checked(sandbox: Sandbox) -> None:
    email = ObjectReference(ObjectKind.COLUMN, "", "users", "email")
    with sandbox.trial([email]) as trial:
        missing = trial.write(Insert(USERS, {"email": None}))
    assert isinstance(missing, Refused)
    assert (missing.code, missing.relation, missing.column) == ("SQLITE_CONSTRAINT_NOTNULL", "users", "email")
    named = ObjectReference(ObjectKind.INDEX, "", "users", "named")
    for only, verdict in (([named], Refused), ([], Accepted)):
        with sandbox.trial(only, [USERS]) as trial:
            assert trial.write(Insert(USERS, {"name": "x"})) == Accepted(1)
            assert isinstance(trial.write(Insert(USERS, {"name": "x"})), verdict)
    positive = ObjectReference(ObjectKind.CONSTRAINT, "", "orders", "positive")
    with sandbox.trial([positive]) as trial:
        negative = trial.write(Insert(ORDERS, {"total": -1, "buyer_id": 99}))
        assert trial.write(Insert(ORDERS, {"total": 1, "buyer_id": 99})) == Accepted(1)
    assert isinstance(negative, Refused)
    assert (negative.constraint, negative.relation) == ("positive", "orders")


def test_what_is_not_there_cannot_be_tried_alone(sandbox: Sandbox) -> None:
    for kind in (ObjectKind.CONSTRAINT, ObjectKind.INDEX, ObjectKind.TRIGGER):
        with pytest.raises(StatementFailed), sandbox.trial([ObjectReference(kind, "", "orders", "nobody")]):
            pass
    assert counts(sandbox) == [(2, 1)]
