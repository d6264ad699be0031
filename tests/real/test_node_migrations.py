"""Node's tools on PostgreSQL: each ends as it ends by itself, led to our database, and is followed file by file."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from checks.evidence import Place
from checks.targets import Role
from real.dumps import applied, ended, same, schema
from real.own_tool import ask
from runner.backends import postgresql
from runner.errors import UsageError, WrongAddress
from runner.migrations import address
from runner.migrations.interface import Broke, Direction, Elsewhere, Event, Paused, Project, Reversible, Step
from runner.migrations.registry import ADAPTERS
from runner.servers.interface import Database, Server
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

#: What the projects connect to: a server that does not exist, or OWN for the comparison alone.
URL = 'process.env.OWN || "postgres://app:secret@db.invalid:6432/shop?sslmode=require"'
SECOND_CONNECTION = 'const { Client } = require("pg"); await new Client({ host: "other.invalid" }).connect();'


@dataclass(frozen=True)
class Sample:
    """A tool's project. ``files`` are its own; in the last migration ``FAULT`` stands for what may be put there."""

    files: Mapping[str, str]
    script: str
    books: str
    revisions: tuple[str, str]
    last: str
    line: int


KNEX = Sample(
    {
        "knexfile.js": f'module.exports = {{ client: "pg", connection: {URL}, migrations: {{ directory: "./db/steps" }} }};\n',
        "db/steps/20240101_customers.js": """\
exports.up = function (knex) {
  return knex.schema.createTable("customers", (table) => { table.increments("id"); table.text("name").index(); });
};
exports.down = (knex) => knex.schema.dropTable("customers");
""",
        "db/steps/20240201_orders.js": """\
exports.up = async (knex) => {
  await knex.schema.createTable("orders", (table) => { table.integer("customer_id").references("customers.id"); });
  FAULT
};
exports.down = (knex) => knex.schema.dropTable("orders");
""",
    },
    "knex migrate:latest",
    "SELECT name, batch FROM knex_migrations ORDER BY id",
    ("20240101_customers", "20240201_orders"),
    "db/steps/20240201_orders.js",
    2,
)
PG_MIGRATE = Sample(
    {
        "steps/9_customers.js": """\
exports.up = (pgm) => {
  pgm.createTable("customers", { id: "id", name: { type: "text" } });
};
""",
        "steps/10_orders.js": """\
exports.up = async (pgm) => {
  pgm.createTable("orders", { customer_id: { type: "integer", references: "customers" } });
  FAULT
};
""",
    },
    "node-pg-migrate -m steps up",
    "SELECT name FROM pgmigrations ORDER BY id",
    ("9_customers", "10_orders"),
    "steps/10_orders.js",
    1,
)
SEQUELIZE = Sample(
    {
        "config/config.js": f'module.exports = {{ development: {{ dialect: "postgres", url: {URL} }} }};\n',
        "migrations/1_customers.js": """\
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable("customers", { id: { type: Sequelize.INTEGER, primaryKey: true }, name: Sequelize.TEXT });
  },
};
""",
        "migrations/2_orders.js": """\
module.exports = {
  async up(queryInterface, Sequelize) {
    const customer = { type: Sequelize.INTEGER, references: { model: "customers", key: "id" } };
    await queryInterface.createTable("orders", { id: { type: Sequelize.INTEGER, primaryKey: true }, customer });
    FAULT
  },
  down: (queryInterface) => queryInterface.dropTable("orders"),
};
""",
    },
    "sequelize-cli db:migrate",
    'SELECT name FROM "SequelizeMeta" ORDER BY name',
    ("1_customers", "2_orders"),
    "migrations/2_orders.js",
    4,
)
TYPEORM = Sample(
    {
        "data-source.js": f"""\
require("reflect-metadata");
const {{ DataSource }} = require("typeorm");
module.exports = new DataSource({{ type: "postgres", url: {URL}, migrations: ["history/*.js"] }});
""",
        "history/1700000000000-Customers.js": """\
module.exports = class Customers1700000000000 {
  async up(runner) {
    await runner.query("CREATE TABLE customers (id integer PRIMARY KEY)");
  }
  async down(runner) {}
};
""",
        "history/1700000000001-Orders.js": """\
module.exports = class Orders1700000000001 {
  async up(runner) {
    await runner.query("CREATE TABLE orders (customer_id integer REFERENCES customers)");
    FAULT
  }
  async down(runner) {
    await runner.query("DROP TABLE orders");
  }
};
""",
    },
    "typeorm migration:run -d data-source.js",
    "SELECT name FROM migrations ORDER BY id",
    ("1700000000000-Customers", "1700000000001-Orders"),
    "history/1700000000001-Orders.js",
    3,
)
SAMPLES = {"knex": KNEX, "node-pg-migrate": PG_MIGRATE, "sequelize": SEQUELIZE, "typeorm": TYPEORM}


