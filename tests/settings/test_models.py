"""What a program prints of the application's models is declared; what it prints wrong is told as a user can mend it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from checks.declared.documents import DocumentExpectations
from checks.evidence import Place
from checks.schema.collections import CollectionIndex
from runner.errors import DbproofError, UsageError
from runner.planning import expectations
from runner.settings.declarations import declared_in
from runner.settings.load import load

PRINTER = Path(__file__).parents[2] / "docs" / "models" / "print_models.py"
HEAD = '[databases.docs]\nengine = "mongodb"\n\n[databases.docs.expect]\n'

MODELS = """\
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class Address(BaseModel):
    town: str


class Company(BaseModel):
    name: str = Field(min_length=1, title="Name")
    address: Address
    kind: Literal["a"] = "a"
    since: datetime | None = None
"""


def settings(command: str, more: str = "") -> str:
    migrations = f"\n[databases.docs.migrations]\ntool = 'declared'\n{more}\n" if more else ""
    return f"{HEAD}models = {json.dumps(command)}\n{migrations}"


def declared(root: Path, command: str, more: str = "") -> DocumentExpectations:
    (root / "dbproof.toml").write_text(settings(command, more), "utf-8")
    loaded = load(root, {}, {}, checks=(), detecting=False)
    return expectations(loaded.settings.databases["docs"], loaded.source("docs")).documents


def says(root: Path, text: str, more: str = "") -> DocumentExpectations:
    (root / "say.py").write_text(text, "utf-8")
    return declared(root, f"{sys.executable} say.py", more)


def test_the_printer_of_the_documentation_on_pydantic_models(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "models.py").write_text(MODELS, "utf-8")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "print_models.py").write_bytes(PRINTER.read_bytes())
    found = declared(tmp_path, f"{sys.executable} scripts/print_models.py companies=shop.models:Company")
    (validator,) = found.validators
    assert validator.place == Place("shop/models.py", 11)
    assert validator.validator == {
        "$jsonSchema": {
            "bsonType": "object",
            "required": ["name", "address"],
            "properties": {
                "name": {"bsonType": "string", "minLength": 1},
                "address": {"bsonType": "object", "properties": {"town": {"bsonType": "string"}}, "required": ["town"]},
                "kind": {"bsonType": "string", "enum": ["a"]},
                "since": {"bsonType": ["date", "null"]},
            },
        }
    }


PRINTS = """
import json, os, sys
print("for people", file=sys.stderr)
json.dump({
    "plain": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "whole": {"$expr": {"$gt": ["$b", "$a"]}},
    "parts": {
        "schema": {"properties": {"at": {"type": "string", "format": "date-time"}}},
        "indexes": {"at_1": {"keys": ["at"], "expire_after": "0s"}},
        "references": ["plain_id -> plain._id on delete cascade"],
        "place": "app/models.py:7",
    },
    "env": {"description": os.environ["MONGODB_URI"] + os.environ["WORD"], "required": ["a" * 100_000]},
}, sys.stdout)
"""


def test_all_that_may_be_printed(tmp_path: Path) -> None:
    found = says(tmp_path, PRINTS, 'env = { WORD = "said" }')
    by_name = {one.collection: one for one in found.validators}
    assert by_name["plain"].validator == {
        "$jsonSchema": {"bsonType": "object", "properties": {"n": {"bsonType": ["int", "long"]}}}
    }
    assert by_name["plain"].place == Place("dbproof.toml", 5)
    assert list(by_name["whole"].validator) == ["$expr"]
    assert by_name["parts"].place == Place("app/models.py", 7)
    assert [(one.label, one.index, one.place) for one in found.indexes] == [
        ("parts.at_1", CollectionIndex("at_1", (("at", 1),), expire_after_seconds=0), Place("app/models.py", 7))
    ]
    assert [one.label for one in found.references] == ["parts.plain_id -> plain._id"]
    told = by_name["env"].validator["$jsonSchema"]["description"]
    assert told.startswith("mongodb://nobody:nothing@127.0.0.1:9/")
    assert told.endswith("said")


def test_the_models_of_another_checkout(tmp_path: Path) -> None:
    """Base's own files are printed, with the environment of the user's work tree: its interpreter and its Node modules."""
    root, base = tmp_path / "work", tmp_path / "base"
    for folder, name in ((root, "head"), (base, "base")):
        (folder / "shop").mkdir(parents=True)
        (folder / "shop" / "models.py").write_text(f'NAME = "{name}"\n', "utf-8")
        (folder / "say.py").write_text(
            "import json, pathlib, sys\nfrom shop.models import NAME\n"
            'print(json.dumps({NAME: {"required": [str(pathlib.Path("node_modules").resolve())]}}))\n',
            "utf-8",
        )
        (folder / "dbproof.toml").write_text(settings("python say.py"), "utf-8")
    (root / "node_modules").mkdir()
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (one,) = declared_in(base, Path("dbproof.toml"), "docs", root).validators
    assert one.collection == "base"
    assert one.validator["$jsonSchema"]["required"] == [str(root / "node_modules")]


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("", "", "printed no JSON: not JSON: Expecting value (line 1 of what it printed)"),
        ("print('hello')\nprint('{}')", "", "printed no JSON: not JSON: Expecting value (line 1 of what it printed)"),
        ('print(\'{"a": {}, "a": {}}\')', "", "printed no JSON: 'a' stands there twice, first in line 1"),
        ("print('[]')", "", "`: expected a collection's name, and below it 'schema', 'indexes' or 'references'"),
        ("print('{\"a\": 3}')", "", "`: a.schema: expected a JSON Schema, or a validator with '$jsonSchema'"),
        ('print(\'{"a": {"type": "strin"}}\')', "", "`: a.schema: at the top: 'strin' is not a type of JSON Schema"),
        (
            'print(\'{"a": {"properties": {"b": {"$ref": "#/$defs/C"}}}}\')',
            "",
            "a.schema: b: '#/$defs/C' leads nowhere: every definition must be printed with the schema",
        ),
        ('print(\'{"a": {"indexes": {"i": {"key": ["x"]}}}}\')', "", "a.indexes.i.key: unknown key; did you mean 'keys'?"),
        (
            "import sys\nprint('{}')\nprint('who knows', file=sys.stderr)\nsys.exit(3)",
            "",
            "ended with status 3\nwho knows",
        ),
        ("raise RuntimeError('no models')", "", "ended with status 1\nTraceback (most recent call last):"),
        ("while True: print('x' * 60_000)", "", "prints more than 1 MB"),
        ("import sys\nsys.stdout.buffer.write(b'\\xff')", "", "prints no UTF-8 (byte 0)"),
        ("import signal\nsignal.pause()", 'timeout = "300ms"', "did not end within 0.3 s"),
    ],
)
def test_what_is_printed_wrong(text: str, more: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.programs.MOST", 1024 * 1024)
    with pytest.raises(DbproofError) as wrong:
        says(tmp_path, text, more)
    assert wrong.value.message.removeprefix("dbproof.toml: ").startswith(
        f"databases.docs.expect.models: `{sys.executable} say.py`"
    )
    assert message in wrong.value.message


def test_an_environment_is_for_programs_alone(tmp_path: Path) -> None:
    text = f"{HEAD}schemas.a = {{ required = ['b'] }}\n\n[databases.docs.migrations]\ntool = 'declared'\nsetup = 'make'\n"
    (tmp_path / "dbproof.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError) as wrong:
        load(tmp_path, {}, {}, checks=(), detecting=False)
    assert wrong.value.message.endswith("and the tool is 'declared'")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program x", "'no-such-program' was not found"),
        ("python 'x", "`models` cannot be split into words"),
        ("python x && y", "`models` runs without a shell, so '&&' has no meaning in it"),
    ],
)
def test_what_cannot_be_started(command: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DbproofError) as wrong:
        declared(tmp_path, command)
    assert message in wrong.value.message
