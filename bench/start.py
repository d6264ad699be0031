"""How fast a server is ready, against ``docker run`` of the same database: PostgreSQL a tenth of it, MongoDB three quarters.

PostgreSQL comes from the cache. MongoDB begins as an empty replica set of one on both sides; half of that is mongod's own start,
which neither side can save. Each pair starts one after the other until a query answers, in turns so that a noisy machine hits
both, and the median of the pairs' ratios counts. Exits 1 above a limit, 4 where it cannot be measured.

    python -m bench.start [PAIRS [ENGINE]]
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import psycopg
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from checks.interface import Engine
from runner.errors import ServerFailed
from runner.servers.interface import Wanted
from runner.servers.mongodb import sessions as mongodb
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

DEADLINE = 120.0


@dataclass(frozen=True)
class Contest:
    """An engine whose start is measured.

    ``docker`` are options of ``docker run``, made with a password, and ``arguments`` those of the image. ``ours`` gives the
    moment at which our server has answered; ``ask`` raises until theirs does.
    """

    engine: Engine
    image: str
    limit: float
    port: str
    docker: Callable[[str], Sequence[str]]
    arguments: Sequence[str]
    ours: Callable[[], float]
    ask: Callable[[int, str], None]


def _postgresql() -> float:
    with provision(Wanted(Engine.POSTGRESQL)) as server, session(server.database("postgres").private) as connection:
        connection.execute("SELECT 1")
        return time.perf_counter()


def _mongodb() -> float:
    with provision(Wanted(Engine.MONGODB)) as server, mongodb.session(server.create("app").private) as client:
        client["app"]["rows"].insert_one({"x": 1})
        return time.perf_counter()


def _ask_postgresql(port: int, password: str) -> None:
    with psycopg.connect(f"host=127.0.0.1 port={port} user=postgres password={password} connect_timeout=2") as connection:
        connection.execute("SELECT 1")


def _ask_mongodb(port: int, _: str) -> None:
    """The same as ours: a replica set of one, for transactions, that takes a write."""
    client: MongoClient[dict[str, Any]] = MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=20)
    with client:
        if not client.admin.command("hello").get("setName"):
            member = {"_id": 0, "host": "127.0.0.1:27017"}
            client.admin.command("replSetInitiate", {"_id": "rs", "members": [member]})
        client["app"]["rows"].insert_one({"x": 1})


CONTESTS = (
    Contest(
        Engine.POSTGRESQL,
        "postgres:17",
        0.1,
        "5432/tcp",
        lambda password: ["--env", f"POSTGRES_PASSWORD={password}"],
        [],
        _postgresql,
        _ask_postgresql,
    ),
    Contest(Engine.MONGODB, "mongo:6.0", 0.75, "27017/tcp", lambda _: [], ["--replSet", "rs"], _mongodb, _ask_mongodb),
)


def ours(contest: Contest) -> float:
    """Seconds from the wish until a query answers."""
    began = time.perf_counter()
    return contest.ours() - began


def docker_run(contest: Contest) -> float:
    """Seconds from ``docker run`` until a query answers."""
    name, password = f"dbproof-bench-{secrets.token_hex(4)}", secrets.token_hex(8)
    port = contest.port.partition("/")[0]
    options = ["--detach", "--name", name, "--publish", f"127.0.0.1::{port}", *contest.docker(password)]
    began = time.perf_counter()
    try:
        subprocess.run(
            ["docker", "run", *options, contest.image, *contest.arguments], check=True, capture_output=True, timeout=DEADLINE
        )
        published = int(_said("docker", "port", name, contest.port).rpartition(":")[2])
        _answers(lambda: contest.ask(published, password), began)
        return time.perf_counter() - began
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=False, capture_output=True, timeout=DEADLINE)


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=DEADLINE).stdout


def _answers(ask: Callable[[], None], began: float) -> None:
    while True:
        try:
            return ask()
        except (psycopg.OperationalError, PyMongoError):
            if time.perf_counter() - began > DEADLINE:
                raise
            time.sleep(0.005)


def measured(contest: Contest, pairs: int) -> bool:
    """Measure, print the figures, and say whether the limit holds."""
    ours(contest)  # fills the cache
    times = [(ours(contest), docker_run(contest)) for _ in range(pairs)]
    ratio = median(mine / theirs for mine, theirs in times)
    mine, theirs = (median(each) for each in zip(*times, strict=True))
    print(f"{contest.engine.label} {mine:.3f} s, docker run {contest.image} {theirs:.3f} s, medians of {pairs} interleaved pairs")
    print(f"ratio {ratio:.3f}x, limit {contest.limit}x: {'holds' if ratio <= contest.limit else 'broken'}")
    return ratio <= contest.limit


def main(pairs: int, engine: str | None = None) -> int:
    """Measure every engine, or one; the exit code says whether the limits hold."""
    try:
        held = [measured(contest, pairs) for contest in CONTESTS if engine in (None, contest.engine)]
    except (ServerFailed, OSError, subprocess.SubprocessError, psycopg.Error, PyMongoError) as error:
        print(f"cannot be measured: {error}")
        return 4
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7, *sys.argv[2:3]))
