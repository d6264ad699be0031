"""What the user of an address may do, held against what commands need."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.declaring.steps import StepKind

#: The action that a command needs on its collection (MongoDB's manual, "Privilege Actions").
ACTIONS = {
    StepKind.CREATE: "createCollection",
    StepKind.VALIDATOR: "collMod",
    StepKind.CHANGE: "collMod",
    StepKind.BUILD: "createIndex",
    StepKind.DROP: "dropIndex",
    StepKind.REMOVE: "dropCollection",
}


@dataclass(frozen=True)
class Lacking:
    """Rights that a user does not have: ``missing`` are actions with their collections."""

    user: str
    home: str
    database: str
    missing: tuple[tuple[str, str], ...]

    @property
    def message(self) -> str:
        """``the user reader (of admin) may not: collMod on subscriptions``."""
        listed = ", ".join(f"{action} on {collection}" for action, collection in self.missing[:_NAMED])
        more = f" and {len(self.missing) - _NAMED} more" if len(self.missing) > _NAMED else ""
        return f"the user {self.user} (of {self.home}) may not: {listed}{more}"

    def remedy(self, role: str) -> str:
        """The command that gives a role with these rights."""
        role_there = f"[{{role: {json.dumps(role)}, db: {json.dumps(self.database)}}}]"
        home = f"db.getSiblingDB({json.dumps(self.home)})"
        return (
            f"{home}.grantRolesToUser({json.dumps(self.user)}, {role_there}), as a user who may; or use the address of another."
        )


_NAMED = 4


def lacking(status: Mapping[str, Any], database: str, needed: Sequence[tuple[str, str]]) -> Lacking | None:
    """What of ``needed`` (actions with their collections) the user of a session lacks.

    ``status`` is the answer to ``connectionStatus`` with ``showPrivileges``. A server that asks for no user refuses nobody.
    """
    told = status["authInfo"]
    users = told["authenticatedUsers"]
    if not users:
        return None
    privileges = told.get("authenticatedUserPrivileges", ())
    missing = tuple(dict.fromkeys(one for one in needed if not any(_allows(each, database, *one) for each in privileges)))
    return Lacking(str(users[0]["user"]), str(users[0]["db"]), database, missing) if missing else None


def _allows(privilege: Mapping[str, Any], database: str, action: str, collection: str) -> bool:
    resource = privilege["resource"]
    if action not in privilege["actions"] and "anyAction" not in privilege["actions"]:
        return False
    return bool(resource.get("anyResource")) or any(
        resource.get("db") == one and resource.get("collection") == other for one, other in _resources(database, collection)
    )


def _resources(database: str, collection: str) -> Iterator[tuple[str, str]]:
    """A collection is meant by its whole name, by its database, by its name anywhere, and by everything."""
    yield from ((database, collection), (database, ""), ("", collection), ("", ""))
