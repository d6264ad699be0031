"""How many hazards of migrations dbproof finds, and how many it sees where there are none: fifteen pairs, tried under traffic.

    python -m bench.migration_hazards [--engine mariadb] [ROWS] [VERSION]

A pair's bad migration must be found by blocking-migration or lock-queue, its good one by neither. Precision is the share of
migrations with a finding that are bad, recall the share of bad ones with a finding; exits 1 where either is below 1. Where
squawk is there (``pip install squawk-cli``), what it says of the same files by their text alone stands beside it: of its rules
those about locks and waiting, as the others (naming, types, soft deletes) are about other things.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench import hazards, hazards_of_mariadb
from checks.declared.expectations import Expectations
from checks.evidence import Evidence, Migration, MigrationState, Place
from checks.interface import Engine, Finding
from checks.migrations import blocking_migration, lock_queue
from checks.targets import Role
from runner.applying import Applied, apply
from runner.backends import mariadb, postgresql
from runner.backends.interface import Backend
from runner.migrations import sql_folder
from runner.migrations.interface import Project
from runner.servers.interface import Golden, Server, Wanted
from runner.servers.mariadb.sessions import rows as mariadb_rows
from runner.servers.mariadb.sessions import session
from runner.servers.registry import provision
from runner.settings.model import MigrationSettings

ROWS = 2_000
FILE = "migrations/2_new.sql"

#: squawk's rules that are about other things than locks and waiting (https://squawkhq.com/docs/rules).
NOT_ABOUT_LOCKS = frozenset(
    {
        *("prefer-big-int", "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-text-field"),
        *("prefer-timestamptz", "prefer-timestamp-tz", "prefer-robust-stmts", "ban-char-field", "renaming-column"),
        *("renaming-table", "ban-drop-column", "ban-drop-table", "ban-drop-database", "ban-drop-not-null"),
        *("transaction-nesting", "identifier-too-long", "ban-drop-constraint", "require-statement-timeout"),
    }
)


@dataclass(frozen=True)
class Target:
    """What the two checks are handed: they read evidence alone."""

    evidence: Evidence
    expect: Expectations = field(default_factory=Expectations)


def found(server: Server, golden: Golden, text: str) -> list[Finding]:
    """What the checks find in a migration."""
    backend: Backend = mariadb if server.engine is Engine.MARIADB else postgresql
    traffic_of = backend.traffic
    assert traffic_of is not None
    with tempfile.TemporaryDirectory() as place, server.fork() as first, traffic_of.copied(server) as second:
        root = Path(place)
        (root / FILE).parent.mkdir()
        (root / FILE).write_text(text, "utf-8")
        settings = MigrationSettings(tool="sql", directory="migrations", transaction="statement")
        project = Project(root, root / "migrations", settings, root)
        alone, busy = (one.open(Golden(one.database(golden.database.name))) for one in (first, second))
        backend.heed(alone)
        verdict = apply(backend, sql_folder, project, first, alone, Role.OWNER)
        watching = traffic_of.prepared(second, busy, verdict.recording.statements)
        if watching is None:
            return []
        done: list[Applied] = []
        traffic = watching.watched(
            lambda: done.append(apply(backend, sql_folder, project, second, busy, Role.OWNER)), {FILE: "2_new"}, long=True
        )
    if failure := verdict.failure or done[0].failure:
        raise SystemExit(f"{failure.place}: {failure.said}\n{text}")
    new = Migration("2_new", "", Place(FILE, 1), MigrationState.APPLIED, new=True)
    target = Target(Evidence(migrations=(new,), statements=verdict.recording.statements, traffic=traffic))
    return list(_findings(target))


def _findings(target: Target) -> Iterator[Finding]:
    for check in (blocking_migration, lock_queue):
        yield from (one for one in check.run(target) if isinstance(one, Finding))


def squawk(text: str) -> set[str] | None:
    """The rules by which squawk finds something in a file, ``None`` where it is not there."""
    program = shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")
    if program is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        said = subprocess.run([program, "--reporter", "json", file.name], check=False, capture_output=True, text=True, timeout=60)
    return {one["rule_name"] for one in json.loads(said.stdout or "[]")} - NOT_ABOUT_LOCKS


def score(name: str, bad: list[bool], good: list[bool]) -> bool:
    """Print precision and recall; whether both are 1."""
    hit, alarm = sum(bad), sum(good)
    precision, recall = hit / (hit + alarm) if hit + alarm else 1.0, hit / len(bad)
    print(f"{name}: precision {precision:.2f} ({alarm} false alarms), recall {recall:.2f} ({hit} of {len(bad)})")
    return precision == recall == 1.0


def base(server: Server, rows: int) -> Golden:
    """What every migration begins with, sealed."""
    database = server.create("hazards")
    owner = database.addresses[Role.OWNER]
    if server.engine is Engine.MARIADB:
        with session(owner) as driver:
            for statement in hazards_of_mariadb.BASE.format(rows=rows).splitlines():
                mariadb_rows(driver, statement)
    else:
        with psycopg.connect(**owner.keywords(), autocommit=True) as connection:
            connection.execute(hazards.BASE.format(rows=rows).encode())
    return server.seal(database)


def main(engine: Engine, rows: int, version: str | None = None) -> int:
    """Try every pair and print what was found; 1 where a hazard was missed, or seen where there is none."""
    ours: dict[str, list[bool]] = {"bad": [], "good": []}
    theirs: dict[str, list[bool]] = {"bad": [], "good": []}
    began = time.monotonic()
    with provision(Wanted(engine, version=version)) as server:
        golden = base(server, rows)
        print(f"{engine.value} {server.version}, {rows} rows")
        for pair in hazards_of_mariadb.PAIRS if engine is Engine.MARIADB else hazards.PAIRS:
            for kind, text in (("bad", pair.bad), ("good", pair.good)):
                findings = found(server, golden, text)
                rules = squawk(text) if engine is Engine.POSTGRESQL else None
                ours[kind].append(bool(findings))
                if rules is not None:
                    theirs[kind].append(bool(rules))
                said = "; ".join(one.message for one in findings) or "nothing"
                print(f"{pair.name}, {kind}: {said}")
                if rules is not None:
                    print(f"    squawk: {', '.join(sorted(rules)) or 'nothing'}")
    held = score("dbproof", ours["bad"], ours["good"])
    if theirs["bad"]:
        score("squawk", theirs["bad"], theirs["good"])
    print(f"{time.monotonic() - began:.1f} s")
    return 0 if held else 1


if __name__ == "__main__":
    wanted = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    wanted.add_argument("--engine", choices=("postgresql", "mariadb"), default="postgresql")
    wanted.add_argument("rows", nargs="?", type=int, default=ROWS)
    wanted.add_argument("version", nargs="?")
    given = wanted.parse_args()
    sys.exit(main(Engine(given.engine), given.rows, given.version))
