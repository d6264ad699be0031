"""migrate-mongo from npm, with migrations of our own: order, places, what each command made, failures, addresses, its books."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from example_repositories import run_on
from repositories import repository

from checks.evidence import Place, Statement
from checks.schema.collections import collection_reference, index_reference, validator_reference
from checks.targets import Role
from runner.errors import ToolFailed, UsageError
from runner.migrations import migrate_mongo as adapter
from runner.migrations.address import went_elsewhere
from runner.migrations.interface import Began, Broke, Came, Direction, Elsewhere, Ended, Event, Paused, Project, Ran, Step
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

CONFIG = """// as `migrate-mongo init` writes it
const config = {
  mongodb: { url: process.env.SHOP_URL || "mongodb://localhost:27017", databaseName: process.env.SHOP_DB, options: {} },
  migrationsDir: "migrations", // or elsewhere
  changelogCollectionName: "changelog",
  lockCollectionName: "changelog_lock",
  lockTtl: 0,
  migrationFileExtension: ".js",
  useFileHash: true,
};
"""
COMMON = "module.exports = config;\n"
FIRST = """
  async up(db, client) {
    await db.createCollection("companies", { validator: { $jsonSchema: { required: ["name"] } } });
    await db.collection("companies").insertMany([{ name: "a" }, { name: "b" }]);
    await db.collection("companies").createIndex(
      { name: 1 },
      { name: "by_name", unique: true },
    );
  },
  async down(db) {
    await db.collection("companies").drop();
  },
"""
SECOND = """
  async up(db) {
    const companies = db.collection("companies");
    for (const one of await companies.find().toArray()) {
      await companies.updateOne({ _id: one._id }, { $set: { town: "x" } }, { upsert: true });
    }
    await companies.createIndexes([{ key: { town: 1, name: -1 }, name: "by_town" }]);
    await db.collection("plans").updateOne({ _id: 1 }, { $set: { name: "basic" } }, { upsert: true });
    await companies.aggregate([{ $match: { name: "a" } }, { $out: "copies" }]).toArray();
    const bulk = db.collection("notes").initializeOrderedBulkOp();
    bulk.insert({ text: "secret" });
    await bulk.execute();
    await db.command({ collMod: "companies", validator: { $jsonSchema: { required: ["name", "town"] } } });
    await db.renameCollection("copies", "kept");
    await db.dropCollection("plans");
  },
