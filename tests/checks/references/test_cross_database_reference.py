"""cross-database-reference: keys of one database in another, whatever engines the two are and however each writes its keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, Decimal128, ObjectId
from judging import NO_EVIDENCE, NOTHING_EXPECTED, Judged, Query
from judging import target as postgres_target
from pymongo.database import Database as Documents
from sqlite_judging import target as sqlite_target

from checks.declared.across import parse_cross_reference
from checks.declared.expectations import Expectations
from checks.evidence import Evidence, LoadedFile, MigrationFailure
from checks.interface import Engine
from checks.registries.between import BETWEEN
from checks.targets import StatementFailed, Target
from runner.across.gathering import Across, Looking, Revision
from runner.across.keys import Keys
from runner.servers.interface import Database, Server
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session as mongo_session
from runner.targets.mongodb import MongoTarget

CHECK = "cross-database-reference"
ENGINES = {"app": Engine.POSTGRESQL, "till": Engine.SQLITE, "docs": Engine.MONGODB, "ledger": Engine.MONGODB}
ONE, TWO = uuid.UUID(int=0xABC), uuid.UUID(int=0xDEF)
OID = ObjectId("65a1b2c3d4e5f60718293a4b")


def judged(lines: list[str], seen: Mapping[str, Target], tmp_path: Path) -> Judged:
    """What the check says of references when these databases have been seen."""
    references = [parse_cross_reference(line, ENGINES) for line in lines]
    with closing(Keys(tmp_path / "keys")) as file:
        across = Across(references, file)
        for name, target in seen.items():
            across.see(name, Revision.HEAD, target)
        said = [BETWEEN[CHECK].run(Looking(ENGINES[one.child.database], [one], across, Revision.HEAD)) for one in references]
        return Judged(tuple(judgement for each in said for judgement in each))


@contextmanager
def documents(
    server: MongoServer, database: Database, fill: Callable[[Documents[dict[str, Any]]], object]
) -> Iterator[MongoTarget]:
    with mongo_session(database.private) as client:
        fill(client[database.name])
    with MongoTarget(server, None, database, NOTHING_EXPECTED, NO_EVIDENCE) as target:
        yield target


CUSTOMERS = f"""
    CREATE TABLE customers (id uuid PRIMARY KEY, number bigint UNIQUE, amount numeric(9, 2), mongo text, "näme %s" varchar(9));
    INSERT INTO customers VALUES ('{ONE}', 1, 4.50, '{OID}', 'a'), ('{TWO}', 2, 7.00, NULL, 'b');
"""
ORDERS = f"""
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, number REAL, Name TEXT, blank TEXT);
    INSERT INTO orders VALUES (1, '{str(ONE).upper()}', 1.0, 'a', NULL), (2, '{TWO.hex}', 2, 'b', NULL), (3, NULL, 3, 'B', NULL),
        (4, '{ONE}', 3, 'B', NULL), (5, 'not a uuid', NULL, 'B', NULL);
