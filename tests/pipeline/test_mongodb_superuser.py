"""A migration that the owner of a MongoDB database may not run is run again as superuser, and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_repositories import run_on
from repositories import repository

pytestmark = pytest.mark.usefixtures("mongod")

SETTINGS = """
[databases.docs]
engine = "mongodb"

[databases.docs.migrations]
tool = "python"
directory = "migrations"
"""

FIRST = """\
def up(db):
    db.create_collection("companies")
    db.command("createUser", "app", pwd="not-a-secret-of-ours", roles=["readWrite"])
"""


def test_a_migration_that_makes_a_user_needs_a_superuser(tmp_path: Path) -> None:
    root = repository(tmp_path / "docs", {"dbproof.toml": SETTINGS, "migrations/1_first.py": FIRST}).root
    run = run_on(root)
    assert run.code == 0, run.said
    (finding,) = [one for check, one in run.findings("notice") if check == "superuser-migration"]
    assert finding["subject"] == "1_first"
    assert (finding["provenance"]["file"], finding["provenance"]["line"]) == ("migrations/1_first.py", 3)
    evidence = finding["evidence"]
    assert (evidence["code"], evidence["said"]) == ("13", "not authorized on docs")
    assert evidence["facts"] == {"statement": "db.runCommand({createUser: 1})"}
    assert "not-a-secret-of-ours" not in run.said
