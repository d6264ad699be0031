"""What files and models declare, and what the application's command does, against base: new is what head made wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from example_repositories import run_on
from repositories import repository

from checks.targets import Role
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

pytestmark = pytest.mark.usefixtures("mongod")

PYTHON = json.dumps(sys.executable)
SETTINGS = f"""
[databases.docs]
engine = "mongodb"

[databases.docs.data]
load = ["companies.jsonl", "subscriptions.jsonl", "notes.jsonl"]

[databases.docs.expect]
files = ["collections.yaml"]
models = '{PYTHON} print_models.py'

[databases.docs.expect.deletes]
companies = '{PYTHON} delete.py {{name}}'
"""
COLLECTIONS = """\
companies:
  indexes:
    by_name: { keys: [name], unique: true }
subscriptions:
  references:
    - company -> companies.name on delete restrict
notes:
  references:
    - about -> companies.name on delete cascade
"""
PRINTER = """\
import json
print(json.dumps({"companies": {"schema": {"$ref": "#/$defs/C", "$defs": {"C": {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "since": {"type": "string", "format": "date-time"}},
}}}, "place": "models.py:3"}}))
"""
#: Forgets the notes, on base too; on head it does not look for subscriptions any more either.
DELETE = """\
import os, sys
from pymongo import MongoClient
db = MongoClient(os.environ["MONGODB_URI"]).get_default_database()
if db.subscriptions.find_one({"company": sys.argv[1]}):
    sys.exit("it has subscriptions")
db.companies.delete_one({"name": sys.argv[1]})
"""


def test_what_head_makes_wrong_is_new(tmp_path: Path) -> None:
    root = repository(
        tmp_path / "docs",
        {
            "dbproof.toml": SETTINGS,
            "collections.yaml": COLLECTIONS,
            "print_models.py": PRINTER,
            "delete.py": DELETE,
            "companies.jsonl": '{"name": "a", "since": {"$date": "2024-01-01T00:00:00Z"}}\n{"name": "b"}\n',
            "subscriptions.jsonl": '{"company": "a"}\n',
            "notes.jsonl": '{"about": "b"}\n{"about": "a"}\n',
        },
    ).root
    (root / "print_models.py").write_text(PRINTER.replace('["name"]', '["name", "since"]'))
    (root / "delete.py").write_text(DELETE.replace("if db", "if None and db"))
    run = run_on(root)
    assert run.code == 1, run.said
    found = {
        (check, one["subject"]): (one["state"], one["provenance"]["file"], one["provenance"]["line"])
        for check, one in run.findings("error")
    }
    assert found == {
        ("document-violates-validator", "companies"): ("new", "models.py", 3),
        ("delete-handling-probe", "subscriptions.company -> companies.name"): ("new", "collections.yaml", 6),
        ("delete-handling-probe", "notes.about -> companies.name"): ("known", "collections.yaml", 9),
    }, run.said
    assert "1 document of companies breaks its validator: since: required (1)" in run.said


def test_a_look_with_the_models(tmp_path: Path, mongo_database: Database) -> None:
    """The difference that bringing the indexes in line would make, read only; nothing is deleted."""
    settings = SETTINGS.replace("[databases.docs", f"[databases.{mongo_database.name}")
    repository(
        tmp_path,
        {
            "dbproof.toml": settings,
            "collections.yaml": COLLECTIONS,
            "print_models.py": PRINTER,
        },
    )
    with session(mongo_database.private) as client:
        db = client[mongo_database.name]
        db.companies.create_index("name", name="by_name")
        db.companies.create_index("town", name="by_town", unique=True)
        db.companies.insert_one({"name": "a", "town": "x"})
    environment = {"PATH": os.environ["PATH"], "LOOK": mongo_database.addresses[Role.OWNER].url()}
    command = [str(Path(sys.executable).with_name("dbproof")), "check", str(tmp_path), "--url-env", "LOOK", "--all"]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "  collections.yaml:3\n  companies.by_name is not unique, expected unique" in said
    assert "companies.by_town on (town) is not declared and is unique" in said
    assert "  models.py:3\n  companies has no validator: every document is taken" in said
    assert "the database was given to be read only" in said
