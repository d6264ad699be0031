"""A command that is a program for Node: what its driver sends is heard with its lines, and no other server is reached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from checks.evidence import Place
from checks.schema.collections import collection_reference, index_reference
from checks.targets import Role
from runner.migrations import command
from runner.migrations.interface import Broke, Came, Elsewhere, Event, Project, Ran
from runner.servers.interface import Database
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

SCRIPT = """import { MongoClient } from "mongodb";

process.env.SHOP_NAME = "as dotenv sets it";
const client = await MongoClient.connect(process.env.SHOP_URL ?? "mongodb://db.example.com");
const companies = client.db().collection("companies");

async function fill() {
  await companies.insertMany([{ name: "a" }, { name: "a" }]);
  await companies.createIndex({ name: 1 }, { name: "by_name", unique: process.argv[2] === "unique" });
}

await client.db().command({ ping: 1 });
if (process.argv[2] !== "status") await fill();
await client.close();
"""


def project(root: Path, packages: Path, arguments: str = "", url: str = "{url}", program: str = "node migrate.mjs") -> Project:
    (root / "node_modules").symlink_to(packages / "node_modules")
    (root / "migrate.mjs").write_text(SCRIPT)
    env = {"SHOP_URL": url} if url else {}
    settings = MigrationSettings.model_validate(
        {"command": f"{program} {arguments}", "current": "node migrate.mjs status", "env": env}
    )
    return Project(root, root, settings, root)


def applied(here: Project, database: Database) -> Sequence[Event]:
    return list(command.apply(here, database.addresses[Role.OWNER]))


def test_what_a_program_made_with_its_lines(migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    events = applied(project(tmp_path, migrate_mongo), mongo_database)
    told = [(event.statement.place, event.statement.made) for event in events if isinstance(event, Ran)]
    assert told == [
        (Place("migrate.mjs", 8), (collection_reference("companies"),)),
        (Place("migrate.mjs", 9), (index_reference("companies", "by_name"),)),
    ], events


def test_a_program_that_npm_starts(newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    here = project(tmp_path, newest_migrate_mongo, program="npm run --silent migrate")
    (tmp_path / "package.json").write_text('{"scripts": {"migrate": "node migrate.mjs"}}')
    assert [event.statement.place for event in applied(here, mongo_database) if isinstance(event, Ran)] == [
        Place("migrate.mjs", 8),
        Place("migrate.mjs", 9),
    ]


def test_where_a_program_stopped(newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    stopped = applied(project(tmp_path, newest_migrate_mongo, "unique"), mongo_database)[-1]
    assert isinstance(stopped, Broke)
    assert (stopped.place, stopped.code) == (Place("migrate.mjs", 9), "11000")
    assert stopped.statement == 'db.companies.createIndex({name: 1}, {name: "by_name", unique: true})'


def test_it_comes_to_our_server_or_to_none(newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    address = mongo_database.addresses[Role.OWNER]
    (tmp_path / "a").mkdir()
    assert Came() in list(command.current(project(tmp_path / "a", newest_migrate_mongo), address) or ())
    (tmp_path / "b").mkdir()
    events = list(command.current(project(tmp_path / "b", newest_migrate_mongo, url=""), address) or ())
    assert isinstance(events[-1], Elsewhere)
    assert (events[-1].address, events[-1].read[:1]) == ("mongodb://db.example.com:27017/", ("SHOP_URL",))
