"""A command without a `down` is run once more on a copy, where a change touches what it reads: then nothing may change."""

from __future__ import annotations

from pathlib import Path

from building_pairs import pair
from proving import COMMAND, project
from repositories import repository

from checks.reversals import DifferenceKind

MIGRATE = """\
import os, sqlite3

connection = sqlite3.connect(os.environ["DATABASE_URL"].removeprefix("sqlite:///"))
connection.execute("CREATE TABLE IF NOT EXISTS a (id INTEGER PRIMARY KEY)")
"""
ONCE = """\
if not connection.execute("SELECT count(*) FROM a").fetchone()[0]:
    connection.execute("INSERT INTO a VALUES (1)")
connection.commit()
"""
EACH_TIME = 'connection.execute("INSERT INTO a DEFAULT VALUES")\nconnection.commit()\n'
TWICE = 'connection.execute("CREATE TABLE b (id INTEGER)")\nconnection.commit()\n'


def test_what_it_changes_or_fails_over_is_seen(tmp_path: Path) -> None:
    repo = repository(project(tmp_path / "repo", {"migrate.py": MIGRATE}, COMMAND), {})
    repo.branch("change")
    seen = []
    for more in (ONCE, EACH_TIME, TWICE):
        repo.write({"migrate.py": MIGRATE + more})
        with pair(repo.root, "main", "down-restores") as (both, _):
            seen.append(both.head.evidence.second_run)
    once, each_time, twice = (one for one in seen if one is not None)
    assert (once.changed, once.failure) == ((), None)
    assert [(one.kind, one.rows) for one in each_time.changed] == [(DifferenceKind.ROWS_EXTRA, 1)]
    assert twice.failure is not None
    assert "table b already exists" in twice.failure.said
    repo.write({"migrate.py": MIGRATE, "README.md": "changed"})
    with pair(repo.root, "main", "down-restores") as (both, _):
        assert both.head.evidence.second_run is None
