"""No document names a parent that belongs to another tenant.

Proves, for every declared reference between two collections that both say whose their documents are, that each document's
parent is its own tenant's. Nothing in MongoDB asks whose a document is: `$lookup` and `find` by an id that a client sent reach
any tenant's. The keys of both sides, with their tenants, are put beside each other in one pipeline (`$unionWith`), and the
documents counted whose tenant is none of those that have the key.

A key that compares the tenant too (`orders.(tenant_id, customer_id) -> customers.(tenant_id, _id)`) leaves nothing to count:
dangling-reference finds a parent of another tenant missing. A parent that names no tenant is everybody's and no cause for
alarm; a child that names none, below a parent that is somebody's, counts. Collections that are `shared` are left out.

**Anti-pattern**

```python
db.orders.insert_one({"tenant_id": tenant_id, "customer_id": request["customer_id"]})  # whose customer it is, is asked of nobody
```

**Best practice**

```python
customer = db.customers.find_one({"_id": request["customer_id"], "tenant_id": tenant_id})
db.orders.insert_one({"tenant_id": tenant_id, "customer_id": customer["_id"]})
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.declared.documents import DocumentReference, FieldPath, Step
from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.keys import shown
from checks.pipelines.references import SAMPLE, Sides, Stage, sides, unwound
from checks.schema.collections import collection_reference
from checks.targets import StatementFailed
from checks.tenants.collections import TenantCollections
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "references between collections of declared tenants"
PROVES = "stay within the tenant"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every reference between two collections that say whose their documents are."""
    tenancy = target.expect.tenancy
    if tenancy is None:
        return
    with target.documents() as session:
        tenants = TenantCollections(target, tenancy, session)
        for reference in dict.fromkeys(target.expect.documents.references):
            try:
                yield from _judged(reference, tenants, session, target)
            except StatementFailed as failure:
                yield unanswered(reference.label, failure)


def _judged(
    reference: DocumentReference, tenants: TenantCollections, session: DocumentSession, target: DocumentTarget
) -> Iterator[Judgement]:
    child, parent = reference.child.collection, reference.parent.collection
    mine, theirs = tenants.wall(child), tenants.wall(parent)
    compared = [column for column in tenants.columns if column in mine and column in theirs]
    if not compared or {path.dotted for path in reference.children} <= set(tenants.columns):
        return  # the reference is of a tenant itself, or one side is nobody's
    if all(tenants.compares(reference, column) for column in compared):
        yield Proven(reference.label)
        return
    if child not in target.filled:
        yield NotProven(reference.label, "no documents")
        return
    two = sides(reference, target.collections)
    ours, other = ([wall[column] for column in compared] for wall in (mine, theirs))
    found = next(iter(session.aggregate(child, _crossing(two, ours, other), collation=two.collation)))
    whole = next(iter(found["all"]), None)
    yield (
        _finding(reference, compared, whole, found["sample"])
        if whole
        else Proven(reference.label, (collection_reference(child), collection_reference(parent)))
    )


def _crossing(two: Sides, ours: Sequence[str], theirs: Sequence[str]) -> Sequence[Stage]:
    """One document: how many references lead to another tenant's parent, and those keys that most do."""
    reference = two.reference
    parents = [*_keys(reference.parents, theirs), {"$group": {"_id": {"key": "$key", "of": "$tenant"}}}]
    return [
        *_keys(reference.children, ours, two.here()),
        {"$group": {"_id": {"key": "$key", "of": "$tenant"}, "references": {"$sum": 1}}},
        {"$project": {"_id": 0, "key": "$_id.key", "child": {"of": "$_id.of", "references": "$references"}}},
        {
            "$unionWith": {
                "coll": reference.parent.collection,
                "pipeline": [*parents, {"$project": {"_id": 0, "key": "$_id.key", "parent": "$_id.of"}}],
            }
        },
        {"$group": {"_id": "$key", "children": {"$push": "$child"}, "parents": {"$addToSet": "$parent"}}},
        {"$match": {"parents": {"$nin": [[], *_nobody(len(theirs))]}}},
        {"$unwind": "$children"},
        {"$match": {"$expr": {"$not": {"$in": ["$children.of", "$parents"]}}}},
        {"$group": {"_id": "$_id", "references": {"$sum": "$children.references"}}},
        {
            "$facet": {
                "all": [{"$group": {"_id": None, "references": {"$sum": "$references"}, "keys": {"$sum": 1}}}],
                "sample": [{"$sort": {"references": -1, "_id": 1}}, {"$limit": SAMPLE}],
            }
        },
    ]


def _nobody(many: int) -> Iterator[Mapping[str, None]]:
    """The tenant of a parent that is everybody's."""
    yield {f"t{number}": None for number in range(many)}


def _keys(paths: Sequence[FieldPath], tenant: Sequence[str], only: Stage | None = None) -> Iterator[Stage]:
    """Every key that is there in full, with the tenant of its document, null where it names none."""
    whose = [FieldPath(paths[0].collection, tuple(Step(name) for name in column.split("."))) for column in tenant]
    yield from unwound([*paths, *whose])
    if only:
        yield {"$match": only}
    key: Any = {f"k{number}": f"${path.dotted}" for number, path in enumerate(paths)}
    of = {f"t{number}": {"$ifNull": [f"${column}", None]} for number, column in enumerate(tenant)}
    yield {"$replaceWith": {"key": key, "tenant": of}}
    yield {"$match": {f"key.k{number}": {"$ne": None} for number in range(len(paths))}}


def _finding(
    reference: DocumentReference, compared: Sequence[str], whole: Mapping[str, Any], sample: Sequence[Mapping[str, Any]]
) -> Finding:
    child, parent, many = reference.child.collection, reference.parent.collection, int(whole["references"])
    what = "references" if any(list(path.arrays) for path in reference.children) else "documents"
    names = f"1 {what[:-1]} of {child} names" if many == 1 else f"{many} {what} of {child} name"
    fields = [path.dotted for path in reference.parents]
    return Finding(
        subject=reference.label,
        message=f"{names} a document of {parent} that has another {' or '.join(compared)}: a look for it by"
        f" {' and '.join(fields)} does not ask whose it is",
        remedy=f"Settle them in a migration; then look for the parent by its {' and '.join(compared)} too, and declare the"
        f" reference so: {_strict(reference, compared)}",
        objects=(collection_reference(child),),
        count=many,
        values=tuple(f"{_shown(fields, one['_id'])} ({one['references']})" for one in sample),
        evidence={"keys": int(whole["keys"]), "parent": parent, "compared": [*compared]},
    )


def _strict(reference: DocumentReference, compared: Sequence[str]) -> str:
    mine = ", ".join((*compared, *(path.spelled for path in reference.children)))
    theirs = ", ".join((*compared, *(path.spelled for path in reference.parents)))
    return f"{reference.child.collection}.({mine}) -> {reference.parent.collection}.({theirs})"


def _shown(fields: Sequence[str], key: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={shown(key[f'k{number}'])}" for number, name in enumerate(fields))
