"""Writes a first declaration of a database that exists: its settings, and the file of its collections."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine
from checks.targets import StatementFailed
from runner.errors import ServerFailed, UsageError
from runner.gathering import counted
from runner.inferring.collections import Inferred, infer
from runner.inferring.text import text
from runner.progress import Progress
from runner.servers.interface import Wanted
from runner.servers.registry import provision
from runner.servers.schemes import engine_of
from runner.settings.detect import DATABASE
from runner.settings.files import OWN_FILE
from runner.settings.initial import check_free
from runner.settings.values import database_name

#: The file that holds the collections, beside the settings.
COLLECTIONS = "dbproof.collections.yaml"

_SETTINGS = """\
# What dbproof is told about this database; {collections} holds its collections.
# `dbproof init --force` in the repository writes every other key down as a comment.

[databases.{name}]
engine = "mongodb"
url_env = {variable}

[databases.{name}.expect]
files = [{collections}]
"""


def write(root: Path, variable: str, address: str, force: bool, progress: Progress) -> Sequence[str]:
    """Read the database at an address, only reading, and write both files; gives what to say of it.

    Raises UsageError where the address is of no document database, or settings stand already (unless ``force``).
    """
    check_free(root, force, COLLECTIONS)
    if engine_of(address) is not Engine.MONGODB:
        raise UsageError(
            f"--url-env {variable}: a relational database declares itself, and nothing has to be concluded from its rows",
            "Without --url-env `dbproof init` writes the settings; `dbproof check --url-env` looks at the database.",
        )
    name, inferred = _read(address, progress)
    settings = _SETTINGS.format(name=name, variable=json.dumps(variable), collections=json.dumps(COLLECTIONS))
    _put(root / COLLECTIONS, text(inferred))
    _put(root / OWN_FILE, settings)
    return tuple(_said(root, inferred, variable))


def _read(address: str, progress: Progress) -> tuple[str, Inferred]:
    from runner.targets.mongodb import MongoTarget

    with provision(Wanted(Engine.MONGODB, url=address, standing=True)) as server:
        database = server.database(DATABASE)
        progress.note("server", f"{server.engine.label} {server.version}")
        with (
            progress.stage("read") as stage,
            MongoTarget(server, None, database, Expectations(), Evidence()) as target,
        ):
            try:
                inferred = infer(target, stage.say)
            except StatementFailed as failure:
                raise ServerFailed(f"the database cannot be read: {failure.gap or failure}") from None
            stage.say(counted(len(inferred.collections), "collection"))
    return _name(database.name), inferred


def _name(name: str) -> str:
    """What the settings call it: as the server does, where the settings can."""
    try:
        return database_name(name)
    except ValueError:
        return DATABASE


def _put(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as refused:
        raise UsageError(f"{file}: cannot be written: {refused.strerror}") from None


def _said(root: Path, inferred: Inferred, variable: str) -> Sequence[str]:
    described = [one for one in inferred.collections if one.schema]
    broken = [one for one in described if one.exceptions]
    sure = sum(one.is_sure for one in inferred.references)
    holds = f"{len(described) - len(broken)} of {len(described)} hold for every document"
    indexes = sum(len(one.indexes) for one in inferred.collections)
    lines = [
        f"wrote {root / OWN_FILE}",
        f"wrote {root / COLLECTIONS}: {counted(len(described), 'schema')}, {holds};"
        f" {indexes} {'index' if indexes == 1 else 'indexes'}; {counted(sure, 'reference')}",
    ]
    if unsure := len(inferred.references) - sure:
        lines.append(f"{counted(unsure, 'reference')} more may be one: see the comments")
    if inferred.left_out:
        lines.append(f"left out: {', '.join(f'{name} ({reason})' for name, reason in inferred.left_out)}")
    return [*lines, f"look it over; `dbproof apply --dry-run` shows what attaching it to {variable} would do"]
