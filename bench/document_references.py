"""How fast dangling references are counted, against the ``$lookup`` that one would write: at most 0.12 of it, and 2.5 scans.

A million children name a hundred thousand parents, ten of which are missing. The three ways take turns, so that a noisy machine
hits all of them, and the median of the rounds' ratios counts. Exits 1 above a limit, 4 where it cannot be measured.

    python -m bench.document_references [CHILDREN] [ROUNDS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING, Any

from checks.declared.documents import parse_document_reference
from checks.documents.dangling_reference import missing, references
from checks.interface import Engine
from runner.errors import ServerFailed
from runner.servers.interface import Wanted
from runner.servers.mongodb.sessions import session
from runner.servers.registry import provision

if TYPE_CHECKING:
    from pymongo.database import Database

    Documents = Database[dict[str, Any]]

CHILDREN, ROUNDS = 1_000_000, 3
#: Children for each parent, and how many parents are named that are not there.
EACH, MISSING = 10, 10
OF_LOOKUP, OF_SCAN = 0.12, 2.5

REFERENCE = parse_document_reference("children.name -> parents.name")
PARENT = {"from": "parents", "localField": "name", "foreignField": "name", "as": "found"}

LOOKUP: list[Mapping[str, Any]] = [{"$lookup": PARENT}, {"$match": {"found": []}}, {"$count": "references"}]
SCAN: list[Mapping[str, Any]] = [{"$match": {"padding": "not there"}}, {"$count": "references"}]

Way = Callable[["Documents"], object]


def ours(db: Documents) -> None:
    """What the check asks: the keys without a parent, then their references."""
    keys = [one["_id"] for one in db.children.aggregate(list(missing(REFERENCE)), allowDiskUse=True)]
    counted = list(db.children.aggregate(list(references(REFERENCE.child, keys)), allowDiskUse=True))
    if len(counted) != MISSING:
        raise AssertionError(f"{len(counted)} missing parents, expected {MISSING}")


WAYS: Mapping[str, Way] = {
    "dbproof": ours,
    "$lookup": lambda db: list(db.children.aggregate(LOOKUP)),
    "scan": lambda db: list(db.children.aggregate(SCAN)),
}


def fill(db: Documents, children: int) -> None:
    """Both collections, with the indexes that an application has on what it looks up."""
    parents = children // EACH
    _insert(db, "parents", ({"name": f"company {number:09d}", "padding": "x" * 100} for number in range(parents)))
    names = (number * 7919 % (parents + MISSING) for number in range(children))
    _insert(db, "children", ({"name": f"company {name:09d}", "padding": "y" * 100} for name in names))
    db.parents.create_index("name", unique=True)
    db.children.create_index("name")


def _insert(db: Documents, name: str, documents: Iterator[dict[str, Any]]) -> None:
    while several := list(islice(documents, 10_000)):
        db[name].insert_many(several, ordered=False)


def seconds(db: Documents, way: Way) -> float:
    """Wall time of one way."""
    began = time.perf_counter()
    way(db)
    return time.perf_counter() - began


def main(children: int = CHILDREN, rounds: int = ROUNDS) -> int:
    """Measure, say the figures, and give the exit code."""
    with provision(Wanted(Engine.MONGODB)) as server:
        database = server.create("bench")
        with session(database.private) as client:
            db = client[database.name]
            fill(db, children)
            taken = [{name: seconds(db, way) for name, way in WAYS.items()} for _ in range(rounds)]
    for way in WAYS:
        print(f"{way:8} {median(one[way] for one in taken):8.2f} s of {rounds} rounds, {children:,} children")
    of_lookup = median(one["dbproof"] / one["$lookup"] for one in taken)
    of_scan = median(one["dbproof"] / one["scan"] for one in taken)
    print(f"of $lookup {of_lookup:.3f} (limit {OF_LOOKUP}), of a scan {of_scan:.2f} (limit {OF_SCAN})")
    return int(of_lookup > OF_LOOKUP or of_scan > OF_SCAN)


if __name__ == "__main__":
    try:
        sys.exit(main(*map(int, sys.argv[1:3])))
    except ServerFailed as error:
        print(error, file=sys.stderr)
        sys.exit(4)
