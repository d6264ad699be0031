"""Tenants of a document database: what is taken, what is refused, and names that the database does not have."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from runner.errors import UsageError
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.settings.declarations import Source
from runner.settings.faults import settings_from
from runner.settings.tenancy import tenancy
from runner.targets.mongodb import MongoTarget
from runner.tenancy import hold

HEADER = '[databases.docs]\nengine = "mongodb"\n[databases.docs.tenancy]\n'
PIPELINE = '[{"$match": {"org.id": "{org.id}"}}, {"$facet": {"p": [{"$lookup": {"from": "%s", "as": "p", "pipeline": []}}]}}]'
SOURCE = Source("docs", Path(), "dbproof.toml", "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('role = "app"\nsign_in = "set a.t = {tenant}"', "role: belongs to 'postgresql', and the engine is 'mongodb'"),
        ('shard = ["plans"]', "shard: unknown key; did you mean 'shared'?"),
    ],
)
def test_what_documents_do_not_have_is_refused(text: str, fault: str) -> None:
    _, faults = settings_from(tomllib.loads(f'{HEADER}column = "t"\n{text}'))
    assert f"databases.docs.tenancy.{fault.partition(':')[0]}" in "\n".join(map(str, faults))


READ = '"of {its} own" = '
READS = {
    '"select {tenant}"': "expected a table with 'collection' and 'find' or 'pipeline', found text",
    "3": "expected text, the query, or a table with 'collection' and 'find' or 'pipeline'",
    '{ sql = "select {t}" }': "sql: belongs to 'mariadb', 'postgresql' or 'sqlite', and the engine is 'mongodb'",
    '{ find = { t = "{t}" } }': "collection: is missing",
    '{ collection = "orders" }': "expected 'find' or 'pipeline', found neither",
    """{ collection = "orders", find = { t = "{t}" }, pipeline = '[{"$match": {"t": "{t}"}}]' }""": "found both",
    '{ collection = "", find = { t = "{t}" } }': "collection: is empty",
    '{ collection = 3, find = { t = "{t}" } }': "collection: expected text, found a number; put it in quotes",
    '{ colection = "orders", find = { t = "{t}" } }': "colection: unknown key; did you mean 'collection'?",
    '{ collection = "orders", find = { t = 1 } }': 'find: names no tenant: expected a placeholder, such as {"t": "{tenant}"}',
    '{ collection = "orders", find = { t = "{user}" } }': "find: {user} is not a placeholder; there are: {tenant}, {t}",
    '{ collection = "orders", find = { t = { "$regex" = "^{t}-" } } }': "find: {t} stands within a text; it is a value by itself",
    '{ collection = "orders", find = { "{t}" = 1 } }': "find: {t} stands in the name of a field; it stands for a value",
    '{ collection = "orders", find = [1] }': "find: expected a table, or an object as Extended JSON in quotes",
    """{ collection = "orders", find = '{"t": {"$oid": "{t}"}}' }""": "find: '{t}' is not a valid ObjectId",
    """{ collection = "orders", pipeline = '{"t": "{t}"}' }""": "pipeline: expected a list of stages as Extended JSON",
    """{ collection = "orders", pipeline = '[{"$match": {"t": "{t}"}}, {"$out": "copies"}]' }""": "pipeline: '$out' writes",
    """{ collection = "orders", pipeline = '[{"$match": {"t": "{t}"}}, {"$merge": "copies"}]' }""": "pipeline: '$merge' writes",
    """{ collection = "orders", pipeline = '[{"$changeStream": {}}, {"$match": {"t": "{t}"}}]' }""": "waits for changes",
}


@pytest.mark.parametrize("read", READS)
def test_each_fault_of_a_read_has_its_place_and_its_sentence(read: str) -> None:
    _, faults = settings_from(tomllib.loads(f'{HEADER}column = "t"\n[databases.docs.tenancy.reads]\n{READ}{read}'))
    said = "\n".join(map(str, faults))
    assert 'databases.docs.tenancy.reads."of {its} own"' in said
    assert READS[read] in said


def test_a_table_is_no_query_of_a_relational_database() -> None:
    _, faults = settings_from(
        tomllib.loads('[databases.app.tenancy]\ncolumn = "t"\nreads.all = { collection = "a", find = { t = "{t}" } }')
    )
    assert "databases.app.tenancy.reads.all: expected text: the query, as the application sends it" in map(str, faults)


@pytest.fixture
def target(mongo_server: MongoServer, mongo_database: Database) -> Iterator[MongoTarget]:
    with session(mongo_database.private) as client:
        client[mongo_database.name]["audit.log"].insert_one({"org": {"id": 1}})
        client[mongo_database.name].plans.insert_one({})
    with MongoTarget(mongo_server, None, mongo_database, Expectations(), Evidence()) as opened:
        yield opened


def held(target: MongoTarget, text: str) -> None:
    settings, faults = settings_from(tomllib.loads(HEADER + text))
    assert settings is not None, faults
    target.expect = Expectations(tenancy=tenancy(settings.databases["docs"].tenancy, "mongodb"))
    hold(target, SOURCE)


def test_names_that_are_there(target: MongoTarget) -> None:
    held(target, 'column = "org.id"\nshared = ["plans", "audit.log", "\\"audit.log\\""]')
    held(target, f"column = 'org.id'\nreads.all = {{ collection = 'audit.log', pipeline = '{PIPELINE % 'plans'}' }}")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('column = "org.di"', "databases.docs.tenancy.column: no collection has a field 'org.di'"),
        (
            'column = "org.id"\nshared = ["plan"]',
            "databases.docs.tenancy.shared: there is no collection 'plan'; did you mean 'plans'?",
        ),
        (
            "column = 'org.id'\nreads.all = { collection = 'audit.logs', find = { 'org.id' = '{org.id}' } }",
            "databases.docs.tenancy.reads.all: there is no collection 'audit.logs'; did you mean 'audit.log'?",
        ),
        (
            f"column = 'org.id'\nreads.all = {{ collection = 'audit.log', pipeline = '{PIPELINE % 'plan'}' }}",
            "databases.docs.tenancy.reads.all: there is no collection 'plan'; did you mean 'plans'?",
        ),
        ('column = "org.id"\ntable = "tenants"', "databases.docs.tenancy.table: there is no collection 'tenants'"),
    ],
)
def test_names_that_are_not(target: MongoTarget, text: str, fault: str) -> None:
    with pytest.raises(UsageError) as refused:
        held(target, text)
    assert fault in refused.value.message
