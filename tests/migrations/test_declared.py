"""Declarations applied by dbproof itself: a fresh database, a changed declaration on documents, and what the server refuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from checks.evidence import Place
from checks.schema.collections import ValidationLevel, index_reference, validator_reference
from checks.schema.mongodb import read
from checks.targets import Role
from runner.migrations import declared
from runner.migrations.interface import Broke, Came, Event, Project, Ran
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.settings.model import MigrationSettings

SETTINGS = """
[databases.{name}]
engine = "mongodb"

[databases.{name}.expect]
schemas.companies = "companies.json"

[databases.{name}.expect.schemas.people]
required = ["email"]

[databases.{name}.expect.indexes.companies]
by_name = {{ keys = ["name"], unique = true }}

[databases.{name}.expect.indexes.people]
by_age = {{ keys = ["-age"], sparse = true, expire_after = "30d" }}
"""

SCHEMA = '{"$schema": "http://json-schema.org/draft-04/schema#", "required": ["name"]}'


def project(root: Path, database: Database, settings: str, schema: str = SCHEMA) -> Project:
    (root / "dbproof.toml").write_text(settings.format(name=database.name), "utf-8")
    (root / "companies.json").write_text(schema, "utf-8")
    told = MigrationSettings(tool="declared")
    return Project(root, root, told, root, database=database.name, settings_file=Path("dbproof.toml"))


def applied(root: Path, database: Database, settings: str = SETTINGS, schema: str = SCHEMA) -> Sequence[Event]:
    return list(declared.apply(project(root, database, settings, schema), database.addresses[Role.OWNER]))


def said(events: Sequence[Event]) -> list[str]:
    return [event.statement.text for event in events if isinstance(event, Ran)]


def test_a_fresh_database_gets_all_of_it(tmp_path: Path, mongo_database: Database) -> None:
    events = applied(tmp_path, mongo_database)
    assert isinstance(events[0], Came)
    strict = 'validationLevel: "strict", validationAction: "error"'
    assert said(events) == [
        f'db.createCollection("companies", {{validator: {{$jsonSchema: {{required: ["name"]}}}}, {strict}}})',
        f'db.createCollection("people", {{validator: {{$jsonSchema: {{required: ["email"]}}}}, {strict}}})',
        'db.companies.createIndex({name: 1}, {name: "by_name", unique: true})',
        'db.people.createIndex({age: -1}, {name: "by_age", sparse: true, expireAfterSeconds: 2592000})',
    ]
    places = [event.statement.place for event in events if isinstance(event, Ran)]
    assert places == [
        Place("companies.json", 1),
        Place("dbproof.toml", 8),
        Place("dbproof.toml", 12),
        Place("dbproof.toml", 15),
    ]


def test_a_second_time_changes_nothing(tmp_path: Path, mongo_database: Database) -> None:
    applied(tmp_path, mongo_database)
    assert said(applied(tmp_path, mongo_database)) == []


def test_what_changed_is_brought_over_and_no_document_touched(tmp_path: Path, mongo_database: Database) -> None:
    applied(tmp_path, mongo_database)
    with session(mongo_database.private) as client:
        client[mongo_database.name].companies.insert_one({"name": "a"})
    changed = SETTINGS.replace('by_name = {{ keys = ["name"], unique = true }}', 'by_town = {{ keys = ["town"] }}')
    changed = changed.replace('[databases.{name}.expect.schemas.people]\nrequired = ["email"]', "")
    events = applied(tmp_path, mongo_database, changed, '{"required": ["name", "town"]}')
    assert said(events) == [
        'db.runCommand({collMod: "companies", validator: {$jsonSchema: {required: ["name", "town"]}}, '
        'validationLevel: "strict", validationAction: "error"})',
        'db.runCommand({collMod: "people", validator: {}})',
        'db.companies.dropIndex("by_name")',
        'db.companies.createIndex({town: 1}, {name: "by_town"})',
    ]
    ran = [event.statement for event in events if isinstance(event, Ran)]
    assert ran[0].made == (validator_reference("companies"),)
    assert ran[1].dropped == (validator_reference("people"),)
    assert ran[2].dropped == (index_reference("companies", "by_name"),)
    with session(mongo_database.private) as client:
        held = read(client[mongo_database.name])
        assert client[mongo_database.name].companies.count_documents({}) == 1
    assert held.collection["companies"].validation_level is ValidationLevel.STRICT
    assert held.collection["people"].validator is None


def test_a_unique_index_that_the_documents_do_not_allow(tmp_path: Path, mongo_database: Database) -> None:
    with session(mongo_database.private) as client:
        client[mongo_database.name].companies.insert_many([{"name": "a"}, {"name": "a"}])
    stopped = applied(tmp_path, mongo_database)[-1]
    assert isinstance(stopped, Broke)
    assert (stopped.code, stopped.place) == ("11000", Place("dbproof.toml", 12))
    assert stopped.statement == 'db.companies.createIndex({name: 1}, {name: "by_name", unique: true})'
    assert '"a"' in stopped.detail
    assert '"a"' not in stopped.said


def test_a_schema_that_the_server_does_not_understand(tmp_path: Path, mongo_database: Database) -> None:
    stopped = applied(tmp_path, mongo_database, schema='{"properties": {"n": {"type": "integer"}}}')[-1]
    assert isinstance(stopped, Broke)
    assert stopped.place == Place("companies.json", 1)
    assert "integer" in stopped.said


@pytest.mark.parametrize("settings", ["", "[databases.other]\nengine = 'mongodb'\n", "not toml"])
def test_a_checkout_that_declares_nothing(settings: str, tmp_path: Path, mongo_database: Database) -> None:
    if settings == "not toml":
        here = Project(
            tmp_path, tmp_path, MigrationSettings(tool="declared"), tmp_path, database="x", settings_file=Path("gone.toml")
        )
        assert said(list(declared.apply(here, mongo_database.addresses[Role.OWNER]))) == []
    else:
        assert said(applied(tmp_path, mongo_database, settings)) == []
