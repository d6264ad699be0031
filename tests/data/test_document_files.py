"""Files of documents on a real MongoDB: every form is read, and a refused document is named by its line without its values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from pymongo.database import Database as Documents

from checks.evidence import MigrationFailure, Place
from runner.data.documents import BATCH, load_documents
from runner.errors import UsageError
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session


@pytest.fixture
def db(mongo_database: Database) -> Iterator[Documents[dict[str, Any]]]:
    with session(mongo_database.private) as client:
        yield client[mongo_database.name]


def refused(root: Path, db: Documents[dict[str, Any]], name: str, text: str | bytes) -> MigrationFailure:
    (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    (loaded,) = load_documents(root, [name], db)
    assert loaded.refused is not None
    return loaded.refused


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("companies.jsonl", '{"_id": 1, "n": 1}\n\n{"_id": 2, "n": {"$numberLong": "2"}}\n'),
        ("companies.ndjson", '\ufeff{"_id": 1, "n": 1}\r\n{"_id": 2, "n": 2}'),
        ("companies.json", '{"_id": 1, "n": 1}\n{"_id": 2, "n": 2}\n'),
        ("companies.json", '\n [\n{"_id": 1,\n "n": 1} ,\n\n {"_id": 2, "n": 2}\n]\n'),
    ],
)
def test_each_form_of_a_file(name: str, text: str, tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / name).write_text(text, "utf-8")
    (loaded,) = load_documents(tmp_path, [f"seeds/{name}"], db)
    assert (loaded.file, loaded.refused) == (f"seeds/{name}", None)
    assert [(one["_id"], one["n"]) for one in db.companies.find().sort("_id")] == [(1, 1), (2, 2)]


def test_types_of_extended_json(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    line = (
        '{"_id": {"$oid": "65a000000000000000000000"}, "price": {"$numberDecimal": "0.10"}, '
        '"at": {"$date": "2024-01-01T00:00:00Z"}, "units": 3, "ratio": 0.5}'
    )
    (tmp_path / "a.b.jsonl").write_text(line)
    load_documents(tmp_path, ["a.b.jsonl"], db)
    (held,) = db["a.b"].aggregate([{"$project": {name: {"$type": f"${name}"} for name in ("price", "at", "units", "ratio")}}])
    assert held == {
        "_id": ObjectId("65a000000000000000000000"),
        "price": "decimal",
        "at": "date",
        "units": "int",
        "ratio": "double",
    }
    assert db["a.b"].find_one({"price": Decimal128("0.1")}) is not None


def test_more_than_one_batch(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    lines = [f'{{"n": {number}}}\n' for number in range(2 * BATCH + 1)]
    (tmp_path / "many.jsonl").write_text("".join(lines))
    assert load_documents(tmp_path, ["many.jsonl"], db)[0].refused is None
    assert db.many.count_documents({}) == 2 * BATCH + 1


@pytest.mark.mongodb_since("5.0")
def test_a_broken_rule_at_its_line_without_values(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    schema = {
        "required": ["status"],
        "properties": {"status": {"enum": ["a"]}, "lines": {"items": {"properties": {"n": {"minimum": 1}}}}},
    }
    db.create_collection("things", validator={"$jsonSchema": schema})
    lines = ['{"status": "a"}'] * (BATCH + 1) + ['{"status": "secret", "lines": [{"n": 0}]}', '{"status": "a"}']
    failure = refused(tmp_path, db, "things.jsonl", "\n".join(lines))
    assert (failure.place, failure.code) == (Place("things.jsonl", BATCH + 2), "121")
    assert failure.said == "Document failed validation: status: enum, lines[].n: minimum"
    assert "secret" not in failure.said + failure.statement
    assert "secret" in failure.detail
    assert db.things.count_documents({}) == 0


def test_a_duplicate_at_its_line_and_what_was_there_stays(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    db.things.insert_one({"_id": "secret"})
    failure = refused(tmp_path, db, "things.json", '[{"_id": 1},\n {"_id": 2},\n\n {"_id": "secret"}]')
    assert (failure.place, failure.code) == (Place("things.json", 4), "11000")
    assert failure.said.endswith("things index: _id_")
    assert [one["_id"] for one in db.things.find()] == ["secret"]


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("a.jsonl", '{"n": 1}\n{"n": \n', 2, "is not JSON: Expecting value (column 6)"),
        ("a.jsonl", '{"n": 1} {"n": 2}\n', 1, "is not JSON: Extra data (column 9)"),
        ("a.jsonl", "[1]\n", 1, "expected a document, an object in braces"),
        ("a.jsonl", '{"n": 1}\n3\n', 2, "expected a document, an object in braces"),
        ("a.json", '[{"n": 1},\n{"n": {"$oid": "x"}}]', 2, "is not Extended JSON: 'x' is not a valid ObjectId"),
        ("a.json", '[{"n": 1},\n\n{"n": 1', 3, "is not JSON: Expecting"),
        ("a.jsonl", '{"n": 99999999999999999999}', 1, "is not BSON:"),
        ("a.jsonl", b'{"n": "\xff"}', 1, "is not UTF-8"),
        ("a.jsonl", '{"n": "%s"}' % ("x" * 17_000_000), 1, "the document has 17"),
    ],
    ids=range(9),
)
def test_what_is_no_document(
    name: str, text: str | bytes, line: int, said: str, tmp_path: Path, db: Documents[dict[str, Any]]
) -> None:
    failure = refused(tmp_path, db, name, text)
    assert failure.said.startswith(said)
    assert failure.place == Place(name, line)
    assert db.a.count_documents({}) == 0


def test_files_after_a_refused_one_are_not_tried(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    (tmp_path / "a.jsonl").write_text("{")
    (tmp_path / "b.jsonl").write_text('{"n": 1}')
    first, second = load_documents(tmp_path, ["a.jsonl", "b.jsonl"], db)
    assert first.refused is not None
    assert second.refused is None
    assert db.b.count_documents({}) == 0


def test_a_file_that_is_not_there(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    with pytest.raises(UsageError, match=r"there is no file a\.jsonl"):
        load_documents(tmp_path, ["a.jsonl"], db)