def _lay(sample: Sample, root: Path, packages: Path, fault: str = "") -> Path:
    scripts = {"migrate": f"NODE_ENV=development {sample.script}"}
    dependencies = {
        name: "*" for name in ("knex", "node-pg-migrate", "sequelize-cli", "typeorm") if name[:4] == sample.script[:4]
    }
    files = {"package.json": json.dumps({"scripts": scripts, "dependencies": dependencies}), **sample.files}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.replace("FAULT", fault))
    (root / "node_modules").symlink_to(packages / "node_modules")
    return root


def _own(sample: Sample, root: Path, on: Database) -> None:
    url = on.addresses[Role.OWNER].url("postgres")
    environment = {"PATH": f"{root}/node_modules/.bin:{os.environ['PATH']}", "OWN": url, "DATABASE_URL": url, "HOME": str(root)}
    command = ["sh", "-c", sample.script]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _project(tool: str, root: Path) -> Project:
    return Project(root, root, MigrationSettings.model_validate({"tool": tool}), root)


def _events(tool: str, root: Path, on: Database) -> list[Event]:
    return list(ADAPTERS[tool].apply(_project(tool, root), on.addresses[Role.OWNER]))


@pytest.mark.parametrize("tool", SAMPLES)
def test_it_ends_as_its_own_tool_ends(tool: str, node_tools: Path, tmp_path: Path, server: Server, database: Database) -> None:
    sample, adapter = SAMPLES[tool], ADAPTERS[tool]
    root = _lay(sample, tmp_path / "shop", node_tools)
    own = server.create(f"node_{secrets.token_hex(4)}")
    _own(sample, root, own)
    project, empty = _project(tool, root), schema(database)
    found = adapter.detect(root)
    assert found is not None
    assert (found.settings.tool, found.because.file, found.sure) == (tool, "package.json", False)
    assert [one.id for one in adapter.revisions(project)] == list(sample.revisions)
    assert address.prove(adapter, project, server, database, postgresql.arrived).endswith("came to our server")
    assert schema(database) == empty, "what only looks changes nothing"
    mark = server.mark()
    events = applied(adapter, project, database)
    assert ended(events) == list(sample.revisions)
    same(own, database, sample.books)
    recording = postgresql.recording(server, database, mark, events, ())
    places = {one.relation: made.place for one, made in postgresql.provenance(database, [recording], {}).items()}
    assert places["orders"] == Place(sample.last, sample.line)
    last = sample.revisions[1]
    assert _paused(tool, root, database, [Step(Direction.DOWN, last)]) == [""]
    assert ask(database, "SELECT to_regclass('customers') IS NULL, to_regclass('orders') IS NULL") == [(False, True)]
    assert len(ask(database, sample.books)) == 1
    assert _paused(tool, root, database, [Step(Direction.UP, last), Step(Direction.AGAIN)]) == ["", ""]
    assert schema(own) == schema(database)


@pytest.mark.parametrize("tool", ["knex", "typeorm"])
def test_what_fails_is_told_with_its_file(tool: str, node_tools: Path, tmp_path: Path, database: Database) -> None:
    sample = SAMPLES[tool]
    events = _events(tool, _lay(sample, tmp_path / "shop", node_tools, "throw new TypeError('no such thing');"), database)
    (broke,) = (event for event in events if isinstance(event, Broke))
    assert (broke.revision, broke.said) == (sample.revisions[1], "TypeError: no such thing")
    assert broke.place is not None
    assert broke.place.file == sample.last


def test_the_server_s_words_are_told_without_knex_s_statement(node_tools: Path, tmp_path: Path, database: Database) -> None:
    """Knex puts the statement, with the values that are bound to it, before what the server says."""
    fault = 'await knex("customers").insert({ id: 1, name: "Ada" }); await knex("customers").insert({ id: 1, name: "Bo" });'
    (broke,) = (
        one for one in _events("knex", _lay(KNEX, tmp_path / "shop", node_tools, fault), database) if isinstance(one, Broke)
    )
    assert (broke.code, broke.said) == ("23505", 'duplicate key value violates unique constraint "customers_pkey"')


def test_what_a_compiler_wrote_is_followed_and_the_first_refusal_is_why_it_stopped(
    node_tools: Path, tmp_path: Path, database: Database
) -> None:
    root = _lay(KNEX, tmp_path / "shop", node_tools)
    (root / KNEX.last).write_text(COMPILED)
    (broke,) = (one for one in _events("knex", root, database) if isinstance(one, Broke))
    assert (broke.revision, broke.place, broke.code) == (KNEX.revisions[1], Place(KNEX.last, 4), "42P01")


