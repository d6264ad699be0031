"""No index is the beginning of another one.

Proves that no plain index is one that another of its collection can stand in for: the other begins with the same fields, in the
same directions or all of them turned round, with the same collation, over the same documents (manual, "Compound Indexes": index
prefixes). Each write keeps both up to date, and both take their share of memory. A notice, because the shorter one is smaller,
and somebody may want just that.

What does more than find documents is never called redundant: `_id`, a unique index, one that expires documents (TTL), a text,
geo, hashed or wildcard index. A partial index is compared with those of the same filter only, a sparse one with sparse ones and
with those of all documents; a hidden index stands in for nothing. Of twins, the same index under two names (`{a: 1}` and `{a:
-1}`, for one), the first by name stays, before it one that does more.

**Anti-pattern**

```python
db.invoices.create_index("company_name")
db.invoices.create_index([("company_name", 1), ("issued_at", -1)])  # finds the invoices of a company just as well
```

**Best practice**

```python
db.invoices.drop_index("company_name_1")
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.collections import Collection, CollectionIndex, collection_reference, index_reference
from checks.schema.indexes import drop, keys, same_collation

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "indexes"
PROVES = "do what no other index does"

#: The index that every collection has.
_ID = "_id_"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every index by the others of its collection."""
    for collection in target.collections.all:
        if not collection.readable:
            yield NotProven(collection.name, "permission denied")
        for index in collection.indexes:
            if index.name != _ID:
                longer = next((other for other in collection.indexes if stands_in(other, index)), None)
                yield _finding(index, longer, collection) if longer else Proven(f"{collection.name}.{index.name}")


def stands_in(other: CollectionIndex, index: CollectionIndex) -> bool:
    """Whether ``other`` finds all that the plain ``index`` finds, as directly; of twins only one stands in for the other."""
    return (
        other.name != index.name
        and _plain(index)
        and _ordered(other)
        and not other.hidden
        and _begins(other, index)
        and same_collation(other.collation, index.collation)
        and other.partial_filter == index.partial_filter
        and (index.sparse or not other.sparse)
        and (len(other.keys) > len(index.keys) or _stays(other, index))
    )


def _plain(index: CollectionIndex) -> bool:
    """Whether it does no more than find documents."""
    return not index.unique and index.expire_after_seconds is None and _ordered(index)


def _ordered(index: CollectionIndex) -> bool:
    return all(kind in (1, -1) and not name.endswith("$**") for name, kind in index.keys)


def _begins(other: CollectionIndex, index: CollectionIndex) -> bool:
    first = other.keys[: len(index.keys)]
    return first in (index.keys, tuple((name, -int(kind)) for name, kind in index.keys))


def _stays(other: CollectionIndex, index: CollectionIndex) -> bool:
    """Which of two on the same fields stays: the one that does more, else the first by name."""
    mine, theirs = ((not _plain(one), not one.sparse, not one.hidden) for one in (index, other))
    return theirs > mine or (theirs == mine and other.name < index.name)


def _finding(index: CollectionIndex, longer: CollectionIndex, collection: Collection) -> Finding:
    twins = len(index.keys) == len(longer.keys)
    what = f"is the same index as {longer.name}" if twins else f"finds nothing that {longer.name} does not find as well"
    return Finding(
        subject=f"{collection.name}.{index.name}",
        message=f"{index.name} of {collection.name}, on {keys(index)}, {what}, on {keys(longer)}",
        remedy=f"{drop(collection.name, index.name)}. No document is touched; where it is declared under `indexes`, its line goes"
        " too.",
        objects=(
            index_reference(collection.name, index.name),
            index_reference(collection.name, longer.name),
            collection_reference(collection.name),
        ),
        evidence={"index": keys(index), "stands in": keys(longer)},
    )
