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
SOURCE = Source("docs", Path(), "dbproof.toml", "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('role = "app"\nsign_in = "set a.t = {tenant}"', "role: belongs to 'postgresql', and the engine is 'mongodb'"),
        ('reads.all = "select {tenant}"', "reads: belongs to 'postgresql', 'sqlite' and 'mariadb', and the engine is 'mongodb'"),
        ('shard = ["plans"]', "shard: unknown key; did you mean 'shared'?"),
    ],
)
def test_what_documents_do_not_have_is_refused(text: str, fault: str) -> None:
    _, faults = settings_from(tomllib.loads(f'{HEADER}column = "t"\n{text}'))
    assert f"databases.docs.tenancy.{fault.partition(':')[0]}" in "\n".join(map(str, faults))


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


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('column = "org.di"', "databases.docs.tenancy.column: no collection has a field 'org.di'"),
        (
            'column = "org.id"\nshared = ["plan"]',
            "databases.docs.tenancy.shared: there is no collection 'plan'; did you mean 'plans'?",
        ),
        ('column = "org.id"\ntable = "tenants"', "databases.docs.tenancy.table: there is no collection 'tenants'"),
    ],
)
def test_names_that_are_not(target: MongoTarget, text: str, fault: str) -> None:
    with pytest.raises(UsageError) as refused:
        held(target, text)
    assert fault in refused.value.message
