"""A collection with documents and no validator, of which nothing is declared, is told where a database is looked at."""

from __future__ import annotations

from typing import Any

from document_judging import JudgeDocuments

from checks.declared.documents import DeclaredValidator, DocumentExpectations
from checks.interface import Severity
from checks.registries.documents import DOCUMENTS
from checks.registries.every import LIVE
from runner.scheduler import with_severities

CHECK = "no-validator"


def three(db: Any) -> None:
    db.create_collection("ruled", validator={"$jsonSchema": {"required": ["a"]}})
    db.create_collection("empty")
    db.free.insert_many([{}, {}])
    db.command("create", "seen", viewOn="free", pipeline=[])
    db.create_collection("capped", capped=True, size=4096)
    db.capped.insert_one({})


def test_collections_that_take_every_document(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents(CHECK, three)
    assert (judged.proven, judged.gaps) == (["ruled"], {})
    assert [(one.subject, one.message) for one in judged.findings] == [
        ("capped", "capped holds 1 document and has no validator: every document is taken"),
        ("free", "free holds 2 documents and has no validator: every document is taken"),
    ]


def test_what_is_declared_is_told_by_another_check(judge_documents: JudgeDocuments) -> None:
    declared = tuple(DeclaredValidator(name, {"$jsonSchema": {"required": ["a"]}}) for name in ("free", "capped"))
    judged = judge_documents(CHECK, three, DocumentExpectations(validators=declared))
    assert (judged.proven, judged.findings) == (["ruled"], [])


def test_it_is_asked_where_a_database_is_looked_at() -> None:
    assert DOCUMENTS[CHECK].SEVERITY is Severity.OFF
    assert LIVE[CHECK] is Severity.NOTICE
    assert CHECK not in with_severities(DOCUMENTS, {})
    assert CHECK in with_severities(DOCUMENTS, LIVE)
