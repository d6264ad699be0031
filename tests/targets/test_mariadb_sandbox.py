"""Trials on MariaDB: with everything in place on real rows, or of some constraints alone beside the tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from mariadb_judging import target
from sqlalchemy import func, select, table

from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.targets import Accepted, Delete, Insert, Refused, Sandbox, StatementFailed, Update
from runner.errors import UsageError
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows, session
from runner.targets.mariadb import MariadbTarget

DDL = """
    CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(9) NOT NULL UNIQUE CHECK (email LIKE '%@%'));
    CREATE TABLE `or``ders %s` (
        id INT PRIMARY KEY AUTO_INCREMENT, buyer INT NOT NULL, total INT NOT NULL,
        CONSTRAINT `k ``%s` FOREIGN KEY (buyer) REFERENCES users (id) ON DELETE CASCADE, CONSTRAINT `c 'x"` CHECK (total > 0)
    );
    CREATE TABLE old (id INT PRIMARY KEY) ENGINE = MyISAM;
    CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW SET NEW.email = lower(NEW.email);
    INSERT INTO users VALUES (1, 'a@x');
    INSERT INTO `or``ders %s` VALUES (1, 1, 5);
"""
USERS, ORDERS = TableName("", "users"), TableName("", "or`ders %s")
KEY = ObjectReference(ObjectKind.CONSTRAINT, "", ORDERS.name, "k `%s")


@pytest.fixture(scope="module")
def tried(mariadb_server: MariadbServer) -> Iterator[MariadbTarget]:
    with target(mariadb_server, DDL) as found:
        yield found


@pytest.fixture
def sandbox(tried: MariadbTarget) -> Iterator[Sandbox]:
    with tried.sandbox() as opened:
        yield opened


def count(sandbox: Sandbox, name: TableName) -> int:
    return int(sandbox.rows(select(func.count()).select_from(table(name.name)))[0][0])


def test_writes_see_those_before_and_all_are_undone(sandbox: Sandbox) -> None:
    with sandbox.trial() as trial:
        assert trial.write(Insert(USERS, {"id": 2, "email": "B@X"})) == Accepted(1)
        assert trial.rows(select(func.count()).select_from(table("users"))) == [(2,)]
        assert isinstance(trial.write(Insert(ORDERS, {"buyer": 9, "total": 1})), Refused)
        with trial.undone():
            assert trial.write(Delete(USERS, {"id": 1})) == Accepted(1)
            assert trial.rows(select(func.count()).select_from(table(ORDERS.name))) == [(0,)]
        assert trial.write(Update(ORDERS, {"id": 1}, {"buyer": 2})) == Accepted(1)
    assert (count(sandbox, USERS), count(sandbox, ORDERS)) == (1, 1)


def test_each_kind_of_refusal_names_what_refused(sandbox: Sandbox) -> None:
    with sandbox.trial() as trial:
        said = [
            trial.write(one)
            for one in (
                Insert(ORDERS, {"buyer": 9, "total": 1}),
                Insert(ORDERS, {"buyer": 1, "total": 0}),
                Insert(ORDERS, {"buyer": 1, "total": None}),
                Insert(ORDERS, {"buyer": 1}),
                Insert(USERS, {"id": 1, "email": "c@x"}),
                Insert(USERS, {"id": 3, "email": "A@x"}),
                Insert(USERS, {"id": 3, "email": "none"}),
            )
        ]
    refused = [(one.code, one.constraint, one.relation, one.column) for one in said if isinstance(one, Refused)]
    assert refused == [
        ("1452", "k `%s", ORDERS.name, ""),
        ("4025", "c 'x\"", ORDERS.name, ""),
        ("1048", "", ORDERS.name, "total"),
        ("1364", "", ORDERS.name, "total"),
        ("1062", "PRIMARY", "users", ""),
        ("1062", "email", "users", ""),
        ("4025", "email", "users", ""),
    ]


def test_one_constraint_alone_answers_and_its_parents_are_the_real_ones(sandbox: Sandbox) -> None:
    with sandbox.trial([KEY]) as trial:
        assert trial.write(Insert(ORDERS, {"buyer": 1})) == Accepted(1), "no CHECK, NOT NULL or key asks anything"
        answer = trial.write(Insert(ORDERS, {"buyer": 2}))
        assert isinstance(answer, Refused)
        assert (answer.code, answer.constraint, answer.relation) == ("1452", KEY.name, ORDERS.name)
        assert trial.rows(select(func.count()).select_from(table(ORDERS.name))) == [(1,)]
        assert trial.rows(select(func.count()).select_from(table("users"))) == [(1,)], "tables of others are read where they are"
    assert count(sandbox, ORDERS) == 1


def test_a_parent_of_the_trial_is_empty_and_rules_are_carried_out(sandbox: Sandbox) -> None:
    with sandbox.trial([KEY], [USERS, ORDERS]) as trial:
        assert trial.write(Insert(USERS, {"id": 7})) == Accepted(1)
        assert trial.write(Insert(ORDERS, {"buyer": 7})) == Accepted(1)
        assert trial.write(Delete(USERS, {"id": 7})) == Accepted(1)
        assert trial.rows(select(func.count()).select_from(table(ORDERS.name))) == [(0,)]
    assert count(sandbox, USERS) == 1


def test_what_cannot_be_tried_is_said(sandbox: Sandbox) -> None:
    with (
        pytest.raises(StatementFailed, match="no constraint nowhere"),
        sandbox.trial([KEY.__class__(KEY.kind, "", "users", "nowhere")]),
    ):
        pass
    with sandbox.trial() as trial, pytest.raises(StatementFailed, match="MyISAM, which undoes nothing"):
        trial.write(Insert(TableName("", "old"), {"id": 1}))
    assert count(sandbox, TableName("", "old")) == 0


def test_a_session_that_reads_cannot_write_and_a_given_database_has_no_sandbox(
    tried: MariadbTarget, mariadb_server: MariadbServer
) -> None:
    with tried.rows() as session, pytest.raises(StatementFailed, match="READ ONLY transaction"):
        session.raw("DELETE FROM users", 1)
    with tried.rows() as session:
        assert session.raw("SELECT seq FROM seq_1_to_1000000 -- no end", 3) == [(1,), (2,), (3,)]
        assert session.raw("SELECT '100%', x'ff00', 1.50, DATE '2024-01-02', NULL", 5)[0][0] == "100%"
        assert [str(value) for value in session.raw("SELECT x'ff', 1.50, DATE '2024-01-02'", 1)[0]] == [
            "\\xff",
            "1.50",
            "2024-01-02",
        ]
    made = tried._database
    with (
        MariadbTarget(mariadb_server, None, made, tried.expect, tried.evidence) as given,
        pytest.raises(UsageError, match="its address was given"),
        given.sandbox(),
    ):
        pass


def test_whoever_still_reads_is_ended_with_the_target(tried: MariadbTarget, mariadb_server: MariadbServer) -> None:
    made, said, ready = tried._database, list[str](), Event()
    target_ = MariadbTarget(mariadb_server, None, made, tried.expect, tried.evidence)

    def read() -> None:
        with target_.rows() as reading:
            ready.set()
            try:
                reading.raw("SELECT sleep(600)", 1)
            except StatementFailed as failure:
                said.append(failure.said)

    with ThreadPoolExecutor(1) as pool, target_:
        pool.submit(read)
        assert ready.wait(30)
        deadline = time.monotonic() + 30
        with session(made.private) as driver:
            while not rows(driver, "SELECT id FROM information_schema.processlist WHERE info = 'SELECT sleep(600)'"):
                assert time.monotonic() < deadline
    assert len(said) == 1