"""


def test_postgresql_and_sqlite(server: Server, database: Database, query: Query, tmp_path: Path) -> None:
    query(CUSTOMERS)
    lines = [
        "till:orders.customer -> app:customers.id",
        "till:ORDERS.number -> app:customers.number",
        'till:orders.name -> app:customers."näme %s"',
        "till:orders.blank -> app:customers.id",
        "app:customers.number -> till:orders.id",
        "app:customers.amount -> till:orders.id",
        "app:customers.gone -> till:order.id",
    ]
    with postgres_target(server, database) as app, sqlite_target(ORDERS) as till:
        said = judged(lines, {"app": app, "till": till}, tmp_path)
    assert {found.subject: (found.count, found.values) for found in said.findings} == {
        "till:orders.customer -> app:customers.id": (1, ("not a uuid (1)",)),
        "till:ORDERS.number -> app:customers.number": (2, ("3 (2)",)),
        "till:orders.name -> app:customers.näme %s": (3, ("B (3)",)),
        "app:customers.amount -> till:orders.id": (2, ("4.5 (1)", "7 (1)")),
        "app:customers.gone -> till:order.id (absent)": (None, ()),
    }
    assert said.findings[1].message == (
        "2 rows of till:ORDERS name a app:customers.number that does not exist, 1 that is missing of 3"
    )
    assert said.findings[-1].message.endswith("there is no column customers.gone in app and no table order in till")
    assert said.proven == ["app:customers.number -> till:orders.id"]
    assert said.gaps == {"till:orders.blank -> app:customers.id": "no rows that refer"}


def test_documents_and_rows(
    mongo_server: MongoServer, mongo_database: Database, server: Server, database: Database, query: Query, tmp_path: Path
) -> None:
    def fill(docs: Documents[dict[str, Any]]) -> None:
        docs.accounts.insert_many([
            {"_id": OID, "customer": Binary.from_uuid(ONE), "number": 1, "lines": [{"of": str(TWO).upper()}, {"of": "x"}, {}]},
            {"customer": Binary.from_uuid(TWO), "number": 2.0, "lines": [{"of": "x"}]},
            {"customer": Binary.from_uuid(uuid.UUID(int=7)), "number": Decimal128("2.00")},
            {"customer": None, "number": "1"},
        ])  # fmt: skip

    query(CUSTOMERS)
    lines = [
        "docs:accounts.customer -> app:customers.id",
        "docs:accounts.number -> app:customers.number",
        "docs:accounts.lines[].of -> app:customers.id",
        "docs:nothing.of -> app:customers.id",
        "app:customers.mongo -> docs:accounts._id",
        "app:customers.id -> docs:accounts.customer",
    ]
    with postgres_target(server, database) as app, documents(mongo_server, mongo_database, fill) as docs:
        said = judged(lines, {"app": app, "docs": docs}, tmp_path)
    assert {found.subject: (found.count, found.values) for found in said.findings} == {
        "docs:accounts.customer -> app:customers.id": (1, (f"{uuid.UUID(int=7)} (1)",)),
        "docs:accounts.lines[].of -> app:customers.id": (2, ("x (2)",)),
    }
    assert said.findings[0].message == (
        "1 document of docs:accounts names a app:customers.id that does not exist, 1 that is missing of 3"
    )
    assert said.proven == [lines[1], lines[4], lines[5]]
    assert said.gaps == {lines[3]: "no documents that refer"}


def test_two_mongodbs_and_a_column(
    mongo_server: MongoServer, mongo_database: Database, server: Server, database: Database, query: Query, tmp_path: Path
) -> None:
    def fill(docs: Documents[dict[str, Any]]) -> None:
        docs.invoices.insert_many([
            {"lines": [{"payment": {"account_id": OID, "customer": {"id": str(ONE)}}}, {"payment": None}], "tags": ["a", "b"]},
            {"lines": [{"payment": {"account_id": ObjectId(), "customer": {"id": str(uuid.UUID(int=7))}}}], "tags": []},
        ])  # fmt: skip

    def fill_ledger(ledger: Documents[dict[str, Any]]) -> None:
        ledger.accounts.insert_one({"_id": OID, "open": {"for": [{"tag": "a"}, {"tag": "b"}]}})

    query(CUSTOMERS)
    lines = [
        "docs:invoices.lines[].payment.account_id -> ledger:accounts._id",
        "docs:invoices.tags[] -> ledger:accounts.open.for[].tag",
        "docs:invoices.lines[].payment.customer.id -> app:customers.id",
    ]
    second = mongo_server.create(f"{mongo_database.name}_ledger")
    with (
        postgres_target(server, database) as app,
        documents(mongo_server, mongo_database, fill) as docs,
        documents(mongo_server, second, fill_ledger) as ledger,
    ):
        said = judged(lines, {"app": app, "docs": docs, "ledger": ledger}, tmp_path)
    assert {found.subject: found.count for found in said.findings} == {lines[0]: 1, lines[2]: 1}
    assert said.proven == [lines[1]]


def test_a_database_that_was_not_seen_proves_nothing(tmp_path: Path) -> None:
    with sqlite_target(ORDERS) as till:
        said = judged(["till:orders.id -> app:customers.id", "docs:a.b -> till:orders.id"], {"till": till}, tmp_path)
    assert list(said.gaps.values()) == ["app was not seen in this run", "docs was not seen in this run"]


def test_a_database_that_is_short_of_rows_proves_nothing(tmp_path: Path) -> None:
    line = "till:orders.id -> app:customers.id"
    refused = MigrationFailure(None, None, "", "23505", "duplicate key")
    for evidence, gap in (
        (Evidence(failure=refused), "the migrations of app failed"),
        (Evidence(loaded=(LoadedFile("seeds.sql", refused),)), "the rows of app were refused"),
    ):
        with sqlite_target(ORDERS) as till, sqlite_target("CREATE TABLE customers (id int)", evidence=evidence) as app:
            (tmp_path / "keys").unlink(missing_ok=True)
            engines = {**ENGINES, "app": Engine.SQLITE}
            with closing(Keys(tmp_path / "keys")) as file:
                across = Across([parse_cross_reference(line, engines)], file)
                across.see("till", Revision.HEAD, till)
                across.see("app", Revision.HEAD, app)
                assert across.compared(across.references[0], Revision.HEAD).gap == gap


@dataclass
class Refusing:
    """A database that is lost while it is read."""

    engine: Engine = Engine.SQLITE
    expect: Expectations = field(default_factory=Expectations)
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def catalogue(self) -> object:
        raise StatementFailed("the disk is gone", "SQLITE_IOERR")


def test_a_side_that_could_not_be_read_is_an_error_of_the_check(tmp_path: Path) -> None:
    with sqlite_target(ORDERS) as till, pytest.raises(StatementFailed, match=r"till:orders\.id -> app:c\.id: the disk is gone"):
        judged(["till:orders.id -> app:c.id"], {"till": till, "app": Refusing()}, tmp_path)


def test_keys_are_compared_in_a_file(tmp_path: Path) -> None:
    with closing(Keys(tmp_path / "keys")) as keys:
        keys.put("child", ((str(number % 1000), 1) for number in range(20_000)))
        keys.put("parent", ((str(number), 1) for number in range(990)))
        with pytest.raises(ZeroDivisionError):
            keys.put("broken", ((str(1 // number), 1) for number in (1, 0)))
        assert keys.different("child") == 1000
        assert keys.missing("child", "parent") == (10, 200, [(str(number), 20) for number in range(990, 995)])
