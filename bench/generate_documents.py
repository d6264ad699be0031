"""Documents made from a schema, against the ways to get the same documents in: how fast, and what ten times as many cost.

The collections of the example ``subscriptions``, with its validators, indexes and references. Rivals: ``insert_many`` of the
very same documents, ready in memory as dictionaries, and a loader that makes documents of these collections with Faker, one by
one, and sends each with ``insert_one``. Prints documents in a second and the ratios of interleaved pairs; limits: 0.5x
``insert_many``, 50x Faker, and ten times the documents at most 15 times the time.

    python -m bench.generate_documents [DOCUMENTS A COLLECTION] [PAIRS]

Exits 1 above a limit.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.ratios import environment
from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.interface import Engine
from checks.rows.document_sets.wishes import DocumentWishes
from checks.schema.mongodb import read
from runner.data.generated.mongodb import fillable, generate
from runner.servers.interface import Database, Wanted
from runner.servers.mongodb.sessions import session
from runner.servers.registry import provision

if TYPE_CHECKING:
    from pymongo.database import Database as Named

    Documents = Named[dict[str, Any]]

SCHEMAS = Path(__file__).parents[1] / "examples" / "subscriptions" / "schemas"
INDEXES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "companies": [{"key": {"company_name": 1}, "unique": True}, {"key": {"created_at": 1}}],
    "subscriptions": [{"key": {"company_name": 1, "status": 1}}, {"key": {"start_date": 1}}, {"key": {"created_at": 1}}],
    "invoices": [{"key": {"number": 1}, "unique": True}, {"key": {"company_name": 1, "issued_at": -1}}],
}
REFERENCES = (
    "subscriptions.company_name -> companies.company_name",
    "invoices.company_name -> companies.company_name",
    "invoices.lines[].subscription_id -> subscriptions._id",
)
EXPECT = DocumentExpectations(references=tuple(map(parse_document_reference, REFERENCES)))
#: Documents of each collection that the Faker loader makes.
FAKED = 600
READY, FAKER, TEN_TIMES = 0.5, 50.0, 15.0

LOADER = """
import sys, time
from bson import Decimal128, ObjectId
from faker import Faker
from pymongo import MongoClient
fake = Faker(); fake.seed_instance(1)
when = fake.date_time_this_decade

def money():
    return Decimal128(str(fake.pydecimal(left_digits=3, right_digits=2, positive=True)))

def company(n):
    return {"company_name": f"{fake.company()} {n}", "created_at": when(), "updated_at": when()}

def subscription(n):
    periods = [{"period_start": when(), "period_end": when(), "units_used": fake.random_int()} for _ in range(n % 4)]
    return {"_id": ObjectId(), "company_name": fake.random_element(names),
        "subscription_unit": fake.random_element(["page", "word", "character"]), "units_per_subscription": fake.random_int(1),
        "price_per_unit": money(), "subscription_price": money(), "start_date": when(), "end_date": when(),
        "status": fake.random_element(["active", "inactive", "expired"]), "usage_periods": periods,
        "created_at": when(), "updated_at": when()}

def invoice(n):
    line = lambda: {"subscription_id": fake.random_element(ids), "units": fake.random_int(), "amount": money()}
    lines = [line() for _ in range(1 + n % 4)]
    return {"number": f"INV-{n:06}", "company_name": fake.random_element(names), "issued_at": when(), "lines": lines,
        "total": money()}

number = int(sys.argv[3])
with MongoClient(sys.argv[1]) as client:
    db = client[sys.argv[2]]
    names, ids = [], []
    began = time.perf_counter()
    for n in range(number):
        names.append(db.companies.insert_one(one := company(n)) and one["company_name"])
    for n in range(number):
        ids.append(db.subscriptions.insert_one(subscription(n)).inserted_id)
    for n in range(number):
        db.invoices.insert_one(invoice(n))
    print(3 * number / (time.perf_counter() - began))
"""


def emptied(db: Documents) -> None:
    """The collections as they are made, with validators and indexes and without documents."""
    for name, indexes in INDEXES.items():
        db.drop_collection(name)
        db.create_collection(name, validator={"$jsonSchema": json.loads((SCHEMAS / f"{name}.json").read_text())})
        named = [{"name": "_".join(one["key"]), **one} for one in indexes]
        db.command("createIndexes", name, indexes=named)


def filled(database: Database, documents: int) -> float:
    """Documents in a second."""
    with session(database.private) as client:
        emptied(client[database.name])
        collections = read(client[database.name])
    wanted = dict.fromkeys(fillable(collections), documents)
    began = time.perf_counter()
    done = generate(database.private, collections, wanted, 1, DocumentWishes(expect=EXPECT), lambda _: None)
    taken = time.perf_counter() - began
    if any(one.rows < documents for one in done):
        raise SystemExit(f"not filled: {done}")
    return documents * len(done) / taken


def inserted(database: Database, ready: Mapping[str, list[dict[str, Any]]]) -> float:
    """Documents in a second that are there already as dictionaries."""
    with session(database.private) as client:
        db = client[database.name]
        emptied(db)
        began = time.perf_counter()
        for name, documents in ready.items():
            db[name].insert_many(documents, ordered=False)
        return sum(map(len, ready.values())) / (time.perf_counter() - began)


def faked(database: Database) -> float:
    """Documents in a second of a loader with Faker."""
    with session(database.private) as client:
        emptied(client[database.name])
    program = environment("faker-mongodb", "faker", "pymongo") / "python"
    told: list[str | Path] = [program, "-c", LOADER, database.private.url(), database.name, str(FAKED)]
    return float(subprocess.run(told, capture_output=True, text=True, timeout=600, check=True).stdout)


def ready_documents(database: Database) -> Mapping[str, list[dict[str, Any]]]:
    """What was made, in memory."""
    with session(database.private) as client:
        return {name: list(client[database.name][name].find()) for name in INDEXES}


def held(name: str, figure: float, limit: float, *, least: bool) -> bool:
    """Print a figure; whether it keeps its limit."""
    kept = figure >= limit if least else figure <= limit
    print(f"{name}: {figure:.2f}x (limit {limit}x){'' if kept else ' NOT MET'}")
    return kept


def main() -> int:
    """Measure, print, and give the exit code."""
    documents, pairs = (int(one) for one in (*sys.argv[1:], *("50000", "3")[len(sys.argv) - 1 :]))
    with provision(Wanted(Engine.MONGODB)) as server:
        made, other = server.create("made"), server.create("other")
        speeds = {number: number / filled(made, number) for number in (documents // 10, documents)}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        ready = ready_documents(made)
        ratios: dict[str, list[float]] = {"insert_many": [], "Faker": []}
        for _ in range(pairs):
            ours, theirs, loader = filled(made, documents), inserted(other, ready), faked(other)
            ratios["insert_many"].append(ours / theirs)
            ratios["Faker"].append(ours / loader)
            print(f"ours {ours:,.0f} documents/s, insert_many {theirs:,.0f}, Faker {loader:,.0f}")
        print(f"memory of dbproof: {before:.0f} MB")
        kept = [
            held("insert_many", median(ratios["insert_many"]), READY, least=True),
            held("Faker", median(ratios["Faker"]), FAKER, least=True),
            held("10x documents", speeds[documents] / speeds[documents // 10], TEN_TIMES, least=False),
        ]
    return int(not all(kept))


if __name__ == "__main__":
    sys.exit(main())
