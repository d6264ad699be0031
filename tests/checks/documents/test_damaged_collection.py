"""What the server itself finds damaged is told, on a server that was made to leave an entry out of its indexes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from document_judging import JudgeDocuments
from judging import Judged
from mongods import at

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Need
from checks.registries.documents import DOCUMENTS
from checks.targets import StatementFailed
from runner.servers.mongodb.given import GivenServer
from runner.servers.mongodb.installations import Installation
from runner.servers.mongodb.local import local_server
from runner.servers.mongodb.server import MongoServer
from runner.targets.mongodb import MongoTarget

CHECK = "damaged-collection"


@pytest.fixture
def breakable(mongod: Installation, place: Path) -> Iterator[MongoServer]:
    """A server of its own, which takes the commands that MongoDB's own tests break it with."""
    script = place / "mongod"
    script.write_text(f'#!/bin/sh\nexec {mongod.program} --setParameter enableTestCommands=1 "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    with local_server(at(script)) as server:
        yield server


def test_an_index_that_misses_a_document(breakable: MongoServer) -> None:
    database = breakable.create("shop")
    db = breakable.client[database.name]
    db.orders.create_index("number", name="by_number")
    db.orders.insert_one({"number": 1})
    breakable.client.admin.command("configureFailPoint", "skipIndexNewRecords", mode="alwaysOn", data={"skipIdIndex": False})
    db.orders.insert_one({"number": 2})
    breakable.client.admin.command("configureFailPoint", "skipIndexNewRecords", mode="off")
    db.whole.insert_one({})
    with MongoTarget(breakable, None, database, Expectations(), Evidence()) as target:
        judged = Judged(tuple(DOCUMENTS[CHECK].run(target)))
    assert judged.proven == ["whole"]
    finding = judged.finding
    assert (finding.subject, finding.message) == ("orders", "the server finds orders damaged, in the indexes _id_, by_number")
    assert "Index with name 'by_number' has inconsistencies." in finding.said
    assert finding.evidence == {"indexes": ["_id_", "by_number"], "missing entries": 2, "extra entries": 0}


@pytest.mark.mongodb_since("5.0")
def test_whole_ones_of_every_kind(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Any) -> None:
        db.orders.insert_one({})
        db.create_collection("capped", capped=True, size=4096)
        db.create_collection('o"dd %\nü')
        db.command("create", "measured", timeseries={"timeField": "at"})
        db.command("create", "seen", viewOn="orders", pipeline=[])

    judged = judge_documents(CHECK, prepare)
    assert (judged.proven, judged.findings) == (["capped", "measured", 'o"dd %\nü', "orders"], [])


def test_a_database_that_is_only_read_keeps_its_writers(mongo_server: MongoServer, mongo_database: Any) -> None:
    server = GivenServer(mongo_server.version, mongo_database.private)
    with (
        MongoTarget(server, None, mongo_database, Expectations(), Evidence()) as target,
        pytest.raises(StatementFailed) as refused,
    ):
        target.storage("orders", full=True)
    assert refused.value.gap == "the database was given to be read only"
    assert Need.SANDBOX in DOCUMENTS[CHECK].NEEDS
