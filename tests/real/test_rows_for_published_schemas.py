"""Rows compiled from the schemas of published projects: every table is filled, and nothing in them is broken.

So are those of test_published_sql.py and test_published_code.py, which apply whole histories.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from checks.targets import Role
from real.filled import short
from real.published import Published
from runner.servers.interface import Server

pytestmark = pytest.mark.real

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
