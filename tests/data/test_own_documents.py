"""Documents in Parquet, BSON and archives of mongodump, loaded into a real MongoDB; a refused one leaves nothing."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from bson import Decimal128, Int64, ObjectId, Timestamp, encode
from pyarrow import parquet
from pymongo.database import Database as Documents

from checks.evidence import LoadedFile, MigrationFailure, Place
from runner.data.documents import load_documents
from runner.errors import UsageError
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

COMPANIES: list[dict[str, Any]] = [
    {
        "_id": ObjectId("65a000000000000000000000"),
        "name": 'Zoë "A"\n',
        "at": Timestamp(1, 2),
        "n": Int64(1),
        "price": Decimal128("0.10"),
    },
    {"_id": 2, "name": None, "lines": [{"a": [1, 2.5]}], "raw": b"\x00\xff"},
]


@pytest.fixture
def db(mongo_database: Database) -> Iterator[Documents[dict[str, Any]]]:
    with session(mongo_database.private) as client:
        yield client[mongo_database.name]


def refused(root: Path, db: Documents[dict[str, Any]], name: str, content: bytes) -> MigrationFailure:
    (root / name).write_bytes(content)
    (loaded,) = load_documents(root, [name], db)
    assert loaded.refused is not None
    return loaded.refused


def archive(**collections: list[dict[str, Any]]) -> bytes:
    """As ``mongodump --archive`` writes it: two collections in turns, each with a last header that says its end."""
    end = b"\xff\xff\xff\xff"
    head = encode({"concurrent_collections": 4, "version": "0.1", "server_version": "6.0.5", "tool_version": "100.9"})
    listed = b"".join(encode({"db": "shop", "collection": name, "metadata": "{}", "size": 0}) for name in collections)
    parts = b""
    for number in range(max(map(len, collections.values()))):
        for name, held in collections.items():
            for one in held[number : number + 1]:
                parts += encode({"db": "shop", "collection": name, "EOF": False, "CRC": Int64(0)}) + encode(one) + end
    last = b"".join(encode({"db": "shop", "collection": name, "EOF": True, "CRC": Int64(1)}) + end for name in collections)
    return (0x8199E26D).to_bytes(4, "little") + head + listed + end + parts + last


def test_a_folder_of_mongodump(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    folder = tmp_path / "dump" / "shop"
    folder.mkdir(parents=True)
    (folder / "companies.bson").write_bytes(b"".join(map(encode, COMPANIES)))
    (folder / "companies.metadata.json").write_text('{"indexes": []}')
    (folder / "users.bson.gz").write_bytes(gzip.compress(encode({"_id": 1})))
    (folder / "prelude.json").write_text("{}")
    loaded = load_documents(tmp_path, ["dump"], db)
    assert loaded == (LoadedFile("dump/shop/companies.bson"), LoadedFile("dump/shop/users.bson.gz"))
    assert list(db.companies.find()) == COMPANIES
    assert db.users.count_documents({}) == 1
    assert sorted(db.list_collection_names()) == ["companies", "users"]
    (tmp_path / "dump" / "other").mkdir()
    (tmp_path / "dump" / "other" / "a.bson").write_bytes(b"")
    with pytest.raises(UsageError, match="dump holds several databases: other, shop"):
        load_documents(tmp_path, ["dump"], db)


def test_an_archive(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    content = archive(companies=COMPANIES, users=[{"_id": number} for number in range(3)])
    (tmp_path / "dump.archive.gz").write_bytes(gzip.compress(content))
    assert load_documents(tmp_path, ["dump.archive.gz"], db) == (LoadedFile("dump.archive.gz"),)
    assert list(db.companies.find()) == COMPANIES
    assert db.users.count_documents({}) == 3
    failure = refused(tmp_path, db, "a.archive", archive(more=[{"_id": 1}, {"_id": 2}], users=[{"_id": 7}, {"_id": 2}]))
    assert (failure.place, failure.code, failure.statement) == (Place("a.archive", 4), "11000", "db.users.insertOne(…)")
    assert (db.more.count_documents({}), db.users.count_documents({})) == (0, 3)
    assert refused(tmp_path, db, "a.archive", archive(fresh=[{"_id": 1}])[:-40]).said.startswith("is not BSON")
    assert refused(tmp_path, db, "a.archive", b"none").said == "is no archive of mongodump"
    assert (db.fresh.count_documents({}), db.users.count_documents({})) == (0, 3)


@pytest.mark.parametrize(
    ("content", "number", "said"),
    [
        (encode({"_id": 1}) + b"\x01", 2, "is not BSON: no document begins here"),
        (encode({"_id": 1}) + encode({"_id": 2})[:-3], 2, "is not BSON: the document does not end"),
        (encode({"_id": 1}) * 2, 2, "E11000"),
        (b'{"_id": 1}', 1, "is not BSON"),
        (b"\x1f\x8bbroken", None, "is no whole gzip"),
    ],
)
def test_what_is_no_bson(tmp_path: Path, db: Documents[dict[str, Any]], content: bytes, number: int | None, said: str) -> None:
    failure = refused(tmp_path, db, "things.bson", content)
    assert failure.said.startswith(said)
    assert failure.place == Place("things.bson", number)
    assert db.things.count_documents({}) == 0


def test_documents_without_keys_are_taken_back_too(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    db.things.insert_one({"_id": 5, "n": 0})
    db.things.create_index("n", unique=True)
    lines = [f'{{"n": {number}}}' for number in range(1, 1500)]
    failure = refused(tmp_path, db, "things.jsonl", "\n".join([*lines, '{"n": 7}']).encode())
    assert failure.place == Place("things.jsonl", 1500)
    assert list(db.things.find()) == [{"_id": 5, "n": 0}]


def test_parquet(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    table = pyarrow.table({"n": [1, 2], "on": [date(2024, 1, 2), None], "price": [Decimal("0.10"), None], "l": [[{"a": 1}], []]})
    parquet.write_table(table, tmp_path / "things.parquet")
    assert load_documents(tmp_path, ["things.parquet"], db)[0].refused is None
    assert list(db.things.find({}, {"_id": 0})) == [
        {"n": 1, "on": datetime(2024, 1, 2, tzinfo=UTC), "price": Decimal128("0.10"), "l": [{"a": 1}]},
        {"n": 2, "on": None, "price": None, "l": []},
    ]


def test_a_pattern_and_a_collection_of_another_name(tmp_path: Path, db: Documents[dict[str, Any]]) -> None:
    from runner.settings.loading import LoadSettings

    for name in ("b", "a"):
        (tmp_path / f"{name}.jsonl").write_text(f'{{"_id": "{name}"}}')
    loaded = load_documents(tmp_path, ["*.jsonl", LoadSettings(file="a.jsonl", table="others")], db)
    assert [one.file for one in loaded] == ["a.jsonl", "b.jsonl", "a.jsonl (2)"]
    assert [db[name].count_documents({}) for name in ("a", "b", "others")] == [1, 1, 1]
