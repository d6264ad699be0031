"""How fast dangling references are counted on MongoDB, and how much memory that takes as documents and keys become more.

    python -m bench.mongo_references [ratio] [curve] [--pairs N] [--children N]

- ratio: a million children name a hundred thousand parents, ten of which are missing. The check against the ``$lookup`` that one
  would write: at most 0.12x; against a plain scan of the child: at most 2.5x. In interleaved pairs, so that a noisy machine hits
  both.
- curve: a hundred thousand, one million and ten million children, each ten to a parent and each with a key of its own, with
  an index on the field and without. From a million on ten times the documents may take 25 times as long (the server's cache
  holds a million of them, not ten, and more keys are read in order), and none may raise dbproof's peak by more than 50 MB.
  The server's peak is said: it has a cache of 256 MB, and 100 MB for each group and sort.

Exits 1 above a limit, 4 where it cannot be measured.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.ratios import compared, seconds
from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.declared.expectations import Expectations
from checks.documents import dangling_reference
from checks.evidence import Evidence
from checks.interface import Engine, Finding
from runner.errors import ServerFailed
from runner.servers.interface import Database, Server, Wanted
from runner.servers.mongodb.sessions import session
from runner.servers.registry import provision
from runner.targets.mongodb import MongoTarget

if TYPE_CHECKING:
    from pymongo.database import Database as Named

    Documents = Named[dict[str, Any]]

CHILDREN, CURVE = 1_000_000, (100_000, 1_000_000, 10_000_000)
#: Children of a parent, and how many parents are named that are not there.
EACH, MISSING = 10, 10
OF_LOOKUP, OF_SCAN, TEN_TIMES, MEGABYTES = 0.12, 2.5, 25.0, 50

REFERENCE = "children.name -> parents.name"
EXPECT = Expectations(documents=DocumentExpectations(references=(parse_document_reference(REFERENCE),)))
PARENT = {"from": "parents", "localField": "name", "foreignField": "name", "as": "found"}
LOOKUP: list[Mapping[str, Any]] = [{"$lookup": PARENT}, {"$match": {"found": []}}, {"$count": "references"}]
SCAN: list[Mapping[str, Any]] = [{"$match": {"padding": "not there"}}, {"$count": "references"}]


@dataclass(frozen=True)
class Place:
    """A database with children and parents, on a server."""

    server: Server
    database: Database

    def check(self) -> None:
        """The check, as a run asks it; raises AssertionError where it does not find what is missing."""
        with MongoTarget(self.server, None, self.database, EXPECT, Evidence(), statement_timeout=3600) as target:
            (said,) = dangling_reference.run(target)
        if not isinstance(said, Finding) or said.evidence["missing"] != MISSING:
            raise AssertionError(said)

    def ask(self, pipeline: list[Mapping[str, Any]]) -> Callable[[], object]:
        """A pipeline over the children."""

        def asked() -> None:
            with session(self.database.private, answer=3600) as client:
                list(client[self.database.name].children.aggregate(pipeline))

        return asked

    def pid(self) -> int:
        """The server's process."""
        with session(self.database.private) as client:
            return int(client.admin.command("serverStatus")["pid"])

    def drop(self) -> None:
        """Give its disk back."""
        with session(self.database.private) as client:
            client.drop_database(self.database.name)


def filled(server: Server, name: str, children: int, each: int, *, index: bool) -> Place:
    """Children that name parents, some of which are missing; the parents are indexed, as what is looked up is."""
    database = server.create(name)
    parents = children // each
    with session(database.private, answer=3600) as client:
        db = client[database.name]
        db.numbers.insert_many([{"_id": number} for number in range(1000)])
        _generate(db, "parents", parents, {"$toString": "$number"})
        _generate(db, "children", children, {"$toString": {"$mod": [{"$multiply": ["$number", 7919]}, parents + MISSING]}})
        db.parents.create_index("name", unique=True)
        if index:
            db.children.create_index("name")
    return Place(server, database)


