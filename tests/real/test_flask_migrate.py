"""Flask-Migrate: `flask db upgrade` ends as it ends by itself, wherever the application has its address from."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path

import pytest

from checks.evidence import Place
from checks.targets import Role
from real.dumps import applied, ended, same, schema, there_and_back
from real.published import Published
from runner.backends import postgresql
from runner.errors import UsageError, WrongAddress
from runner.migrations import address
from runner.migrations import flask_migrate as adapter
from runner.migrations.interface import Broke, Paused, Project
from runner.servers.interface import Database, Server
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

APPLICATION = """\
import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()


class Customer(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), index=True)


def create_app():
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("OWN", "postgresql://app@db.invalid/shop?sslmode=require")
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 3}}
    db.init_app(app)
    Migrate(app, db)
    return app
"""
SECOND = """\
\"\"\"Orders.\"\"\"

import sqlalchemy as sa
from alembic import op

revision = "two"
down_revision = "{down}"


def upgrade():
    with op.batch_alter_table("customer") as batch:
        batch.add_column(sa.Column("town", sa.Text))
    op.create_table("orders", sa.Column("customer_id", sa.Integer, sa.ForeignKey("customer.id")))
{more}

def downgrade():
    pass
"""


def _flask(flask: Published, root: Path, on: Database, *words: str) -> None:
    environment = {"OWN": on.addresses[Role.OWNER].url("postgresql+psycopg")}
    environment["PATH"] = os.environ["PATH"]
    command = [str(flask.python), "-m", "flask", "--app", "shop", "db", *words]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def _repository(flask: Published, root: Path, own: Database) -> Path:
    (root / "web").mkdir(parents=True)
    (root / "web" / "shop.py").write_text(APPLICATION)
    _flask(flask, root / "web", own, "init")
    _flask(flask, root / "web", own, "migrate", "--rev-id", "one", "-m", "Customers.")
    (root / "web" / "migrations" / "versions" / "two.py").write_text(SECOND.format(down="one", more=""))
    _flask(flask, root / "web", own, "upgrade")
    return root


def _project(flask: Published, root: Path, **settings: object) -> Project:
    told = {"tool": "flask-migrate", "directory": "web", "env": {"FLASK_APP": "shop"}, "python": str(flask.python), **settings}
    return Project(root, root / "web", MigrationSettings.model_validate(told), root)


def test_it_ends_as_its_own_tool_ends(flask_migrate: Published, tmp_path: Path, server: Server, database: Database) -> None:
    own = server.create(f"flask_{secrets.token_hex(4)}")
    root = _repository(flask_migrate, tmp_path, own)
    project, mark = _project(flask_migrate, root), server.mark()
    assert address.prove(adapter, project, server, database, postgresql.arrived).endswith("came to our server")
    listed = adapter.revisions(project)
    assert [(one.id, one.title) for one in listed] == [("one", "Customers."), ("two", "Orders.")]
    events = applied(adapter, project, database)
    assert ended(events) == ["one", "two"]
    same(own, database, "SELECT version_num FROM alembic_version")
    recording = postgresql.recording(server, database, mark, events, ())
    places = {one.relation: made.place for one, made in postgresql.provenance(database, [recording], {}).items()}
    assert places["orders"] == Place("web/migrations/versions/two.py", 13)

    two = root / "web" / "migrations" / "versions" / "two.py"
    two.write_text(two.read_text().replace("    pass\n", '    op.drop_table("orders")\n    op.drop_column("customer", "town")\n'))
    stepped = server.create(f"flask_{secrets.token_hex(4)}")
    told = list(adapter.rehearse(project, stepped.addresses[Role.OWNER], there_and_back("one", "two")))
    paused = [str(event.place) for event in told if isinstance(event, Paused) and not event.irreversible]
    assert (len(paused), paused[4]) == (7, "web/migrations/versions/two.py:16")
    assert schema(stepped) == schema(own)
    drift = adapter.drift(project, stepped.addresses[Role.OWNER])
    assert drift is not None
    said = {(one.subject, one.kind.value) for one in drift.operations}
    assert said == {("orders", "unknown table"), ("customer.town", "unknown")}

    (root / "web" / "migrations" / "versions" / "three.py").write_text(
        SECOND.replace('"two"', '"three"').format(down="two", more="    op.execute('SELECT 1/0')\n")
    )
    (broke,) = (one for one in adapter.apply(project, database.addresses[Role.OWNER]) if isinstance(one, Broke))
    assert (broke.revision, broke.code) == ("three", "42701")

    # Without Flask-SQLAlchemy nothing is replaced, and going elsewhere is refused.
    source = (root / "web" / "shop.py").read_text()
    (root / "web" / "shop.py").write_text(source.replace("    db.init_app(app)\n", "    DIRECT\n").replace("DIRECT", DIRECT))
    with pytest.raises(WrongAddress, match=r"db\.invalid"):
        address.prove(adapter, project, server, database, postgresql.arrived)
    with pytest.raises(UsageError, match=r"there is no other/env\.py"):
        adapter.revisions(_project(flask_migrate, root, config="other/alembic.ini"))


DIRECT = "import psycopg; psycopg.connect(host='db.invalid')"
