"""Base from the cache against base replayed: the stage `base` of a run, at most a twentieth of replaying 400 Alembic revisions.

A third of the revisions make a table that refers to another, with an index and a row; the others add and constrain columns.
One side replays them as a run does: Alembic lists them and applies them in one process. The other takes what the first kept:
while the project's tool proves its address, every file is checked and copied, and a server started on them.
What both take from the server's start on is printed too, and ten times the revisions. Exits 1 above the limit.

With ten others at work on two processors: 17.5 s replayed, 0.02 s from the cache; 1.4 s (0.08x) with no proof of an address
beside it; from the start on 23.8 s and 2.6 s. 4000 revisions: 127 s replayed, 0.02 s from the cache; from the start on 139 s
and 14 s, in which Alembic lists them.

    python -m bench.replay [REVISIONS [PAIRS]]
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.ratios import bounded
from checks.targets import Role
from runner import git
from runner.judging import plan
from runner.output import Output
from runner.redaction import Redactor
from runner.servers import cache
from runner.settings.load import load
from runner.snapshots.kept import expected
from runner.snapshots.replaying import replayed
from runner.steps import Building, read_project, start

LIMIT = 0.05

_SETTINGS = '[databases.app.migrations]\ntool = "alembic"\nenv = { DATABASE_URL = "{url}" }\n'
_ENV = """\
import os
from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
_REVISION = '''\
"""Step {number}."""
import sqlalchemy as sa
from alembic import op

revision = "r{number:05}"
down_revision = {before!r}


def upgrade():
{steps}
'''
#: What revisions do, in turn: a table of orders every third time, of which the last one refers to the one before.
_STEPS = (
    """\
    op.create_table(
        "orders_{table}",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("before_id", sa.BigInteger, sa.ForeignKey("orders_{before}.id")),
        sa.Column("at", sa.DateTime, server_default=sa.func.now()),
    )
    op.create_index("ix_orders_{table}_before_id", "orders_{table}", ["before_id"])
    op.execute("INSERT INTO orders_{table} (id, name) VALUES (1, 'first')")""",
    """\
    op.add_column("orders_{table}", sa.Column("total", sa.Numeric(10, 2)))
    op.execute("UPDATE orders_{table} SET total = 0 WHERE total IS NULL")
    op.alter_column("orders_{table}", "total", nullable=False)
    op.create_check_constraint("ck_orders_{table}_total", "orders_{table}", "total >= 0")""",
    """\
    op.alter_column("orders_{table}", "name", type_=sa.Text)
    op.create_unique_constraint("uq_orders_{table}_name", "orders_{table}", ["name"])
    op.create_index("ix_orders_{table}_at", "orders_{table}", ["at"])""",
)


def repository(root: Path, revisions: int) -> None:
    """A repository whose history has so many revisions, all of them on main."""
    versions = root / "scripts" / "versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = scripts\n")
    (root / "scripts" / "env.py").write_text(_ENV)
    (root / "dbproof.toml").write_text(_SETTINGS)
    for number in range(revisions):
        before = f"r{number - 1:05}" if number else None
        table = number // len(_STEPS)
        steps = _STEPS[number % len(_STEPS)].format(table=table, before=max(table - 1, 0))
        (versions / f"r{number:05}.py").write_text(_REVISION.format(number=number, before=before, steps=steps))
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), (*who, "commit", "-q", "-m", "base")):
        subprocess.run(["git", *command], cwd=root, check=True)
    (root / "more").touch()  # what differs from main, as nothing would be compared else


@contextmanager
def built(root: Path, proving: bool = True) -> Iterator[tuple[float, float]]:
    """How long base took to stand, in seconds: the stage of it, and all from the start of the first server.

    Without ``proving`` no address is proven meanwhile, and the stage has the whole of it.
    """
    loaded = load(root, {}, {})
    base = git.find_base(root, "main", {})
    assert isinstance(base, git.Base)
    output = Output(Redactor(), quiet=True, stdout=io.StringIO(), stderr=io.StringIO(), environment={})
    planned = replace(plan("app", loaded.settings.databases["app"], base, loaded, output), hide=lambda _: None)
    with ExitStack() as stack:
        building = Building(planned, Role.OWNER, None, stack)
        began = time.perf_counter()
        server, database = start(building)
        stage = time.perf_counter()
        kept = expected(building, base, server)
        if proving:
            read_project(building, server, database)
            stage = time.perf_counter()
        one = replayed(building, kept, lambda: stack.enter_context(git.files_of(root, base)), server, database)
        ended = time.perf_counter()
        assert not proving or len(one.revisions) == len(building.revisions)
        assert one.applied.failure is None
        yield ended - stage, ended - began


def forgotten() -> None:
    """Remove what was kept."""
    for entry in (cache.root() or Path()).glob("base-*"):
        shutil.rmtree(entry)


def measure(revisions: int, pairs: int) -> float:
    """Print the figures; gives the median of the ratios of the stage."""
    taken: list[tuple[float, float]] = []
    whole: list[tuple[float, float]] = []
    apart: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="replay-") as place:
        root = Path(place) / "repository"
        repository(root, revisions)
        for _ in range(pairs):
            forgotten()
            with built(root) as replaying:
                pass
            with built(root) as again:
                pass
            with built(root, proving=False) as alone:
                pass
            apart.append((alone[0], replaying[0]))
            taken.append((again[0], replaying[0]))
            whole.append((again[1], replaying[1]))
        (entry,) = (cache.root() or Path()).glob("base-*/")
        size = sum(path.stat().st_size for path in entry.rglob("*") if path.is_file()) / 1e6
    ratio = bounded([one / other for one, other in taken])
    ours, theirs = _medians(taken)
    print(f"{revisions} revisions: {theirs:.2f} s replayed, {ours:.2f} s from the cache ({size:.0f} MB), ratio {ratio}")
    print(f"  with nothing beside it: {_medians(apart)[0]:.2f} s, ratio {bounded([one / other for one, other in apart])}")
    ours, theirs = _medians(whole)
    print(f"  from the server's start, the proof of the address among it: {theirs:.2f} s and {ours:.2f} s")
    return ratio.median


def _medians(taken: list[tuple[float, float]]) -> tuple[float, float]:
    first, second = zip(*taken, strict=True)
    return median(first), median(second)


def main() -> int:
    """Measure the revisions and ten times as many, in a cache of our own."""
    revisions = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory(prefix="replay-cache-") as place:
        os.environ["DBPROOF_CACHE"] = place
        ratio = measure(revisions, pairs)
        measure(10 * revisions, 1)
    print(f"limit {LIMIT}: {'held' if ratio <= LIMIT else 'missed'}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
