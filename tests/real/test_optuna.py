"""Optuna's history on PostgreSQL: it ends as its own tool ends, on a new database and on one that exists."""

from __future__ import annotations

import json
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from repositories import Repository

from checks.targets import Role
from real import own_tool
from real.published import Published, dbproof
from runner.servers.interface import Database, Server

pytestmark = pytest.mark.real

SETTINGS = """
[databases.optuna]
engine = "postgresql"

[databases.optuna.migrations]
tool = "alembic"
directory = "rdb"
python = "{python}"
"""
#: What Optuna itself writes into a new database.
VERSION = "INSERT INTO version_info VALUES (1, 12, '5.0.0');"
LOADED = 'data = { load = ["version.sql"] }'
#: The revisions before the one that makes the type ``studydirection`` a second time.
FIRST = ("v0.9.0.a", "v1.2.0.a", "v1.3.0.a")
REFUSED = 'type "studydirection" already exists'


@pytest.fixture
def root(optuna: Published, tmp_path: Path) -> Path:
    optuna.copied(tmp_path / "repository" / "rdb")
    (tmp_path / "repository" / "dbproof.toml").write_text(SETTINGS.replace("{python}", str(optuna.python)))
    return tmp_path / "repository"


@pytest.fixture
def own(server: Server) -> Database:
    return server.create(f"optuna_{secrets.token_hex(4)}")


#: In what its models differ from its history: a new database of Optuna's is made of the models, and marked as migrated.
DRIFT = {"trial_heartbeats", "trial_values.trial_id", "trials.trials_study_id_key", "trials.ix_trials_study_id"}


def upgrade(optuna: Published, own: Database, to: str, place: Path) -> tuple[int, str]:
    """``alembic upgrade`` by the tool itself, with our address in a copy of its configuration."""
    directory = place / "own"
    if not directory.exists():
        ini = optuna.copied(directory) / "alembic.ini"
        url = own.addresses[Role.OWNER].url("postgresql+psycopg").replace("%", "%%")
        ini.write_text(ini.read_text().replace("sqlite:///alembic.db", url))
    done = optuna.alembic(directory, "upgrade", to)
    return done.returncode, done.stderr


def test_a_new_database_ends_as_its_own_tool_ends(optuna: Published, own: Database, root: Path) -> None:
    """In one upgrade Alembic remembers which types it has made, and makes none twice."""
    assert upgrade(optuna, own, "head", root.parent)[0] == 0
    (root / "version.sql").write_text(VERSION)
    settings = root / "dbproof.toml"
    settings.write_text(settings.read_text().replace("\n\n", f"\n{LOADED}\n\n", 1) + own_tool.same("optuna", own))
    run = dbproof(root)
    assert run.code == 0, run.said
    assert run.checks["no-rows"]["proven"] == 2
    assert run.checks["migration-failed"]["proven"] == 10
    found = run.findings("error", "warning", "notice")
    assert {(one["check"], one["subject"]) for one in found} == {("model-drift", subject) for subject in DRIFT}


def test_a_database_that_exists_ends_as_its_own_tool_ends(optuna: Published, own: Database, root: Path) -> None:
    """From v1.3.0.a on, the second upgrade makes the type again."""
    assert upgrade(optuna, own, FIRST[-1], root.parent)[0] == 0
    code, said = upgrade(optuna, own, "head", root.parent)
    assert code != 0
    assert REFUSED in said

    repository = _with_first_revisions_as_base(root)
    run = dbproof(root, "--compare", repository)
    assert run.code == 1, run.said
    (finding,) = run.findings("error", "warning")
    assert (finding["check"], finding["subject"], finding["state"]) == ("migration-failed", "v2.4.0.a", "new")
    assert (finding["evidence"]["code"], finding["evidence"]["said"]) == ("42710", REFUSED)
    place = finding["provenance"]
    assert place["file"] == "rdb/alembic/versions/v2.4.0.a.py"
    lines = (root / place["file"]).read_text("utf-8").splitlines()
    assert [line.strip() for line in lines[place["line"] - 1 : place["line"] + 1]] == ["op.create_table(", '"study_directions",']
    assert f"{place['file']}:{place['line']}" in run.said
    assert f"PostgreSQL 42710: {REFUSED}" in run.said
    states = {migration["revision"]: migration["state"] for migration in run.database["migrations"]}
    assert [revision for revision, state in states.items() if state == "applied"] == [*FIRST]
    assert {check["outcome"] for check in run.checks.values()} <= {"passed", "failed", "skipped"}
    assert {finding["state"] for finding in run.findings("notice")} == {"known"}


