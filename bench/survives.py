"""What following rows through migrations costs: against counting them, against dumping both sides, and as rows grow.

    python -m bench.survives [postgresql] [sqlite] [mariadb] [--pairs N] [--rows N]

Of each engine a table of a million rows and ten columns on either side, the comparison as the pass makes it:

- nothing changed, against ``count(*)`` of both sides: a digest has to look at every value;
- on PostgreSQL nothing changed, against ``pg_dump`` of both and ``diff``: at most 0.6x;
- a type that rounded every second value, against the same: at most 3.0x, for what ``diff`` does not say (which rows they are by
  key, and how many were rounded) in memory that stays flat;
- ten times the rows: at most 13x the time, and 20 MB more memory.

Needs pg_dump beside the server. Exits 1 above a limit.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.ratios import Ratio, compared, seconds
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine
from checks.schema.model import Catalogue
from checks.survivals import Survival
from runner.backends.registry import backend_of
from runner.servers.installations import installations
from runner.servers.interface import Database, Golden, Server, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision
from runner.surviving.comparing import survivals
from runner.surviving.interface import SurvivingDocuments

OF_DUMPS, OF_DIFF = 0.6, 3.0
TEN_TIMES, MEGABYTES = 13.0, 20.0

ENGINES = (Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB)
COLUMNS = """id bigint PRIMARY KEY, a int, b varchar(40), c varchar(40), d decimal(12,4), e TIMESTAMP6 NULL, f double precision,
    g int, h varchar(36), i date"""
VALUES = {
    Engine.POSTGRESQL: """n, n % 1000, 'name ' || n, md5(n::text), n / 16.0, timestamp '2024-01-01' + n * interval '1 s', n / 3.0,
        n % 2, md5(n::text)::uuid::text, date '2020-01-01' + (n % 900)::int FROM generate_series(1, {rows}) n""",
    Engine.SQLITE: """value, value % 1000, 'name ' || value, hex(value), value / 16.0, datetime(value, 'unixepoch'), value / 3.0,
        value % 2, hex(value * 7919), date(value, 'unixepoch') FROM
        (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {rows}) SELECT value FROM n)""",
    Engine.MARIADB: """seq, seq MOD 1000, concat('name ', seq), md5(seq), seq / 16.0, '2024-01-01' + INTERVAL seq SECOND,
        seq / 3.0, seq MOD 2, uuid(), '2020-01-01' + INTERVAL seq MOD 900 DAY FROM seq_1_to_{rows}""",
}
ROUNDED = {
    Engine.POSTGRESQL: "ALTER TABLE t ALTER COLUMN d TYPE numeric(12,3)",
    Engine.SQLITE: "UPDATE t SET d = round(d, 3)",
    Engine.MARIADB: "ALTER TABLE t MODIFY d decimal(12,3)",
}


def measured(engine: Engine, pairs: int, rows: int) -> Iterator[bool]:
    """Every part for one engine."""
    with provision(Wanted(engine)) as server:
        print(f"{engine.label} {server.version}, {rows} rows of ten columns", flush=True)
        small = filled(server, engine, "few", rows // 10)
        with sides(server, small) as (base, head):
            begin = peak()
            short = min(seconds(lambda: follow(server, engine, base, head)) for _ in range(pairs))
            before = peak()
        many = filled(server, engine, "many", rows)
        with sides(server, many) as (base, head):
            long = min(seconds(lambda: follow(server, engine, base, head)) for _ in range(pairs))
            print(f"         before the first {begin:.0f} MB, {short:.2f} s; ten times the rows {long:.2f} s", flush=True)
            yield limit("ten times the rows, in time", long / short, TEN_TIMES)
            ratio, mine, theirs = compared(
                lambda: follow(server, engine, base, head), lambda: [count(engine, one) for one in (base, head)], pairs
            )
            say("count(*) of both", ratio, mine, theirs)
            if engine is Engine.POSTGRESQL:
                yield dumps("nothing changed", server, base, head, pairs, OF_DUMPS)
            change(engine, head, ROUNDED[engine])
            if engine is Engine.POSTGRESQL:
                yield dumps("every second value rounded", server, base, head, pairs, OF_DIFF)
            (found,) = follow(server, engine, base, head)
            (column,) = found.columns
            print(f"         {column.changed} of {found.before} rows changed: {dict(column.losses)}", flush=True)
            yield limit("memory in MB, ten times the rows and half of them changed", peak() - before, MEGABYTES)


def dumps(what: str, server: Server, base: Database, head: Database, pairs: int, most: float) -> bool:
    """Our way against dumping both and comparing the files."""
    with tempfile.TemporaryDirectory() as folder:
        ratio, mine, theirs = compared(
            lambda: follow(server, Engine.POSTGRESQL, base, head), lambda: dumped(base, head, Path(folder)), pairs
        )
    say(f"pg_dump of both and diff, {what}", ratio, mine, theirs)
    return limit(f"of pg_dump and diff, {what}", ratio.median, most)


def filled(server: Server, engine: Engine, name: str, rows: int) -> Golden:
    """A database with the table in it, sealed."""
    database = server.create(name)
    columns = COLUMNS.replace("TIMESTAMP6", "datetime" if engine is Engine.MARIADB else "timestamp")
    change(engine, database, f"CREATE TABLE t ({columns})")
    change(engine, database, f"INSERT INTO t SELECT {VALUES[engine].format(rows=rows)}")
    return server.seal(database)


@contextmanager
def sides(server: Server, golden: Golden) -> Iterator[tuple[Database, Database]]:
    """Two copies."""
    with ExitStack() as stack:
        yield stack.enter_context(server.clone(golden)), stack.enter_context(server.clone(golden))


def follow(server: Server, engine: Engine, base: Database, head: Database) -> list[Survival]:
    """What the pass does."""
    surviving = backend_of(engine).surviving
    if surviving is None or isinstance(surviving, SurvivingDocuments):
        raise AssertionError(f"{engine} cannot do it")
    before, after = (catalogue(server, engine, one) for one in (base, head))
    with surviving.opened(base, head) as rows:
        return list(survivals(rows, before, after))


def catalogue(server: Server, engine: Engine, database: Database) -> Catalogue:
    """What a database holds."""
    with backend_of(engine).target(server, None, database, Expectations(), Evidence()) as target:
        return target.catalogue  # type: ignore[attr-defined,no-any-return] # all three are relational


def change(engine: Engine, database: Database, statement: str) -> list[tuple[object, ...]]:
    """Send a statement."""
    if engine is Engine.POSTGRESQL:
        with session(database.private) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []
    if engine is Engine.SQLITE:
        from runner.servers.sqlite.sessions import session as opened

        with opened(database.private) as file:
            return file.execute(statement).fetchall()
    from runner.servers.mariadb.sessions import rows
    from runner.servers.mariadb.sessions import session as entered

    with entered(database.private) as driver:
        return rows(driver, statement)


def count(engine: Engine, database: Database) -> object:
    """How many rows there are."""
    return change(engine, database, "SELECT count(*) FROM t")


def dumped(base: Database, head: Database, folder: Path) -> None:
    """What a person does: dump both, and see whether the files differ."""
    program = next(one for one in sorted(installations(), key=lambda each: -each.major)).binaries / "pg_dump"
    files = [folder / "base.sql", folder / "head.sql"]
    for database, file in zip((base, head), files, strict=True):
        address = database.private
        where = ["-h", address.host, "-p", str(address.port), "-U", address.user, "-d", address.database]
        subprocess.run([program, "--data-only", "-t", "t", "-f", file, *where], check=True, timeout=600)
    subprocess.run(["diff", *files], check=False, stdout=subprocess.DEVNULL, timeout=600)


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(name: str, ratio: Ratio, mine: float, theirs: float) -> None:
    """A ratio without a limit."""
    print(f"         {name}: {ratio}, {mine:.2f} s against {theirs:.2f} s", flush=True)


def limit(name: str, value: float, most: float) -> bool:
    """Print what was measured against what it may be at most; whether it holds."""
    print(f"  {'held  ' if value <= most else 'BROKEN'} {name}: {value:.2f}, limit {most:g}", flush=True)
    return value <= most


def main(arguments: list[str]) -> int:
    """Measure what is named, else all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", choices=[[], *map(str, ENGINES)])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args(arguments)
    wanted = [engine for engine in ENGINES if not given.engines or str(engine) in given.engines]
    held = [each for engine in wanted for each in measured(engine, given.pairs, given.rows)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
