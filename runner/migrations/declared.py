"""The validators and indexes of the settings, applied by dbproof itself ("declared" in the settings).

For a repository whose application makes its collections from what it declares, and that has no migrations. Like Mongoose's
``syncIndexes`` it brings the database to what the checkout's own settings file declares: a collection is made or its validator
changed (``collMod``), missing indexes are built, others dropped. No document is changed. What base has was applied from base's
own files, so that the rows meet what is new: a validator that they violate, a unique index that cannot be built.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.declared.documents import DeclaredIndex, DeclaredValidator
from checks.evidence import Place, Statement
from checks.schema.collections import CollectionIndex, collection_reference, index_reference, validator_reference
from checks.schema.indexes import differences, options, read_index
from checks.schema.names import ObjectReference
from runner.migrations.inside.refusals import refusal
from runner.migrations.inside.shell import statement
from runner.migrations.interface import Broke, Came, Detected, Event, Project, Ran, Revision
from runner.servers.interface import Address
from runner.settings.declarations import Declared, declared_in

if TYPE_CHECKING:
    from pymongo.database import Database
    from pymongo.errors import PyMongoError

NAME = "declared"
TITLE = "declared validators and indexes"
FILES_ONLY = False


def detect(root: Path) -> Detected | None:  # noqa: ARG001 - only settings declare
    """Nothing in a repository shows this."""
    return None


def revisions(project: Project) -> Sequence[Revision]:  # noqa: ARG001 - a declaration has no history
    """None: what is declared is one whole."""
    return ()


def current(project: Project, on: Address) -> Iterator[Event]:  # noqa: ARG001 - the address is ours by construction
    """Connect and ask for nothing."""
    from runner.servers.mongodb.sessions import session

    with session(on) as client:
        client[on.database].command("ping")
        yield Came()


def apply(project: Project, on: Address) -> Iterator[Event]:
    """Bring the database to what the checkout declares, one command after the other."""
    from pymongo.errors import PyMongoError

    from runner.servers.mongodb.sessions import session

    declared = declared_in(project.root, project.settings_file, project.database)
    with session(on, answer=project.settings.timeout) as client:
        yield Came()
        for step in list(_steps(client[on.database], declared)):
            began = time.monotonic()
            try:
                client[on.database].command(step.command)
            except PyMongoError as error:
                yield _broke(step, error)
                return
            seconds = time.monotonic() - began
            text = statement(step.command)
            yield Ran(Statement(text, step.place, None, seconds, made=step.made, dropped=step.dropped))


@dataclass(frozen=True)
class _Step:
    """One command, where it is declared, and what it makes and drops."""

    command: dict[str, Any]
    place: Place | None
    made: tuple[ObjectReference, ...] = ()
    dropped: tuple[ObjectReference, ...] = ()


def _steps(database: Database[dict[str, Any]], declared: Declared) -> Iterator[_Step]:
    """What has to be done to a database, from what it holds now."""
    there = {one["name"]: one.get("options", {}) for one in database.list_collections(filter={"type": "collection"})}
    for validator in declared.validators:
        yield from _validator(validator, there.get(validator.collection))
    kept = {validator.collection for validator in declared.validators}
    for name, held in there.items():
        if held.get("validator") and name not in kept:
            yield _Step({"collMod": name, "validator": {}}, None, dropped=(validator_reference(name),))
    for name in dict.fromkeys(index.collection for index in declared.indexes):
        held = {str(one["name"]): read_index(one) for one in database[name].list_indexes()} if name in there else {}
        yield from _indexes(name, [index for index in declared.indexes if index.collection == name], held)


def _validator(declared: DeclaredValidator, held: Mapping[str, Any] | None) -> Iterator[_Step]:
    strict = {"validator": declared.validator, "validationLevel": "strict", "validationAction": "error"}
    if held is None:
        made = (collection_reference(declared.collection), declared.reference)
        yield _Step({"create": declared.collection, **strict}, declared.place, made)
    elif {key: held.get(key) for key in strict} != strict:
        yield _Step({"collMod": declared.collection, **strict}, declared.place, (declared.reference,))


def _indexes(name: str, declared: Sequence[DeclaredIndex], held: Mapping[str, CollectionIndex]) -> Iterator[_Step]:
    """First what is in the way is dropped, then what is missing is built."""
    wrong = [one for one in declared if one.index.name in held and any(differences(one.index, held[one.index.name]))]
    undeclared = held.keys() - {one.index.name for one in declared} - {"_id_"}
    for old in sorted({one.index.name for one in wrong} | undeclared):
        place = next((one.place for one in wrong if one.index.name == old), None)
        yield _Step({"dropIndexes": name, "index": old}, place, dropped=(index_reference(name, old),))
    for one in declared:
        if one in wrong or one.index.name not in held:
            index = {"key": dict(one.index.keys), **options(one.index)}
            yield _Step({"createIndexes": name, "indexes": [index]}, one.place, (one.reference,))


def _broke(step: _Step, error: PyMongoError) -> Broke:
    details = getattr(error, "details", None) or {}
    code = getattr(error, "code", None)
    said, detail = refusal(code, str(details.get("errmsg") or error), details)
    return Broke(None, step.place, statement(step.command), said, "" if code is None else str(code), detail)
