"""lost-rows: rows of a table that is still there, and where they went."""

from __future__ import annotations

from dataclasses import replace

from judging import Judge, Judged

from checks.evidence import Evidence, Place, Statement
from checks.interface import Severity
from checks.schema.names import TableName
from checks.survivals import Survival, Survivals

CHECK = "lost-rows"
USERS, ORDERS = TableName("public", "users"), TableName("public", "orders")
DDL = """
create table if not exists users (id int primary key);
create table if not exists orders (id int, buyer int references users on delete cascade);
"""
DELETE = Statement("DELETE FROM users WHERE id > 3", Place("migrations/002.sql", 2))


def judged(judge: Judge, *tables: Survival, statements: tuple[Statement, ...] = (DELETE,)) -> Judged:
    return judge(CHECK, DDL, evidence=Evidence(survivals=Survivals(tables), statements=statements))


def test_rows_that_are_gone_are_counted_with_their_keys_and_the_statement(judge: Judge) -> None:
    lost = Survival(USERS, USERS, 40, 30, missing=12, extra=2, keys=("id=4",))
    finding = judged(judge, lost).finding
    assert (finding.subject, finding.count, finding.values) == ("users", 12, ("id=4",))
    assert (finding.place, finding.severity) == (DELETE.place, None)
    assert finding.message == "12 of 40 rows of users are gone, and 2 were added"


def test_rows_that_went_with_their_parents_are_a_notice(judge: Judge) -> None:
    tables = (Survival(USERS, USERS, 5, 4, missing=1), Survival(ORDERS, ORDERS, 8, 6, missing=2, keyed=False))
    first, second = judged(judge, *tables).findings
    message = "1 of 5 rows of users is gone, and with them 2 of orders (ON DELETE CASCADE)"
    assert (first.message, first.severity) == (message, None)
    assert second.severity is Severity.NOTICE
    assert second.message == "2 of 8 rows of orders are gone with the rows of users that they belong to (ON DELETE CASCADE)"
    assert second.place == DELETE.place


def test_rows_that_a_statement_of_their_own_deletes_are_no_cascade(judge: Judge) -> None:
    own = Statement("TRUNCATE orders", Place("migrations/002.sql", 3))
    tables = (Survival(USERS, USERS, 5, 4, missing=1), Survival(ORDERS, ORDERS, 8, missing=8, made=True))
    told = judged(judge, *tables, statements=(DELETE, replace(DELETE, text="delete from users using orders"))).findings[1]
    assert told.severity is Severity.NOTICE, "orders is read there, and not deleted from"
    finding = judged(judge, *tables, statements=(DELETE, own)).findings[1]
    assert (finding.severity, finding.place) == (None, own.place)
    assert finding.message == "all 8 rows of orders are gone, on rows that dbproof made"


def test_a_table_that_kept_its_rows_is_proven_and_one_that_is_gone_is_another_checks(judge: Judge) -> None:
    found = judged(judge, Survival(USERS, USERS, 5, 9, extra=4), Survival(ORDERS, None, 8, missing=8))
    assert (found.proven, found.findings, found.gaps) == (["users"], [], {})