"""


def script(body: str, esm: bool = False) -> str:
    if not esm:
        return f"module.exports = {{{body}}};\n"
    return body.replace("  async ", "export async function ").replace("\n  },\n", "\n}\n")


def project(root: Path, packages: Path, files: Mapping[str, str], env: Mapping[str, str] | None = None) -> Project:
    (root / "migrations").mkdir(exist_ok=True)
    (root / "node_modules").symlink_to(packages / "node_modules")
    (root / "migrate-mongo-config.js").write_text(CONFIG + COMMON)
    for name, text in files.items():
        (root / "migrations" / name).write_text(text)
    env = {"SHOP_URL": "{url}"} if env is None else env
    return Project(root, root, MigrationSettings(tool="migrate-mongo", env=env), root)


def applied(here: Project, database: Database) -> list[Event]:
    return [event for event in adapter.apply(here, database.addresses[Role.OWNER]) if not isinstance(event, Came)]


def ran(events: Sequence[Event]) -> list[Statement]:
    own = [event.statement for event in events if isinstance(event, Ran)]
    return [one for one in own if "changelog" not in one.text]


def broke(events: Sequence[Event]) -> Broke:
    assert isinstance(events[-1], Broke), events
    return events[-1]


def test_what_each_command_made_with_its_line(migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    here = project(tmp_path, migrate_mongo, {"2_second.js": script(SECOND), "10_first.js": script(FIRST), "notes.md": ""})
    listed = adapter.revisions(here)
    assert [(one.id, one.title, one.place) for one in listed] == [
        ("10_first.js", "first", Place("migrations/10_first.js", 2)),
        ("2_second.js", "second", Place("migrations/2_second.js", 2)),
    ]
    events = applied(here, mongo_database)
    assert [event.revision for event in events if isinstance(event, Began | Ended)] == [
        *("10_first.js", "10_first.js", "2_second.js", "2_second.js")
    ], events
    companies, kept = collection_reference("companies"), collection_reference("kept")
    told = [(one.place, one.made, one.dropped) for one in ran(events)]
    first, second = "migrations/10_first.js", "migrations/2_second.js"
    assert told == [
        (Place(first, 3), (companies, validator_reference("companies")), ()),
        (Place(first, 5), (index_reference("companies", "by_name"),), ()),
        (Place(second, 5), (), ()),
        (Place(second, 7), (index_reference("companies", "by_town"),), ()),
        (Place(second, 8), (collection_reference("plans"),), ()),
        (Place(second, 9), (collection_reference("copies"),), ()),
        (Place(second, 12), (collection_reference("notes"),), ()),
        (Place(second, 13), (validator_reference("companies"),), ()),
        (Place(second, 14), (kept, validator_reference("kept")), (collection_reference("copies"), validator_reference("copies"))),
        (Place(second, 15), (), (collection_reference("plans"), validator_reference("plans"))),
    ]
    texts = [one.text for one in ran(events)]
    assert texts[1:4] == [
        'db.companies.createIndex({name: 1}, {name: "by_name", unique: true})',
        "db.companies.update(…, {$set: {town: …}})",
        'db.companies.createIndex({town: 1, name: -1}, {name: "by_town"})',
    ]
    assert "secret" not in str(events)
    with session(mongo_database.private) as client:
        books = {one["fileName"]: one["fileHash"] for one in client[mongo_database.name].changelog.find()}
    assert books == {one.id: one.digest for one in listed}
    assert [event for event in applied(here, mongo_database) if isinstance(event, Began | Ran)] == []


def test_es_modules(newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    """The configuration and the migrations of a project whose package.json says so."""
    here = project(tmp_path, newest_migrate_mongo, {"1_first.js": script(FIRST, esm=True)})
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "migrate-mongo-config.js").write_text(CONFIG + "export default config;\n")
    events = applied(here, mongo_database)
    assert [one.place for one in ran(events)] == [Place("migrations/1_first.js", 3), Place("migrations/1_first.js", 5)], events


FAILURES = {
    'const a = db.collection("a");\n    await a.insertMany([{ b: 1 }, { b: 1 }]); await a.createIndex("b", { unique: true });': (
        "11000",
        4,
        "E11000 duplicate key error collection: {database}.a index: b_1",
        'db.a.createIndex({b: 1}, {name: "b_1", unique: true})',
    ),
    'await db.createCollection("a", { validator: { b: 1 } });\n    await db.collection("a").insertOne({ c: "secret" });': (
        "121",
        4,
        "Document failed validation",
        "db.a.insert(…)",
    ),
    'throw new TypeError("no");': ("", 3, "TypeError: no", ""),
    "const helper = () => { throw new Error('deep'); };\n    helper();": ("", 3, "Error: deep", ""),
}


@pytest.mark.parametrize("body", FAILURES)
def test_a_failure_at_its_line_with_the_servers_words(
    body: str, newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database
) -> None:
    code, line, said, statement = FAILURES[body]
    text = script(f"\n  async up(db) {{\n    {body}\n  }},\n")
    stopped = broke(applied(project(tmp_path, newest_migrate_mongo, {"1_bad.js": text}), mongo_database))
    assert (stopped.revision, stopped.place) == ("1_bad.js", Place("migrations/1_bad.js", line)), stopped
    assert (stopped.code, stopped.statement) == (code, statement)
    assert said.format(database=mongo_database.name) in stopped.said
    assert "secret" not in stopped.said + stopped.statement


def test_an_older_tool_says_where_it_stopped_too(oldest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    text = script('\n  async up(db) {\n    await db.command({ collMod: "none", validator: {} });\n  },\n')
    stopped = broke(applied(project(tmp_path, oldest_migrate_mongo, {"1_bad.js": text}), mongo_database))
    assert (stopped.place, stopped.code, stopped.said) == (Place("migrations/1_bad.js", 3), "26", "ns does not exist")
    assert stopped.statement == 'db.runCommand({collMod: "none", validator: {}})'


def test_a_file_that_node_cannot_read(newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    stopped = broke(applied(project(tmp_path, newest_migrate_mongo, {"1_bad.js": "module.exports = {\n"}), mongo_database))
    assert (stopped.revision, stopped.place) == ("1_bad.js", Place("migrations/1_bad.js", 1))
    assert stopped.said.startswith("SyntaxError: ")


def current(here: Project, database: Database) -> list[Event]:
    return list(adapter.current(here, database.addresses[Role.OWNER]))


def test_the_address_is_proven_by_its_status(newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    here = project(tmp_path, newest_migrate_mongo, {"1_first.js": "throw new Error('not to be run');\n"})
    assert Came() in current(here, mongo_database)


def test_another_server_is_refused(newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    last = current(project(tmp_path, newest_migrate_mongo, {}, {}), mongo_database)[-1]
    assert isinstance(last, Elsewhere)
    assert last.address == "mongodb://localhost:27017/"
    assert {"SHOP_URL", "SHOP_DB"} <= set(last.read)


def test_another_database_of_our_server_is_refused(newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    here = project(tmp_path, newest_migrate_mongo, {}, {"SHOP_URL": "{url}", "SHOP_DB": "shop"})
    last = current(here, mongo_database)[-1]
    assert isinstance(last, Elsewhere)
    assert last.address.endswith("/shop")
    remedy = went_elsewhere(last, mongo_database).remedy
    assert "Where the name of the database is written out, give it here too: [databases.shop]." in remedy


def test_a_configuration_without_an_address_names_what_it_looked_for(
    newest_migrate_mongo: Path, tmp_path: Path, mongo_database: Database
) -> None:
    here = project(tmp_path, newest_migrate_mongo, {}, {})
    (tmp_path / "migrate-mongo-config.js").write_text("module.exports = { mongodb: { url: process.env.SHOP_MONGO_URL } };")
    last = next(event for event in current(here, mongo_database) if isinstance(event, Elsewhere))
    assert (last.address, last.wanted) == ("", ("SHOP_MONGO_URL",))


@pytest.mark.parametrize("migrate_mongo", ["14", "9"], indirect=True)
def test_steps_one_by_one(migrate_mongo: Path, tmp_path: Path, mongo_database: Database) -> None:
    files = {
        "1_first.js": script(FIRST),
        "2_one_way.js": script('\n  async up(db) {\n    await db.collection("b").insertOne({});\n  },\n'),
        "3_said.js": script('\n  async up(db) {},\n  async down(db) {\n    throw new Error("not reversible");\n  },\n'),
    }
    here = project(tmp_path, migrate_mongo, files)
    ways = (Direction.UP, Direction.DOWN, Direction.UP)
    steps = [Step(way, name) for name in files for way in ways]
    seen: list[tuple[int, str, list[str]]] = []
    with session(mongo_database.private) as client:
        database = client[mongo_database.name]
        for event in adapter.rehearse(here, mongo_database.addresses[Role.OWNER], [*steps, Step(Direction.AGAIN)]):
            if isinstance(event, Paused):
                there = sorted(name for name in database.list_collection_names() if not name.startswith("changelog"))
                seen.append((event.number, event.irreversible, there))
            else:
                assert not isinstance(event, Broke), event
    assert seen == [
        (0, "", ["companies"]),
        (1, "", []),
        (2, "", ["companies"]),
        (3, "", ["b", "companies"]),
        (4, "it exports no `down`", ["b", "companies"]),
        (5, "", ["b", "companies"]),
        (6, "", ["b", "companies"]),
        (7, "its way back throws Error: not reversible", ["b", "companies"]),
        (8, "", ["b", "companies"]),
        (9, "", ["b", "companies"]),
    ]


SETTINGS = """
[databases.shop]
engine = "mongodb"

