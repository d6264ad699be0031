"""Makes a server that has just started the one member of its replica set, and gives it its superusers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.errors import ServerFailed
from runner.servers.interface import Address
from runner.servers.mongodb.configuration import members
from runner.servers.mongodb.sessions import ADMIN_USER, OUR_USER, session

if TYPE_CHECKING:
    from typing import Any

    from runner.servers.mongodb.sessions import Client

_START = 60.0
#: Codes of a server that still reads its configuration (InvalidReplicaSetConfig, NotYetInitialized and their like), or whose
#: state is changing (InterruptedDueToReplStateChange, NotWritablePrimary and their like).
_SOON = frozenset({93, 94, 103, 109, 189, 10107, 11600, 11602, 13435, 13436})


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
        _insist(lambda: _renamed(client, host))
        _wait_for_office(client)
        return str(client.server_info()["version"])


def _renamed(client: Client, host: str) -> bool:
    """Let the one member have this address. The server ends its sessions when it finds that the old one is not its own."""
    current: dict[str, Any] = client.admin.command("replSetGetConfig")["config"]
    (member,) = current["members"]
    if member["host"] != host:
        changed = {**current, "version": current["version"] + 1, "members": [{**member, "host": host}]}
        client.admin.command("replSetReconfig", changed, force=True)
    return True


def _wait_for_office(client: Client) -> None:
    _insist(lambda: bool(client.admin.command("hello").get("isWritablePrimary")))


def _insist(done: Callable[[], bool]) -> None:
    """Ask until it is done, past what a server says that changes its state; raises ServerFailed at the deadline."""
    from pymongo.errors import ConnectionFailure, OperationFailure

    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        try:
            if done():
                return
        except ConnectionFailure:  # it ends its sessions when it takes office, or loses it
            pass
        except OperationFailure as error:
            if error.code not in _SOON:
                raise
        time.sleep(0.002)
    raise ServerFailed(
        f"MongoDB did not become the primary of its replica set within {_START:.0f} s", "See what slows the machine down."
    )
