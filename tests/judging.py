"""Judges databases made from DDL: a check is run on a real server, and what it says is sorted by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Finding, Judgement, NotProven, Proven
from checks.registries.relational import RELATIONAL
from runner.servers.interface import Database, Server
from runner.servers.postgresql.sessions import session
from runner.targets.postgresql import PostgresTarget

NOTHING_EXPECTED = Expectations()
NO_EVIDENCE = Evidence()

Query = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Judged:
    """What a check said, by kind."""

    all: Sequence[Judgement]

    @property
    def findings(self) -> list[Finding]:
        return [said for said in self.all if isinstance(said, Finding)]

    @property
    def proven(self) -> list[str]:
        return [said.subject for said in self.all if isinstance(said, Proven)]

    @property
    def gaps(self) -> dict[str, str]:
        return {said.subject: said.reason for said in self.all if isinstance(said, NotProven)}

    @property
    def finding(self) -> Finding:
        """The one finding there is."""
        assert len(self.findings) == 1, self.all
        return self.findings[0]


class Judge(Protocol):
    """Runs a check on the test's database, after the DDL."""

    def __call__(self, check: str, ddl: str = "", expect: Expectations = ..., evidence: Evidence = ...) -> Judged: ...


@contextmanager
def target(
    server: Server, database: Database, expect: Expectations = NOTHING_EXPECTED, evidence: Evidence = NO_EVIDENCE
) -> Iterator[PostgresTarget]:
    """The test's database as a check is handed it."""
    with PostgresTarget(server, None, database, expect, evidence) as made:
        yield made


@pytest.fixture
def query(database: Database) -> Iterator[Query]:
    """Sends SQL to the test's database as superuser, in one session; gives the rows of the last statement that has any."""
    with session(database.private) as connection:

        def send(text: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

        yield send


@pytest.fixture
def judge(server: Server, database: Database) -> Judge:
    """``judge(check, ddl, expect, evidence)``: what a check says of a database made from DDL."""

    def run(check: str, ddl: str = "", expect: Expectations = NOTHING_EXPECTED, evidence: Evidence = NO_EVIDENCE) -> Judged:
        with session(database.private) as connection:
            connection.execute((ddl or "SELECT").encode())
        with target(server, database, expect, evidence) as made:
            return Judged(tuple(RELATIONAL[check].run(made)))

    return run
