"""Published projects' own migrations in Python and JavaScript: each history ends as the project's tool ends it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from checks.evidence import Place
from checks.schema.names import ObjectKind
from checks.targets import Role
from real.dumps import applied, ended, same
from real.filled import short
from real.own_tool import ask
from real.published import Published
from runner.backends import postgresql
from runner.migrations.interface import Project
from runner.migrations.registry import ADAPTERS
from runner.servers.interface import Database, Server
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class History:
    """A project as it lies in a checkout, how its people migrate, and what its tool writes down."""

    project: Project
    command: Sequence[str]
    scheme: str
    books: str

    def own(self, on: Database) -> None:
        """The tool by itself; OWN tells the project its database."""
        environment = {"PATH": os.environ["PATH"], "OWN": on.addresses[Role.OWNER].url(self.scheme)}
        command, root = list(self.command), self.project.root
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _ends_as_its_own_tool_ends(
    history: History, server: Server, database: Database, needed: str = ""
) -> tuple[list[str], Mapping[str, Place | None]]:
    """The revisions that were applied, and where each table was made; ``needed`` is there before."""
    own = server.create(f"published_{secrets.token_hex(4)}")
    for one in (own, database):
        ask(one, "SELECT 1", after=needed)
    history.own(own)
    adapter, mark = ADAPTERS[history.project.settings.tool], server.mark()
    events = applied(adapter, history.project, database)
    assert ended(events) == [one.id for one in adapter.revisions(history.project)]
    same(own, database, history.books)
    recording = postgresql.recording(server, database, mark, events, ())
    made = postgresql.provenance(database, [recording], {})
    assert short(server, database) == {}, "rows for its schema"
    return ended(events), {one.relation: how.place for one, how in made.items() if one.kind is ObjectKind.TABLE}


IHATEMONEY = """\
import os

from flask import Flask
from flask_migrate import Migrate
from ihatemoney.models import db


def create_app():
    app = Flask("ihatemoney")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("OWN", "postgresql+psycopg://app@db.invalid/shop")
    db.init_app(app)
    Migrate(app, db)
    return app
"""


def test_i_hate_money_with_flask_migrate(ihatemoney: Published, tmp_path: Path, server: Server, database: Database) -> None:
    root = tmp_path / "checkout"
    ihatemoney.copied(root / "ihatemoney")
    (root / "shop.py").write_text(IHATEMONEY)
    told = {"tool": "flask-migrate", "config": "ihatemoney/migrations/alembic.ini", "env": {"FLASK_APP": "shop"}}
    settings = MigrationSettings.model_validate({**told, "python": str(ihatemoney.python)})
    flask = [str(ihatemoney.python), "-m", "flask", "--app", "shop", "db", "upgrade", "--directory", "ihatemoney/migrations"]
    books = "SELECT version_num FROM alembic_version"
    history = History(Project(root, root, settings, root), flask, "postgresql+psycopg", books)
    revisions, places = _ends_as_its_own_tool_ends(history, server, database)
    assert len(revisions) == 13
    assert places["person"] == Place("ihatemoney/migrations/versions/b9a10d5d63ce_.py", 35)
    assert places["bill_version"] == Place("ihatemoney/migrations/versions/2dcb0c0048dc_autologger.py", 19)


def _node(tool: str, root: Path, packages: Path, command: Sequence[str], books: str) -> History:
    (root / "package.json").write_text(json.dumps({"scripts": {"migrate": " ".join(command)}, "dependencies": {tool: "*"}}))
    (root / "node_modules").symlink_to(packages / "node_modules")
    settings = MigrationSettings.model_validate({"tool": tool})
    program = [str(root / "node_modules" / ".bin" / command[0]), *command[1:]]
    return History(Project(root, root, settings, root), program, "postgres", books)


URL = 'process.env.OWN || "postgres://app:secret@db.invalid:6432/shop"'
KNEXFILE = f'module.exports = {{ client: "pg", connection: {URL}, migrations: {{ directory: "./migrations" }} }};\n'


def test_backstage_with_knex(
    backstage_catalog: Path, node_tools: Path, tmp_path: Path, server: Server, database: Database
) -> None:
    shutil.copytree(backstage_catalog / "migrations", tmp_path / "migrations")
    (tmp_path / "knexfile.js").write_text(KNEXFILE)
    books = "SELECT name, batch FROM knex_migrations ORDER BY id"
    history = _node("knex", tmp_path, node_tools, ["knex", "migrate:latest"], books)
    revisions, places = _ends_as_its_own_tool_ends(history, server, database)
    assert len(revisions) == 45
    assert places["refresh_keys"] == Place("migrations/20220616202842_refresh_keys.js", 23)


#: What TypeORM makes the extension uuid-ossp for, which not every server here has.
NEEDED = "CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql RETURN gen_random_uuid()"
DATA_SOURCE = f"""\
require("reflect-metadata");
const {{ DataSource }} = require("typeorm");
module.exports = new DataSource({{ type: "postgres", url: {URL}, migrations: ["postgres/[0-9]*.js"] }});
"""


def test_flowise_with_typeorm(flowise: Path, node_tools: Path, tmp_path: Path, server: Server, database: Database) -> None:
    shutil.copytree(flowise / "dist" / "database" / "migrations" / "postgres", tmp_path / "postgres")
    (tmp_path / "data-source.js").write_text(DATA_SOURCE)
    books = "SELECT timestamp, name FROM migrations ORDER BY id"
    history = _node("typeorm", tmp_path, node_tools, ["typeorm", "migration:run", "-d", "data-source.js"], books)
    revisions, places = _ends_as_its_own_tool_ends(history, server, database, NEEDED)
    assert len(revisions) == 29
    assert revisions[9] == "1702200925471-AddVariableEntity", "TypeORM's order is that of the classes' names"
    assert places["variable"] == Place("postgres/1702200925471-AddVariableEntity.js", 6)
