"""What following documents through migrations costs: against a plain read of both sides, and as documents grow.

    python -m bench.survives_documents [--documents N]

A collection of ten fields on either side, the comparison as the pass makes it, in seconds of this process (what the servers take
beside it is said):

- nothing changed: each server digests its own, and no document is read;
- every second document changed, a field of all renamed, another of all dropped: ten times the documents at most 13x the time, and
  20 MB more memory.

Exits 1 above a limit.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from checks.interface import Engine
from checks.survivals import Survival
from runner.servers.interface import Database, Server, Wanted
from runner.servers.mongodb.sessions import session
from runner.servers.registry import provision
from runner.surviving.mongodb import documents
from runner.undoing.mongodb import copied

TEN_TIMES, MEGABYTES = 13.0, 20.0
_BATCH = 10_000
_BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
#: What a migration does, in words and in updates.
CHANGES: tuple[tuple[str, Any, Any], ...] = (
    ("every second value cut", {"_id": {"$mod": [2, 0]}}, [{"$set": {"total": {"$toInt": "$total"}}}]),
    ("and a field of all renamed", {}, {"$rename": {"name": "title"}}),
    ("and a field of all dropped", {}, {"$unset": {"digest": ""}}),
)


def document(number: int) -> dict[str, Any]:
    """Ten fields, two of them with others in them."""
    return {
        "_id": number,
        "group": number % 1000,
        "name": f"name {number}",
        "digest": f"{number:032x}",
        "total": number / 16,
        "placed": _BEGAN + timedelta(seconds=number),
        "share": number / 3,
        "paid": number % 2 == 0,
        "address": {"street": f"street {number}", "number": number},
        "tags": [number, number + 1],
    }


@contextmanager
def sides(name: str, number: int, server: Server) -> Iterator[tuple[Database, Database]]:
    """A database with so many documents, and a copy."""
    base = server.create(name)
    with session(base.private) as client:
        for start in range(0, number, _BATCH):
            client[name].t.insert_many(map(document, range(start, min(number, start + _BATCH))))
    with copied(base) as head:
        yield base, head


def follow(base: Database, head: Database) -> tuple[Survival, float, float]:
    """What the pass does, with seconds of this process and on the clock."""
    began, clock = time.process_time(), time.monotonic()
    (found,) = documents(base, head, frozenset())
    return found, time.process_time() - began, time.monotonic() - clock


def measured(name: str, number: int, server: Server) -> list[float]:
    """Each part for so many documents, in seconds of this process."""
    spent: list[float] = []
    with sides(name, number, server) as (base, head), session(head.private) as client:
        _, mine, clock = follow(base, head)
        print(f"  {number} documents, nothing changed: {mine:.2f} s here, {clock:.2f} s in all", flush=True)
        for words, which, how in CHANGES:
            client[head.name].t.update_many(which, how)
            found, mine, clock = follow(base, head)
            spent.append(mine)
            told = ", ".join(f"{one.name} {one.changed or one.values}" for one in found.columns)
            print(f"  {number} documents, {words}: {mine:.2f} s here, {clock:.2f} s in all ({told})", flush=True)
    return spent


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def limit(name: str, value: float, most: float) -> bool:
    """Print what was measured against what it may be at most; whether it holds."""
    print(f"  {'held  ' if value <= most else 'BROKEN'} {name}: {value:.2f}, limit {most:g}", flush=True)
    return value <= most


def main(arguments: list[str]) -> int:
    """Measure few documents, then ten times as many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=300_000)
    given = parser.parse_args(arguments)
    with provision(Wanted(Engine.MONGODB)) as server:
        print(f"{Engine.MONGODB.label} {server.version}, documents of ten fields", flush=True)
        few = measured("few", given.documents // 10, server)
        before = peak()
        many = measured("many", given.documents, server)
    held = [
        limit("ten times the documents, in time", sum(many) / sum(few), TEN_TIMES),
        limit("memory in MB, ten times the documents", peak() - before, MEGABYTES),
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
