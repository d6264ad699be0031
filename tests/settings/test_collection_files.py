"""Collections that are declared in files: JSON or YAML, each thing with its line, nothing twice, nothing unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.declared.documents import DocumentExpectations
from checks.evidence import Place
from checks.schema.collections import CollectionIndex
from checks.schema.model import Action
from runner.errors import UsageError
from runner.migrations import declared as adapter
from runner.planning import expectations
from runner.settings.declarations import declared_in
from runner.settings.load import load

HEAD = '[databases.docs]\nengine = "mongodb"\n\n[databases.docs.expect]\nfiles = ["db/*.yaml", "db/*.json"]\n'
ONE_FILE = HEAD.replace(', "db/*.json"', "")

YAML = """\
companies:
  schema:
    required: [company_name]
    properties:
      company_name: { bsonType: string }
      since: { enum: [yes, 2024-01-01] }   # texts, as YAML 1.2 has them
  indexes:
    company_name_unique: { keys: [company_name], unique: true }
    seen:
      keys: [-seen_at, "place 2dsphere"]
      expire_after: 30d
      partial: { at: { $gt: { $date: "2024-01-01T00:00:00Z" } } }
      collation: { locale: en }
      hidden: true
      sparse: true

"audit.log":
  references:
    - company_name -> companies.company_name on delete restrict
    - '"audit.log".lines[].sku -> companies.sku'
    - (tenant, company) -> companies.(tenant, company) on delete SET  null
