"""Declared indexes are compared in every option; a unique one that nobody declared is an error."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DeclaredIndex, DocumentExpectations
from checks.evidence import Evidence, Made, MigrationFailure, Place, Statement
from checks.interface import Severity
from checks.schema.collections import CollectionIndex, index_reference


def declared(*indexes: CollectionIndex) -> DocumentExpectations:
    return DocumentExpectations(indexes=tuple(DeclaredIndex("subscriptions", one, Place("dbproof.toml", 7)) for one in indexes))


def built(*indexes: tuple[Any, dict[str, Any]]) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("subscriptions")
        for keys, options in indexes:
            db.subscriptions.create_index(keys, **options)

    return prepare


BY_NAME = CollectionIndex("company_name_idx", (("company_name", 1),))


@pytest.mark.parametrize(
    ("index", "keys", "options"),
    [
        (BY_NAME, "company_name", {}),
        (CollectionIndex("company_name_idx", (("company_name", 1),), unique=True), "company_name", {"unique": True}),
        (CollectionIndex("company_name_idx", (("a", 1), ("b", -1))), [("a", 1), ("b", -1)], {}),
        (CollectionIndex("company_name_idx", (("a", 1),), sparse=True, hidden=True), "a", {"sparse": True, "hidden": True}),
        (CollectionIndex("company_name_idx", (("a", 1),), expire_after_seconds=60), "a", {"expireAfterSeconds": 60}),
        (
            CollectionIndex("company_name_idx", (("a", 1),), partial_filter={"b": {"$gt": 1}}),
            "a",
            {"partialFilterExpression": {"b": {"$gt": 1}}},
        ),
        (
            CollectionIndex("company_name_idx", (("a", 1),), collation={"locale": "en", "strength": 2}),
            "a",
            {"collation": {"locale": "en", "strength": 2}},
        ),
        (CollectionIndex("company_name_idx", (("a", "text"), ("b", "text"))), [("a", "text"), ("b", "text")], {}),
        (CollectionIndex("company_name_idx", (("a", "2dsphere"),)), [("a", "2dsphere")], {}),
        (CollectionIndex("company_name_idx", (("a", "hashed"),)), [("a", "hashed")], {}),
    ],
)
def test_there_as_declared(judge_documents: JudgeDocuments, index: CollectionIndex, keys: Any, options: dict[str, Any]) -> None:
    judged = judge_documents("index-drift", built((keys, {"name": "company_name_idx", **options})), declared(index))
    assert (judged.proven, judged.findings) == (["subscriptions.company_name_idx"], [])


def test_a_unique_index_where_the_declared_one_is_not(judge_documents: JudgeDocuments) -> None:
    unique = ("company_name", {"name": "company_name_unique", "unique": True})
    finding = judge_documents("index-drift", built(unique), declared(BY_NAME)).finding
    assert finding.subject == "subscriptions.company_name_idx"
    assert finding.message == (
        "subscriptions.company_name_idx is not there; in its place company_name_unique is unique, expected not unique: "
        "no two documents can have the same company_name"
    )
    assert finding.remedy == (
        'db.subscriptions.dropIndex("company_name_unique"); '
        'db.subscriptions.createIndex({company_name: 1}, {name: "company_name_idx"}). No document is touched.'
    )
    assert finding.objects[0] == index_reference("subscriptions", "company_name_unique")
    assert finding.severity is None


def test_the_remedy_is_what_it_takes(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.subscriptions.insert_one({"company_name": "a"})
        db.subscriptions.create_index("company_name", name="company_name_unique", unique=True)
        db.subscriptions.drop_index("company_name_unique")
        db.subscriptions.create_index({"company_name": 1}, name="company_name_idx")
        db.subscriptions.insert_one({"company_name": "a"})

    assert judge_documents("index-drift", prepare, declared(BY_NAME)).proven == ["subscriptions.company_name_idx"]


@pytest.mark.parametrize(
    ("index", "keys", "options", "words"),
    [
        (BY_NAME, [("company_name", -1)], {}, "is on (-company_name), expected on (company_name)"),
        (CollectionIndex(BY_NAME.name, BY_NAME.keys, unique=True), "company_name", {}, "is not unique, expected unique"),
        (BY_NAME, "company_name", {"sparse": True}, "is sparse, expected not sparse"),
        (BY_NAME, "company_name", {"hidden": True}, "is hidden, expected not hidden"),
        (BY_NAME, "company_name", {"expireAfterSeconds": 9}, "expires after 9 s, expected never"),
        (
            BY_NAME,
            "company_name",
            {"partialFilterExpression": {"a": 1}},
            "holds only documents with {'a': 1}, expected every document",
        ),
    ],
)
def test_each_difference_is_said(
    judge_documents: JudgeDocuments, index: CollectionIndex, keys: Any, options: dict[str, Any], words: str
) -> None:
    finding = judge_documents("index-drift", built((keys, {"name": BY_NAME.name, **options})), declared(index)).finding
    assert finding.message.startswith(f"subscriptions.company_name_idx {words}")


def test_a_missing_one_at_the_line_that_dropped_it(judge_documents: JudgeDocuments) -> None:
    lost = Statement("db.…", Place("m/2.py", 3), dropped=(index_reference("subscriptions", "company_name_idx"),))
    finding = judge_documents("index-drift", built(), declared(BY_NAME), Evidence(statements=(lost,))).finding
    assert finding.subject == "subscriptions.company_name_idx (missing)"
    assert finding.message == "there is no index subscriptions.company_name_idx on (company_name)"
    assert finding.place == Place("m/2.py", 3)


def test_a_missing_collection_at_the_declaration(judge_documents: JudgeDocuments) -> None:
    finding = judge_documents("index-drift", lambda db: db.other.insert_one({}), declared(BY_NAME)).finding
    assert finding.message.endswith("on (company_name), nor a collection subscriptions")
    assert finding.place == Place("dbproof.toml", 7)


def test_others_are_errors_where_unique_and_notices_where_not(judge_documents: JudgeDocuments) -> None:
    indexes = (
        ("company_name", {"name": "company_name_idx"}),
        ("a", {"name": "a_unique", "unique": True}),
        ("b", {"name": "b_idx"}),
    )
    judged = judge_documents("index-drift", built(*indexes), declared(BY_NAME))
    assert judged.proven == ["subscriptions.company_name_idx"]
    assert {finding.subject: finding.severity for finding in judged.findings} == {
        "subscriptions.a_unique (undeclared)": None,
        "subscriptions.b_idx (undeclared)": Severity.NOTICE,
    }


def test_another_name_is_a_notice(judge_documents: JudgeDocuments) -> None:
    finding = judge_documents("index-drift", built(("company_name", {})), declared(BY_NAME)).finding
    assert (finding.severity, finding.message) == (
        Severity.NOTICE,
        "subscriptions.company_name_idx is there under another name, company_name_1",
    )


def test_what_was_applied_from_the_declaration_proves_nothing(judge_documents: JudgeDocuments) -> None:
    made = {index_reference("subscriptions", "company_name_idx"): Made(Place("dbproof.toml", 7), "db.…")}
    there = built(("company_name", {"name": "company_name_idx"}))
    judged = judge_documents("index-drift", there, declared(BY_NAME), Evidence(provenance=made))
    assert judged.gaps == {"subscriptions.company_name_idx": "applied from this declaration"}


def test_after_failed_migrations_nothing_is_said(judge_documents: JudgeDocuments) -> None:
    failed = Evidence(failure=MigrationFailure("1", None, "", "", "x"))
    judged = judge_documents("index-drift", built(), declared(BY_NAME), failed)
    assert judged.gaps == {"subscriptions.company_name_idx": "not as declared, the migrations failed"}


def test_collections_without_declared_indexes_are_not_judged(judge_documents: JudgeDocuments) -> None:
    assert judge_documents("index-drift", built(("a", {"unique": True}))).all == ()
