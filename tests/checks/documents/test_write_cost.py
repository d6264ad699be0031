"""write-cost: inserts and updates of real documents with everything and without, and what a limit makes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from bson import encode
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from document_judging import JudgeDocuments
from judging import Judged
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, DocumentLimits
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.measured import WriteCost
from checks.schema.collections import collection_reference
from checks.timings import bounds, cost
from runner.backends import mongodb
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

#: Hours, which no write takes, and less than any takes.
WIDE = DocumentLimits(write=3600.0, overhead=3600.0)
NARROW = DocumentLimits(write=1e-9)
SCHEMA = {
    "required": ["name", "no"],
    "additionalProperties": False,
    "properties": {"_id": {}, "name": {"bsonType": "string"}, "no": {"bsonType": "int"}, "at": {"bsonType": "date"}},
}

Prepare = Callable[[Documents[dict[str, Any]]], object]
Judge = Callable[..., Judged]


def companies(db: Documents[dict[str, Any]]) -> None:
    """Every document has a field that no other may have, and an index that would let it expire at once."""
    db.create_collection("companies", validator={"$jsonSchema": SCHEMA})
    at = datetime(2020, 1, 1, tzinfo=UTC)
    db.companies.insert_many([{"name": f"company {n % 7}", "no": n, "at": at} for n in range(100)])
    db.companies.create_index("no", unique=True)
    db.companies.create_index([("name", 1)])
    db.companies.create_index("at", expireAfterSeconds=10**9)


def weighed(database: Database, prepare: Prepare, limits: DocumentLimits) -> Evidence:
    with session(database.private) as client:
        prepare(client[database.name])
    return mongodb.weigh(database, Expectations(documents=DocumentExpectations(limits=limits)), Evidence())


@pytest.fixture
def judge(judge_documents: JudgeDocuments, mongo_database: Database) -> Judge:
    """Prepares the database, measures its writes, and gives what the check says of them."""

    def run(prepare: Prepare, limits: DocumentLimits) -> Judged:
        evidence = weighed(mongo_database, prepare, limits)
        return judge_documents("write-cost", lambda _: None, DocumentExpectations(limits=limits), evidence)

    return run


def test_writes_within_their_limits_are_proven_and_leave_nothing_behind(judge: Judge, mongo_database: Database) -> None:
    assert judge(companies, WIDE).proven == ["companies (insert)", "companies (update)"]
    with session(mongo_database.private) as client:
        assert client[mongo_database.name].list_collection_names() == ["companies"]
        assert client[mongo_database.name].companies.count_documents({}) == 100


def test_writes_beyond_their_limit_are_found_with_what_takes_the_time(judge: Judge) -> None:
    insert, update = judge(companies, NARROW).findings
    assert (insert.subject, update.subject) == ("companies (insert)", "companies (update)")
    assert "; the limit is 1e-06 ms; median " in insert.message
    assert "with everything and " in insert.message
    assert insert.objects[0] == collection_reference("companies")
    assert {"median_ms", "overhead_ms", "validator_ms", "indexes_ms", "without_ms"} <= insert.evidence.keys()
    assert insert.remedy


def test_without_a_limit_nothing_is_measured(judge: Judge) -> None:
    judged = judge(companies, DocumentLimits())
    assert (judged.proven, judged.findings, judged.gaps) == ([], [], {})


@pytest.mark.mongodb_since("5.0")
def test_what_cannot_be_written_is_not_proven(judge: Judge) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("log", capped=True, size=4096)
        db.log.insert_one({"a": 1})
        db.create_collection("empty")
        db.create_collection("readings", timeseries={"timeField": "at"})
        db.command("create", "seen", viewOn="log", pipeline=[])
        db.single.insert_one({"_id": 1})
        db.invalid.insert_many([{"a.b": n, "$c": '"%s\n'} for n in range(3)])
        db.command("collMod", "invalid", validator={"x": {"$exists": True}})

    assert judge(prepare, WIDE).gaps == {
        "log (insert)": "capped",
        "log (update)": "capped",
        "empty (insert)": "no documents",
        "empty (update)": "no documents",
        "single (update)": "no document that is there may have another's fields",
        "invalid (insert)": "no document that is there would be taken",
        "invalid (update)": "no document that is there may have another's fields",
    }


@pytest.mark.mongodb_since("5.3")
def test_hostile_names_and_odd_collections_are_measured(judge: Judge) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        name = 'büro\'s "50%".x'
        db[name].insert_many([{"a.b": n, "$c": '"%s\n', "tags": [n, n + 1]} for n in range(20)])
        db[name].create_index("tags")
        db.odd.insert_many([{"n": n, "at": DatetimeMS(10**15 + n), "of": uuid4()} for n in range(20)])
        db.odd.insert_one(RawBSONDocument(encode({"_id": 1, "text": "xx"}).replace(b"xx", b"\xff\xfe")))
        db.create_collection("clustered", clusteredIndex={"key": {"_id": 1}, "unique": True})
        db.clustered.insert_many([{"_id": n, "n": n} for n in range(20)])
        db.create_collection("collated", collation={"locale": "de"})
        db.collated.insert_many([{"_id": f"k{n}", "n": n} for n in range(20)])
        db.collated.create_index("n", unique=True)
        db.collated.create_index([("t", "text")], collation={"locale": "simple"})

    judged = judge(prepare, WIDE)
    proven = {subject.rpartition(" (")[0] for subject in judged.proven}
    assert proven == {'büro\'s "50%".x', "clustered", "collated", "odd"}
    assert judged.findings == []


def test_a_database_that_is_only_read_is_not_written_to(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("write-cost", companies, DocumentExpectations(limits=WIDE))
    assert set(judged.gaps.values()) == {"measured on a copy only"}


def test_a_limit_on_the_overhead_is_held_against_what_is_added(judge_documents: JudgeDocuments) -> None:
    rounds = ((0.006, 0.005, 0.002, 0.001), (0.0062, 0.0052, 0.0022, 0.001)) * 20
    evidence = Evidence(writes=(WriteCost("companies", "insert", rounds), WriteCost("companies", "update", rounds)))
    limits = DocumentLimits(overhead=0.004)
    finding = judge_documents("write-cost", companies, DocumentExpectations(limits=limits), evidence).findings[0]
    assert "validator and indexes add at least 5 ms; the limit is 4 ms; median 6.1 ms with everything" in finding.message
    assert "The indexes take most of it (at_1, name_1, no_1)" in finding.remedy


def test_one_slow_round_is_no_finding() -> None:
    found = cost(WriteCost("a", "insert", ((0.001, 0.001, 0.001, 0.001),) * 36 + ((0.5, 0.001, 0.001, 0.001),) * 4))
    assert (found.write.median, found.write.low, found.overhead.low) == (0.001, 0.001, 0.0)


def test_bounds_are_the_same_each_time_and_hold_the_median() -> None:
    values = [0.001 * number for number in range(1, 30)]
    assert bounds(values) == bounds(values)
    assert bounds(values).low < bounds(values).median < bounds(values).high
