"""A CSV file taken in as the repository's own rows, against psql's `\\copy` of the same file, in interleaved pairs.

Both send the file as it stands to COPY; ours reads the catalogue and the file's columns first, lets sequences go on behind the
last key, and would name the line of a refused row. Then the same rows of ten times as many, and the memory that took.

    python -m bench.load [ROWS] [PAIRS]
"""

from __future__ import annotations

import csv
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.ratios import bounded, seconds
from checks.interface import Engine
from checks.targets import Role
from runner.backends import postgresql
from runner.servers.installations import installations
from runner.servers.interface import Database, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

#: Ours in the time of psql.
LIMIT = 1.3
TABLE = "CREATE TABLE orders (id serial PRIMARY KEY, name text NOT NULL, total numeric(12, 2) CHECK (total >= 0), at timestamptz)"


def written(path: Path, rows: int) -> None:
    """A file of so many rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "total", "at"])
        writer.writerows([at, f'name "{at}", Zoë', f"{at}.50", "2024-01-01T00:00:00Z"] for at in range(rows))


def emptied(database: Database) -> None:
    """The table without rows."""
    with session(database.private) as connection:
        connection.execute("TRUNCATE orders")


def ours(database: Database, root: Path) -> None:
    """As a run does it."""
    (loaded,) = postgresql.load(root, ["orders.csv"], database, Role.OWNER)
    if loaded.refused:
        raise SystemExit(f"refused: {loaded.refused}")


def psql(database: Database, path: Path) -> None:
    """As its user does it."""
    program = max(installations(), key=lambda each: each.version).binaries / "psql"
    asked = f"\\copy orders (id, name, total, at) from '{path}' with (format csv, header)"
    subprocess.run((program, "-qX", "-v", "ON_ERROR_STOP=1", "-c", asked, database.addresses[Role.ADMIN].url()), check=True)


def pair(database: Database, root: Path) -> tuple[float, float]:
    """The seconds of both, one right after the other."""
    emptied(database)
    our_own = seconds(lambda: ours(database, root))
    emptied(database)
    return our_own, seconds(lambda: psql(database, root / "orders.csv"))


def main(rows: int, pairs: int) -> None:
    """Print the figures; ends with status 1 where ours takes too long."""
    with provision(Wanted(Engine.POSTGRESQL)) as server, tempfile.TemporaryDirectory() as folder:
        root, database = Path(folder), server.create("bench")
        with session(database.private) as connection:
            connection.execute(TABLE.encode())
        written(root / "orders.csv", rows)
        done = [pair(database, root) for _ in range(pairs)]
        ratio = bounded([our_own / theirs for our_own, theirs in done])
        print(f"{rows} rows: {min(one for one, _ in done):.2f} s, psql {min(one for _, one in done):.2f} s; ratio {ratio}")
        written(root / "orders.csv", 10 * rows)
        emptied(database)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        many = seconds(lambda: ours(database, root))
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"ten times as many: {many:.2f} s, {many / min(one for one, _ in done):.1f} times, {more:.0f} MB more memory")
        if ratio.low > LIMIT:
            raise SystemExit(f"more than {LIMIT} times what psql takes")


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["200000"])[0]), int((sys.argv[2:] or ["9"])[0]))
