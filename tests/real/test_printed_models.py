"""Models of Beanie, ODMantic and Mongoose, printed by the programs to copy: what they write keeps to what is declared."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from checks.declared.documents import DocumentExpectations
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Finding, Judgement
from checks.registries.documents import DOCUMENTS
from checks.targets import Role
from real.published import Published
from runner.migrations import declared as applied_declarations
from runner.migrations.interface import Broke, Project
from runner.planning import expectations
from runner.servers.interface import Database
from runner.servers.mongodb.server import MongoServer
from runner.servers.mongodb.sessions import session
from runner.settings.load import load
from runner.settings.model import MigrationSettings
from runner.targets.mongodb import MongoTarget

pytestmark = pytest.mark.real

COPIED = Path(__file__).parents[2] / "docs" / "models"

BEANIE = """\
import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Dict, List, Optional, Set, Tuple

import pymongo
from beanie import Document, Indexed, Link
from pydantic import BaseModel, Field


class Kind(str, Enum):
    a = "a"
    b = "b"


class Town(BaseModel):
    name: str = Field(min_length=1)
    near: "List[Town]" = []


class Company(Document):
    name: Annotated[str, Indexed(unique=True)]
    town: Town
    employees: Annotated[int, Field(gt=0)] = 3
    price: Decimal = Decimal("1.50")
    founded: date = date(2024, 1, 1)
    at: datetime = datetime(2024, 1, 1)
    lasts: timedelta = timedelta(days=1)
    key: uuid.UUID = Field(default_factory=uuid.uuid4)
    kind: Optional[Kind] = None
    pair: Tuple[int, str] = (1, "a")
    tags: Set[str] = {"a"}
    scores: Dict[str, float] = {"a": 1.5}
    logo: bytes = b"x"

    class Settings:
        name = "companies"
        indexes = [
            pymongo.IndexModel([("at", -1)], name="by_at", expireAfterSeconds=100, partialFilterExpression={"kind": "a"}),
            [("kind", pymongo.ASCENDING), ("employees", pymongo.DESCENDING)],
        ]


class Subscription(Document):
    company: Link[Company]
    others: List[Link[Company]] = []
    parent: Optional[Link["Company"]] = None

    class Settings:
        name = "subscriptions"
"""
BEANIE_WRITES = """\
import asyncio, inspect, os, sys
import beanie
from shop.models import Company, Subscription, Town

async def main():
    if beanie.__version__.startswith("1."):
        from motor.motor_asyncio import AsyncIOMotorClient as Client
    else:
        from pymongo import AsyncMongoClient as Client
    client = Client(os.environ["MONGODB_URI"], uuidRepresentation="standard")
    await beanie.init_beanie(database=client.get_default_database(), document_models=[Company, Subscription])
    company = await Company(name="a", town=Town(name="x", near=[Town(name="y")])).insert()
    await Subscription(company=company, others=[company]).insert()

asyncio.run(main())
"""

ODMANTIC = """\
from datetime import datetime
from decimal import Decimal
from typing import List, Optional

from bson import ObjectId
from odmantic import EmbeddedModel, Field, Index, Model, Reference


class Company(Model):
    name: str = Field(unique=True)
    owner: Optional[ObjectId] = None
    price: Decimal = Decimal("1.50")
    at: datetime = datetime(2024, 1, 1)

    model_config = {"collection": "companies"}


class Line(EmbeddedModel):
    units: int = Field(ge=1)


class Subscription(Model):
    state: str = Field(key_name="s", index=True)
    company: Company = Reference(key_name="of")
    lines: List[Line] = []

    model_config = {"indexes": lambda: [Index(Subscription.state, Subscription.company, name="by_both")]}
"""
ODMANTIC_WRITES = """\
import asyncio, os
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient
from odmantic import AIOEngine
from shop.models import Company, Line, Subscription

async def main():
    client = AsyncIOMotorClient(os.environ["MONGODB_URI"])
    engine = AIOEngine(client=client, database=client.get_default_database().name)
    await engine.configure_database([Company, Subscription])
    await engine.save(Subscription(state="a", company=Company(name="a", owner=ObjectId()), lines=[Line(units=1)]))

