"""Collections with everything that documents are filled from, and those that cannot be filled."""

from __future__ import annotations

from typing import Any

from bson import Binary
from pymongo.database import Database

from checks.declared.documents import DocumentExpectations, parse_document_reference

STRING, INT, DATE, KEY = {"bsonType": "string"}, {"bsonType": "int"}, {"bsonType": "date"}, {"bsonType": "objectId"}
LINE = {
    "bsonType": "object",
    "required": ["product_id", "units"],
    "properties": {"product_id": KEY, "units": {"bsonType": "int", "minimum": 1, "maximum": 9}},
}
EQUATION = {"$expr": {"$eq": ["$total", {"$add": ["$subtotal", "$tax"]}]}}
KINDS = ("int", "long", "double", "decimal", "bool", "date", "objectId", "binData", "timestamp", "regex", "javascript", "minKey")


def schema(*required: str, **fields: Any) -> dict[str, Any]:
    return {"$jsonSchema": {"bsonType": "object", **({"required": list(required)} if required else {}), "properties": fields}}


REFERENCES = (
    "people.tenant_id -> tenants.tenant_id",
    "products.tenant_id -> tenants.tenant_id",
    "people.boss_id -> people._id",
    "orders.buyer -> people._id",
    "orders.lines[].product_id -> products._id",
    "orders.tenant_id -> tenants.tenant_id",
    "profiles.person_id -> people._id",
    "monthly.person_id -> people._id",
    "hens.egg_id -> eggs._id",
    "eggs.hen_id -> hens._id",
    "ring_a.b_id -> ring_b._id",
    "ring_b.a_id -> ring_a._id",
    "selfish.parent_id -> selfish._id",
    "of_impossible.of -> impossible._id",
    "maybe_impossible.of -> impossible._id",
    "tickets.customer.$id -> people._id",
    "of_parts.key -> regions.parts[].key",
    "free.friends[].person_id -> people._id",
    "ahead.person_id -> a_view._id",
    "pairs.(tenant_id, email) -> people.(tenant_id, email)",
)
EXPECT = DocumentExpectations(references=tuple(map(parse_document_reference, REFERENCES)))

#: What cannot be filled with 300 documents: how many there are then, and why.
SHORT = {
    "capped": (50, "is capped at 50 documents"),
    "encrypted": (0, "holds encrypted fields, which only the application can write"),
    "impossible": (0, "no document was found that satisfies the validator"),
    "never": (0, "too few documents that were made are taken: Document failed validation: $expr"),
    "warned_never": (0, "too few documents that were made are taken: the validator does not match"),
    "of_impossible": (0, "impossible is empty, and of_impossible.of -> impossible._id must refer to it"),
    "ring_a": (0, "ring_a.b_id -> ring_b._id: its references go in a circle that no document can begin"),
    "ring_b": (0, "ring_a is empty, and ring_b.a_id -> ring_a._id must refer to it"),
    "symbols": (0, "no document was found that satisfies the validator"),
    "switches": (6, "on_kind has no more keys"),
}


def prepare(db: Database[dict[str, Any]]) -> None:
    prepare_plain(db)
    _validators(db)
    db.create_collection("free")
    db.free.create_index("email", unique=True)
    db.free.create_index("until", expireAfterSeconds=60)
    db.create_collection("capped", capped=True, size=100_000, max=50)
    db.create_collection("measured", timeseries={"timeField": "at", "metaField": "sensor"})
    db.command("create", "a_view", viewOn="people", pipeline=[])
    db.create_collection("ahead")


def prepare_plain(db: Database[dict[str, Any]]) -> None:
    """Some of them, that every server has."""
    _tenants(db)
    _references(db)


