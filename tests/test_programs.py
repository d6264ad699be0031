"""The command that deletes a document: each value becomes a part of an argument as it is, and nothing in it means anything."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, ObjectId

from runner.errors import UsageError
from runner.migrations.interface import Project
from runner.programs import argument, deleting, fields_of
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

ON = Address("127.0.0.1", 27018, "docs_owner", "pa$$ word", "docs", scheme="mongodb")
OID = ObjectId("65a1b2c3d4e5f60718293a4b")
KEY = uuid.UUID(int=7)


def project(root: Path, env: str = "") -> Project:
    settings = MigrationSettings.model_validate({"tool": "declared", "env": {"SHOP_URL": env} if env else {}})
    return Project(root, root, settings, root)


@pytest.mark.parametrize(
    ("command", "document", "arguments"),
    [
        ("delete {name}", {"name": "a b"}, ("delete", "a b")),
        ("delete --name={name}/{of.town}", {"name": "a", "of": {"town": "x"}}, ("delete", "--name=a/x")),
        ("delete {_id} {database}", {"_id": OID}, ("delete", str(OID), "docs")),
        ("sh -c 'delete \"$0\"' {name}", {"name": "$(id); `id`"}, ("sh", "-c", 'delete "$0"', "$(id); `id`")),
        ("delete {name}", {"name": "{password} {url} {{url}} {name}"}, ("delete", "{password} {url} {{url}} {name}")),
        ("delete {name} {{url}}", {"name": "ünï\n'\""}, ("delete", "ünï\n'\"", "{url}")),
        ("delete '{\"name\": 1}' {name}", {"name": "x"}, ("delete", '{"name": 1}', "x")),
    ],
)
def test_a_command_for_a_document(command: str, document: dict[str, Any], arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert deleting(command, document, project(tmp_path), ON).arguments == arguments


def test_it_finds_the_address_as_migrations_do(tmp_path: Path) -> None:
    made = deleting("delete {name}", {"name": "a"}, project(tmp_path, "{url}"), ON)
    assert made.environment["SHOP_URL"] == made.environment["MONGODB_URI"] == ON.url()
    assert made.directory == tmp_path
    assert made.environment["PYTHONPATH"].split(":")[1] == str(tmp_path)


def test_what_only_a_shell_could_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`deletes` runs without a shell, so '&&' has no meaning in it"):
        deleting("cd x && delete {name}", {"name": "a"}, project(tmp_path), ON)


def test_the_fields_that_a_command_names() -> None:
    assert fields_of("x {name} {of.town} {url} {url:mongodb} {name} {{other}} '{\"json\": 1}'") == ("name", "of.town")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (3, "3"),
        (Int64(2**40), str(2**40)),
        (1.5, "1.5"),
        (Decimal128("1.50"), "1.50"),
        (OID, "65a1b2c3d4e5f60718293a4b"),
        (Binary.from_uuid(KEY), str(KEY)),
        (b"\x00\xff", "00ff"),
        (datetime(2024, 1, 2, 3, 4, 5), "2024-01-02T03:04:05Z"),  # as pymongo gives it, in UTC
        (datetime(2024, 1, 2, tzinfo=UTC), "2024-01-02T00:00:00+00:00"),
    ],
)
def test_values_as_arguments(value: object, text: str) -> None:
    assert argument(value) == text