asyncio.run(main())
"""

MONGOOSE = """\
import mongoose from "mongoose";

const { Schema } = mongoose;
const company = new Schema(
  {
    name: { type: String, required: true, unique: true, minlength: 1, maxlength: [5, "too long"], match: /^[a-z]/i },
    kind: { type: String, enum: ["a", "b"] },
    employees: { type: Number, min: 1 },
    founded: { type: Date, expires: 3600 },
    open: Boolean,
    price: Schema.Types.Decimal128,
    key: Schema.Types.UUID,
    scores: { type: Map, of: Number },
    address: { town: { type: String, required: true } },
    anything: {},
  },
  { timestamps: true },
);
company.index({ kind: 1, employees: -1 }, { name: "by_kind", partialFilterExpression: { kind: "a" } });
company.index({ "address.town": "text" });
mongoose.model("Company", company);

const subscription = new Schema({
  company: { type: Schema.Types.ObjectId, ref: "Company", required: true },
  others: [{ type: Schema.Types.ObjectId, ref: "Company" }],
  lines: [{ company: { type: Schema.Types.ObjectId, ref: "Company" }, units: { type: Number, min: 1 } }],
});
mongoose.model("Subscription", subscription);
"""
MONGOOSE_WRITES = """\
import mongoose from "mongoose";
import "./src/models.mjs";

await mongoose.connect(process.env.MONGODB_URI);
const { Company, Subscription } = mongoose.models;
for (const model of [Company, Subscription]) await model.syncIndexes();
const address = { town: "x" };
const one = await Company.create({ name: "a", employees: 3, founded: new Date(), open: true, price: "1.50", scores: { a: 1.5 },
  address, key: "0d3b9d9c-3c3a-4b0a-9d0e-111111111111", kind: "a" });