def _with_first_revisions_as_base(root: Path) -> str:
    """A history of two commits: the first revisions, then all of them. Gives the first."""
    versions = root / "rdb" / "alembic" / "versions"
    later = {path: path.read_text("utf-8") for path in versions.glob("*.py") if path.stem not in FIRST}
    for path in later:
        path.unlink()
    repository = Repository(root)
    repository.git("init", "--quiet")
    base = repository.commit()
    repository.commit({str(path.relative_to(root)): text for path, text in later.items()})
    return base


# Optuna's sessions leave foreign keys off; here they are on, so that every reference is tried.
ON_SQLITE = """
[databases.optuna]
engine = "sqlite"
foreign_keys = true

[databases.optuna.migrations]
tool = "alembic"
directory = "rdb"
python = "{python}"

[databases.optuna.data]
load = ["version.sql"]

[databases.optuna.expect.no_rows]
"another catalogue than the own tool's" = {other}
"""
#: Every column, key and index. Not the text of the tables: Alembic reflects constraints in an order that changes from run to run.
CATALOGUE = """
SELECT group_concat(line, char(10)) AS listed FROM (
    SELECT concerned.name || ' ' || part AS line FROM sqlite_master AS concerned, (
        SELECT tables.name AS of_table,
               info.name || ' ' || info.type || ' ' || info."notnull" || coalesce(info.dflt_value, '') || pk AS part
        FROM sqlite_master AS tables, pragma_table_info(tables.name) AS info
        UNION ALL
        SELECT tables.name, keys."from" || keys."table" || coalesce(keys."to", '') || keys.on_delete
        FROM sqlite_master AS tables, pragma_foreign_key_list(tables.name) AS keys
        UNION ALL
        SELECT tables.name,
               indexes."unique" || indexes.partial || (SELECT group_concat(name) FROM pragma_index_info(indexes.name))
        FROM sqlite_master AS tables, pragma_index_list(tables.name) AS indexes
    ) ON of_table = concerned.name WHERE concerned.type = 'table' ORDER BY line)
"""


def test_on_sqlite_it_ends_as_its_own_tool_ends(optuna: Published, root: Path) -> None:
    """Its alembic.ini names a file of its own, which is not touched; batch mode makes tables anew all the way."""
    directory = optuna.copied(root.parent / "own")
    done = optuna.alembic(directory, "upgrade", "head")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(directory / "alembic.db")) as own:
        ((listed,),) = own.execute(CATALOGUE)
    assert "studies" in listed
    escaped = listed.replace("'", "''")
    (root / "version.sql").write_text(VERSION)
    other = json.dumps(f"SELECT 1 FROM ({CATALOGUE}) WHERE listed <> '{escaped}'")
    (root / "dbproof.toml").write_text(ON_SQLITE.format(python=optuna.python, other=other))
    run = dbproof(root)
    assert run.code == 0, run.said
    proven = {check: found["proven"] for check, found in run.checks.items() if found["proven"]}
    assert proven == {
        "migration-failed": 10,
        "load-refused": 1,
        "constraint-violation": 1,
        "duplicate-rows": 1,
        "reference-probe": 9,
        "delete-rule-probe": 9,
        "update-rule-probe": 9,
        "reference-type-mismatch": 9,
        "reference-cycle": 9,
        "no-rows": 1,
        "unindexed-foreign-key": 9,
        "missing-primary-key": 11,
        "nullable-unique": 13,
        "insert-probe": 10,  # version_info has room for one row, and has it
        "check-probe": 1,
        "not-null-probe": 21,
        "unique-probe": 20,
        "duplicate-index": 30,
        "redundant-index": 21,
    }
    found = run.findings("error", "warning", "notice")
    assert {(one["check"], one["subject"]) for one in found} == {("model-drift", subject) for subject in DRIFT}
    assert not (root / "rdb" / "alembic.db").exists()
