"""Fields of more than one type are counted exactly, wherever they are; what is meant is no mixture."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from document_judging import JudgeDocuments

from checks.declared.documents import DeclaredValidator, DocumentExpectations
from checks.pipelines.fields import FIRST

CHECK = "mixed-type-field"
NUMBERS: tuple[Any, ...] = (1, Int64(2**40), 2.5, Decimal128("1.1"), float("nan"), None)


def holding(*documents: dict[str, Any], **options: Any) -> Any:
    def prepare(db: Any) -> None:
        db.create_collection("orders", **options)
        if documents:
            db.orders.insert_many([dict(one) for one in documents], bypass_document_validation=True)

    return prepare


def test_one_type_each_where_numbers_are_numbers_and_nothing_is_none(judge_documents: JudgeDocuments) -> None:
    documents = [{"price": price} for price in NUMBERS]
    judged = judge_documents(CHECK, holding(*documents, {}, {"lines": [{"q": 1}, {"q": None}, {}], "tags": []}))
    assert (judged.findings, judged.gaps) == ([], {})
    assert judged.proven == ["orders._id", "orders.lines", "orders.lines[]", "orders.lines[].q", "orders.price", "orders.tags"]


def test_a_field_of_more_than_one_type(judge_documents: JudgeDocuments) -> None:
    good = [{"_id": number, "price": number, "to": {"street": "a"}} for number in range(7)]
    bad = [{"_id": 7, "price": "7.50"}, {"_id": 8, "price": "8"}, {"_id": 9, "price": [1]}]
    finding = judge_documents(CHECK, holding(*good, *bad)).finding
    assert (finding.subject, finding.count) == ("orders.price", 3)
    assert (
        finding.message
        == "orders.price is of more than one type: number in 7 documents, string in 2 documents, array in 1 document"
    )
    assert finding.evidence == {"types": {"number": 7, "string": 2, "array": 1}}
    assert finding.values == ("_id=9",)
    assert finding.remedy.startswith('db.orders.find({"price": {$type: "array"}}); make them number in a migration')


def test_inside_arrays_and_arrays_of_arrays_and_objects(judge_documents: JudgeDocuments) -> None:
    one = {"lines": [{"q": 1, "at": {"x": 1.0}}, {"q": "1"}], "grid": [[1, 2], ["a"]], "tags": ["a", ObjectId()]}
    other = {"lines": [{"q": 3, "at": {"x": "0"}}], "grid": [[1]], "tags": ["b"]}
    judged = judge_documents(CHECK, holding(one, other))
    assert {found.subject: found.evidence["types"] for found in judged.findings} == {
        "orders.grid[][]": {"number": 2, "string": 1},
        "orders.lines[].at.x": {"number": 1, "string": 1},
        "orders.lines[].q": {"number": 2, "string": 1},
        "orders.tags[]": {"string": 2, "objectId": 1},
    }


def test_what_is_here_an_object_and_there_an_array_is_told_once(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents(CHECK, holding({"to": {"zip": 1}}, {"to": [{"zip": "1"}]}))
    assert [found.subject for found in judged.findings] == ["orders.to"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"ref": {"bsonType": ["string", "objectId"]}}},
        {"properties": {"ref": {"anyOf": [{"bsonType": "string"}, {"bsonType": "objectId"}]}}},
        {"oneOf": [{"properties": {"ref": {"bsonType": "string"}}}, {"properties": {"ref": {"bsonType": "objectId"}}}]},
        {"patternProperties": {"^r": {"type": "string"}}},
    ],
)
def test_types_that_a_schema_names_are_meant(schema: dict[str, Any], judge_documents: JudgeDocuments) -> None:
    documents = ({"ref": "a"}, {"ref": ObjectId()})
    attached = judge_documents(CHECK, holding(*documents, validator={"$jsonSchema": schema}))
    assert (attached.findings, "orders.ref" in attached.proven) == ([], True)


def test_so_are_those_that_a_declaration_names(judge_documents: JudgeDocuments) -> None:
    rule = {"$and": [{"ref": {"$type": ["string", "objectId"]}}, {"$expr": {"$gt": ["$a", 1]}}]}
    declared = DocumentExpectations(validators=(DeclaredValidator("orders", rule),))
    assert judge_documents(CHECK, holding({"ref": "a"}, {"ref": ObjectId()}), declared).findings == []
    assert judge_documents(CHECK, lambda _: None).finding.subject == "orders.ref"


def test_kinds_of_documents_that_a_field_tells_apart(judge_documents: JudgeDocuments) -> None:
    events = [{"type": "paid", "data": number, "by": {"kind": "user", "id": 1}} for number in range(3)]
    others = [{"type": "note", "data": "text", "by": {"kind": "job", "id": "nightly"}} for _ in range(3)]
    blocks = [{"blocks": [{"_type": "text", "value": "a"}, {"_type": "size", "value": 1}]}]
    judged = judge_documents(CHECK, holding(*events, *others, *blocks))
    assert judged.findings == []
    assert {"orders.data", "orders.by.id", "orders.blocks[].value"} <= set(judged.proven)


def test_a_kind_with_two_types_tells_nothing_apart(judge_documents: JudgeDocuments) -> None:
    documents: list[dict[str, Any]] = [
        {"type": "paid", "data": 1},
        {"type": "paid", "data": "1"},
        {"type": "note", "data": "text"},
    ]
    assert judge_documents(CHECK, holding(*documents)).finding.subject == "orders.data"


def test_a_kind_that_hardly_ever_has_the_field_tells_nothing_apart(judge_documents: JudgeDocuments) -> None:
    documents = [{"kind": kind} for kind in ("page", "word") for _ in range(3)]
    judged = judge_documents(CHECK, holding(*documents, {"kind": "page", "n": 1}, {"kind": "word", "n": "1"}))
    assert judged.finding.subject == "orders.n"


def test_an_object_whose_keys_are_data_is_one_field(judge_documents: JudgeDocuments) -> None:
    documents = [{"prices": {f"day-{number}": 1.0, f"day-{number + 1}": number}} for number in range(100)]
    judged = judge_documents(CHECK, holding(*documents))
    assert (judged.proven, judged.findings) == (["orders._id", "orders.prices", "orders.prices.*"], [])
    mixture = judge_documents(CHECK, lambda db: db.orders.insert_one({"prices": {"day-7": "7"}})).finding
    assert mixture.message == "orders.prices.* is of more than one type: number in 100 documents, string in 1 document"


def test_what_only_a_late_document_has_is_found_as_well(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Any) -> None:
        db.orders.insert_many([{"n": number} for number in range(FIRST + 5)])
        db.orders.insert_many([{"n": "7"}, {"late": {"deep": [{"x": 1}]}}, {"late": {"deep": [{"x": "1"}]}}])

    judged = judge_documents(CHECK, prepare)
    assert {found.subject: found.evidence["types"] for found in judged.findings} == {
        "orders.late.deep[].x": {"number": 1, "string": 1},
        "orders.n": {"number": FIRST + 5, "string": 1},
    }


def test_fields_without_end_are_no_verdict(judge_documents: JudgeDocuments) -> None:
    documents: list[dict[str, Any]] = [{f"{part}": {f"{part}-{number}": 1 for number in range(190)} for part in range(30)}]
    assert judge_documents(CHECK, holding(*documents)).gaps == {"orders": "its documents have more than 5000 different fields"}


@pytest.mark.mongodb_since("5.0")
def test_names_of_any_kind_views_and_empty_collections(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Any) -> None:
        db.odd.insert_many([{"a.b": {"$x": {"": [1, "1"]}}, 'q"%\nü': 1}, {'q"%\nü': "1"}])
        db.create_collection("empty")
        db.command("create", "seen", viewOn="odd", pipeline=[])

    judged = judge_documents(CHECK, prepare)
    assert [found.subject for found in judged.findings] == ['odd."a.b"."$x".""[]', 'odd."q\\"%\\nü"']
    assert judged.gaps == {}