#: As esbuild and tsx write a module: what it exports are getters. The second statement fails since the first did.
COMPILED = """\
Object.defineProperty(exports, "up", { enumerable: true, get: () => up });
Object.defineProperty(exports, "down", { enumerable: true, get: () => async () => {} });
async function up(knex) {
  await knex.raw("INSERT INTO nowhere VALUES (1)").catch(() => {});
  await knex.raw("SELECT 1");
}
"""

#: Of two tools the first migration, with a way back that is none, and what is said of it.
NO_WAY_BACK = {
    "sequelize": ("async up(", "async up(", "it has no `down`"),
    "typeorm": (
        "async down(runner) {}",
        'async down() { throw new Error("cannot be undone"); }',
        "its way back throws Error: cannot be undone",
    ),
}


@pytest.mark.parametrize("tool", NO_WAY_BACK)
def test_what_offers_no_way_back_says_so(tool: str, node_tools: Path, tmp_path: Path, database: Database) -> None:
    sample, (old, new, why) = SAMPLES[tool], NO_WAY_BACK[tool]
    root = _lay(sample, tmp_path / "shop", node_tools)
    (root / sample.last).unlink()
    (first,) = (root / sample.last).parent.glob("*.js")
    first.write_text(first.read_text().replace(old, new))
    ways = (Direction.UP, Direction.DOWN, Direction.UP)
    assert _paused(tool, root, database, [Step(way, sample.revisions[0]) for way in ways]) == ["", why, ""]
    assert ask(database, "SELECT count(*) FROM customers") == [(0,)]


def _paused(tool: str, root: Path, database: Database, steps: Sequence[Step]) -> list[str]:
    """Why each step had nothing to run, where it had none."""
    adapter = cast("Reversible", ADAPTERS[tool])
    events = list(adapter.rehearse(_project(tool, root), database.addresses[Role.OWNER], steps))
    assert not any(isinstance(event, Broke) for event in events), events
    return [event.irreversible for event in events if isinstance(event, Paused)]


def test_files_of_other_kinds_are_followed_by_the_tools_books(node_tools: Path, tmp_path: Path, database: Database) -> None:
    files = {
        "migrations/1_a.sql": "-- Up Migration\nCREATE TABLE a (id int);\n-- Down Migration\nDROP TABLE a;\n",
        "migrations/2_b.mjs": "export const up = (pgm) => { pgm.createTable('b', { id: 'id' }); };\n",
        "migrations/3_c.sql": "-- Up Migration\nCREATE TABLE c (id int);\nINSERT INTO nowhere VALUES (1);\n",
    }
    root = _lay(Sample(files, "node-pg-migrate up", "", ("", ""), "", 0), tmp_path / "shop", node_tools)
    events = _events("node-pg-migrate", root, database)
    assert ended(events) == ["1_a", "2_b"]
    (broke,) = (event for event in events if isinstance(event, Broke))
    assert (broke.revision, broke.place, broke.code) == ("3_c", Place("migrations/3_c.sql", 1), "42P01")
    assert broke.said == 'relation "nowhere" does not exist'
    assert "INSERT INTO nowhere" in broke.statement


def test_a_second_address_is_refused(node_tools: Path, tmp_path: Path, database: Database) -> None:
    events = _events("knex", _lay(KNEX, tmp_path / "shop", node_tools, SECOND_CONNECTION), database)
    (elsewhere,) = (event for event in events if isinstance(event, Elsewhere))
    assert elsewhere.address.startswith("postgresql://other.invalid:")


def test_another_engine_s_driver_is_refused(node_tools: Path, tmp_path: Path, server: Server, database: Database) -> None:
    root = _lay(KNEX, tmp_path / "shop", node_tools)
    (root / "node_modules").unlink()
    (root / "node_modules").mkdir()
    for one in (node_tools / "node_modules").iterdir():
        (root / "node_modules" / one.name).symlink_to(one)
    (root / "node_modules" / "sqlite3").mkdir()
    (root / "node_modules" / "sqlite3" / "index.js").write_text("module.exports = {};\n")
    (root / "knexfile.js").write_text('require("sqlite3"); module.exports = { client: "sqlite3", connection: "./dev.db" };\n')
    with pytest.raises((UsageError, WrongAddress), match="sqlite3://"):
        address.prove(ADAPTERS["knex"], _project("knex", root), server, database, postgresql.arrived)
