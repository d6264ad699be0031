"""Every reference has an index on both of its sides.

Proves, for every declared reference, that an index begins with the child's field, by which the children of a parent are found
before it is deleted and with each `$lookup` from the parent, and that one begins with the parent's, by which a child's parent
is found. Without one the server reads every document of the collection, each time (manual, "Query Plans": COLLSCAN). A notice;
how many documents that are is said. Nothing in MongoDB makes these indexes by itself, save the one on `_id`.

An index serves where the reference's fields are its first ones, in any order and direction; on one field a hashed or wildcard
index does as well. A sparse index holds every document that refers. A partial one does not, whatever its filter: the server
uses it for queries alone that repeat the filter. Neither does a hidden one, nor one of another collation than the collection's,
nor a text or geo index. An index on an array's elements serves them. A view has no indexes of its own and is not judged.

**Anti-pattern**

```python
db.create_collection("subscriptions")  # deleting a company reads them all, to find its own
```

**Best practice**

```python
db.subscriptions.create_index("company_name", name="company_name_idx")
db.companies.create_index("company_name", name="company_name_unique", unique=True)
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.declared.documents import FieldPath, key_label
from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.collections import Collection, CollectionIndex, CollectionKind, collection_reference
from checks.schema.indexes import create, same_collation

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "sides of references"
PROVES = "are served by an index"

#: From how many documents on reading them all is worth a word.
_MANY = 1_000

Key = tuple[FieldPath, ...]


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge both sides of every declared reference, each key once."""
    references = target.expect.documents.references
    children = {one.children: f"each look for the documents that refer to one of {one.parent.collection}" for one in references}
    parents = {one.parents: f"each look for the one that a document of {one.child.collection} refers to" for one in references}
    for key, cost in {**parents, **children}.items():
        yield _judged(key, cost, target)


def _judged(key: Key, cost: str, target: DocumentTarget) -> Judgement:
    label = key_label(key)
    collection = target.collections.collection.get(key[0].collection)
    if collection is None:
        return NotProven(label, f"there is no collection {key[0].collection}")
    if collection.kind is CollectionKind.VIEW:
        return NotProven(label, f"{collection.name} is a view, which has no indexes of its own")
    if not collection.readable:
        return NotProven(label, f"permission denied to read {collection.name}")
    fields = [path.dotted for path in key]
    if fields == ["_id"] or any(serves(index, fields, collection) for index in collection.indexes):
        return Proven(label)
    return _finding(label, fields, collection, cost)


def serves(index: CollectionIndex, fields: Sequence[str], collection: Collection) -> bool:
    """Whether the server finds documents by these fields with it, whatever else a query asks."""
    return leads(index, fields) and not _why_not(index, collection)


def leads(index: CollectionIndex, fields: Sequence[str]) -> bool:
    """Whether it begins with these fields, in any order and direction; or is a wildcard that holds the one field."""
    first = index.keys[: len(fields)]
    if len(fields) == 1 and index.keys and (wildcard := index.keys[0][0]).endswith("$**"):
        within = wildcard[: -len("$**")]
        return fields[0].startswith(within) and not index.options.get("wildcardProjection")
    kinds = {kind for _, kind in first}
    return {name for name, _ in first} == set(fields) and all(kind in (1, -1, "hashed") for kind in kinds)


def _why_not(index: CollectionIndex, collection: Collection) -> str:
    """What keeps an index that leads from serving; empty where nothing does."""
    if index.hidden:
        return "is hidden"
    if index.partial_filter is not None:
        return "is partial"
    if not same_collation(index.collation, collection.options.get("collation")):
        return "compares by another collation than the collection"
    return ""


def _finding(label: str, fields: Sequence[str], collection: Collection, cost: str) -> Finding:
    near = next(
        (f" ({one.name} {why})" for one in collection.indexes if leads(one, fields) and (why := _why_not(one, collection))), ""
    )
    documents = collection.documents
    reads = f": {cost} reads all {documents} documents" if documents >= _MANY else ""
    first = fields[0].replace(".", "_") if len(fields) == 1 else "_".join(name.replace(".", "_") for name in fields)
    wanted = CollectionIndex(f"{first}_idx", tuple((name, 1) for name in fields))
    return Finding(
        subject=label,
        message=f"no index of {collection.name} begins with {' and '.join(fields)}{near}{reads}",
        remedy=create(collection.name, wanted),
        objects=(collection_reference(collection.name),),
        count=documents if documents >= _MANY else None,
        evidence={"documents": documents, "fields": list(fields)},
    )