[databases.shop.migrations]
tool = "migrate-mongo"
directory = "backend"
setup = "npm ci --no-audit --no-fund --ignore-scripts"
env = { SHOP_URL = "{url}" }

[databases.shop.data]
load = ["plans.jsonl"]
"""
LOSES = """
  async up(db) {
    await db.collection("plans").deleteMany({ old: true });
  },
  async down(db) {},
"""


def test_a_change_on_top_of_base(newest_migrate_mongo: Path, tmp_path: Path) -> None:
    """`npm ci` brings the packages, base's files find them, and what `down` does not bring back is counted."""
    files = {
        "dbproof.toml": SETTINGS,
        "plans.jsonl": '{"old": true}\n{"old": true}\n{}\n',
        ".gitignore": "node_modules\n",
        "backend/migrate-mongo-config.js": CONFIG + COMMON,
        "backend/migrations/1_first.js": script(FIRST),
        **{f"backend/{name}": (newest_migrate_mongo / name).read_text() for name in ("package.json", "package-lock.json")},
    }
    root = repository(tmp_path / "shop", files).root
    (root / "backend" / "migrations" / "2_loses.js").write_text(script(LOSES))
    run = run_on(root)
    assert run.code == 0, run.said
    assert "migrate-mongo: its read-only command came to our server" in run.said
    found = dict(run.findings("error", "warning"))
    assert {check: one["subject"] for check, one in found.items()} == {"down-restores": "2_loses.js", "lost-rows": "plans"}
    lost, finding = found["lost-rows"], found["down-restores"]
    assert (lost["evidence"]["count"], lost["provenance"]["line"]) == (2, 3)
    assert finding["message"].endswith("2 documents of plans are not brought back")
    assert (finding["provenance"]["file"], finding["provenance"]["line"]) == ("backend/migrations/2_loses.js", 5)
    assert {one["revision"]: one["new"] for one in run.report["databases"][0]["migrations"]} == {
        "1_first.js": False,
        "2_loses.js": True,
    }
    shutil.rmtree(root / "backend" / "node_modules")


