"""What models and migrations differ in on main already is known; what a change adds is new."""

from __future__ import annotations

from pathlib import Path

from example_repositories import run_on
from repositories import repository

ENV = """\
import os

from alembic import context
from models import metadata
from sqlalchemy import create_engine

with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
FIRST = """\
import sqlalchemy as sa
from alembic import op

revision = "one"
down_revision = None


def upgrade():
    op.create_table("customers", sa.Column("id", sa.Integer, primary_key=True))


def downgrade():
    op.drop_table("customers")
"""
MODELS = """\
from sqlalchemy import Column, Integer, MetaData, Table, Text

metadata = MetaData()
Table("customers", metadata, Column("id", Integer, primary_key=True), Column("old_gap", Text){})
"""
SETTINGS = """
[databases.app]
engine = "sqlite"
[databases.app.migrations]
tool = "alembic"
env = { DATABASE_URL = "{url}" }
"""


def test_what_main_has_too_is_known(tmp_path: Path) -> None:
    files = {"alembic.ini": "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n", "migrations/env.py": ENV}
    files |= {"migrations/versions/one.py": FIRST, "dbproof.toml": SETTINGS, "models.py": MODELS.format("")}
    made = repository(tmp_path / "app", files)
    made.branch("change")
    made.commit({"models.py": MODELS.format(', Column("new_gap", Text)')})
    run = run_on(made.root)
    assert run.code == 0, run.said
    found = {one["subject"]: (one["severity"], one["state"]) for one in run.check("model-drift")["findings"]}
    assert found == {"customers.old_gap": ("warning", "known"), "customers.new_gap": ("warning", "new")}
    assert "models    2 differences" in run.said
