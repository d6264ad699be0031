"""Reads that were put together by chance: one that is proven gives a tenant the same where nobody else's documents are there."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from bson import json_util
from document_judging import NOTHING, JudgeDocuments
from pymongo.database import Database as Documents

from checks.schema.names import TableName
from checks.tenants.declared import Tenancy
from checks.tenants.reads import DocumentRead, filled, parse_document_read
from runner.servers.mongodb.server import MongoServer

#: How many reads; nobody's and shared documents are everybody's.
READS = 150
TENANTS = (1, 2, 3)
DATA: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "orders": [
        {"_id": number, "tenant_id": tenant, "open": bool(number % 2), "n": number % 4, "customer": 100 + number % 5}
        for number, tenant in enumerate([1, 1, 1, 2, 2, 3, 3, 3, None, 1, 2, 3])
    ],
    "customers": [
        {"_id": 100 + number, "tenant_id": tenant, "n": number, "open": True} for number, tenant in enumerate([1, 2, 3, 1, None])
    ],
    "plans": [{"_id": number, "n": number} for number in range(4)],
}
VIEW = [{"$match": {"n": {"$gt": 0}}}, {"$project": {"n": 1, "tenant_id": 1, "customer": 1}}]
OWN = {"$match": {"tenant_id": "{tenant}"}}
#: What is drawn from; what brings documents in is made anew each time.
PLAIN: Sequence[Mapping[str, Any]] = (
    OWN,
    OWN,
    OWN,
    {"$match": {"$or": [{"tenant_id": "{tenant}"}, {"open": True}]}},
    {"$match": {"open": False}},
    {"$project": {"open": 1}},
    {"$project": {"tenant_id": 1, "c": 1, "n": 1}},
    {"$unset": "tenant_id"},
    {"$set": {"more": {"$add": [{"$ifNull": ["$n", 0]}, 1]}}},
    {"$unwind": {"path": "$c", "preserveNullAndEmptyArrays": True}},
    {"$unwind": "$c"},
    {"$group": {"_id": "$open", "n": {"$sum": "$n"}}},
    {"$group": {"_id": {"tenant_id": "$tenant_id", "open": "$open"}, "n": {"$sum": 1}}},
)
BRINGING = ("$lookup", "$lookup", "$unionWith", "$facet")


def fill(db: Documents[dict[str, Any]], of: int | None = None) -> None:
    """All documents, or those that a tenant may see."""
    for name, documents in DATA.items():
        kept = [dict(one) for one in documents if of is None or one.get("tenant_id") in (of, None)]
        db[name].insert_many(kept)
    db.command({"create": "a view", "viewOn": "orders", "pipeline": VIEW})


def drawn(chance: random.Random, deep: int = 0) -> list[Mapping[str, Any]]:
    """A pipeline of up to four stages, deeper in of up to two."""
    stages: list[Mapping[str, Any]] = []
    for _ in range(chance.randint(1, 4 if deep == 0 else 2)):
        if chance.random() < 0.6 or deep > 1:
            stages.append(chance.choice(PLAIN))
        elif (name := chance.choice(BRINGING[: 4 if deep == 0 else 3])) == "$facet":
            stages.append({name: {"a": drawn(chance, 2), "b": drawn(chance, 2)}})
        elif name == "$unionWith":
            stages.append({name: {"coll": chance.choice(["customers", "orders", "a view"]), "pipeline": drawn(chance, deep + 1)}})
        else:
            stages.append({name: _lookup(chance, deep)})
    return stages


def _lookup(chance: random.Random, deep: int) -> Mapping[str, Any]:
    mine, theirs = chance.choice(["customer", "n", "_id"]), chance.choice(["_id", "n"])
    given = {"from": chance.choice(["customers", "orders", "a view", "plans"]), "as": chance.choice(["c", "d"])}
    if chance.random() < 0.4:
        return {**given, "localField": mine, "foreignField": theirs}
    equal = {"$match": {"$expr": {"$eq": [f"${theirs}", "$$mine"]}}}
    return {**given, "let": {"mine": f"${mine}"}, "pipeline": [equal, *drawn(chance, deep + 1)]}


def read(chance: random.Random) -> DocumentRead:
    stages = drawn(chance)
    named = stages if "{tenant}" in json.dumps(stages) else [OWN, *stages]
    return parse_document_read(chance.choice(["orders", "orders", "customers", "a view"]), named, ["tenant_id"])


def given(db: Documents[dict[str, Any]], one: DocumentRead, tenant: int) -> str:
    """What a read gives a tenant, in an order that does not depend on the server's."""
    stages = filled(list(one.stages), {"tenant_id": tenant}, "tenant_id")
    return _text(list(db[one.collection].aggregate(stages)))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(sorted(map(_text, value)))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_text(inner)}' for name, inner in sorted(value.items()))}}}"
    return json_util.dumps(value)


def test_what_is_proven_depends_on_nobody_else(judge_documents: JudgeDocuments, mongo_server: MongoServer) -> None:
    chance = random.Random(20_270_203)
    reads = {str(number): read(chance) for number in range(READS)}
    whole: list[Documents[dict[str, Any]]] = []

    def prepare(db: Documents[dict[str, Any]]) -> None:
        fill(db)
        whole.append(db)

    tenancy = Tenancy(("tenant_id",), shared=frozenset({TableName("", "plans")}), document_reads=reads)
    judged = judge_documents("tenant-query", prepare, NOTHING, tenancy=tenancy)
    inside = mongo_server.client[whole[0].name]
    alone = {tenant: mongo_server.client[f"{inside.name}_{tenant}"] for tenant in TENANTS}
    try:
        for tenant, db in alone.items():
            fill(db, tenant)
        differing = {
            name for name, one in reads.items() if any(given(inside, one, of) != given(alone[of], one, of) for of in TENANTS)
        }
    finally:
        for db in alone.values():
            mongo_server.client.drop_database(db.name)
    found = {finding.subject for finding in judged.findings}
    assert differing & set(judged.proven) == set()
    assert len(judged.proven) > READS / 5
    assert len(found & differing) > READS / 8
    assert len(found - differing) < len(found) / 5  # some leaks change nothing with just these documents