def test_a_tool_that_is_not_installed(tmp_path: Path, mongo_database: Database) -> None:
    (tmp_path / "migrate-mongo-config.js").write_text(CONFIG + COMMON)
    here = Project(tmp_path, tmp_path, MigrationSettings(tool="migrate-mongo"), tmp_path)
    with pytest.raises(ToolFailed, match="migrate-mongo is not installed: the repository has no node_modules/migrate-mongo"):
        current(here, mongo_database)


@pytest.mark.parametrize(
    ("value", "folder"),
    [
        ('"db/changes"', "db/changes"),
        ('path.join(__dirname, "db", "changes"), // "no"', "db/changes"),
        ("process.env.FOLDER", "migrations"),
    ],
)
def test_where_a_configuration_has_its_migrations(value: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / "migrate-mongo-config.js").write_text(
        f"module.exports = {{\n  // migrationsDir: 'x',\n  migrationsDir: {value},\n}};"
    )
    here = Project(tmp_path, tmp_path, MigrationSettings(tool="migrate-mongo"), tmp_path)
    with pytest.raises(UsageError, match=f"there is no folder {folder}, in which migrate-mongo-config.js has its migrations"):
        adapter.revisions(here)
    (tmp_path / folder).mkdir(parents=True)
    for name in ("b.js", "B.js", "a.js", "a.ts", "sample-migration.js"):
        (tmp_path / folder / name).write_text(json.dumps(name))
    assert [one.id for one in adapter.revisions(here)] == ["B.js", "a.js", "b.js"]


def test_its_configuration_is_unmistakable(tmp_path: Path) -> None:
    (tmp_path / "services" / "shop").mkdir(parents=True)
    (tmp_path / "services" / "shop" / "migrate-mongo-config.js").write_text(CONFIG)
    (tmp_path / "node_modules" / "x").mkdir(parents=True)
    (tmp_path / "node_modules" / "x" / "migrate-mongo-config.js").write_text(CONFIG)
    found = adapter.detect(tmp_path)
    assert found is not None
    assert (found.settings.directory, found.sure) == ("services/shop", True)
    assert found.because == Place("services/shop/migrate-mongo-config.js")
    (tmp_path / "migrate-mongo-config.js").write_text(CONFIG)
    found = adapter.detect(tmp_path)
    assert found is not None
    assert not found.sure
