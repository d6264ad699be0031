"""null-passes-check: what the server says of CHECKs where a column is NULL; what is optional on purpose is proven."""

from __future__ import annotations

import sqlite_judging
from judging import Judge, Judged, Query

CHECK = "null-passes-check"

BOTH = """
    CREATE TABLE orders (
        subtotal numeric(9,2) NOT NULL, discount numeric(9,2), total numeric(9,2) NOT NULL,
        CONSTRAINT sum CHECK (total = subtotal - discount),
        CONSTRAINT said_sum CHECK (discount IS NULL OR total = subtotal - discount),
        CONSTRAINT filled_sum CHECK (total = subtotal - coalesce(discount, 0)),
        CONSTRAINT part_of_two CHECK (total > 0 AND total >= subtotal - discount),
        CONSTRAINT positive CHECK (subtotal > 0)
    );
    CREATE TABLE prices (
        kind varchar(9) NOT NULL, share int, state varchar(9) DEFAULT 'a', paid boolean, points int,
        CONSTRAINT of_percent CHECK (kind <> 'percent' OR share <= 100),
        CONSTRAINT known CHECK (state IN ('a', 'b')),
        CONSTRAINT must CHECK (paid),
        CONSTRAINT listed CHECK (points IN (1, 2, NULL)),
        CONSTRAINT in_range CHECK (share BETWEEN 0 AND 1000)
    );
    CREATE TABLE people (
        kind varchar(9) NOT NULL, email varchar(50), phone varchar(50), state varchar(9), begun int NOT NULL, ended int,
        CONSTRAINT either CHECK (email <> '' OR phone <> ''),
        CONSTRAINT neither CHECK (email IS NOT NULL OR phone IS NOT NULL),
        CONSTRAINT known CHECK (state IS NOT NULL AND state IN ('a', 'b')),
        CONSTRAINT with_kind CHECK ((kind = 'gone') = (ended IS NOT NULL)),
        CONSTRAINT after CHECK (ended >= begun)
    );
"""
FOUND = {
    "orders.sum": "it passes where discount is NULL",
    "orders.part_of_two": "it passes where discount is NULL",
    "prices.of_percent": "it passes where share is NULL",
    "prices.known": "it passes where state is NULL",
    "prices.must": "it passes where paid is NULL",
    "prices.listed": "NULL stands in it, and nothing is equal to that",
    "people.either": "it passes where email is NULL",
}
PROVEN = {"orders.said_sum", "orders.filled_sum", "prices.in_range", "people.neither", "people.with_kind", "people.after"}


def found(judged: Judged) -> dict[str, str]:
    return {finding.subject: finding.message.split(": ")[1] for finding in judged.findings}


def test_postgresql(judge: Judge, query: Query) -> None:
    judged = judge(CHECK, BOTH)
    assert (found(judged), set(judged.proven), judged.gaps) == (FOUND, PROVEN, {})
    remedy = next(finding.remedy for finding in judged.findings if finding.subject == "orders.sum")
    query(remedy.partition(";")[0])
    assert "orders.sum" not in found(judge(CHECK))


def test_what_cannot_be_thought_of_is_not_proven(judge: Judge) -> None:
    ddl = """
        CREATE TYPE pair AS (a int, b int);
        CREATE SCHEMA "Sch 1";
        CREATE TABLE "Sch 1"."T""1" (p pair NOT NULL, "q%" int, r int NOT NULL, CONSTRAINT "c c" CHECK ((p).a = "q%" + r));
        CREATE TABLE plain (a int CHECK (a > 1), b int NOT NULL CHECK (b > 1));
    """
    judged = judge(CHECK, ddl)
    assert (judged.findings, judged.proven, list(judged.gaps)) == ([], ["plain.plain_a_check"], ['Sch 1.T"1.c c'])


def test_sqlite() -> None:
    judged = sqlite_judging.judged(CHECK, BOTH)
    assert (found(judged), set(judged.proven), judged.gaps) == (FOUND, PROVEN, {})
