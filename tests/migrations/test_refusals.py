"""What MongoDB refuses is told in its words, and nothing that documents hold is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from runner.migrations.inside.refusals import answer_of
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb_sessions import failed

#: What must stay out: with what looks like the ends of quotes, of documents and of the server's own words.
SECRET = "hush'} \" :: caused by :: hush, dup key: { 'hush"
Documents = Collection[dict[str, Any]]


@pytest.fixture(scope="module")
def documents(mongo_server: MongoServer) -> Iterator[Documents]:
    database: Database = mongo_server.create("refusals")
    with session(database.private) as client:
        kept: Documents = client[database.name]["kept"]
        kept.insert_one({"_id": SECRET, "n": SECRET, "place": [999, SECRET], "language": SECRET})
        strict = client[database.name].create_collection("strict", validator={"n": {"$type": "int"}})
        strict.insert_one({"_id": SECRET, "n": 1})
        yield kept


def projected(expression: Any) -> Callable[[Documents], object]:
    return lambda documents: list(documents.aggregate([{"$project": {"out": expression}}]))


def updated(change: Mapping[str, Any]) -> Callable[[Documents], object]:
    return lambda documents: documents.update_one({}, change)


ATTEMPTS: Mapping[str, Callable[[Documents], object]] = {
    "Failed to parse number … in $convert": projected({"$toInt": "$n"}),
    "Failed to parse objectId … in $convert": projected({"$toObjectId": "$n"}),
    "Error parsing date string …": projected({"$toDate": "$n"}),
    "unit' value cannot be recognized as a time unit: …": projected({"$dateTrunc": {"date": "$$NOW", "unit": "$n"}}),
    "resulting value was: …": lambda documents: list(documents.aggregate([{"$replaceRoot": {"newRoot": "$n"}}])),
    "non-numeric type. … has the field 'n'": updated({"$inc": {"n": 1}}),
    "must be an array but is of type string in document …": updated({"$push": {"n": 1}}),
    "non-integral type.… has the field n": updated({"$bit": {"n": {"or": 1}}}),
    "Cannot create field 'x' in element …": updated({"$set": {"n.x": 1}}),
    "to traverse the element …": updated({"$rename": {"n.x": "other"}}),
    "Can't extract geo keys: …": lambda documents: documents.create_index([("place", "2dsphere")]),
    "for 2d indexes…": lambda documents: documents.create_index([("place", "2d")]),
    "language override unsupported: …": lambda documents: documents.create_index([("n", "text")]),
    "index: _id_": lambda documents: documents.insert_many([{"_id": SECRET, "whole": SECRET}]),
    "Cannot apply $inc": lambda documents: documents.bulk_write([UpdateOne({}, {"$inc": {"n": 1}})]),
    "Document failed validation: $type": lambda documents: documents.database["strict"].insert_many([{"n": SECRET}]),
}


#: What MongoDB 4.4 does not have, or does not tell.
SINCE_5 = [said for said in ATTEMPTS if "time unit" in said or "failed validation" in said]


@pytest.mark.parametrize(
    "said", [pytest.param(said, marks=pytest.mark.mongodb_since("5.0")) if said in SINCE_5 else said for said in ATTEMPTS]
)
def test_no_value_of_a_document_is_told(documents: Documents, said: str) -> None:
    with pytest.raises(OperationFailure) as refused:
        ATTEMPTS[said](documents)
    code, words, detail = answer_of(refused.value)
    assert said in words
    assert "hush" not in words
    assert code.isdigit()
    assert "hush" in detail  # it is kept apart, for those who ask to see values
    assert "hush" not in str(failed(refused.value))


def test_an_error_of_many_writes_has_the_first_one_s_code(documents: Documents) -> None:
    with pytest.raises(OperationFailure) as refused:
        documents.insert_many([{"_id": SECRET}])
    assert failed(refused.value).code == "11000"
