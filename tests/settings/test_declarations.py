"""What is declared of a document database is read with its files, and every part knows its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.declared.documents import DocumentExpectations
from checks.evidence import Place
from checks.schema.collections import CollectionIndex
from runner.errors import UsageError
from runner.planning import expectations
from runner.settings.lines import line_of
from runner.settings.load import load

HEAD = '[databases.docs]\nengine = "mongodb"\n\n'


def declared(root: Path, text: str) -> DocumentExpectations:
    (root / "dbproof.toml").write_text(HEAD + text, "utf-8")
    loaded = load(root, {}, {}, checks=(), detecting=False)
    return expectations(loaded.settings.databases["docs"], loaded.source("docs")).documents


def test_a_schema_in_a_file_and_one_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "companies.json").write_text('{"$schema": "x", "$id": "y", "required": ["name"]}')
    (tmp_path / "whole.json").write_text('{"$expr": {"$gt": ["$end", {"$date": "2024-01-01T00:00:00Z"}]}}')
    found = declared(
        tmp_path,
        '[databases.docs.expect]\nschemas.companies = "companies.json"\nschemas.periods = "whole.json"\n\n'
        '[databases.docs.expect.schemas.invoices]\nrequired = ["number"]\nproperties.number = { bsonType = ["string", "int"] }\n',
    ).validators
    assert [one.collection for one in found] == ["companies", "periods", "invoices"]
    assert found[0].validator == {"$jsonSchema": {"required": ["name"]}}
    assert found[0].place == Place("companies.json", 1)
    assert list(found[1].validator) == ["$expr"]
    assert found[2].validator == {
        "$jsonSchema": {"required": ["number"], "properties": {"number": {"bsonType": ["string", "int"]}}}
    }
    assert found[2].place == Place("dbproof.toml", 8)


def test_indexes_in_all_their_forms(tmp_path: Path) -> None:
    found = declared(
        tmp_path,
        "[databases.docs.expect.indexes.companies]\n"
        'a = { keys = ["name", "-created_at"], unique = true, sparse = true, hidden = true }\n'
        'b = { keys = ["seen_at"], expire_after = "30d", partial = { status = "active" } }\n'
        'c = { keys = ["place 2dsphere"], partial = \'{"at": {"$exists": true}}\', collation = { locale = "en" } }\n',
    ).indexes
    assert [one.index for one in found] == [
        CollectionIndex("a", (("name", 1), ("created_at", -1)), unique=True, sparse=True, hidden=True),
        CollectionIndex("b", (("seen_at", 1),), expire_after_seconds=2592000, partial_filter={"status": "active"}),
        CollectionIndex("c", (("place", "2dsphere"),), partial_filter={"at": {"$exists": True}}, collation={"locale": "en"}),
    ]
    assert [one.place for one in found] == [Place("dbproof.toml", line) for line in (5, 6, 7)]


def test_commands_that_delete(tmp_path: Path) -> None:
    rules = 'references = ["a.b -> d.c on delete cascade", "a.e -> f._id"]\n\n[databases.docs.expect.deletes]\n'
    found = declared(tmp_path, f"[databases.docs.expect]\n{rules}d = 'python delete.py {{c}}'\n")
    assert found.deletes == {"d": "python delete.py {c}"}
    assert [one.on_delete for one in found.references] == ["cascade", None]
    for name, message in (("f", "no reference to f says 'on delete'; there is: d"), ("dd", "; did you mean 'd'?")):
        with pytest.raises(UsageError) as wrong:
            declared(tmp_path, f"[databases.docs.expect]\n{rules}{name} = 'python delete.py {{c}}'\n")
        assert wrong.value.message.startswith(f"dbproof.toml: databases.docs.expect.deletes.{name}: no reference to {name}")
        assert wrong.value.message.endswith(message)


def test_queries_and_references(tmp_path: Path) -> None:
    found = declared(
        tmp_path,
        '[databases.docs.expect]\nreferences = ["a.b[].c -> d._id"]\n\n'
        '[databases.docs.queries.one]\ncollection = "a"\nfind = \'{"at": {"$oid": "65a000000000000000000000"}}\'\n'
        "examined = 3\n\n"
        '[databases.docs.queries.two]\ncollection = "a"\npipeline = \'[{"$count": "n"}]\'\ncategory = "join"\n',
    )
    assert [one.label for one in found.references] == ["a.b[].c -> d._id"]
    one, two = found.queries
    assert type((one.find or {})["at"]).__name__ == "ObjectId"
    assert (one.limit, one.examined, two.pipeline, two.limit) == (0.5, 3, [{"$count": "n"}], 1.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no file x.json"),
        ("{", "x.json:1: not JSON: Expecting property name enclosed in double quotes"),
        ("[]", "x.json: expected a JSON Schema, or a validator with '$jsonSchema'"),
        ('{"properties": {"a": {"$ref": "#/definitions/b"}}}', "x.json: MongoDB does not know '$ref' (a): write the schema out"),
        ('{"properties": {"a": {"items": {"format": "date"}}}}', "x.json: MongoDB does not know 'format' (a): use 'bsonType'"),
        ('{"definitions": {}}', "x.json: MongoDB does not know 'definitions' (at the top)"),
        ('{"a": {"$oid": "no"}}', "x.json: holds a value that cannot be stored: 'no' is not a valid ObjectId"),
    ],
)
def test_a_schema_that_cannot_be_taken(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "x.json").write_text(content)
    with pytest.raises(UsageError) as wrong:
        declared(tmp_path, '[databases.docs.expect]\nschemas = { things = "x.json" }\n')
    assert wrong.value.message.startswith(f"dbproof.toml: databases.docs.expect.schemas.things: {message}")


def test_names_of_fields_are_no_keywords(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"properties": {"format": {"enum": [{"default": 1}]}, "default": {}}}')
    assert declared(tmp_path, '[databases.docs.expect]\nschemas = { things = "x.json" }\n').validators


TOML = """\
# a comment
a = 1
[one]
b.c = 2
"d e" = { f = 1 }

[one.two]   # and another
g = [
  1,
]
[ one . "th.ree" ]
h = 1
[[many]]
i = 1
[[ many ]]  # the second
i = 2
[[one.many]]
i = 3
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("a",), 2),
        (("one",), 3),
        (("one", "b", "c"), 4),
        (("one", "d e", "f"), 5),
        (("one", "two", "g"), 8),
        (("one", "two", "none"), 7),
        (("one", "th.ree", "h"), 12),
        (("many", "0"), 13),
        (("many", "1"), 15),
        (("many", "1", "i"), 16),
        (("one", "many", "0", "i"), 18),
        (("none",), None),
    ],
)
def test_the_line_of_a_key(keys: tuple[str, ...], line: int | None) -> None:
    assert line_of(TOML, keys) == line
