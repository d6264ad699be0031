"""Judges document databases: a check is run on a real MongoDB after a test has filled it, and what it says is sorted by kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest
from judging import Judged
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.registries.documents import DOCUMENTS
from checks.tenants.declared import Tenancy
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb import MongoTarget

Prepare = Callable[[Documents[dict[str, Any]]], object]

NOTHING = DocumentExpectations()
NO_EVIDENCE = Evidence()


class JudgeDocuments(Protocol):
    """Runs a check on the test's database, after the test has prepared it."""

    def __call__(
        self,
        check: str,
        prepare: Prepare,
        expect: DocumentExpectations = ...,
        evidence: Evidence = ...,
        tenancy: Tenancy | None = ...,
    ) -> Judged: ...


@pytest.fixture
def judge_documents(mongo_server: MongoServer, mongo_database: Database) -> JudgeDocuments:
    """``judge_documents(check, prepare, expect, …)``: what a check says of a database that a function has prepared."""

    def run(
        check: str,
        prepare: Prepare,
        expect: DocumentExpectations = NOTHING,
        evidence: Evidence = NO_EVIDENCE,
        tenancy: Tenancy | None = None,
    ) -> Judged:
        with session(mongo_database.private) as client:
            prepare(client[mongo_database.name])
        expected = Expectations(documents=expect, tenancy=tenancy)
        with MongoTarget(mongo_server, None, mongo_database, expected, evidence) as target:
            return Judged(tuple(DOCUMENTS[check].run(target)))

    return run
