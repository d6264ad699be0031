"""A reference's field has its parent's type.

Proves, for every declared reference, that each value of the child's field is of a type that the parent's has: by the documents
of both sides (one look at each field), and by the types that the validators of both name, which say what is still to come. A
text is never equal to an ObjectId, nor `"42"` to 42 (manual, "Comparison/Sort Order"): such a reference finds no parent,
`$lookup` gives an empty array, and no error is raised anywhere. All numbers compare with each other (int, long, double,
decimal), so they are one here. A field that is null or missing refers to nothing. A side without documents is judged by its
validator alone; where that names no type either, nothing is proven.

**Anti-pattern**

```python
db.orders.insert_one({"customer_id": str(customer["_id"])})  # found by nobody who looks for the ObjectId
```

**Best practice**

```python
db.command("collMod", "orders", validator={"$jsonSchema": {"properties": {"customer_id": {"bsonType": "objectId"}}}})
db.orders.insert_one({"customer_id": customer["_id"]})
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from checks.declared.documents import DocumentReference, FieldPath
from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.references import each_value
from checks.pipelines.types import comparable, demanded, families, listed
from checks.schema.collections import collection_reference, validator_reference
from checks.targets import StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "declared references"
PROVES = "have their parent's types"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every declared reference by the types of its fields; a field of several references is looked at once."""
    with target.documents() as session:
        sides = _Sides(target, session)
        for reference in dict.fromkeys(target.expect.documents.references):
            try:
                yield _judged(reference, sides)
            except StatementFailed as failure:
                yield unanswered(reference.label, failure)


class _Sides:
    """The types of fields, of their documents and of their validators."""

    def __init__(self, target: DocumentTarget, session: DocumentSession) -> None:
        self._target = target
        self._session = session
        self.held = cache(self._held)

    def _held(self, path: FieldPath) -> Mapping[str, int]:
        """How many values a field has of each type, the commonest first."""
        known = self._target.collections.collection.get(path.collection)
        if known is not None and not known.readable:
            raise StatementFailed("permission denied", gap=f"permission denied to read {path.collection}")
        if path.collection not in self._target.filled:
            return {}
        counted = [*each_value(path), {"$group": {"_id": {"$type": "$_id"}, "values": {"$sum": 1}}}]
        found = {str(one["_id"]): int(one["values"]) for one in self._session.aggregate(path.collection, counted)}
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    def demanded(self, path: FieldPath) -> frozenset[str]:
        """The types that the collection's validator names for a field, else the declared one's."""
        known = self._target.collections.collection.get(path.collection)
        declared = (one.validator for one in self._target.expect.documents.validators if one.collection == path.collection)
        return demanded((known.validator if known else None) or next(declared, None), path)


def _judged(reference: DocumentReference, sides: _Sides) -> Judgement:
    unknown: list[str] = []
    for child, parent in zip(reference.children, reference.parents, strict=True):
        mine, theirs = sides.held(child), sides.held(parent)
        allowed, keys = sides.demanded(child), sides.demanded(parent)
        if found := _by_documents(reference, child, parent, mine, theirs or dict.fromkeys(keys, 0)):
            return found
        if allowed and keys and not families(allowed) & families(keys):
            return _by_validators(reference, child, parent, allowed, keys)
        lacking = (path for path, known in ((child, mine or allowed), (parent, theirs or keys)) if not known)
        unknown.extend(path.label for path in lacking)
    reason = f"neither a document nor a validator says what type {' and '.join(unknown)} has"
    return NotProven(reference.label, reason) if unknown else Proven(reference.label)


def _by_documents(
    reference: DocumentReference, child: FieldPath, parent: FieldPath, mine: Mapping[str, int], theirs: Mapping[str, int]
) -> Finding | None:
    """What is wrong by the values that are there."""
    unlike = {name: times for name, times in mine.items() if theirs and comparable(name) not in families(theirs)}
    if not unlike:
        return None
    many, total = sum(unlike.values()), sum(mine.values())
    some = f"all {total} values" if many == total > 1 else f"{many} of {total} values" if total > 1 else "the one value"
    return Finding(
        subject=reference.label,
        message=f"{some} of {child.label} {'is' if many == 1 else 'are'} {listed(unlike)}, those of {parent.label}"
        f" {listed(theirs)}: they are never equal",
        remedy="Convert them in a migration ($toObjectId, $toString, $toLong in an update with a pipeline), and let the validator"
        f" of {child.collection} demand {listed(theirs)}.",
        objects=(collection_reference(child.collection), collection_reference(parent.collection)),
        count=many,
        evidence={"child": dict(mine), "parent": dict(theirs)},
    )


def _by_validators(
    reference: DocumentReference, child: FieldPath, parent: FieldPath, allowed: frozenset[str], keys: frozenset[str]
) -> Finding:
    return Finding(
        subject=reference.label,
        message=f"the validator of {child.collection} wants {child.dotted} to be {listed(allowed)}, that of {parent.collection}"
        f" wants {parent.dotted} to be {listed(keys)}: they are never equal",
        remedy=f"Let the validator of {child.collection} demand {listed(keys)} for {child.dotted} (collMod), or the parent's the"
        " other way round.",
        objects=(validator_reference(child.collection), collection_reference(child.collection)),
        evidence={"child": [*sorted(allowed)], "parent": [*sorted(keys)]},
    )
