"""Each index is tried on a scratch copy with two documents of one key: a unique one refuses, one declared not unique takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from bson import DBRef, Decimal128
from document_judging import JudgeDocuments
from judging import Judged
from pymongo.database import Database as Documents

from checks.declared.documents import DeclaredIndex, DocumentExpectations
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.registries.documents import DOCUMENTS
from checks.schema.collections import CollectionIndex
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb import MongoTarget

COMPANY = {
    "$jsonSchema": {
        "required": ["name"],
        "properties": {
            "name": {"bsonType": "string", "maxLength": 40},
            "town": {"bsonType": "string"},
            "size": {"enum": ["small", "large"]},
            "tags": {"bsonType": "array", "items": {"bsonType": "string"}},
            "lines": {"bsonType": "array", "items": {"properties": {"sku": {"bsonType": "string"}, "of": {"bsonType": "int"}}}},
        },
    }
}


def companies(*indexes: tuple[Any, dict[str, Any]], validator: Any = None, documents: Any = ()) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("companies", validator=COMPANY if validator is None else validator)
        for keys, options in indexes:
            db.companies.create_index(keys, **options)
        if documents:
            db.companies.insert_many(documents, bypass_document_validation=True)

    return prepare


def declaring(*indexes: CollectionIndex) -> DocumentExpectations:
    return DocumentExpectations(indexes=tuple(DeclaredIndex("companies", one) for one in indexes))


BY_NAME = CollectionIndex("by_name", (("name", 1),))


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ("name", {}),
        ([("name", 1), ("town", -1)], {}),
        ("tags", {}),
        ([("lines.sku", 1), ("lines.of", 1)], {}),
        ("not.in_the_schema", {}),
        ("town", {"sparse": True}),
        ("name", {"partialFilterExpression": {"size": "small", "town": {"$exists": True}}}),
        ("name", {"collation": {"locale": "en", "strength": 2}}),
        ("name", {"hidden": True}),
        ("founded", {"expireAfterSeconds": 60}),
        ([("place", "2dsphere"), ("name", 1)], {}),
        ([("size", 1)], {}),
    ],
)
def test_a_unique_index_refuses(judge_documents: JudgeDocuments, keys: Any, options: dict[str, Any]) -> None:
    """Beside another that is unique, and with a document that has no key of its own."""
    other = ("serial", {"unique": True, "name": "other"})
    judged = judge_documents("unique-probe", companies((keys, {"name": "it", "unique": True, **options}), other))
    assert (judged.proven, judged.findings, judged.gaps) == (["companies.it", "companies.other"], [], {})


def test_documents_that_are_there_are_begun_from(judge_documents: JudgeDocuments) -> None:
    there = [
        {"_id": 1, "name": "Ember", "at": datetime(2025, 1, 1), "nan": Decimal128("NaN"), "ref": DBRef("towns", 1)},
        {"_id": 2, "name": "Fjord", "at": datetime(2025, 1, 1), "ref": DBRef("towns", 2)},
    ]
    judged = judge_documents("unique-probe", companies(("ref", {"unique": True}), ("name", {"unique": True}), documents=there))
    assert (judged.proven, judged.gaps) == (["companies.name_1", "companies.ref_1"], {})


def test_one_that_is_declared_not_unique_and_is(judge_documents: JudgeDocuments) -> None:
    finding = judge_documents(
        "unique-probe", companies(("name", {"name": "by_name", "unique": True})), declaring(BY_NAME)
    ).finding
    assert (finding.subject, finding.code) == ("companies.by_name", "11000")
    assert finding.message == (
        "companies refuses a second document with the same name, as it is unique: by_name is declared not unique"
    )
    assert finding.remedy.startswith('db.companies.dropIndex("by_name"); db.companies.createIndex({name: 1}, {name: "by_name"})')


def test_another_unique_index_that_nobody_declared(judge_documents: JudgeDocuments) -> None:
    both = companies(("name", {"name": "by_name"}), ([("name", -1)], {"name": "name_unique", "unique": True}))
    judged = judge_documents("unique-probe", both, declaring(BY_NAME))
    assert judged.finding.message == (
        "companies refuses a second document with the same name, as name_unique is unique: by_name is declared not unique"
    )
    assert judged.finding.remedy == 'db.companies.dropIndex("name_unique"). No document is touched.'
    assert judged.proven == ["companies.name_unique"]
    in_its_place = judge_documents("unique-probe", lambda db: db.companies.drop_index("by_name"), declaring(BY_NAME))
    assert in_its_place.finding.message == judged.finding.message
    unique = CollectionIndex("name_unique", (("name", -1),), unique=True)
    again = judge_documents("unique-probe", lambda _: None, declaring(BY_NAME, unique))
    assert again.findings == []
    assert "something else refuses the second document: 11000" in again.gaps["companies.by_name"]


@pytest.mark.parametrize(
    ("wanted", "options", "words"),
    [
        ({"unique": True}, {}, "companies takes the same key twice (name): it is declared unique, and is not"),
        (
            {"unique": True, "collation": {"locale": "en", "strength": 2}},
            {"unique": True},
            "companies takes the same key in other letters twice (name)",
        ),
        (
            {"unique": True, "partial_filter": {"size": "small"}},
            {"unique": True},
            "companies refuses a second document with the same name outside of the filter of it",
        ),
    ],
)
def test_less_than_is_declared(
    judge_documents: JudgeDocuments, wanted: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    index = CollectionIndex("it", (("name", 1),), **wanted)
    finding = judge_documents("unique-probe", companies(("name", {"name": "it", **options})), declaring(index)).finding
    assert words in finding.message


def test_what_cannot_be_tried(judge_documents: JudgeDocuments) -> None:
    """No document is valid, the index is not there, there are no keys to speak of, it is no collection."""
    never: Any = {"$and": [{"name": {"$type": "string"}}, {"name": {"$type": "int"}}, {"name": {"$not": {"$type": "array"}}}]}
    judged = judge_documents(
        "unique-probe",
        companies(("name", {"unique": True}), ([("text", "text")], {"name": "words"}), validator=never),
        declaring(BY_NAME, CollectionIndex("words", (("text", "text"),))),
    )
    assert judged.findings == []
    reason = "no document was found that satisfies the validator"
    assert judged.gaps == {"companies.name_1": reason, "companies.by_name": reason}


@pytest.mark.mongodb_since("5.0")
def test_names_that_need_quotes(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection('audit.log % "x"', capped=True, size=4096)
        db['audit.log % "x"'].create_index([('a "b" %s', 1), ("ü\nn", 1)], unique=True, name='odd "name" %s')
        db.create_collection("series", timeseries={"timeField": "at"})
        db.command("create", "view", viewOn="companies", pipeline=[])

    judged = judge_documents("unique-probe", prepare)
    assert (judged.proven, judged.gaps) == (['audit.log % "x".odd "name" %s'], {})


def test_a_user_who_may_make_no_scratch(mongo_server: MongoServer, mongo_database: Database) -> None:
    """Of a database that was given nothing is proven then, and that is said of each index and each rule."""
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        companies(("name", {"name": "by_name", "unique": True}))(db)
        db.command("createUser", "reader", pwd="only-reads", roles=["read"])
    address = replace(mongo_database.private, user="reader", password="only-reads", database=mongo_database.name, extra={})
    given = replace(mongo_database, private=address)
    for check, subject in (("unique-probe", "companies.by_name"), ("validator-probe", "companies: name required")):
        with MongoTarget(mongo_server, None, given, Expectations(), Evidence()) as target:
            judged = Judged(tuple(DOCUMENTS[check].run(target)))
        assert (judged.proven, judged.findings) == ([], [])
        assert "permission" in judged.gaps[subject]
