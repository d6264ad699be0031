"""References that no index serves are found on both sides, whatever looks like an index of theirs."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, parse_document_reference

CHILD = "subscriptions.name"
NO_CASE = {"locale": "en", "strength": 2}


def expect(*references: str) -> DocumentExpectations:
    return DocumentExpectations(references=tuple(map(parse_document_reference, references)))


def built(keys: Any = None, **options: Any) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("companies")
        db.create_collection("subscriptions", **({"collation": options.pop("own")} if "own" in options else {}))
        if keys:
            db.subscriptions.create_index(keys, **options)

    return prepare


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ("name", {}),
        ([("name", -1)], {}),
        ([("name", 1), ("at", -1)], {}),
        ("name", {"unique": True, "sparse": True}),
        ([("name", "hashed")], {}),
        ([("$**", 1)], {}),
        ("name", {"expireAfterSeconds": 60}),
        ("name", {"own": NO_CASE}),
        ("name", {"own": NO_CASE, "collation": NO_CASE}),
    ],
)
def test_an_index_that_serves(judge_documents: JudgeDocuments, keys: Any, options: Any) -> None:
    judged = judge_documents("unindexed-reference", built(keys, **options), expect(f"{CHILD} -> companies._id"))
    assert sorted(judged.proven) == ["companies._id", CHILD]


@pytest.mark.parametrize(
    ("keys", "options", "why"),
    [
        (None, {}, ""),
        ([("at", 1), ("name", 1)], {}, ""),
        ([("name", "text")], {}, ""),
        ([("name", "2dsphere")], {}, ""),
        ([("name.$**", 1)], {}, ""),
        ([("$**", 1)], {"wildcardProjection": {"at": 1}}, ""),
        ("name", {"partialFilterExpression": {"name": {"$exists": True}}}, " (name_1 is partial)"),
        ("name", {"hidden": True}, " (name_1 is hidden)"),
        ("name", {"collation": NO_CASE}, " (name_1 compares by another collation than the collection)"),
        (
            "name",
            {"own": NO_CASE, "collation": {"locale": "simple"}},
            " (name_1 compares by another collation than the collection)",
        ),
    ],
)
def test_an_index_that_does_not(judge_documents: JudgeDocuments, keys: Any, options: Any, why: str) -> None:
    finding = judge_documents("unindexed-reference", built(keys, **options), expect(f"{CHILD} -> companies._id")).finding
    assert (finding.subject, finding.message) == (CHILD, f"no index of subscriptions begins with name{why}")
    assert finding.remedy == 'db.subscriptions.createIndex({name: 1}, {name: "name_idx"})'


def test_how_many_documents_are_read_each_time(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.companies.insert_many([{"name": number} for number in range(1_000)])
        db.subscriptions.insert_many([{"name": number} for number in range(1_200)])

    judged = judge_documents("unindexed-reference", prepare, expect(f"{CHILD} -> companies.name"))
    assert {finding.subject: (finding.count, finding.message.partition(": ")[2]) for finding in judged.findings} == {
        "companies.name": (1_000, "each look for the one that a document of subscriptions refers to reads all 1000 documents"),
        CHILD: (1_200, "each look for the documents that refer to one of companies reads all 1200 documents"),
    }


def test_keys_of_several_fields_arrays_and_dbrefs(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.a.create_index([("x", 1), ("t", -1), ("at", 1)])
        db.a.create_index("lines.id")
        db.a.create_index("ref.$id")
        db.b.create_index("t")

    references = ("a.(t, x) -> b.(t, x)", "a.lines[].id -> b._id", "a.ref.$id -> b._id")
    judged = judge_documents("unindexed-reference", prepare, expect(*references))
    assert sorted(judged.proven) == ["a.(t, x)", "a.lines[].id", "a.ref.$id", "b._id"]
    assert judged.finding.remedy == 'db.b.createIndex({t: 1, x: 1}, {name: "t_x_idx"})'


def test_what_is_not_judged(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.companies.insert_one({})
        db.create_collection("some", viewOn="companies", pipeline=[])

    judged = judge_documents("unindexed-reference", prepare, expect("some.x -> none.y"))
    assert judged.gaps == {
        "none.y": "there is no collection none",
        "some.x": "some is a view, which has no indexes of its own",
    }
