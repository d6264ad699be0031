"""How much longer all checks of documents take on two hundred collections than on twenty.

    python -m bench.mongo_collections [--pairs N] [--few N] [--many N] [--documents N] [--checks ID,ID]

Each collection has a thousand documents, a validator, three indexes, a reference to the one before it and a declared query.
What a run does with a sealed database is measured in interleaved pairs: the copy, the queries and what their indexes gain,
the catalogue, and every check that is on by itself. Seconds are those of processors, the server's and dbproof's together, so
that what else runs on the machine takes no part; those of the clock stand beside. The whole may take at most 1.1 times as
much for each collection, and a part of it twice where it takes a second or more: what the server's cache of 256 MB no longer
holds is read again.

Exits 1 above a limit, 4 where it cannot be measured.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.ratios import bounded
from checks.declared.documents import (
    DeclaredIndex,
    DeclaredValidator,
    DocumentExpectations,
    DocumentQuery,
    parse_document_reference,
)
from checks.declared.expectations import Expectations
from checks.declared.queries import Category
from checks.evidence import Evidence
from checks.interface import Engine, Outcome, Severity, State
from checks.registries.documents import DOCUMENTS
from checks.schema.collections import CollectionIndex
from runner.backends import mongodb
from runner.errors import ServerFailed
from runner.scheduler import Checks, run_checks, with_severities
from runner.servers.interface import Database, Server, Wanted
from runner.servers.mongodb.sessions import session
from runner.servers.registry import provision

OF_ALL, OF_ONE, WORTH = 1.1, 2.0, 1.0

VALIDATOR: Mapping[str, Any] = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["name", "parent", "status", "created_at"],
        "properties": {
            "name": {"bsonType": "string", "minLength": 1, "maxLength": 255},
            "parent": {"bsonType": "int"},
            "status": {"enum": ["active", "inactive", "expired"]},
            "units": {"bsonType": "int", "minimum": 1},
            "created_at": {"bsonType": "date"},
            "lines": {"bsonType": "array", "items": {"bsonType": "object", "required": ["units"]}},
        },
    }
}
INDEXES = (
    CollectionIndex("name_unique", (("name", 1),), unique=True),
    CollectionIndex("parent_idx", (("parent", 1),)),
    CollectionIndex("status_created_idx", (("status", 1), ("created_at", -1))),
)


@dataclass
class Place:
    """A sealed database with so many collections, what is declared of it, and the seconds of each part by round."""

    server: Server
    database: Database
    expect: Expectations
    collections: int
    pid: int
    seconds: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)

    def clock(self) -> float:
        """The seconds of processors that the server and dbproof took until now (proc(5), ``utime`` and ``stime``)."""
        told = Path("/proc", str(self.pid), "stat").read_text().rpartition(")")[2].split()
        return time.process_time() + (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def judge(self, checks: Checks) -> None:
        """One round of what a run does, each check by itself."""
        since = time.perf_counter()
        began = self.clock()
        golden = self.server.seal(self.database)
        with self.server.clone(golden) as copy:
            self._took("(the copy)", began)
            queried = self.clock()
            evidence = Evidence(queries=mongodb.measure(copy, self.expect))
            self._took("(queries)", queried)
            weighed = self.clock()
            evidence = mongodb.weigh(copy, self.expect, evidence)
            self._took("(gains)", weighed)
        with mongodb.target(self.server, golden, self.database, self.expect, evidence) as target:
            read = self.clock()
            target.collections  # noqa: B018 - read here, so that no check is charged with it
            self._took("(catalogue)", read)
            for name, check in checks.items():
                asked = self.clock()
                (outcome,) = run_checks(target, {name: check}, {})
                self._took(name, asked)
                _hold(outcome)
        self.seconds.append(self.clock() - began)
        self.wall.append(time.perf_counter() - since)

    def _took(self, part: str, began: float) -> None:
        self.parts.setdefault(part, []).append(self.clock() - began)


def _hold(outcome: Outcome) -> None:
    """What cannot run takes no time."""
    if outcome.state is State.ERRORED or any(finding.severity is Severity.ERROR for finding in outcome.findings):
        said = outcome.reason or outcome.findings[0].message
        raise ServerFailed(f"{outcome.check} was to pass: {said}")


def place(server: Server, collections: int, documents: int) -> Place:
    """A database with so many collections of so many documents each."""
    database = server.create(f"bench_{collections}")
    names = [f"collection_{number:03}" for number in range(collections)]
    start = datetime(2025, 1, 1, tzinfo=UTC)
    with session(database.private) as client:
        for number, name in enumerate(names):
            made = client[database.name].create_collection(name, validator=VALIDATOR)
            made.insert_many(
                {
                    "_id": key,
                    "name": f"{name} {key}",
                    "parent": key,
                    "status": ("active", "inactive", "expired")[key % 3],
                    "units": 1 + key % 9,
                    "created_at": start + timedelta(minutes=key * number),
                    "lines": [{"units": line} for line in range(key % 4)],
                }
                for key in range(documents)
            )
            for index in INDEXES:
                made.create_index(list(index.keys), name=index.name, unique=index.unique)
        pid = int(client.admin.command("serverStatus")["pid"])
    return Place(server, database, _expected(names), collections, pid)


def _expected(names: list[str]) -> Expectations:
    before = zip(names[1:], names, strict=False)
    return Expectations(
        documents=DocumentExpectations(
            references=tuple(parse_document_reference(f"{child}.parent -> {parent}._id") for child, parent in before),
            validators=tuple(DeclaredValidator(name, VALIDATOR) for name in names),
            indexes=tuple(DeclaredIndex(name, replace(index)) for name in names for index in INDEXES),
            queries=tuple(
                DocumentQuery(f"of_{name}", name, {"parent": f"{{{name}.parent}}"}, None, Category.SIMPLE, 5.0) for name in names
            ),
        )
    )


def _told(few: Place, many: Place) -> Iterator[bool]:
    """Print each part, and whether each limit holds."""
    times = many.collections / few.collections
    grown = {name: statistics.median(many.parts[name]) / statistics.median(few.parts[name]) for name in many.parts}
    print(f"\n  {few.collections:>8} {many.collections:>8}   ratio")
    for name in sorted(grown, key=lambda name: -statistics.median(many.parts[name])):
        one, other = statistics.median(few.parts[name]), statistics.median(many.parts[name])
        held = other < WORTH or grown[name] <= OF_ONE * times
        print(f"  {one:7.2f}s {other:7.2f}s {grown[name]:6.1f}x  {name}{'' if held else '  BROKEN'}")
        yield held
    ratio = bounded([other / one for one, other in zip(few.seconds, many.seconds, strict=True)])
    held = ratio.low <= OF_ALL * times
    seconds = " and ".join(f"{statistics.median(one.seconds):.2f} s ({statistics.median(one.wall):.2f} s)" for one in (few, many))
    print(f"  {'held  ' if held else 'BROKEN'} all of it: {ratio}, {seconds} by the clock; the limit is {OF_ALL * times:.1f}")
    yield held


def main() -> int:
    """Measure, print, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3, help="interleaved pairs to measure (3)")
    parser.add_argument("--few", type=int, default=20, help="collections of the small database (20)")
    parser.add_argument("--many", type=int, default=200, help="collections of the large one (200)")
    parser.add_argument("--documents", type=int, default=1000, help="documents of each collection (1000)")
    parser.add_argument("--checks", help="ids of checks, also of those that are off, instead of all that are on")
    wanted = parser.parse_args()
    on = with_severities(DOCUMENTS, {})
    checks = {name: DOCUMENTS[name] for name in wanted.checks.split(",")} if wanted.checks else on
    with provision(Wanted(Engine.MONGODB)) as server:
        print(f"MongoDB {server.version}, {len(checks)} checks")
        few, many = place(server, wanted.few, wanted.documents), place(server, wanted.many, wanted.documents)
        for _ in range(wanted.pairs):
            few.judge(checks)
            many.judge(checks)
        return int(not all(list(_told(few, many))))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ServerFailed as error:
        print(error, file=sys.stderr)
        sys.exit(4)
