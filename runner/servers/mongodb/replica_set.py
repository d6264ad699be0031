"""Makes a server that has just started the one member of its replica set, and gives it its superusers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from runner.errors import ServerFailed
from runner.servers.interface import Address
from runner.servers.mongodb.configuration import members
from runner.servers.mongodb.sessions import ADMIN_USER, OUR_USER, session

if TYPE_CHECKING:
    from typing import Any

    from runner.servers.mongodb.sessions import Client

_START = 60.0
#: ``NotYetInitialized`` and ``InterruptedDueToReplStateChange``: the server still reads its configuration, or takes office.
_SOON = frozenset({94, 11602, 11600, 10107, 91})


def found(internal: Address, host: str, password: str) -> str:
    """Begin the replica set of an empty server and make the superusers; gives the version. Raises ServerFailed."""
    with session(internal) as client:
        client.admin.command("replSetInitiate", members(host))
        _wait_for_office(client)
        for user in (OUR_USER, ADMIN_USER):
            client.admin.command("createUser", user, pwd=password, roles=["root"])
        return str(client.server_info()["version"])


def take_over(internal: Address, host: str) -> str:
    """Go on with a copied server's replica set under this address; gives the version. Raises ServerFailed."""
    with session(internal) as client:
        current = _configured(client)
        (member,) = current["members"]
        if member["host"] != host:
            changed = {**current, "version": current["version"] + 1, "members": [{**member, "host": host}]}
            client.admin.command("replSetReconfig", changed, force=True)
        _wait_for_office(client)
        return str(client.server_info()["version"])


def _configured(client: Client) -> dict[str, Any]:
    from pymongo.errors import OperationFailure

    deadline = time.monotonic() + _START
    while True:
        try:
            current: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
            return current
        except OperationFailure as error:
            if error.code not in _SOON or time.monotonic() > deadline:
                raise
        time.sleep(0.002)


def _wait_for_office(client: Client) -> None:
    deadline = time.monotonic() + _START
    while not client.admin.command("hello").get("isWritablePrimary"):
        if time.monotonic() > deadline:
            raise ServerFailed(
                f"MongoDB did not become the primary of its replica set within {_START:.0f} s", "See what slows the machine down."
            )
        time.sleep(0.002)
