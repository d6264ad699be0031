"""A field is of one type in all documents.

Proves, for every field of every collection, at any depth and inside arrays, that its values are of one BSON type in all
documents that have it. MongoDB compares within a type only (its manual, "Comparison/Sort Order"): a price that was once written
as text is found by no `{price: {$gt: 10}}`, sorts behind every number and adds nothing to a `$sum`, without an error. Integers
and decimals of any width are all numbers; null and a missing field are no type. Types that are meant are no mixture: a field
whose types an attached or declared schema names, and one beside a field like `type` or `_cls` each of whose values goes with
one type. An object whose keys are data (`prices.2024-01-01`) is one field, `prices.*`.

The counts are exact, of documents, by one scan of the collection.

**Anti-pattern**

```python
db.orders.insert_one({"price": form["price"]})  # "12.50", as it came from the browser
```

**Best practice**

```python
db.orders.insert_one({"price": Decimal128(form["price"])})
db.command("collMod", "orders", validator={"$jsonSchema": {"properties": {"price": {"bsonType": "decimal"}}}})
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.fields import MOST, Field, TooMany, fields, mixed
from checks.pipelines.keys import shown
from checks.pipelines.meant import says_types
from checks.pipelines.paths import Within, dotted, got, kind_of
from checks.pipelines.shell import on, quoted
from checks.pipelines.variants import told_apart
from checks.schema.collections import Collection, CollectionKind, collection_reference
from checks.targets import StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "fields of documents"
PROVES = "are of one type"

#: How many documents of the rarest type a finding shows.
SAMPLE = 5

Validators = tuple[Mapping[str, Any], ...]


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge the fields of every collection that holds documents; a view's are those of its collections."""
    with target.documents() as session:
        for collection in target.collections.all:
            if collection.kind is not CollectionKind.VIEW:
                yield from _judge(collection, _validators(collection, target), session)


def _validators(collection: Collection, target: DocumentTarget) -> Validators:
    declared = (one.validator for one in target.expect.documents.validators if one.collection == collection.name)
    return (collection.validator or {}, *declared)


def _judge(collection: Collection, validators: Validators, session: DocumentSession) -> Iterator[Judgement]:
    if not collection.readable:
        yield NotProven(collection.name, "permission denied")
        return
    if not collection.documents:
        return
    try:
        yield from list(_fields(collection, validators, session))
    except TooMany:
        yield NotProven(collection.name, f"its documents have more than {MOST} different fields")
    except StatementFailed as failure:
        yield unanswered(collection.name, failure)


def _fields(collection: Collection, validators: Validators, session: DocumentSession) -> Iterator[Judgement]:
    found = fields(collection.name, collection.documents, session)
    torn = set(mixed(found))
    for one in found:
        subject = f"{collection.name}.{one.label}"
        if one in torn and one.keys_are_data and not one.rare:
            yield NotProven(subject, "an object whose keys are data, and so are the types of its values")
            continue
        meant = one in torn and any(says_types(validator, one.path) for validator in validators)
        if one in torn and not meant and not told_apart(collection.name, one, found, session):
            yield _finding(subject, collection, one, session)
        elif one.kinds:
            yield Proven(subject, (collection_reference(collection.name),))


def _finding(subject: str, collection: Collection, one: Field, session: DocumentSession) -> Finding:
    common, *others = one.kinds.items()
    count = sum(number for _, number in others)
    said = ", ".join(f"{kind} in {number} {_documents(number)}" for kind, number in one.kinds.items())
    counts: dict[str, Json] = dict(one.kinds)
    return Finding(
        subject=subject,
        message=f"{subject} is of more than one type: {said}",
        remedy=_remedy(collection.name, one, others[-1][0], common[0]),
        objects=(collection_reference(collection.name),),
        count=count,
        values=tuple(f"_id={shown(key)}" for key in _sample(collection.name, one, others[-1][0], session)),
        evidence={"types": counts},
    )


def _documents(number: int) -> str:
    return "document" if number == 1 else "documents"


def _remedy(collection: str, one: Field, rare: str, common: str) -> str:
    path = dotted(one.path)
    look = f"{on(collection)}.find({{{quoted(path)}: {{$type: {quoted(rare)}}}}})" if path and not _many(one) else "Look for them"
    return f"{look}; make them {common} in a migration, and name the type in the collection's schema (`bsonType`)."


def _many(one: Field) -> bool:
    return any(isinstance(step, Within) for step in one.path)


def _sample(collection: str, one: Field, rare: str, session: DocumentSession) -> list[Any]:
    """Some documents in which it is of the rarest type; of fields inside arrays none are looked for."""
    if _many(one):
        return []
    kind = kind_of(got([str(name) for name in one.path]))
    small = {"$lt": [{"$bsonSize": {"_id": "$_id"}}, 1_000]}
    of_it = {"$expr": {"$and": [{"$eq": [kind, rare]}, small]}}
    stages: list[Mapping[str, Any]] = [{"$match": of_it}, {"$limit": SAMPLE}, {"$project": {"_id": 1}}]
    return [found["_id"] for found in session.aggregate(collection, stages)]
