"""No document refers to one that does not exist.

Proves, for every reference under `references` in `[databases.NAME.expect]`, that each value of the child's field stands in a
document of the parent's collection. MongoDB has no foreign keys (its manual, "Database References"): nothing but the application
keeps a company from going while its subscriptions stay. `[]` marks an array, each of whose elements refers
(`invoices.lines[].subscription_id`); dots lead into sub-documents. A field that is missing or null refers to nothing and is fine.
Values are equal where the server finds them equal: 1 and 1.0 are, an ObjectId and its text are not.

The counts are exact, of references and of missing parents. Keys are grouped on the server, the parent's are put beside them with
`$unionWith`, and what has no parent is left: each side is read once, however many keys there are, and sorting may use the
server's disk. A collection without documents, or whose documents all lack the field, proves nothing.

**Anti-pattern**

```python
db.companies.delete_one({"company_name": name})         # its subscriptions go on, and are charged to nobody
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
from typing import Any

from checks.document_expectations import DocumentReference, FieldPath
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.keys import shown
from checks.schema.collections import collection_reference
from checks.targets import DocumentSession, DocumentTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "references between documents"
PROVES = "find their parents"

#: How many missing parents a finding shows, of however many there are.
SAMPLE = 5

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
        found: Mapping[str, Any] = next(iter(session.aggregate(child.collection, dangling(reference))), {"all": []})
        if found["all"]:
            return _finding(reference, found)
        refers = any(True for _ in session.aggregate(child.collection, [*_values(child), {"$limit": 1}]))
    except StatementFailed as failure:
        if not failure.gap:
            raise
        return NotProven(reference.label, failure.gap)
    return Proven(reference.label) if refers else NotProven(reference.label, f"no document has {child.dotted}")


def dangling(reference: DocumentReference) -> Sequence[Stage]:
    """One document: how many references have no parent and how many parents they name, and those named most often."""
    parent = reference.parent
    parents = {"coll": parent.collection, "pipeline": [*_values(parent), {"$set": {"parent": True}}]}
    return [
        *_values(reference.child),
        {"$group": {"_id": "$_id", "references": {"$sum": 1}}},
        {"$unionWith": parents},
        {"$group": {"_id": "$_id", "references": {"$sum": "$references"}, "parent": {"$max": "$parent"}}},
        {"$match": {"parent": None}},
        {
            "$facet": {
                "all": [{"$group": {"_id": None, "references": {"$sum": "$references"}, "missing": {"$sum": 1}}}],
                "sample": [{"$sort": {"references": -1, "_id": 1}}, {"$limit": SAMPLE}],
            }
        },
    ]


def _values(path: FieldPath) -> Iterator[Stage]:
    """Every value of a field that is there and not null, each as the ``_id`` of a document of its own."""
    yield {"$project": {"_id": int(path.dotted == "_id"), path.dotted: 1}}
    for array in path.arrays:
        yield {"$unwind": f"${array}"}
    if path.dotted != "_id":
        yield {"$project": {"_id": f"${path.dotted}"}}
    yield {"$match": {"_id": {"$ne": None}}}


def _finding(reference: DocumentReference, found: Mapping[str, Any]) -> Finding:
    child, parent = reference.child, reference.parent
    count, missing = int(found["all"][0]["references"]), int(found["all"][0]["missing"])
    what = "references" if list(child.arrays) else "documents"
    many = f"{count} {what} of {child.collection} name" if count != 1 else f"1 {what[:-1]} of {child.collection} names"
    named = f"{missing} different ones" if missing != 1 else "1 that is missing"
    arrays = any(isinstance(one["_id"], list) for one in found["sample"])
    hint = f" Some values of {child.dotted} are arrays: write {child.label}[] if each element refers." if arrays else ""
    return Finding(
        subject=reference.label,
        message=f"{many} a {parent.label} that does not exist, {named}",
        remedy=f"Settle them in a migration: give them a parent, make the missing ones, or remove them.{hint}",
        objects=(collection_reference(child.collection),),
        count=count,
        values=tuple(f"{parent.dotted}={shown(one['_id'])} ({one['references']})" for one in found["sample"]),
        evidence={"missing": missing, "parent": parent.label},
    )