def _generate(db: Documents, collection: str, many: int, number: Mapping[str, Any]) -> None:
    """Documents that the server makes by itself: a name of a number, and padding."""
    each = -(-many // 1000)
    db.numbers.aggregate(
        [
            {"$project": {"part": {"$range": [0, each]}}},
            {"$unwind": "$part"},
            {"$project": {"_id": 0, "number": {"$add": [{"$multiply": ["$_id", each]}, "$part"]}}},
            {"$match": {"number": {"$lt": many}}},
            {"$project": {"name": {"$concat": ["company ", number]}, "padding": "x" * 100}},
            {"$out": collection},
        ]
    )


def ratio(server: Server, pairs: int, children: int) -> Iterator[bool]:
    """Against the pipeline that one would write, and against reading the child once."""
    place = filled(server, "ratio", children, EACH, index=True)
    for name, pipeline, most in (("$lookup", LOOKUP, OF_LOOKUP), ("a scan", SCAN, OF_SCAN)):
        found, mine, theirs = compared(place.check, place.ask(pipeline), pairs)
        yield _held(found.median <= most, f"of {name}: {found}, {mine:.2f} s against {theirs:.2f} s, limit {most}")


def curve(server: Server, most: int) -> Iterator[bool]:
    """Ten times as many children, of few keys and of as many keys as children."""
    for each, index in ((EACH, True), (EACH, False), (1, True), (1, False)):
        before = 0.0
        for children in (size for size in CURVE if size <= most):
            place = filled(server, f"curve_{children}_{each}_{int(index)}", children, each, index=index)
            taken, ours, theirs, cached = _measured(place)
            scan = seconds(place.ask(SCAN))
            keys = f"{children // each:,} keys, {'' if index else 'not '}indexed"
            memory = f"dbproof {ours:+.0f} MB, server {theirs:+.0f} MB to {cached:.0f} MB"
            figures = f"{taken:.2f} s, {taken / scan:.1f} scans; {memory}"
            grown = f", {taken / before:.1f} times a tenth of them" if before else ""
            held = ours <= MEGABYTES and (children < CHILDREN or taken <= TEN_TIMES * before)
            yield _held(held, f"{children:,} children, {keys}: {figures}{grown}")
            before = taken
            place.drop()


def _measured(place: Place) -> tuple[float, float, float, float]:
    """Seconds of one check, by how many MB it raised dbproof's peak and the server's, and the server's peak in MB."""
    gc.collect()
    began = _peak(Path("/proc/self"))
    server = Path("/proc", str(place.pid()))
    (server / "clear_refs").write_text("5")  # the peak begins anew (proc(5))
    held = _peak(server)
    taken = min(seconds(place.check) for _ in range(2))
    return taken, _peak(Path("/proc/self")) - began, _peak(server) - held, _peak(server)


def _peak(process: Path) -> float:
    (line,) = (line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _held(held: bool, figures: str) -> bool:
    """Print it; whether it holds."""
    print(f"  {'held  ' if held else 'BROKEN'} {figures}", flush=True)
    return held


def main() -> int:
    """Measure, print, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["ratio", "curve"], metavar="ratio, curve")
    parser.add_argument("--pairs", type=int, default=5, help="interleaved pairs to measure (5)")
    parser.add_argument(
        "--children", type=int, help="children, instead of 1 000 000; of the curve at most, instead of 10 000 000"
    )
    wanted = parser.parse_args()
    held: list[bool] = []
    with provision(Wanted(Engine.MONGODB)) as server:
        print(f"MongoDB {server.version}")
        if "ratio" in wanted.parts:
            held += ratio(server, wanted.pairs, wanted.children or CHILDREN)
        if "curve" in wanted.parts:
            held += curve(server, wanted.children or max(CURVE))
    return int(not all(held))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ServerFailed as error:
        print(error, file=sys.stderr)
        sys.exit(4)
