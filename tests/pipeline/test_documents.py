"""A MongoDB repository against its base: what is new meets base's documents, by Python files, a command, or what is declared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from example_repositories import Run, run_on
from repositories import repository

from checks.targets import Role
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session

pytestmark = pytest.mark.usefixtures("mongod")

SETTINGS = """
[databases.docs]
engine = "mongodb"
{migrations}
[databases.docs.data]
load = ["companies.jsonl"]

[databases.docs.expect]
schemas.companies = "schema.json"

[databases.docs.expect.indexes.companies]
by_town = {{ keys = ["town"] }}
"""

ROWS = '{"name": "a", "town": "x"}\n{"name": "b", "town": "x"}\n{"name": "c"}\n'
SCHEMA = '{"required": ["name"]}'
TIGHTER = '{"required": ["name", "town"]}'

PYTHON = '[databases.docs.migrations]\ntool = "python"\ndirectory = "migrations"\n'
FIRST = (
    "def up(db):\n"
    '    db.create_collection("companies", validator={"$jsonSchema": {"required": ["name"]}})\n'
    '    db.companies.create_index("town", name="by_town")\n'
)


def base(tmp_path: Path, migrations: str = "", more: Mapping[str, str] | None = None) -> Path:
    files = {
        "dbproof.toml": SETTINGS.format(migrations=migrations),
        "companies.jsonl": ROWS,
        "schema.json": SCHEMA,
        **(more or {}),
    }
    return repository(tmp_path / "docs", files).root


def errors(run: Run) -> dict[str, tuple[str, str, int]]:
    return {
        check: (one["subject"], one["provenance"]["file"], one["provenance"]["line"])
        for check, one in run.findings("error")
        if one["state"] == "new"
    }


def test_declarations_alone(tmp_path: Path) -> None:
    run = run_on(base(tmp_path))
    assert run.code == 0, run.said
    assert run.check("validator-missing")["not_proven"][0]["reason"] == "applied from this declaration"
    assert run.check("document-violates-validator")["proven"] == 1


def test_a_declared_validator_meets_documents_of_base(tmp_path: Path) -> None:
    root = base(tmp_path)
    (root / "schema.json").write_text(TIGHTER)
    run = run_on(root)
    assert run.code == 1, run.said
    assert errors(run) == {"document-violates-validator": ("companies", "schema.json", 1)}
    assert "1 document of companies breaks its validator: town: required (1)" in run.said


def test_a_declared_unique_index_meets_documents_of_base(tmp_path: Path) -> None:
    root = base(tmp_path)
    settings = (root / "dbproof.toml").read_text()
    (root / "dbproof.toml").write_text(settings.replace('keys = ["town"]', 'keys = ["town"], unique = true'))
    run = run_on(root)
    assert run.code == 1, run.said
    line = 1 + settings.splitlines().index('by_town = { keys = ["town"] }')
    assert errors(run)["migration-failed"] == ("migrations", "dbproof.toml", line)
    assert "green on an empty table, red on these rows" in run.said


def test_a_new_python_file_meets_documents_of_base(tmp_path: Path) -> None:
    root = base(tmp_path, PYTHON, {"migrations/1_first.py": FIRST})
    lines = (
        "def up(db):",
        'db.companies.drop_index("by_town")',
        'db.companies.create_index("town", name="by_town", unique=True)',
    )
    (root / "migrations" / "2_unique.py").write_text("\n    ".join(lines))
    run = run_on(root)
    assert run.code == 1, run.said
    assert errors(run)["migration-failed"] == ("2_unique", "migrations/2_unique.py", 3)
    migrations = {one["revision"]: one["new"] for one in run.report["databases"][0]["migrations"]}
    assert migrations == {"1_first": False, "2_unique": True}


def test_what_base_has_too_does_not_count(tmp_path: Path) -> None:
    weak = FIRST.replace('{"required": ["name"]}', '{"required": []}').replace('"required": []', '"bsonType": "object"')
    root = base(tmp_path, PYTHON, {"migrations/1_first.py": weak})
    (root / "migrations" / "2_more.py").write_text("def up(db):\n    db.other.insert_one({})\n")
    run = run_on(root)
    assert run.code == 0, run.said
    assert [one["state"] for check, one in run.findings("error") if check == "validator-missing"] == ["known"]


@pytest.mark.parametrize("variable", ["MONGODB_URI", "MONGO_URL", "DATABASE_URL", "SHOP_MONGO_URL"])
def test_a_command_of_the_project(variable: str, tmp_path: Path) -> None:
    script = (
        "import os\nfrom pymongo import MongoClient\n\n"
        f'db = MongoClient(os.environ["{variable}"]).get_default_database()\n'
        + FIRST.replace("def up(db):\n", "").replace("    ", "")
    )
    env = f'env = {{ {variable} = "{{url}}" }}\n' if variable == "SHOP_MONGO_URL" else ""
    migrations = f"[databases.docs.migrations]\ncommand = {json.dumps(f'{sys.executable} migrate.py')}\n{env}"
    run = run_on(base(tmp_path, migrations, {"migrate.py": script}))
    assert run.code == 0, run.said
    assert run.check("validator-missing")["proven"] == 1
    assert run.check("index-drift")["proven"] == 1


def test_a_command_that_goes_elsewhere(tmp_path: Path) -> None:
    script = (
        'import os\nfrom pymongo import MongoClient\nMongoClient(os.environ.get("SHOP_MONGO_URL", "mongodb://db.example.com"))\n'
    )
    migrations = f"[databases.docs.migrations]\ncommand = {json.dumps(f'{sys.executable} migrate.py')}\n"
    run = run_on(base(tmp_path, migrations, {"migrate.py": script}))
    assert run.code == 2, run.said
    assert "wanted to connect to mongodb://db.example.com:27017/" in run.said
    assert 'env = { SHOP_MONGO_URL = "{url}" }' in run.said


def test_a_look_reads_what_the_settings_declare(tmp_path: Path, mongo_database: Database) -> None:
    settings = SETTINGS.format(migrations="").replace("[databases.docs", f"[databases.{mongo_database.name}")
    (tmp_path / "dbproof.toml").write_text(settings)
    (tmp_path / "schema.json").write_text(TIGHTER)
    with session(mongo_database.private) as client:
        client[mongo_database.name].companies.insert_many([{"name": "a", "town": "x"}, {"name": "b"}])
    environment = {"PATH": os.environ["PATH"], "LOOK": mongo_database.addresses[Role.OWNER].url()}
    command = [str(Path(sys.executable).with_name("dbproof")), "check", str(tmp_path), "--url-env", "LOOK"]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "companies has no validator: every document is taken" in said
    assert "1 document of companies breaks the declared validator: town: required (1)" in said
    assert "there is no index companies.by_town on (town)" in said
