"""Runs a Python tool for MongoDB's migrations by its own command line or functions: pymongo-migrate, Beanie.

The request comes as JSON in ``DBPROOF_REQUEST``: ``tool``, ``verb`` (``current``, ``apply``, ``rehearse``), ``url`` and
``database`` (ours), ``folder`` and, to rehearse, ``steps`` and ``gate``; ``before`` names the revision that each one follows.
"""

from __future__ import annotations

import ast
import functools
import os
import time
from typing import Any, Callable, Dict, Optional

from . import guard
from .place import Place
from .python_child import there
from .serving import behind_all_else, serve
from .steps import NoWayBack, walk
from .telling import tell

#: What every start imports and no project changes.
AHEAD = ("pymongo",)


def main() -> None:
    """Do what the request says."""
    serve(_do, lambda _request: behind_all_else(), exits=False)


def _do(request: Dict[str, Any], inside: guard.Inside) -> None:
    import pymongo

    client: Any = pymongo.MongoClient(request["url"])
    try:
        database = client[request["database"]]
        database.command("ping")
        if request["verb"] == "current":
            return
        inside.commands.know(there(database))
    finally:
        client.close()
    take = {"pymongo-migrate": _pymongo_migrate, "beanie": _beanie}[request["tool"]](request, inside)
    if request["verb"] == "apply":
        take("again", "")
    else:
        walk(request, take, inside)


class _Told:
    """Tells that migrations begin and end, and keeps where the last one stands."""

    def __init__(self, inside: guard.Inside) -> None:
        self._inside = inside
        self._start = 0.0

    @property
    def place(self) -> Optional[Place]:
        """The function that was run last."""
        return self._inside.begun_at

    def began(self, revision: str, file: str, what: str) -> None:
        """A migration's file, and the name of the function or class of it that runs now."""
        name, line = self._inside.places.name(file), _line(file, what)
        self._inside.places.at_work = name
        self._inside.begun, self._inside.begun_at = revision, (name, line)
        self._start = time.monotonic()
        tell("began", revision=revision, file=name, line=line)

    def ended(self, revision: str) -> None:
        """It ended well."""
        tell("ended", revision=revision, seconds=time.monotonic() - self._start)


def _line(file: str, name: str) -> int:
    """Where a file defines a function or class, 1 where it does not."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    try:
        with open(file, "rb") as opened:
            body = ast.parse(opened.read()).body
    except (OSError, SyntaxError, ValueError):
        return 1
    return next((one.lineno for one in body if isinstance(one, kinds) and one.name == name), 1)


def _pymongo_migrate(request: Dict[str, Any], inside: guard.Inside) -> Callable[[str, str], Optional[Place]]:
    from pymongo_migrate.cli import cli  # type: ignore[import-not-found]  # in the project's own environment
    from pymongo_migrate.migrations import MigrationModuleWrapper  # type: ignore[import-not-found]  # as above

    told = _Told(inside)

    def wrapped(way: str) -> Callable[..., None]:
        original = getattr(MigrationModuleWrapper, way)

        @functools.wraps(original)
        def run(migration: Any, db: Any) -> None:
            told.began(migration.name, os.path.join(request["folder"], f"{migration.name}.py"), way)
            if way == "downgrade" and not hasattr(migration.module, way):
                raise NoWayBack("it has no `downgrade`")
            original(migration, db)
            told.ended(migration.name)

        return run

    for way in ("upgrade", "downgrade"):
        setattr(MigrationModuleWrapper, way, wrapped(way))
    options = ["-u", request["url"], "-d", request["database"], "-m", request["folder"]]

    def take(direction: str, revision: str) -> Optional[Place]:
        if direction == "down":
            target = [before] if (before := request["before"].get(revision)) else []
            cli.main(["downgrade", *options, *target], standalone_mode=False)
        else:
            cli.main(["upgrade", *options, *([revision] if direction == "up" else [])], standalone_mode=False)
        return told.place

    return take


def _beanie(request: Dict[str, Any], inside: guard.Inside) -> Callable[[str, str], Optional[Place]]:
    from beanie.executors.migrate import migrations as cli  # type: ignore[import-not-found]  # in the project's own environment
    from beanie.migrations.runner import MigrationNode  # type: ignore[import-not-found]  # as above

    told = _Told(inside)

    def wrapped(way: str, class_of: str, name: str) -> Callable[..., Any]:
        original = getattr(MigrationNode, way)

        @functools.wraps(original)
        async def run(node: Any, *arguments: Any, **named: Any) -> None:
            if node.name == "root":  # what stands before the first migration
                await original(node, *arguments, **named)
                return
            revision = node.name[: -len(".py")] if node.name.endswith(".py") else node.name
            told.began(revision, os.path.join(request["folder"], node.name), name)
            if getattr(node, class_of) is None and way == "run_backward":
                raise NoWayBack(f"it has no class `{name}`")
            await original(node, *arguments, **named)
            told.ended(revision)

        return run

    MigrationNode.run_forward = wrapped("run_forward", "forward_class", "Forward")
    MigrationNode.run_backward = wrapped("run_backward", "backward_class", "Backward")
    options = ["-uri", request["url"], "-db", request["database"], "-p", request["folder"]]

    def take(direction: str, _revision: str) -> Optional[Place]:
        way = "--backward" if direction == "down" else "--forward"
        distance = [] if direction == "again" else ["-d", "1"]
        cli.main(["migrate", way, *distance, *options], standalone_mode=False)
        return told.place

    return take
