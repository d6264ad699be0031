"""How fast a server is ready from the cache, against ``docker run`` of the same database: at most a tenth of it.

Each pair starts one after the other until a query answers, in turns so that a noisy machine hits both, and the median of the
pairs' ratios counts. Exits 1 above the limit, 4 where it cannot be measured.

    python -m bench.start [PAIRS]
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from statistics import median

import psycopg

from checks.interface import Engine
from runner.errors import ServerFailed
from runner.servers.interface import Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

IMAGE = "postgres:17"
LIMIT = 0.1
DEADLINE = 120.0


def from_cache() -> float:
    """Seconds from the wish until a query answers."""
    began = time.perf_counter()
    with provision(Wanted(Engine.POSTGRESQL)) as server:
        with session(server.database("postgres").private) as connection:
            connection.execute("SELECT 1")
        return time.perf_counter() - began


def docker_run() -> float:
    """Seconds from ``docker run`` until a query answers."""
    name, password = f"dbproof-bench-{secrets.token_hex(4)}", secrets.token_hex(8)
    options = ["--detach", "--name", name, "--env", f"POSTGRES_PASSWORD={password}", "--publish", "127.0.0.1::5432"]
    began = time.perf_counter()
    try:
        subprocess.run(["docker", "run", *options, IMAGE], check=True, capture_output=True, timeout=DEADLINE)
        port = _said("docker", "port", name, "5432/tcp").rpartition(":")[2].strip()
        _answers(f"host=127.0.0.1 port={port} user=postgres password={password} dbname=postgres connect_timeout=2", began)
        return time.perf_counter() - began
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=False, capture_output=True, timeout=DEADLINE)


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=DEADLINE).stdout


def _answers(address: str, began: float) -> None:
    while True:
        try:
            with psycopg.connect(address) as connection:
                connection.execute("SELECT 1")
                return
        except psycopg.OperationalError:
            if time.perf_counter() - began > DEADLINE:
                raise
            time.sleep(0.005)


def main(pairs: int) -> int:
    """Measure, print the figures, and say by the exit code whether the limit holds."""
    try:
        from_cache()  # fills the cache
        times = [(from_cache(), docker_run()) for _ in range(pairs)]
    except (ServerFailed, OSError, subprocess.SubprocessError, psycopg.Error) as error:
        print(f"cannot be measured: {error}")
        return 4
    ratio = median(ours / theirs for ours, theirs in times)
    ours, theirs = (median(each) for each in zip(*times, strict=True))
    print(f"from the cache {ours:.3f} s, docker run {IMAGE} {theirs:.3f} s, medians of {pairs} interleaved pairs")
    print(f"ratio {ratio:.3f}x, limit {LIMIT}x: {'holds' if ratio <= LIMIT else 'broken'}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
