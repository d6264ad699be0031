"""What explanations of MongoDB say, of each shape that servers have: those that one server cannot be brought to as documented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pymongo.database import Database as Documents

from checks.measured import Examined, MemorySort, UsedIndex
from checks.targets import Role
from runner.measure.explained import examined
from runner.servers.interface import Address, Database
from runner.targets.mongodb_sessions import explained

MongoConnect = Callable[[Address], Documents[dict[str, Any]]]

IXSCAN = {"stage": "FETCH", "inputStage": {"stage": "IXSCAN", "indexName": "by_name", "keyPattern": {"name": 1}}}
COLLSCAN = {"stage": "COLLSCAN", "direction": "forward"}
#: What a server repeats of a query that is about explanations itself.
HOSTILE = {"stage": "COLLSCAN", "totalDocsExamined": 9, "indexName": "x", "usedDisk": True, "namespace": "shop.x"}


def planned(plan: dict[str, Any], documents: int, keys: int, **executed: Any) -> dict[str, Any]:
    """An explanation of a find."""
    return {
        "queryPlanner": {"namespace": "shop.companies", "parsedQuery": HOSTILE, "winningPlan": plan, "rejectedPlans": [COLLSCAN]},
        "executionStats": {
            "nReturned": 1,
            "totalDocsExamined": documents,
            "totalKeysExamined": keys,
            "executionStages": {**plan, **executed},
        },
        "command": {"find": "companies", "filter": HOSTILE},
    }


BY_NAME = UsedIndex("companies", "by_name")
SORT = {"stage": "SORT", "sortPattern": {"name": 1, "at": -1}, "inputStage": COLLSCAN}

SHAPES: dict[str, tuple[dict[str, Any], Examined]] = {
    "a find of the classic engine": (planned(IXSCAN, 1, 2), Examined(1, 2, (), (BY_NAME,))),
    "of the slot-based engine": (
        planned({"queryPlan": IXSCAN, "slotBasedPlan": {"stages": "[1] nlj"}}, 1, 2, stage="nlj"),
        Examined(1, 2, (), (BY_NAME,)),
    ),
    "a sort of the classic engine": (
        planned(SORT, 9, 0, totalDataSizeSorted=70, usedDisk=False),
        Examined(9, 0, ("companies",), (), MemorySort(("name", "-at"), 70)),
    ),
    "a sort of the slot-based engine": (
        planned({"queryPlan": SORT}, 9, 0, stage="sort", totalDataSizeSorted=70, usedDisk=True),
        Examined(9, 0, ("companies",), (), MemorySort(("name", "-at"), 70, disk=True)),
    ),
    "a lookup of the slot-based engine by an index": (
        planned(
            {
                "stage": "EQ_LOOKUP",
                "foreignCollection": "shop.subscriptions",
                "strategy": "IndexedLoopJoin",
                "indexName": "by_company",
                "inputStage": IXSCAN,
            },
            3,
            4,
        ),
        Examined(3, 4, (), (BY_NAME, UsedIndex("subscriptions", "by_company"))),
    ),
    "a lookup of the slot-based engine without one": (
        planned(
            {
                "stage": "EQ_LOOKUP_UNWIND",
                "foreignCollection": "shop.subscriptions",
                "strategy": "HashJoin",
                "inputStage": IXSCAN,
            },
            3,
            4,
        ),
        Examined(3, 4, ("subscriptions",), (BY_NAME,)),
    ),
    "a find of a sharded collection": (
        {
            "queryPlanner": {
                "winningPlan": {
                    "stage": "SHARD_MERGE",
                    "shards": [
                        {"shardName": "a", "namespace": "shop.companies", "winningPlan": IXSCAN},
                        {"shardName": "b", "namespace": "shop.companies", "winningPlan": {"queryPlan": COLLSCAN}},
                    ],
                }
            },
            "executionStats": {
                "totalDocsExamined": 12,
                "totalKeysExamined": 3,
                "executionStages": {
                    "stage": "SHARD_MERGE",
                    "shards": [{"shardName": "a", "totalDocsExamined": 3}, {"shardName": "b", "totalDocsExamined": 9}],
                },
            },
        },
        Examined(12, 3, ("companies",), (BY_NAME,)),
    ),
    "a pipeline on shards, by whatever name they have": (
        {
            "mergeType": "mongos",
            "shards": {
                "filter": planned(IXSCAN, 1, 2),
                "rs1": {"stages": [{"$cursor": planned(COLLSCAN, 7, 0)}, {"$match": HOSTILE, "nReturned": 1}]},
            },
        },
        Examined(8, 2, ("companies",), (BY_NAME,)),
    ),
    "a time series that is bounded by its time": (
        planned({"stage": "COLLSCAN", "minRecord": 1, "maxRecord": 2}, 2, 0),
        Examined(2, 0),
    ),
    "a lookup before 5.0, which tells nothing": (
        {"stages": [{"$cursor": planned(IXSCAN, 1, 2)}, {"$lookup": {"from": "invoices", "as": "x", "localField": "name"}}]},
        Examined(1, 2, (), (BY_NAME,), untold=("invoices",)),
    ),
    "a find by its key in 8.0": (
        planned({"isCached": False, "stage": "EXPRESS_IXSCAN", "keyPattern": "{ _id: 1 }", "indexName": "_id_"}, 1, 1),
        Examined(1, 1, (), (UsedIndex("companies", "_id_"),)),
    ),
    "nothing": ({}, Examined(0, 0)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_understood(shape: str) -> None:
    explanation, expected = SHAPES[shape]
    assert examined(explanation) == expected


@pytest.mark.mongodb_since("5.0")
def test_a_server_explains_what_pipelines_hold(mongo_database: Database, mongo_connect: MongoConnect) -> None:
    db = mongo_connect(mongo_database.addresses[Role.OWNER])
    db.companies.insert_many([{"_id": number, "name": f"c{number}", "size": number % 7} for number in range(100)])
    db.companies.create_index("name", name="by_name")
    db.create_collection("readings", timeseries={"timeField": "at"})
    db.command("create", "small", viewOn="companies", pipeline=[{"$match": {"size": 1}}])

    def looked(collection: str, query: Any, sort: tuple[tuple[str, int], ...] = ()) -> Examined:
        return examined(explained(db, collection, query, 5000, sort=sort))

    union = looked(
        "companies", [{"$match": {"_id": 3}}, {"$unionWith": {"coll": "companies", "pipeline": [{"$match": {"size": 2}}]}}]
    )
    assert (union.documents, union.scanned, union.indexes) == (101, ("companies",), (UsedIndex("companies", "_id_"),))
    facet = looked(
        "companies",
        [
            {"$match": {"name": "c1"}},
            {
                "$facet": {
                    "command": [{"$sort": {"size": -1}}],
                    "looked": [{"$lookup": {"from": "companies", "localField": "size", "foreignField": "size", "as": "x"}}],
                }
            },
        ],
    )
    assert (facet.documents, facet.scanned, facet.indexes) == (101, ("companies",), (BY_NAME,))
    assert facet.sort is not None
    assert facet.sort.fields == ("-size",)
    assert looked("small", {"name": "c1"}) == Examined(1, 1, (), (BY_NAME,))
    assert looked("readings", {"x": 1}).scanned == ("readings",)
    assert looked("companies", {"size": 1}, (("name", -1),)).sort is None, "the index on the name gives that order"
    sorted_by = looked("companies", {"name": "c1"}, (("size", 1), ("_id", -1))).sort
    assert sorted_by is not None
    assert sorted_by.fields == ("size", "-_id")
