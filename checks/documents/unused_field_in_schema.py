"""Every field that a schema names is in some document.

Proves, for every property of a `$jsonSchema`, attached or declared, at any depth, that at least one document of the collection
has it. A property that no document has is often a misspelling of one that they do have: a schema without `additionalProperties:
false` takes both, and the rules of the property hold of nothing (MongoDB's manual, "Specify JSON Schema Validation"). It may as
well be new, or rare, so this is asked only of a database that exists and is looked at, or where the settings give it a
severity. The first thousand documents are looked at together; only what none of them has is looked for in all.

**Anti-pattern**

```json
{ "properties": { "adress": { "bsonType": "object", "required": ["street"] } } }
```

**Best practice**

```json
{ "properties": { "address": { "bsonType": "object", "required": ["street"] } }, "additionalProperties": false }
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.meant import schemas
from checks.pipelines.paths import Expression, Path, Within, gathered, label
from checks.schema.collections import Collection, CollectionKind, collection_reference, validator_reference
from checks.targets import StatementFailed

SEVERITY = Severity.OFF
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "fields of schemas"
PROVES = "are in some document"

#: How many documents are looked at first, and how many fields are asked for at once.
FIRST, TOGETHER = 1_000, 200


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge the properties of every schema by the documents of its collection."""
    with target.documents() as session:
        for collection in target.collections.all:
            paths = list(dict.fromkeys(_named(collection, target))) if collection.kind is CollectionKind.COLLECTION else []
            for place in range(0, len(paths), TOGETHER):
                yield from _judge(collection, paths[place : place + TOGETHER], session)


def _named(collection: Collection, target: DocumentTarget) -> Iterator[Path]:
    declared = [one.validator for one in target.expect.documents.validators if one.collection == collection.name]
    for validator in (collection.validator or {}, *declared):
        for schema in schemas(validator):
            yield from properties(schema)


def properties(schema: object, around: Path = ()) -> Iterator[Path]:
    """The fields that a schema names, those inside after the one that they are in."""
    if not isinstance(schema, Mapping):
        return
    for name, inner in schema.get("properties", {}).items():
        yield (*around, name)
        yield from properties(inner, (*around, name))
    yield from properties(schema.get("items"), (*around, Within.EACH))


def _judge(collection: Collection, paths: Sequence[Path], session: DocumentSession) -> Iterator[Judgement]:
    subjects = {path: f"{collection.name}.{label(path)}" for path in paths}
    reason = "permission denied" if not collection.readable else "" if collection.documents else "no documents"
    lost: set[Path] = set()
    try:
        lost = set() if reason else set(_lost(collection.name, paths, session))
    except StatementFailed as failure:
        if not failure.gap:
            raise
        reason = failure.gap
    for path, subject in subjects.items():
        inside = any(path[:length] in lost for length in range(1, len(path)))
        if reason or inside:
            yield NotProven(subject, reason or f"no document has {label(path[:1])}")
        else:
            yield _finding(subject, collection) if path in lost else Proven(subject, (collection_reference(collection.name),))


def _lost(collection: str, paths: Sequence[Path], session: DocumentSession) -> Sequence[Path]:
    """The fields that no document has: of the first documents, then of all those that are left."""
    left = _without(collection, paths, [{"$limit": FIRST}], session)
    return _without(collection, left, [], session) if left else left


def _without(
    collection: str, paths: Sequence[Path], which: Sequence[Mapping[str, Any]], session: DocumentSession
) -> Sequence[Path]:
    has = {f"f{place}": {"$max": _is_there(path)} for place, path in enumerate(paths)}
    found = next(iter(session.aggregate(collection, [*which, {"$group": {"_id": None, **has}}])), {})
    return [path for place, path in enumerate(paths) if not found.get(f"f{place}")]


def _is_there(path: Path) -> Expression:
    there = gathered(path, lambda value: {"$cond": [{"$eq": [{"$type": value}, "missing"]}, [], [True]]})
    return {"$gt": [{"$size": there}, 0]}


def _finding(subject: str, collection: Collection) -> Finding:
    return Finding(
        subject=subject,
        message=f"the schema of {collection.name} names {subject}, and none of its {collection.documents} documents has it",
        remedy="Correct its name in the schema, or take it out; `additionalProperties: false` refuses what is misspelt.",
        objects=(validator_reference(collection.name), collection_reference(collection.name)),
    )
