"""New migrations on tables with rows, followed by the relay, and what was seen of them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg

from checks.evidence import Statement
from checks.work import TableWork
from recorder.project import Project
from runner.recorder.recording import Recording
from runner.servers.interface import Address

ROWS = 300
BASE = f"""
CREATE TABLE a (id int PRIMARY KEY, x int, t text);
CREATE TABLE b (id serial PRIMARY KEY, a int);
INSERT INTO a SELECT n, n, 'some text' FROM generate_series(1, {ROWS}) AS n;
INSERT INTO b (a) SELECT n FROM generate_series(1, {ROWS}) AS n;
CREATE FUNCTION grow(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN INSERT INTO b (a) SELECT 1 FROM generate_series(1, n); ALTER TABLE b ADD COLUMN grown int; RETURN n; END $$;
"""


@dataclass
class Head:
    """A project's new migrations on tables with rows, with the addresses that tools get for them."""

    project: Project
    base: Recording
    address: Address

    def run(self, *statements: str, **options: Any) -> dict[str, Statement]:
        """Send them one by one, errors or not; what was seen of each, by its text."""
        keywords = {**self.address.keywords(), "autocommit": True, **options}
        with closing(psycopg.connect(**keywords)) as connection:
            for statement in statements:
                connection.pgconn.exec_(statement.encode())
        return self.seen()

    def seen(self) -> dict[str, Statement]:
        """What the log says of each statement so far."""
        return {said.text: said for said in self.project.recording(after=(self.base,)).statements}


def modes(statement: Statement, relation: str) -> set[str]:
    return {lock.mode for lock in statement.locks if lock.relation == relation}


def of(statement: Statement, relation: str) -> TableWork:
    assert statement.work is not None
    return next((each for each in statement.work.tables if each.relation == relation), TableWork(relation))


def wal(statement: Statement) -> int:
    assert statement.work is not None
    assert statement.work.statements == 1
    return statement.work.wal or 0
