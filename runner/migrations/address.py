"""Proves, before anything is changed, that the project's own tool comes to our server; and after, that it came."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, cast

from checks.targets import Role
from runner.child_environment import is_let_through
from runner.errors import WrongAddress
from runner.migrations import guessing
from runner.migrations.interface import Adapter, Broke, Came, Elsewhere, Event, Project
from runner.servers.interface import Database, Server

#: Whether a session of the project's came to a database of ours since a mark, given what its program told.
Arrived = Callable[[Server, Database, int, Sequence[Event]], bool]

#: How many names that were read are named where none was likely.
_NAMED = 8

#: Drivers that a program which has chosen one cannot do without, and that are hard to guess.
_MYSQL = ("mysql", "mariadb")
_ASYNCHRONOUS = ("postgresql+asyncpg", "postgresql+psycopg_async", "sqlite+aiosqlite")


@dataclass(frozen=True)
class _Heard:
    """What the read-only command came to."""

    told: Sequence[Event]

    @property
    def elsewhere(self) -> Elsewhere | None:
        return next((event for event in self.told if isinstance(event, Elsewhere)), None)

    @property
    def broke(self) -> Broke | None:
        return next((event for event in self.told if isinstance(event, Broke)), None)


def prove(
    adapter: Adapter, project: Project, server: Server, database: Database, arrived: Arrived, role: Role = Role.OWNER
) -> str:
    """Run the tool's read-only command and see that its session ``arrived``; a sentence that says what was seen.

    Raises :class:`WrongAddress` where the session went elsewhere or nowhere, with the settings that would lead it here.
    """
    mark = server.mark()
    events = adapter.current(project, database.addresses[role])
    if events is None:
        return f"{adapter.NAME}: no read-only command is known, so the address shows when the migrations run; set `current`"
    heard = _hear(events)
    if heard.elsewhere is not None:
        raise went_elsewhere(heard.elsewhere, database)
    if not arrived(server, database, mark, heard.told):
        raise _never_came(adapter, heard.broke, database)
    came = "our own session" if adapter.FILES_ONLY else "its read-only command"
    return f"{adapter.NAME}: {came} came to our server"


def never_applied(database: Database) -> WrongAddress:
    """The error after an apply of which our server saw nothing."""
    return WrongAddress(
        f"databases.{database.name}.migrations: the migrations ended well, but nothing came to our server",
        f"They went to another database, or did nothing. {_paste({'DATABASE_URL': '{url}'}, database.name)}",
    )


def went_elsewhere(event: Elsewhere, database: Database) -> WrongAddress:
    """The error for a connection that was refused, or for settings that are missing, ready to paste into dbproof.toml."""
    name = database.name
    where = f"databases.{name}.migrations"
    if event.address:
        message = f"{where}: the project's tool wanted to connect to {event.address}, which is not the database made for it"
    else:
        message = f"{where}: the project's tool does not start without {', '.join(event.wanted)}"
    environment = guessing.settings(event.read, event.wanted, _url(event.address, database))
    lines = [_paste(environment, name), _other_database(event.address, database), _read(event), _withheld(event)]
    return WrongAddress(message, "\n".join(line for line in lines if line))


def _other_database(address: str, database: Database) -> str:
    """Where only the name of a MongoDB database is another: it may be written out, and then the settings have to follow it."""
    ours = database.private
    _, found, other = address.partition(f"mongodb://{ours.host}:{ours.port}/")
    if ours.scheme != "mongodb" or not found or not other:
        return ""
    return f"Where the name of the database is written out, give it here too: [databases.{other}]."


def _never_came(adapter: Adapter, broke: Broke | None, database: Database) -> WrongAddress:
    where = f"databases.{database.name}.migrations"
    if broke is None:
        message = f"{where}: {adapter.NAME}'s read-only command ended well, but no session came to our server"
    else:
        place = f" at {broke.place}" if broke.place else ""
        message = f"{where}: {adapter.NAME}'s read-only command failed before it came to our server{place}: {broke.said}"
    return WrongAddress(message, _paste({"DATABASE_URL": "{url}"}, database.name, "the names that the project reads"))


def _hear(events: Iterator[Event]) -> _Heard:
    with ExitStack() as stack:
        if hasattr(events, "close"):
            stack.enter_context(closing(cast("Any", events)))
        return _Heard([event for event in events if isinstance(event, (Elsewhere, Broke, Came))])


def _url(address: str, database: Database) -> str:
    """The template with the driver that the program has chosen, where that is an asynchronous one of our engine's."""
    scheme = address.partition("://")[0]
    dialect, _, driver = scheme.partition("+")
    if database.private.scheme == "mysql":  # of which no driver is the usual one
        return f"{{url:{scheme}}}" if dialect in _MYSQL and driver else "{url}"
    return f"{{url:{scheme}}}" if dialect == database.private.scheme and scheme in _ASYNCHRONOUS else "{url}"


def _paste(env: dict[str, str], name: str, instead: str = "") -> str:
    pairs = ", ".join(f"{key} = {json.dumps(value)}" for key, value in env.items())
    lead = "Lead it here in dbproof.toml" + (f", with {instead}:" if instead else ":")
    return f"{lead}\n[databases.{name}.migrations]\nenv = {{ {pairs} }}"


def _read(event: Elsewhere) -> str:
    likely: Sequence[str] = [name for name in event.read if guessing.likeness(name)]
    named = list(likely or [name for name in event.read if not is_let_through(name)])[:_NAMED]
    return f"It looked for these variables and did not find them: {', '.join(named)}." if named else ""


def _withheld(event: Elsewhere) -> str:
    if not event.withheld:
        return ""
    others = ", ".join(json.dumps(name) for name in dict.fromkeys(event.withheld) if not guessing.likeness(name))
    hint = f" What is no address may be handed on: pass_env = [{others}]." if others else ""
    return f"These exist here and were withheld: {', '.join(dict.fromkeys(event.withheld))}.{hint}"
