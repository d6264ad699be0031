"""Judges MariaDB databases made from DDL: a check is run on a real server, and what it says is sorted by kind."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import pytest
from judging import NO_EVIDENCE, NOTHING_EXPECTED, Judged

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.registries.relational import RELATIONAL
from checks.schema.mariadb import read
from checks.schema.model import Catalogue
from runner.servers.interface import Database
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import quoted, rows, session
from runner.targets.mariadb import MariadbTarget


class JudgeMariadb(Protocol):
    """Runs checks on one database made from statements; nothing is shared between calls."""

    def __call__(self, ddl: str, *checks: str, expect: Expectations = ..., evidence: Evidence = ...) -> dict[str, Judged]: ...


def statements(ddl: str) -> list[str]:
    """The statements of a test's DDL, which ends each with a semicolon at the end of a line."""
    return [part.strip() for part in f"{ddl.strip()}\n".split(";\n") if part.strip()]


@contextmanager
def made(server: MariadbServer, ddl: str) -> Iterator[Database]:
    """A database made from DDL, gone at the end."""
    database = server.create(f"test_{secrets.token_hex(4)}")
    try:
        with session(database.private) as driver:
            for statement in statements(ddl):
                rows(driver, statement)
        yield database
    finally:
        with session(server.private) as driver:
            rows(driver, f"DROP DATABASE {quoted(database.name)}")


def catalogue(server: MariadbServer, ddl: str) -> Catalogue:
    """What the reader makes of a database made from DDL."""
    with made(server, ddl) as database, session(database.private) as driver:
        return read(lambda query: rows(driver, query))


@contextmanager
def target(
    server: MariadbServer, ddl: str, expect: Expectations = NOTHING_EXPECTED, evidence: Evidence = NO_EVIDENCE
) -> Iterator[MariadbTarget]:
    """The database as a check is handed it: sealed, written to on a copy."""
    with (
        made(server, ddl) as database,
        MariadbTarget(server, server.seal(database), database, expect, evidence) as found,
    ):
        yield found


@pytest.fixture
def judge_mariadb(mariadb_server: MariadbServer) -> JudgeMariadb:
    """``judge_mariadb(ddl, check, …)``: what checks say of one database made from DDL, by check."""

    def run(
        ddl: str, *checks: str, expect: Expectations = NOTHING_EXPECTED, evidence: Evidence = NO_EVIDENCE
    ) -> dict[str, Judged]:
        with target(mariadb_server, ddl, expect, evidence) as found:
            return {check: Judged(tuple(RELATIONAL[check].run(found))) for check in checks}

    return run
