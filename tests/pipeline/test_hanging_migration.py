"""A migration that hangs meets its timeout: it is ended, reported at its line, and the checks go on."""

from __future__ import annotations

from pathlib import Path

from proving import FIRST, SQL, dbproof
from repositories import repository

HANGS = "create table more (id int primary key);\nselect pg_sleep(3600);\n"


def test_a_migration_that_hangs_is_ended_and_reported(tmp_path: Path) -> None:
    settings = f'compare = "main"\n{SQL}timeout = "2s"\n'
    made = repository(tmp_path / "repo", {"dbproof.toml": settings, "migrations/001_first.sql": FIRST})
    made.write({"migrations/002_hangs.sql": HANGS})
    ran = dbproof("run", root=made.root)
    assert ran.code == 1, ran.said
    assert ran.failing == [("migration-failed", "002_hangs")]
    (finding,) = ran.findings("migration-failed")
    assert finding["message"] == "migration 002_hangs did not end within the deadline"
    assert finding["provenance"]["file"] == "migrations/002_hangs.sql"
    assert "raise `timeout` under `migrations`" in finding["remedy"]
    assert [one["state"] for one in ran.database["migrations"]] == ["applied", "failed"]
    assert [one["id"] for one in ran.database["checks"] if one["outcome"] == "errored"] == []
    assert "traffic" not in ran.said  # what fails alone is not tried again beside others
