"""Documents compiled from validators: collections with every feature are filled, none is broken, and the rest is said."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torture_documents as torture
from bson.raw_bson import RawBSONDocument
from hypothesis import HealthCheck, given, settings
from json_schemas import ROOTS
from pymongo.database import Database as Documents

from checks.declared.across import parse_cross_reference
from checks.declared.documents import DeclaredValidator, DocumentExpectations, parse_document_reference
from checks.declared.expectations import Expectations
from checks.evidence import Evidence, FilledTable
from checks.interface import Engine, Finding
from checks.registries.documents import DOCUMENTS
from checks.rows.document_sets.planner import Planner
from checks.rows.document_sets.wishes import DocumentWishes
from checks.rows.document_sets.writing import Writing
from checks.schema.collections import Collection, Collections
from checks.schema.mongodb import read
from checks.tenants.declared import Tenancy
from runner.data.documents import load_documents
from runner.data.generated.documents_file import written
from runner.data.generated.mongodb import fillable, generate
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.targets.mongodb import MongoTarget

ROWS = 300
TENANCY = Tenancy(("tenant_id",))
CHECKS = ("document-violates-validator", "dangling-reference", "duplicate-keys", "cross-tenant-reference", "damaged-collection")
NOTHING = DocumentExpectations()

Prepare = Callable[[Documents[dict[str, Any]]], object]
Named = Documents[dict[str, Any]]


def filled(
    database: Database, expect: DocumentExpectations = NOTHING, rows: int = ROWS, seed: int = 1
) -> Mapping[str, FilledTable]:
    with session(database.private) as client:
        collections = read(client[database.name])
    wanted = dict.fromkeys(fillable(collections), rows)
    wishes = DocumentWishes(TENANCY.columns, expect=expect)
    made = generate(database.private, collections, wanted, seed, wishes, lambda _: None)
    return {one.table.name: one for one in made}


@pytest.fixture
def db(mongo_database: Database) -> Iterator[Named]:
    with session(mongo_database.private) as client:
        yield client[mongo_database.name]


@pytest.fixture
def fresh(mongo_server: MongoServer) -> Iterator[Callable[[], Database]]:
    """Further databases on the same server, gone at the end."""
    made: list[Database] = []

    def create() -> Database:
        made.append(mongo_server.create(f"test_{secrets.token_hex(4)}"))
        return made[-1]

    yield create
    for database in made:
        mongo_server.client.drop_database(database.name)
        mongo_server.client[database.name].command("dropAllUsersFromDatabase")
        del mongo_server.passwords[database.name]


def wrong(server: MongoServer, database: Database, expect: DocumentExpectations) -> list[str]:
    """What our own checks find."""
    expected = Expectations(documents=expect, tenancy=TENANCY)
    with MongoTarget(server, None, database, expected, Evidence()) as target:
        return [one.message for check in CHECKS for one in DOCUMENTS[check].run(target) if isinstance(one, Finding)]


@pytest.mark.mongodb_since("5.0")  # time series
def test_collections_with_every_feature_are_filled(mongo_server: MongoServer, mongo_database: Database, db: Named) -> None:
    torture.prepare(db)
    made = filled(mongo_database, torture.EXPECT)
    assert {name: (one.rows, one.reason) for name, one in made.items() if one.rows < ROWS} == torture.SHORT
    assert {name: db[name].count_documents({}) for name in made} == {name: one.rows for name, one in made.items()}
    assert wrong(mongo_server, mongo_database, torture.EXPECT) == []
    _worth_testing_with(db)


def _worth_testing_with(db: Named) -> None:
    tenants = Counter(one["tenant_id"] for one in db.people.find())
    assert len(tenants) > 1
    assert tenants.most_common(1)[0][1] > 3 * ROWS / len(tenants), "few parents have many children"
    ages = [one.get("age", "missing") for one in db.people.find()]
    assert {0, 120, None, "missing"} <= set(ages)
    assert {2**63 - 1, -(2**63)} <= {one.get("seen") for one in db.people.find()}
    assert any(not one["address"]["town"].isascii() for one in db.people.find({"address": {"$exists": True}}))
    born = [one["born"].replace(tzinfo=None) for one in db.people.find({"born": {"$exists": True}})]
    assert len({(day.year, day.month) for day in born}) > 20
    assert {len(one["lines"]) for one in db.orders.find()} == {1, 2, 3, 4}
    assert len({one["total"] for one in db.orders.find()}) > 50
    assert db.people.count_documents({"boss_id": {"$type": "objectId"}}) > ROWS / 5
    assert db.hens.count_documents({"egg_id": {"$type": "objectId"}}) > ROWS / 2
    assert db.selfish.count_documents({"$expr": {"$ne": ["$_id", "$parent_id"]}}) > ROWS / 2
    assert db.maybe_impossible.count_documents({"of": {"$exists": True}}) == 0
    assert db.ahead.count_documents({"person_id": {"$exists": True}}) > ROWS / 2, "what a view shows comes first"
    assert db.pairs.count_documents({"email": {"$exists": True}}) > ROWS / 2
    assert {tuple(one["customer"].as_doc()) for one in db.tickets.find()} == {("$ref", "$id")}
    until = [one["until"].year for one in db.free.find({"until": {"$exists": True}})]
    assert min(until) > 2030, "what expires is not gone at once"


def test_the_same_seed_gives_the_same_documents_and_another_gives_others(fresh: Callable[[], Database], tmp_path: Path) -> None:
    files = []
    for number, seed in enumerate((7, 7, 8)):
        database = fresh()
        with session(database.private) as client:
            torture.prepare_plain(client[database.name])
        filled(database, torture.EXPECT, 60, seed)
        written(database.private, database.name, tmp_path / str(number))
        files.append({file.name: file.read_bytes() for file in sorted((tmp_path / str(number)).iterdir())})
    assert files[0] == files[1]
    assert all(files[0][name] != files[2][name] for name in files[0])
    assert {"people.jsonl", "orders.jsonl", "kinds.jsonl"} <= set(files[0])


def test_what_is_written_is_loaded_as_it_was(fresh: Callable[[], Database], tmp_path: Path) -> None:
    source, target = fresh(), fresh()
    for database in (source, target):
        with session(database.private) as client:
            torture.prepare_plain(client[database.name])
    filled(source, torture.EXPECT, 60)
    out = tmp_path / "documents"
    size = written(source.private, source.name, out)
    names = sorted(file.name for file in out.iterdir())
    assert size.bytes == sum((out / name).stat().st_size for name in names)
    assert [path.name for path in tmp_path.iterdir()] == ["documents"]
    (out / "mine.txt").write_text("mine")
    written(source.private, source.name, out)
    assert sorted(file.name for file in out.iterdir()) == sorted([*names, "mine.txt"])
    with session(target.private) as client:
        assert not any(one.refused for one in load_documents(out, names, client[target.name]))
    written(target.private, target.name, tmp_path / "again")
    assert [(out / name).read_bytes() for name in names] == [(tmp_path / "again" / name).read_bytes() for name in names]


def test_collections_that_hold_documents_are_left_alone_and_referred_to(mongo_database: Database, db: Named) -> None:
    db.kinds.insert_many([{"code": "a"}, {"code": "b"}, {"code": 7}])
    db.create_collection("things", validator=torture.schema("kind", kind={"bsonType": "string"}))
    db.create_collection("ones", validator=torture.schema("kind", kind={"bsonType": "string"}))
    db.ones.create_index("kind", unique=True)
    references = ("things.kind -> kinds.code", "ones.kind -> kinds.code")
    made = filled(mongo_database, DocumentExpectations(references=tuple(map(parse_document_reference, references))), 50)
    assert set(made) == {"things", "ones"}
    assert (made["ones"].rows, made["ones"].reason) == (2, "each has a parent of its own, and there are no more")
    assert set(db.things.distinct("kind")) == {"a", "b"}


def test_fields_that_refer_to_another_database_stay_empty(mongo_database: Database, db: Named) -> None:
    db.create_collection("may", validator=torture.schema("n", n=torture.INT, customer_id=torture.INT))
    db.create_collection("must", validator=torture.schema("customer_id", customer_id=torture.INT))
    engines = {"docs": Engine.MONGODB, "app": Engine.POSTGRESQL}
    lines = [f"docs:{name}.customer_id -> app:customers.id" for name in ("may", "must")]
    elsewhere = tuple(parse_cross_reference(line, engines) for line in lines)
    collections = read(db)
    wanted = dict.fromkeys(fillable(collections), 30)
    may, must = generate(mongo_database.private, collections, wanted, 1, DocumentWishes(elsewhere=elsewhere), lambda _: None)
    assert (may.rows, db.may.count_documents({"customer_id": {"$exists": True}})) == (30, 0)
    assert (must.rows, must.reason) == (0, f"{lines[1]} refers to another database, whose keys are not known here")


def test_a_declared_validator_is_heeded_beside_the_one_that_is_attached(mongo_database: Database, db: Named) -> None:
    db.create_collection("things", validator=torture.schema("n", n={"bsonType": "int"}))
    declared = DeclaredValidator(
        "things", torture.schema("n", "text", n={"bsonType": "int", "minimum": 5}, text={"enum": ["a", "é"]})
    )
    made = filled(mongo_database, DocumentExpectations(validators=(declared,)), 50)
    assert made["things"].rows == 50
    assert db.things.count_documents({"$nor": [declared.validator]}) == 0


def test_references_of_every_shape_find_their_parents(mongo_server: MongoServer, mongo_database: Database, db: Named) -> None:
    number = {"bsonType": "object", "properties": {"n": {"bsonType": "long"}}}
    tags = {"bsonType": "array", "uniqueItems": True, "minItems": 2, "items": {"bsonType": "int"}}
    fields = {"a_id": {"bsonType": "string"}, "tags": tags, "lines": {"bsonType": "array", "minItems": 1, "items": number}}
    db.create_collection("children", validator=torture.schema("a_id", "tags", "lines", **fields))
    for name in ("parents", "tags", "numbers", "cells"):
        db.create_collection(name)
    lines = (
        *("children.a_id -> parents._id", "children.tags[] -> tags.number", "children.lines[].n -> numbers.n"),
        *("children.grid[][] -> cells._id", "children.(x, y) -> parents.(x, y)", "children.lines[].(p, q) -> parents.(p, q)"),
        *("children.next.$id -> children._id", "children.(x, lines[].p, lines[].r) -> cells.(x, p, r)"),
    )
    expect = DocumentExpectations(references=tuple(map(parse_document_reference, lines)))
    made = filled(mongo_database, expect, 80)
    assert {name: (one.rows, one.reason) for name, one in made.items()} == dict.fromkeys(made, (80, ""))
    assert wrong(mongo_server, mongo_database, expect) == []
    asked = {"lines.n": {"$type": "long"}, "grid.0.0": {"$type": "objectId"}, "x": {"$exists": True}}
    for field, query in asked.items():
        assert db.children.count_documents({field: query}), field
    assert db.parents.count_documents({"_id": {"$type": "string"}}) == 80, "as the child's schema has it"


@pytest.mark.mongodb_since("5.0")  # names with dollars
def test_the_server_takes_every_document_whatever_the_schema(db: Named) -> None:
    db.create_collection("tried")
    seen: Counter[str] = Counter()

    @settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ROOTS)
    def each(schema: dict[str, Any]) -> None:
        validator = {"$jsonSchema": schema}
        db.command("collMod", "tried", validator=validator)
        plan = Planner(Collections((Collection("tried", validator),)), DocumentWishes(), 1, lambda *_: True).planned("tried")
        seen["planned" if not plan.reason else "not planned"] += 1
        writing = Writing(plan, 1, {})
        made = [document for number in range(20) if (document := writing.document(number)) is not None]
        if not plan.reason:
            db.tried.insert_many(map(RawBSONDocument, made))
            db.tried.delete_many({})

    each()
    assert seen["planned"] > 15 * seen["not planned"]