await Company.create({ name: "b", address, anything: [1, "x"] });
await Subscription.create({ company: one, others: [one], lines: [{ company: one, units: 2 }, {}] });
await mongoose.disconnect();
"""


def lay(root: Path, files: Mapping[str, str], models: str, migrations: str = "") -> DocumentExpectations:
    """What a repository of these files declares by its models."""
    text = f'[databases.docs]\nengine = "mongodb"\n\n[databases.docs.expect]\nmodels = "{models}"\n'
    text += f'\n[databases.docs.migrations]\ntool = "declared"\n{migrations}\n' if migrations else ""
    for name, content in {**files, "dbproof.toml": text}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, "utf-8")
    loaded = load(root, {}, {}, detecting=False)
    return expectations(loaded.settings.databases["docs"], loaded.source("docs")).documents


def write(command: Sequence[str], root: Path, database: Database) -> None:
    variables = {"PATH": os.environ["PATH"], "MONGODB_URI": database.addresses[Role.OWNER].url(), "PYTHONPATH": str(root)}
    ended = subprocess.run(command, cwd=root, env=variables, check=False, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr


def said(check: str, declared: DocumentExpectations, server: MongoServer, database: Database) -> list[Judgement]:
    with MongoTarget(server, None, database, Expectations(documents=declared), Evidence()) as target:
        return list(DOCUMENTS[check].run(target))


def hold(declared: DocumentExpectations, server: MongoServer, database: Database) -> None:
    """What the library made and wrote is what is declared: indexes, documents, references."""
    for check in ("index-drift", "document-violates-validator", "dangling-reference"):
        found = said(check, declared, server, database)
        assert found, check
        assert [one for one in found if isinstance(one, Finding)] == [], check


def differs(declared: DocumentExpectations, server: MongoServer, database: Database) -> None:
    """An index that is gone is the difference that bringing them in line would make."""
    with session(database.private) as client:
        client[database.name].companies.drop_index("name_1")
    assert [one.subject for one in said("index-drift", declared, server, database) if isinstance(one, Finding)] == [
        "companies.name_1 (missing)"
    ]


def attach(root: Path, database: Database) -> None:
    """Bring the database to what is declared, as dbproof does; what is in the way of it fails."""
    settings = MigrationSettings(tool="declared")
    project = Project(root, root, settings, root, database="docs", settings_file=Path("dbproof.toml"))
    for event in applied_declarations.apply(project, database.addresses[Role.OWNER]):
        assert not isinstance(event, Broke), event


def test_beanie(beanie: Published, tmp_path: Path, mongo_server: MongoServer, mongo_database: Database) -> None:
    files = {
        "shop/models.py": BEANIE,
        "scripts/print_models.py": (COPIED / "print_models.py").read_text("utf-8"),
        "write.py": BEANIE_WRITES,
    }
    declared = lay(tmp_path, files, "python scripts/print_models.py shop.models", f"python = {json.dumps(str(beanie.python))}")
    assert {one.label for one in declared.indexes} == {
        "companies.name_1",
        "companies.by_at",
        "companies.kind_1_employees_-1",
    }
    assert {one.label for one in declared.references} == {
        "subscriptions.company.$id -> companies._id",
        "subscriptions.others[].$id -> companies._id",
        "subscriptions.parent.$id -> companies._id",
    }
    write([str(beanie.python), "write.py"], tmp_path, mongo_database)
    hold(declared, mongo_server, mongo_database)
    differs(declared, mongo_server, mongo_database)


def test_odmantic(odmantic: Published, tmp_path: Path, mongo_server: MongoServer, mongo_database: Database) -> None:
    files = {
        "shop/models.py": ODMANTIC,
        "scripts/print_models.py": (COPIED / "print_models.py").read_text("utf-8"),
        "write.py": ODMANTIC_WRITES,
    }
    declared = lay(tmp_path, files, "python scripts/print_models.py shop.models", f"python = {json.dumps(str(odmantic.python))}")
    assert {one.label for one in declared.indexes} == {"companies.name_1", "subscription.s_1", "subscription.by_both"}
    assert [one.label for one in declared.references] == ["subscription.of -> companies._id"]
    write([str(odmantic.python), "write.py"], tmp_path, mongo_database)
    hold(declared, mongo_server, mongo_database)
    differs(declared, mongo_server, mongo_database)


def test_mongoose(mongoose: Path, tmp_path: Path, mongo_server: MongoServer, mongo_database: Database) -> None:
    shutil.copytree(mongoose, tmp_path, dirs_exist_ok=True, symlinks=True)
    files = {
        "src/models.mjs": MONGOOSE,
        "scripts/print-models.mjs": (COPIED / "print-models.mjs").read_text("utf-8"),
        "write.mjs": MONGOOSE_WRITES,
    }
    declared = lay(tmp_path, files, "node scripts/print-models.mjs src/models.mjs")
    assert {one.label for one in declared.references} == {
        "subscriptions.company -> companies._id",
        "subscriptions.others[] -> companies._id",
        "subscriptions.lines[].company -> companies._id",
    }
    name = next(one.validator for one in declared.validators if one.collection == "companies")["$jsonSchema"]["properties"][
        "name"
    ]
    assert name == {"bsonType": "string", "minLength": 1, "maxLength": 5, "pattern": "(?i)^[a-z]"}
    write(["node", "write.mjs"], tmp_path, mongo_database)
    hold(declared, mongo_server, mongo_database)
    attach(tmp_path, mongo_database)
    write(["node", "--input-type=module", "-e", MONGOOSE_WRITES.replace('"a"', '"c"').replace('"b"', '"d"')
        .replace('kind: "c"', 'kind: "a"')], tmp_path, mongo_database)  # fmt: skip
    hold(declared, mongo_server, mongo_database)
    with session(mongo_database.private) as client:
        for wrong in ({"name": "9"}, {"name": "too long"}, {"name": "a", "employees": 0}, {"name": "a", "address": {}}, {}):
            with pytest.raises(Exception, match="failed validation"):
                client[mongo_database.name].companies.insert_one(dict(wrong))
    differs(declared, mongo_server, mongo_database)
