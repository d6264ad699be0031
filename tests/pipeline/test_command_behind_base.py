"""A command that fails on base and on head: it tells of no revisions, so what the change adds is not taken for proven."""

from __future__ import annotations

from pathlib import Path

import pytest
from building_pairs import pair
from proving import COMMAND, project
from repositories import Repository, repository

from checks.declared.expectations import Expectations
from checks.interface import Finding
from checks.migrations import migration_failed
from checks.survivals import Survivals
from runner.backends.registry import backend_of
from runner.plan import Built
from runner.untried import BASE_FAILS

#: Applies the files of a folder, and stops at the first that is refused.
MIGRATE = """\
import os, pathlib, sqlite3

connection = sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///"))
for file in sorted(pathlib.Path("sql").iterdir()):
    connection.executescript(file.read_text())
"""
FIRST = "create table a (id integer primary key);"
WRONG = "create table a (id integer);"


def found(one: Built) -> set[str]:
    """The subjects of what is found; what base has too is known and fails no run."""
    made = backend_of(one.server.engine).target(one.server, one.golden, one.golden.database, Expectations(), one.evidence)
    with made as target:
        return {said.subject for said in migration_failed.run(target) if isinstance(said, Finding)}


@pytest.fixture
def change(tmp_path: Path) -> Repository:
    files = {"migrate.py": MIGRATE, "sql/1.sql": FIRST, "sql/2.sql": WRONG}
    made = repository(project(tmp_path / "repo", files, COMMAND), {})
    made.branch("change")
    return made


def test_a_change_that_is_never_reached_fails_the_run(change: Repository) -> None:
    change.write({"sql/3.sql": "create table b (id integer primary key);"})
    with pair(change.root) as (both, _):
        head, base = (found(one) for one in (both.head, both.base) if one is not None)
        assert (base, head - base) == ({"migrations"}, {"new migrations"})
        assert both.head.evidence.survivals == Survivals(gap=BASE_FAILS)


def test_what_no_program_reads_adds_nothing(change: Repository) -> None:
    """What fails is known then, and fails nothing."""
    change.write({"README.md": "changed", "docs/x.md": "new", "dbproof-report/report.json": "{}", "a/__pycache__/x.pyc": ""})
    with pair(change.root) as (both, _):
        assert both.head.evidence.base_failed
        assert not both.head.evidence.untold


def test_a_change_that_mends_it_is_judged(change: Repository) -> None:
    change.write({"sql/2.sql": "create table b (id integer);"})
    with pair(change.root) as (both, _):
        assert both.head.evidence.failure is None
        assert both.head.evidence.traffic is None or both.head.evidence.traffic.gap == BASE_FAILS
