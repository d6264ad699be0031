"""What a user may do, held against what commands need."""

from __future__ import annotations

from typing import Any

import pytest

from runner.declaring.rights import lacking

NEEDED = [("collMod", "a"), ("createIndex", "a"), ("createIndex", "b")]


def status(*privileges: dict[str, Any], users: int = 1) -> dict[str, Any]:
    named = [{"user": 'o"o', "db": "admin"}][:users]
    return {"authInfo": {"authenticatedUsers": named, "authenticatedUserPrivileges": list(privileges)}}


def on(database: str, collection: str, *actions: str) -> dict[str, Any]:
    return {"resource": {"db": database, "collection": collection}, "actions": list(actions)}


@pytest.mark.parametrize(
    ("privileges", "missing"),
    [
        ([], NEEDED),
        ([on("d", "", "collMod", "createIndex")], []),
        ([on("", "", "collMod", "createIndex")], []),
        ([{"resource": {"anyResource": True}, "actions": ["anyAction"]}], []),
        ([on("d", "a", "createIndex"), on("", "b", "createIndex")], [("collMod", "a")]),
        ([on("other", "", "collMod", "createIndex")], NEEDED),
        ([{"resource": {"cluster": True}, "actions": ["collMod", "createIndex"]}], NEEDED),
    ],
)
def test_what_is_missing(privileges: list[dict[str, Any]], missing: list[tuple[str, str]]) -> None:
    found = lacking(status(*privileges), "d", NEEDED)
    assert (list(found.missing) if found else []) == missing


def test_a_server_that_asks_for_no_user_refuses_nobody() -> None:
    assert lacking(status(users=0), "d", NEEDED) is None


def test_the_remedy_can_be_pasted() -> None:
    found = lacking(status(), "d", [*NEEDED, ("dropIndex", "c"), ("dropIndex", "d")])
    assert found is not None
    assert found.message.endswith("collMod on a, createIndex on a, createIndex on b, dropIndex on c and 1 more")
    assert 'db.getSiblingDB("admin").grantRolesToUser("o\\"o", [{role: "dbAdmin", db: "d"}])' in found.remedy("dbAdmin")
