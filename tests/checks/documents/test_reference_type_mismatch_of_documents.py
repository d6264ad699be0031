"""References between unlike types are found by their documents, and by what the validators say is to come."""

from __future__ import annotations

from typing import Any

import pytest
from bson import DBRef, Decimal128, Int64, ObjectId
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DeclaredValidator, DocumentExpectations, parse_document_reference

KEY = "a.key -> b._id"


def expect(*references: str, **validators: Any) -> DocumentExpectations:
    declared = tuple(DeclaredValidator(name, {"$jsonSchema": schema}) for name, schema in validators.items())
    return DocumentExpectations(references=tuple(map(parse_document_reference, references)), validators=declared)


def holding(keys: Any, parents: Any) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.a.insert_many([{"key": key} for key in keys])
        db.b.insert_many([{"_id": key} for key in parents])

    return prepare


@pytest.mark.parametrize(
    ("keys", "parents", "message"),
    [
        (["x", "y", None], [ObjectId()], "all 2 values of a.key are string, those of b._id objectId: they are never equal"),
        (["x"], [ObjectId(), 1], "the one value of a.key is string, those of b._id int and objectId: they are never equal"),
        ([ObjectId(), "x", "y", 3], [ObjectId()], "3 of 4 values of a.key are int and string, those of b._id objectId"),
        ([7, 8], ["7", "8"], "all 2 values of a.key are int, those of b._id string: they are never equal"),
    ],
)
def test_values_that_no_parent_can_equal(judge_documents: JudgeDocuments, keys: Any, parents: Any, message: str) -> None:
    finding = judge_documents("reference-type-mismatch", holding(keys, parents), expect(KEY)).finding
    assert finding.message.startswith(message)
    assert (finding.subject, finding.count) == (
        KEY,
        int(message.split()[1]) if message[0] == "a" else 3 if message[0] == "3" else 1,
    )


@pytest.mark.parametrize(
    ("keys", "parents"),
    [
        ([1, 2.5, Int64(3), Decimal128("4")], [1]),
        (["x"], ["y"]),
        ([ObjectId(), None], [ObjectId(), "x"]),
        ([{"x": 1}], [{"y": 2}]),
    ],
)
def test_types_that_compare(judge_documents: JudgeDocuments, keys: Any, parents: Any) -> None:
    assert judge_documents("reference-type-mismatch", holding(keys, parents), expect(KEY)).proven == [KEY]


def schema(**types: Any) -> dict[str, Any]:
    return {"properties": {name: {"bsonType": kind} for name, kind in types.items()}}


def test_validators_that_want_unlike_types(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("a", validator={"$jsonSchema": schema(key=["string", "null"])})
        db.create_collection("b", validator={"$jsonSchema": schema(_id="objectId")})

    finding = judge_documents("reference-type-mismatch", prepare, expect(KEY)).finding
    assert finding.message == (
        "the validator of a wants key to be string, that of b wants _id to be objectId: they are never equal"
    )


def test_declared_validators_of_collections_without_one(judge_documents: JudgeDocuments) -> None:
    lines = {"properties": {"lines": {"items": {"properties": {"id": {"bsonType": "number"}}}}}}
    expected = expect("a.lines[].id -> b._id", a=lines, b=schema(_id=["long", "int"]))
    assert judge_documents("reference-type-mismatch", lambda _: None, expected).proven == ["a.lines[].id -> b._id"]


def test_documents_of_one_side_and_the_validator_of_the_other(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("b", validator={"$jsonSchema": schema(_id="objectId")})
        db.a.insert_many([{"key": "x"}, {"key": ObjectId()}])

    assert judge_documents("reference-type-mismatch", prepare, expect(KEY)).finding.count == 1


def test_a_key_of_two_fields_a_dbref_and_nothing_to_tell_by(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.a.insert_one({"t": 1, "key": "x", "ref": DBRef("b", "x")})
        db.b.insert_one({"_id": ObjectId(), "t": 1})

    two, ref, none = "a.(t, key) -> b.(t, _id)", "a.ref.$id -> b._id", "a.none -> b._id"
    judged = judge_documents("reference-type-mismatch", prepare, expect(two, ref, none))
    assert [finding.subject for finding in judged.findings] == [two, ref]
    assert judged.gaps == {none: "neither a document nor a validator says what type a.none has"}
