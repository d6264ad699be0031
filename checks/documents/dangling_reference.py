"""No document refers to one that does not exist.

Proves, for every reference under `references` in `[databases.NAME.expect]`, that each value of the child's field stands in a
document of the parent's collection. MongoDB has no foreign keys (its manual, "Database References"): nothing but the application
keeps a company from going while its subscriptions stay. `[]` marks an array, each of whose elements refers
(`invoices.lines[].subscription_id`); dots lead into sub-documents. A field that is missing or null refers to nothing and is fine.
Values are equal where the server finds them equal: 1 and 1.0 are, an ObjectId and its text are not.

The counts are exact, of references and of missing parents. The different keys are put beside the parent's with `$unionWith`, and
those that have no parent are left: each side is read once, the child by its index where it has one, however many keys there are,
and grouping may use the server's disk. Only where some are left their references are counted. A collection without documents, or
whose documents all lack the field, proves nothing.

**Anti-pattern**

```python
db.companies.delete_one({"company_name": name})  # its subscriptions go on, and are charged to nobody
```

**Best practice**

```python
with client.start_session() as session, session.start_transaction():
    db.subscriptions.delete_many({"company_name": name}, session=session)
    db.companies.delete_one({"company_name": name}, session=session)
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from re import Pattern
from typing import Any

from checks.declared.documents import DocumentReference, FieldPath
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.keys import shown
from checks.schema.collections import collection_reference
from checks.targets import DocumentSession, DocumentTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "references between documents"
PROVES = "find their parents"

#: How many missing parents a finding shows, of however many there are.
SAMPLE = 5
#: Up to how many missing keys are looked for by themselves.
FEW = 1_000

Stage = Mapping[str, Any]


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every declared reference by the documents of both sides."""
    with target.documents() as session:
        for reference in dict.fromkeys(target.expect.documents.references):
            yield _judge(reference, target, session)


def _judge(reference: DocumentReference, target: DocumentTarget, session: DocumentSession) -> Judgement:
    child = reference.child
    if child.collection not in target.filled:
        return NotProven(reference.label, "no documents")
    try:
        keys = [one["_id"] for one in session.aggregate(child.collection, missing(reference))]
        if keys:
            return _finding(reference, _counted(reference, keys, session))
        refers = any(True for _ in session.aggregate(child.collection, [*each_value(child), {"$limit": 1}]))
    except StatementFailed as failure:
        if not failure.gap:
            raise
        return NotProven(reference.label, failure.gap)
    return Proven(reference.label) if refers else NotProven(reference.label, f"no document has {child.dotted}")


@dataclass(frozen=True)
class _Dangling:
    """How many references dangle, how many parents they name, and the parents that are named most often."""

    references: int
    missing: int
    sample: Sequence[tuple[Any, int]]


def missing(reference: DocumentReference) -> Sequence[Stage]:
    """The keys that have no parent, at most one more than :data:`FEW`.

    A group without a sum is what the server takes from an index alone, and skips from key to key.
    """
    child, parent = reference.child, reference.parent
    plain: Stage = {"$group": {"_id": f"${child.dotted}"}}
    return [
        *([*each_value(child), {"$group": {"_id": "$_id"}}] if list(child.arrays) else [plain]),
        {"$unionWith": {"coll": parent.collection, "pipeline": [*each_value(parent), {"$set": {"parent": True}}]}},
        {"$group": {"_id": "$_id", "parent": {"$max": "$parent"}}},
        {"$match": {"parent": None, "_id": {"$ne": None}}},
        {"$limit": FEW + 1},
    ]


def _counted(reference: DocumentReference, keys: Sequence[Any], session: DocumentSession) -> _Dangling:
    """The references to missing parents: of a few keys by looking for these, of many by counting all keys' references."""
    child = reference.child
    if len(keys) > FEW or any(isinstance(key, list | Pattern) for key in keys):  # those mean something else to `$in`
        found = next(iter(session.aggregate(child.collection, _all(reference))))
        whole = found["all"][0]
        return _Dangling(whole["references"], whole["missing"], [(one["_id"], one["references"]) for one in found["sample"]])
    named = list(session.aggregate(child.collection, references(child, keys)))
    named.sort(key=lambda one: -int(one["references"]))
    sample = [(one["_id"], one["references"]) for one in named[:SAMPLE]]
    return _Dangling(sum(one["references"] for one in named), len(named), sample)


def references(child: FieldPath, keys: Sequence[Any]) -> Sequence[Stage]:
    """How often each of a few keys is referred to, in the order of keys."""
    return [
        {"$match": {child.dotted: {"$in": list(keys)}}},
        *each_value(child),
        {"$match": {"_id": {"$in": list(keys)}}},
        {"$group": {"_id": "$_id", "references": {"$sum": 1}}},
        {"$sort": {"_id": 1}},
    ]


def _all(reference: DocumentReference) -> Sequence[Stage]:
    """One document: how many references have no parent and how many parents they name, and those named most often."""
    parent = reference.parent
    return [
        *each_value(reference.child),
        {"$group": {"_id": "$_id", "references": {"$sum": 1}}},
        {"$unionWith": {"coll": parent.collection, "pipeline": [*each_value(parent), {"$set": {"parent": True}}]}},
        {"$group": {"_id": "$_id", "references": {"$sum": "$references"}, "parent": {"$max": "$parent"}}},
        {"$match": {"parent": None}},
        {
            "$facet": {
                "all": [{"$group": {"_id": None, "references": {"$sum": "$references"}, "missing": {"$sum": 1}}}],
                "sample": [{"$sort": {"references": -1, "_id": 1}}, {"$limit": SAMPLE}],
            }
        },
    ]


def each_value(path: FieldPath) -> Iterator[Stage]:
    """Every value of a field that is there and not null, each as the ``_id`` of a document of its own."""
    yield {"$project": {"_id": int(path.dotted == "_id"), path.dotted: 1}}
    for array in path.arrays:
        yield {"$unwind": f"${array}"}
    if path.dotted != "_id":
        yield {"$project": {"_id": f"${path.dotted}"}}
    yield {"$match": {"_id": {"$ne": None}}}


def _finding(reference: DocumentReference, dangling: _Dangling) -> Finding:
    child, parent = reference.child, reference.parent
    count = dangling.references
    what = "references" if list(child.arrays) else "documents"
    many = f"{count} {what} of {child.collection} name" if count != 1 else f"1 {what[:-1]} of {child.collection} names"
    named = f"{dangling.missing} different ones" if dangling.missing != 1 else "1 that is missing"
    arrays = any(isinstance(key, list) for key, _ in dangling.sample)
    hint = f" Some values of {child.dotted} are arrays: write {child.label}[] if each element refers." if arrays else ""
    return Finding(
        subject=reference.label,
        message=f"{many} a {parent.label} that does not exist, {named}",
        remedy=f"Settle them in a migration: give them a parent, make the missing ones, or remove them.{hint}",
        objects=(collection_reference(child.collection),),
        count=count,
        values=tuple(f"{parent.dotted}={shown(key)} ({times})" for key, times in dangling.sample),
        evidence={"missing": dangling.missing, "parent": parent.label},
    )
