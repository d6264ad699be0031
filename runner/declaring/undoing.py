"""Back to what was there: the file that says what it was, written before anything changes, and the commands that lead back."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.declared.documents import DeclaredIndex, DeclaredValidator
from checks.schema.collections import CollectionIndex, CollectionKind
from checks.schema.indexes import differences, keys, read_index
from runner.declaring.clashes import alike, clash
from runner.declaring.standing import Standing, same_definition
from runner.declaring.steps import Step, StepKind, Steps
from runner.errors import DbproofError, UsageError
from runner.reports.ownership import hand_over, make_directory

if TYPE_CHECKING:
    from bson.json_util import JSONOptions

FORMAT = "dbproof-undo/1"
DIRECTORY = "dbproof-undo"


@dataclass(frozen=True)
class Undo:
    """What was there before: each collection that was to be changed (``None`` where there was none).

    ``touched`` are the names of the indexes that were to be built, changed or dropped, by collection; only these are put back.
    """

    database: str
    collections: Mapping[str, Standing | None] = field(hash=False)
    touched: Mapping[str, tuple[str, ...]] = field(hash=False)


def before(database: str, steps: Sequence[Step], there: Mapping[str, Standing]) -> Undo:
    """What has to be known to undo these commands."""
    names = list(dict.fromkeys(step.collection for step in steps))
    touched = {
        name: tuple(dict.fromkeys(_index(step) for step in steps if step.collection == name and _index(step))) for name in names
    }
    return Undo(database, {name: there.get(name) for name in names}, touched)


def _index(step: Step) -> str:
    return step.index.name if step.index else str(step.command.get("index", "") if step.kind is StepKind.DROP else "")


def write(undo: Undo, directory: Path) -> Path:
    """Write the file under a name of its own, for its owner alone, in one step; its path. Raises DbproofError."""
    from bson import json_util

    told = {"format": FORMAT, "database": undo.database, "collections": [_told(name, undo) for name in undo.collections]}
    text = json_util.dumps(told, json_options=_exactly(), indent=2)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    if directory.is_symlink():
        raise DbproofError(f"{directory}: is a symbolic link, and nothing is written through one", "Remove it.")
    return written(f"{text}\n", directory / f"{undo.database}-{stamp}-{secrets.token_hex(2)}.json", 0o600)


def written(text: str, target: Path, mode: int = 0o666) -> Path:
    """Write a file in one step: it is whole, or as it was before. Raises DbproofError."""
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        make_directory(target.parent)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            hand_over(descriptor, beside)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        beside.replace(target)
    except OSError as refused:
        said = (refused.strerror or "cannot be written").lower()
        raise DbproofError(f"{target}: {said}", "Start dbproof where this user may write files.") from None
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return target


def _told(name: str, undo: Undo) -> Mapping[str, Any]:
    held = undo.collections[name]
    stood: Mapping[str, Any] | None = None
    if held is not None:
        stood = {"kind": held.kind, "options": held.options, "indexes": list(held.definitions.values())}
    return {"name": name, "touched": list(undo.touched.get(name, ())), "was": stood}


def _exactly() -> JSONOptions:
    from bson.json_util import CANONICAL_JSON_OPTIONS

    return CANONICAL_JSON_OPTIONS


def read(path: Path) -> Undo:
    """What an undo file says. Raises UsageError for one that is none."""
    from bson import json_util

    try:
        told = json_util.loads(path.read_text("utf-8"), json_options=_exactly())
        if told["format"] != FORMAT:
            raise ValueError
        collections = {one["name"]: _stood(one) for one in told["collections"]}
        touched = {one["name"]: tuple(one["touched"]) for one in told["collections"]}
        return Undo(told["database"], collections, touched)
    except OSError as refused:
        raise UsageError(f"--undo {path}: {(refused.strerror or 'cannot be read').lower()}", _WHICH) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"--undo {path}: is no undo file of `dbproof apply`", _WHICH) from None


_WHICH = f"`dbproof apply` names the file that it writes, in {DIRECTORY}/."


def _stood(one: Mapping[str, Any]) -> Standing | None:
    was = one["was"]
    if was is None:
        return None
    return Standing(one["name"], was["kind"], was["options"], {str(index["name"]): index for index in was["indexes"]})


def back(undo: Undo, there: Mapping[str, Standing], filled: Collection[str], version: tuple[int, ...]) -> Steps:
    """From what stands now to what was there; ``filled`` are the collections that hold documents, which always stay."""
    made: list[Step] = []
    left: list[str] = []
    for name, was in undo.collections.items():
        held = there.get(name)
        if was is not None:
            made += _rules(was, held)
            made += _indexes(was, held, undo.touched[name] if held else tuple(was.definitions), version)
        elif held is not None and name in filled:
            made += _rules(Standing(name), held)
            made += _indexes(Standing(name), held, undo.touched[name], version)
            left.append(f"{name} stays: it was not there before, and holds documents now")
        elif held is not None:
            made += _unmade(name)
    return Steps(tuple(made), tuple(left))


def _rules(was: Standing, held: Standing | None) -> Iterator[Step]:
    if held is None:
        yield Step(StepKind.CREATE, was.name, {"create": was.name, **was.options}, "it was there")
    elif held.rules != was.rules and was.kind == CollectionKind.COLLECTION:
        why = "its validator as it was" if was.validator else "it had no validator"
        yield Step(StepKind.VALIDATOR, was.name, {"collMod": was.name, **was.rules}, why)


#: A validator that no document obeys.
CLOSED: Mapping[str, Any] = {"$expr": False}


def _unmade(name: str) -> Iterator[Step]:
    """A collection that was made goes while it is empty; a validator that refuses everything keeps it so meanwhile."""
    why = "it was not there before: no document may come in while it goes"
    yield Step(
        StepKind.VALIDATOR,
        name,
        {"collMod": name, "validator": CLOSED, "validationLevel": "strict", "validationAction": "error"},
        why,
    )
    yield Step(StepKind.REMOVE, name, {"drop": name}, "it was not there before, and is empty")


def _indexes(was: Standing, held: Standing | None, touched: Sequence[str], version: tuple[int, ...]) -> Iterator[Step]:
    now = held.definitions if held else {}
    both = [name for name in touched if name in was.definitions and name in now]
    changed = [name for name in both if not same_definition(was.definitions[name], now[name])]
    mended = [name for name in changed if _mendable(read_index(now[name]), was.indexes[name])]
    rebuilt = [name for name in changed if name not in mended]
    missing = [name for name in touched if name in was.definitions and name not in now]
    added = [name for name in touched if name not in was.definitions and name in now]
    wanted = [read_index(was.definitions[name]) for name in (*rebuilt, *missing)]
    first = [name for name in added if any(clash(read_index(now[name]), one, version) for one in wanted)]
    yield from (_drop(was.name, name, "to build it as it was") for name in rebuilt)
    yield from (_drop(was.name, name, _ADDED) for name in first)
    yield from (_mend(was, name) for name in mended)
    yield from (_build(was, name) for name in (*rebuilt, *missing))
    yield from (_drop(was.name, name, _ADDED) for name in added if name not in first)


_ADDED = "it was not there before"


def _mendable(now: CollectionIndex, was: CollectionIndex) -> bool:
    """``collMod`` changes when documents expire, but cannot make them last again."""
    lasting = was.expire_after_seconds is None and now.expire_after_seconds is not None
    return alike(now, was) and not lasting


def _mend(was: Standing, name: str) -> Step:
    index = was.indexes[name]
    change: dict[str, Any] = {"name": name, "hidden": index.hidden}
    if index.expire_after_seconds is not None:
        change["expireAfterSeconds"] = index.expire_after_seconds
    return Step(StepKind.CHANGE, was.name, {"collMod": was.name, "index": change}, "as it was", index=index)


def _build(was: Standing, name: str) -> Step:
    index: CollectionIndex = was.indexes[name]
    command = {"createIndexes": was.name, "indexes": [dict(was.definitions[name])]}
    return Step(StepKind.BUILD, was.name, command, f"it was there, on {keys(index)}", index=index)


def _drop(collection: str, name: str, why: str) -> Step:
    return Step(StepKind.DROP, collection, {"dropIndexes": collection, "index": name}, why)


def without_file(
    validators: Sequence[DeclaredValidator], indexes: Sequence[DeclaredIndex], there: Mapping[str, Standing]
) -> Steps:
    """Where no file says what was there: the declared validators look at no write any more, the declared indexes go."""
    made: list[Step] = []
    for declared in validators:
        held = there.get(declared.collection)
        if held is not None and held.validator and held.rules["validationLevel"] != "off":
            command = {"collMod": declared.collection, "validationLevel": "off"}
            made.append(Step(StepKind.VALIDATOR, declared.collection, command, "its validator looks at no write", declared.place))
    for one in indexes:
        standing = there.get(one.collection)
        found = standing.indexes.get(one.index.name) if standing else None
        if found is not None and not any(differences(one.index, found)):
            made.append(_drop(one.collection, one.index.name, "it is declared, and undone"))
    return Steps(tuple(made))
