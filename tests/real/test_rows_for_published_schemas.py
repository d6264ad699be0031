"""Rows compiled from the schemas of published projects: every table is filled, and nothing in them is broken."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from sound import violations

from checks.rows.sets.planner import Wishes
from checks.targets import Role
from real.published import Published
from runner.data.generated.postgresql import catalogue_of, generate
from runner.servers.interface import Database, Server

pytestmark = pytest.mark.real

#: Rows a table; by hand 10 000.
ROWS = int(os.environ.get("DBPROOF_PUBLISHED_ROWS", "300"))


#: Tables whose rows have a parent of one kind each, keys that one object gives, or room for few rows.
PHOENIX = {
    "agent_session_messages",
    "builtin_evaluators",
    "code_evaluators",
    "llm_evaluators",
    "experiment_eval_logs",
    "experiment_task_logs",
    "experiment_prompt_tasks",
    "project_annotation_configs",
}


def short(server: Server, database: Database) -> dict[str, str]:
    """Fill a migrated database and judge it; gives the tables that got fewer rows (none got none), and why."""
    catalogue = catalogue_of(database.private)
    wanted = {table.name: ROWS for table in catalogue.tables}
    made = generate(database.private, catalogue, wanted, 1, Wishes(), lambda _: None)
    assert len(made) > 5
    found = violations(server, database)
    assert not found, found
    assert all(one.rows for one in made)
    return {one.table.name: one.reason for one in made if one.rows < one.wanted}


def test_optuna(optuna: Published, server: Server, tmp_path: Path) -> None:
    database = server.create(f"optuna_{secrets.token_hex(4)}")
    ini = optuna.copied(tmp_path / "rdb") / "alembic.ini"
    url = database.addresses[Role.OWNER].url("postgresql+psycopg").replace("%", "%%")
    ini.write_text(ini.read_text().replace("sqlite:///alembic.db", url))
    done = optuna.alembic(tmp_path / "rdb", "upgrade", "head")
    assert done.returncode == 0, done.stderr
    assert short(server, database) == {"version_info": "keys met by chance"}, "it may have one row only"


def test_phoenix(phoenix: Published, server: Server, tmp_path: Path) -> None:
    database = server.create(f"phoenix_{secrets.token_hex(4)}")
    phoenix.copied(tmp_path / "db")
    url = database.addresses[Role.OWNER].url()
    done = phoenix.alembic(tmp_path / "db", "upgrade", "head", PHOENIX_SQL_DATABASE_URL=url, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    found = short(server, database)
    assert set(found) <= PHOENIX, found
