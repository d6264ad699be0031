"""The same of documents: each index or validator below takes an empty collection, and meets a document that it cannot take."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database as Documents
from pymongo.errors import OperationFailure
from test_generated_documents import filled

from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

ROWS = 100
KEYS_TWICE = 11000
PEOPLE = {
    "bsonType": "object",
    "required": ["tenant_id", "email", "number", "name"],
    "properties": {
        "tenant_id": {"bsonType": "int"},
        "email": {"bsonType": "string", "maxLength": 80},
        "number": {"bsonType": "long"},
        "name": {"bsonType": "string", "maxLength": 60},
        "nick": {"bsonType": "string"},
        "city": {"bsonType": ["string", "null"]},
        "price": {"bsonType": "decimal"},
        "rate": {"bsonType": "double"},
        "whole": {"bsonType": "int"},
        "born": {"bsonType": "date"},
        "company": {"bsonType": "objectId"},
        "tags": {"bsonType": "array", "items": {"bsonType": "string"}},
        "state": {"enum": ["new", "paid", "lost"]},
    },
}
#: Unique indexes that new migrations may want.
UNIQUE = ("name", "nick", "city", "whole", "born", "company", "state", "number", "slug")
#: What a document must be there for.
SOME: dict[str, Any] = {
    "no nick": {"nick": {"$exists": False}},
    "no city": {"city": None, "$expr": {"$eq": [{"$type": "$city"}, "null"]}},
    "an empty name": {"name": ""},
    "the longest name": {"$expr": {"$eq": [{"$strLenCP": "$name"}, 60]}},
    "a long text": {"$expr": {"$gt": [{"$strLenCP": {"$ifNull": ["$nick", ""]}}, 255]}},
    "white space about": {"name": {"$regex": r"\S\s$"}},
    "capitals": {"name": {"$regex": "^[A-Z ]+$"}},
    "decomposed": {"name": {"$regex": "u\u0308"}},
    "nothing": {"price": 0},
    "less than nothing": {"price": {"$lt": 0}},
    "zero": {"whole": 0},
    "no rate": {"rate": 0},
    "an empty array": {"tags": []},
    "1970": {"born": {"$lt": datetime(1971, 1, 1)}},
    "far ahead": {"born": {"$gt": datetime(2100, 1, 1)}},
    **{state: {"state": state} for state in ("new", "paid", "lost")},
}


def test_what_only_documents_stop_is_stopped(mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        db: Documents[dict[str, Any]] = client[mongo_database.name]
        people = db.create_collection("people", validator={"$jsonSchema": PEOPLE})
        people.create_index([("tenant_id", 1), ("number", 1)], unique=True)
        people.create_index([("tenant_id", 1), ("slug", 1)], unique=True)
        people.create_index("email", unique=True)
        made = filled(mongo_database, rows=ROWS)
        assert made["people"].rows == ROWS
        missed = [name for name, query in SOME.items() if not people.count_documents(query)]
        missed += [f"unique {field}" for field in UNIQUE if _is_taken(people, field)]
        missed += ["unique whatever the case"] if _is_taken(people, "email", collation={"locale": "en", "strength": 2}) else []
    assert not missed, missed


def _is_taken(people: Collection[dict[str, Any]], field: str, **options: Any) -> bool:
    """Whether a unique index can be built; where not, because keys come twice."""
    try:
        people.create_index(field, unique=True, name=f"new_{field}", **options)
    except OperationFailure as refused:
        return refused.code != KEYS_TWICE
    return True