def _tenants(db: Database[dict[str, Any]]) -> None:
    tenant = {"bsonType": "string", "maxLength": 20}
    name = {"bsonType": "string", "minLength": 3, "maxLength": 12}
    db.create_collection("tenants", validator=schema("tenant_id", "name", tenant_id=tenant, name=name))
    db.tenants.create_index("tenant_id", unique=True)
    address = {
        "bsonType": "object",
        "required": ["town"],
        "properties": {"town": STRING, "zip": {"bsonType": "string", "pattern": "^[0-9]{5}$"}},
    }
    person = schema(
        *("tenant_id", "email"),
        tenant_id=STRING,
        email={"bsonType": "string", "pattern": r"^\S+@\S+$"},
        age={"bsonType": ["int", "null"], "minimum": 0, "maximum": 120},
        seen={"bsonType": "long"},
        boss_id={"bsonType": ["objectId", "null"]},
        mood={"enum": ["good", "bad", None]},
        address=address,
        tags={"bsonType": "array", "uniqueItems": True, "maxItems": 5, "items": {"enum": ["a", "b", "c", "d"]}},
        born=DATE,
    )
    db.create_collection("people", validator=person)
    db.people.create_index([("tenant_id", 1), ("email", 1)], unique=True)
    db.people.create_index("address.zip", unique=True, sparse=True)
    product = schema(
        *("tenant_id", "sku", "price"),
        tenant_id=STRING,
        sku={"bsonType": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
        price={"bsonType": "decimal", "minimum": 0},
        weight={"bsonType": "double", "minimum": 0.5, "maximum": 2},
    )
    db.create_collection("products", validator=product)
    db.products.create_index("sku", unique=True, partialFilterExpression={"price": {"$gt": 0}})
    db.products.create_index([("where", "2dsphere")])
    db.products.create_index([("text", "text")])
    numbers = {"subtotal": {"bsonType": "int", "minimum": 0}, "tax": INT, "total": INT, "starts": DATE, "ends": DATE}
    lines = {"bsonType": "array", "minItems": 1, "maxItems": 4, "items": LINE}
    order = schema("tenant_id", "buyer", "lines", *numbers, tenant_id=STRING, buyer={}, lines=lines, **numbers)
    db.create_collection("orders", validator={"$and": [order, EQUATION, {"$expr": {"$lte": ["$starts", "$ends"]}}]})
    db.create_collection("pairs")


def _references(db: Database[dict[str, Any]]) -> None:
    db.create_collection("profiles", validator=schema("person_id", person_id=KEY, bio={"bsonType": "string", "maxLength": 5}))
    db.profiles.create_index("person_id", unique=True)
    db.create_collection("monthly", validator=schema("person_id", "month", person_id={}, month={"enum": ["jan", "feb", "mar"]}))
    db.monthly.create_index([("person_id", 1), ("month", 1)], unique=True)
    db.create_collection("switches", validator=schema("on", "kind", on={"bsonType": "bool"}, kind={"enum": [1, 2, 3]}))
    db.switches.create_index([("on", 1), ("kind", 1)], unique=True, name="on_kind")
    db.create_collection("hens", validator=schema("name", name=STRING, egg_id={"bsonType": ["objectId", "null"]}))
    db.create_collection("eggs", validator=schema("hen_id", hen_id=KEY))
    db.create_collection("ring_a", validator=schema("b_id", b_id=KEY))
    db.create_collection("ring_b", validator=schema("a_id", a_id=KEY))
    db.create_collection("selfish", validator=schema("parent_id", parent_id=KEY))
    db.create_collection("impossible", validator=schema("a", a={"bsonType": "int", "minimum": 5, "maximum": 4}))
    db.create_collection("of_impossible", validator=schema("of", of=KEY))
    db.create_collection("maybe_impossible", validator=schema(of=KEY))
    db.create_collection("tickets", validator=schema("customer", customer={"bsonType": "object"}))
    parts = {"bsonType": "array", "items": {"bsonType": "object", "required": ["key"], "properties": {"key": STRING}}}
    db.create_collection("regions", validator=schema("parts", parts=parts))
    db.create_collection("of_parts", validator=schema("key", key=STRING))
    db.create_collection("kinds", validator=schema(*KINDS, **{name: {"bsonType": name} for name in KINDS}))


def _validators(db: Database[dict[str, Any]]) -> None:
    choice = {
        "oneOf": [
            {"required": ["kind", "a"], "properties": {"kind": {"enum": ["a"]}, "a": {"bsonType": "int", "minimum": 3}}},
            {"required": ["kind", "b"], "properties": {"kind": {"enum": ["b"]}, "b": {"bsonType": "string", "minLength": 2}}},
        ],
        "dependencies": {"x": ["y"]},
        "properties": {"x": INT, "y": INT},
    }
    db.create_collection("choice", validator={"$jsonSchema": choice})
    queried = {"$or": [{"phone": {"$type": "string"}}, {"email": {"$regex": r"@example\.com$"}}], "n": {"$mod": [4, 1]}}
    db.create_collection("queried", validator=queried)
    threes = {"bsonType": "int", "minimum": 1, "multipleOf": 3}
    db.create_collection("warned", validator=schema("n", n=threes), validationAction="warn")
    greater = {"$expr": {"$gt": ["$a", "$b"]}, "a": {"$type": "int"}, "b": {"$type": "int"}}
    db.create_collection("warned_of", validator=greater, validationAction="warn")
    failing = {"$expr": {"$gt": [{"$add": ["$a", 1]}, 5]}}  # of a text it cannot be worked out
    db.create_collection("warned_never", validator={"$and": [schema("a", a=STRING), failing]}, validationAction="warn")
    db.create_collection("never", validator={"$expr": {"$eq": [1, 2]}})
    strict = {"_id": INT, "a": {"bsonType": "string", "minLength": 5, "maxLength": 5}}
    closed = {"bsonType": "object", "required": ["_id", "a"], "additionalProperties": False, "properties": strict}
    db.create_collection("strict", validator={"$jsonSchema": closed})
    secret = {"bsonType": "string", "algorithm": "AEAD_AES_256_CBC_HMAC_SHA_512-Random", "keyId": [Binary(b"0" * 16, 4)]}
    db.create_collection("encrypted", validator=schema(ssn={"encrypt": secret}))
    db.create_collection("symbols", validator=schema("a", a={"bsonType": "symbol"}))
    db.create_collection("odd names", validator=schema('q"%s\n', "é", **{'q"%s\n': STRING, "é": INT}))