"""
JSON = """\
{
  "subscriptions": {
    "schema": {"$expr": {"$gt": ["$end", "$start"]}},
    "indexes": {
      "status_idx": {"keys": ["status"]}
    },
    "references": [
      "company_name -> companies.company_name on delete cascade"
    ]
  }
}
"""


def declared(root: Path, files: dict[str, str], settings: str = HEAD) -> DocumentExpectations:
    (root / "dbproof.toml").write_text(settings, "utf-8")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    loaded = load(root, {}, {}, checks=(), detecting=False)
    return expectations(loaded.settings.databases["docs"], loaded.source("docs")).documents


def refused(root: Path, files: dict[str, str], settings: str = ONE_FILE) -> str:
    with pytest.raises(UsageError) as error:
        declared(root, files, settings)
    return error.value.message


def test_everything_of_two_files_with_its_line(tmp_path: Path) -> None:
    found = declared(tmp_path, {"db/a.yaml": YAML, "db/b.json": JSON})
    assert [(one.collection, one.place) for one in found.validators] == [
        ("companies", Place("db/a.yaml", 2)),
        ("subscriptions", Place("db/b.json", 3)),
    ]
    assert found.validators[0].validator["$jsonSchema"]["properties"]["since"] == {"enum": ["yes", "2024-01-01"]}
    assert list(found.validators[1].validator) == ["$expr"]
    assert [(one.label, one.place) for one in found.indexes] == [
        ("companies.company_name_unique", Place("db/a.yaml", 8)),
        ("companies.seen", Place("db/a.yaml", 9)),
        ("subscriptions.status_idx", Place("db/b.json", 5)),
    ]
    seen = found.indexes[1].index
    assert seen.partial_filter is not None
    assert seen.partial_filter["at"]["$gt"].year == 2024
    assert seen == CollectionIndex(
        "seen",
        (("seen_at", -1), ("place", "2dsphere")),
        sparse=True,
        partial_filter=seen.partial_filter,
        expire_after_seconds=2592000,
        collation={"locale": "en"},
        hidden=True,
    )


def test_references_leave_out_their_collection(tmp_path: Path) -> None:
    found = declared(tmp_path, {"db/a.yaml": YAML, "db/b.json": JSON})
    assert [(one.label, one.on_delete, one.place) for one in found.references] == [
        ("audit.log.company_name -> companies.company_name", Action.RESTRICT, Place("db/a.yaml", 19)),
        ("audit.log.lines[].sku -> companies.sku", None, Place("db/a.yaml", 20)),
        ("audit.log.(tenant, company) -> companies.(tenant, company)", Action.SET_NULL, Place("db/a.yaml", 21)),
        ("subscriptions.company_name -> companies.company_name", Action.CASCADE, Place("db/b.json", 8)),
    ]


def test_files_alone_are_what_is_applied(tmp_path: Path) -> None:
    declared(tmp_path, {"db/a.yaml": YAML, "db/b.json": JSON})
    loaded = load(tmp_path, {}, {}, checks=(), detecting=False)
    migrations = loaded.settings.databases["docs"].migrations
    assert migrations is not None
    assert migrations.tool == adapter.NAME
    found = declared_in(tmp_path, Path("dbproof.toml"), "docs")
    assert [one.collection for one in found.validators] == ["companies", "subscriptions"]
    assert len(found.indexes) == 3


def test_the_same_twice_is_one(tmp_path: Path) -> None:
    found = declared(tmp_path, {"db/a.yaml": YAML, "db/b.yaml": YAML, "db/c.json": JSON})
    assert (len(found.validators), len(found.indexes), len(found.references)) == (2, 3, 4)


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (
            "a: { schema: { required: [x] } }",
            "\na: { schema: { required: [y] } }",
            "the validator of a is declared twice and not the same, in db/a.yaml:1 and db/b.yaml:2",
        ),
        (
            "a: { indexes: { i: { keys: [x] } } }",
            "a: { indexes: { i: { keys: [-x] } } }",
            "the index a.i is declared twice and not the same, in db/a.yaml:1 and db/b.yaml:1",
        ),
        (
            "a: { references: [x -> b._id on delete cascade] }",
            "a: { references: [x -> b._id on delete restrict] }",
            "the reference a.x -> b._id is declared twice and not the same, in db/a.yaml:1 and db/b.yaml:1",
        ),
    ],
)
def test_twice_and_not_the_same(one: str, other: str, message: str, tmp_path: Path) -> None:
    assert refused(tmp_path, {"db/a.yaml": one, "db/b.yaml": other}).endswith(message)


def test_a_file_against_the_settings(tmp_path: Path) -> None:
    settings = f"{ONE_FILE}schemas.a = {{ required = ['x'] }}\n"
    message = refused(tmp_path, {"db/a.yaml": "a: { schema: { required: [y] } }"}, settings)
    assert message.endswith("the validator of a is declared twice and not the same, in dbproof.toml:6 and db/a.yaml:1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n  schema: [\n", "db/a.yaml:3: not YAML: while parsing a flow node, expected the node content"),
        ("a: {}\nb: {}\na: {}\n", "db/a.yaml:3: not YAML: 'a' stands there twice, first in line 1"),
        ("a: {}\n1: {}\n", "db/a.yaml:2: not YAML: expected a text as key; put it in quotes"),
        ("a: &a [*a]\n", "db/a.yaml: holds a value that cannot be stored: Circular reference detected"),
        ("a: !!python/object:os.system x\n", "db/a.yaml:1: not YAML: could not determine a constructor for the tag"),
        ("- a\n", "db/a.yaml: expected a collection's name, and below it 'schema', 'indexes' or 'references'"),
        ("a: b\n", "db/a.yaml:1: a: expected 'schema', 'indexes' or 'references' of the collection"),
        ("a:\n  indexs: {}\n", "db/a.yaml:2: a: unknown key 'indexs'; did you mean 'indexes'?"),
        ("a:\n  place: x:1\n", "db/a.yaml:2: a: unknown key 'place'; there are: indexes, references, schema"),
        ('"": {}\n', "db/a.yaml:1: '' is no name of a collection"),
        ("system.users: {}\n", "db/a.yaml:1: 'system.users' is no name of a collection"),
        ("a:\n  schema: []\n", "db/a.yaml:2: a.schema: expected a JSON Schema, or a validator with '$jsonSchema'"),
        ("a:\n  schema: { properties: { x: { $ref: y } } }\n", "db/a.yaml:2: a.schema: MongoDB does not know '$ref' (x)"),
        (
            "a:\n  indexes:\n    i:\n      keys: [x]\n      uniqe: true\n",
            "db/a.yaml:5: a.indexes.i.uniqe: unknown key; did you mean 'unique'?",
        ),
        ("a:\n  indexes:\n    i: { keys: [x y] }\n", "db/a.yaml:3: a.indexes.i.keys[0]: expected a field, such as"),
        ("a:\n  indexes:\n    i: { unique: true }\n", "db/a.yaml:3: a.indexes.i.keys: is missing"),
        ("a:\n  indexes: [x]\n", "db/a.yaml:2: a.indexes: expected a table, found a list"),
        ("a:\n  references: x -> b.y\n", "db/a.yaml:2: a.references: expected a list of texts"),
        ("a:\n  references:\n  - x -> y\n", "db/a.yaml:3: a.references[0]: expected 'collection.field"),
        (
            "a:\n  references:\n  - x -> b.y on delete explode\n",
            "db/a.yaml:3: a.references[0]: expected 'on delete restrict', 'on delete cascade' or 'on delete set null'",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    said = refused(tmp_path, {"db/a.yaml": text})
    assert said.startswith(f"dbproof.toml: databases.docs.expect.files: {message}"), said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":', "db/a.json:1: not JSON: Expecting value"),
        (
            '{"a": {\n"schema": {"required": ["x"],\n"required": ["y"]}}}',
            "db/a.json:3: 'required' stands there twice, first in line 2",
        ),
        ('{"a": {"schema": {"enum": ["\\ud800"]}}}', "db/a.json: holds a value that cannot be stored:"),
        (
            '{"a": {"schema": {"maximum": 99999999999999999999}}}',
            "db/a.json: holds a value that cannot be stored: MongoDB can only",
        ),
        ('{"a": {"schema": {"enum": [{"$oid": "x"}]}}}', "db/a.json: holds a value that cannot be stored: 'x' is not a valid"),
        ("[" * 100_000, "db/a.json: nested too deeply"),
    ],
)
def test_what_is_wrong_in_json(text: str, message: str, tmp_path: Path) -> None:
    said = refused(tmp_path, {"db/a.json": text}, ONE_FILE.replace("yaml", "json"))
    assert said.startswith(f"dbproof.toml: databases.docs.expect.files: {message}"), said


def test_files_that_are_not_there_or_cannot_be_read(tmp_path: Path) -> None:
    assert refused(tmp_path, {}).endswith("expect.files[0]: there is no file db/*.yaml")
    assert "'/etc/*' is no pattern below the root" in refused(tmp_path, {}, ONE_FILE.replace("db/*.yaml", "/etc/*"))
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "a.yaml").write_bytes(b"a: \xff")
    assert refused(tmp_path, {}).endswith("db/a.yaml: is not UTF-8 (byte 3)")


def test_a_schema_of_the_settings_may_be_yaml(tmp_path: Path) -> None:
    settings = HEAD.replace('files = ["db/*.yaml", "db/*.json"]', 'schemas = { companies = "companies.yaml" }')
    found = declared(tmp_path, {"companies.yaml": "required:\n- name\n"}, settings)
    assert found.validators[0].validator == {"$jsonSchema": {"required": ["name"]}}
    assert found.validators[0].place == Place("companies.yaml", 1)
    assert refused(tmp_path, {"companies.yaml": "a: [\n"}, settings).startswith(
        "dbproof.toml: databases.docs.expect.schemas.companies: companies.yaml:2: not YAML"
    )


def test_an_empty_file_declares_nothing(tmp_path: Path) -> None:
    assert declared(tmp_path, {"db/a.yaml": "# nothing yet\n"}, ONE_FILE) == DocumentExpectations()
