"""Every declared index is there, as it is declared, and no other is unique.

Proves, for every index under `indexes` in `[databases.NAME.expect]`, that the collection has it: the same keys in the same order,
unique or not, sparse, partial, expiring, with the same collation, hidden or not. A missing index makes a query read every
document; a unique one too many makes the server refuse what the application means to write, which shows only with the second
document (error 11000). So of the collections that indexes are declared for, another index that is unique is an error too, and one
that is not is a notice: it costs on each write. Collections that no index is declared for are not judged. Where dbproof itself
applied the declaration (`tool = "declared"`) this proves nothing and says so.

**Anti-pattern**

```python
def up(db):  # a company can now hold one subscription, for ever
    db.subscriptions.create_index("company_name", unique=True, name="company_name_unique")
```

**Best practice**

```toml
[databases.docs.expect.indexes.subscriptions]         # what each collection needs stands in one place, and is compared
company_name_idx = { keys = ["company_name"] }
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.documents import DeclaredIndex
from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.collections import Collection, CollectionIndex, collection_reference, index_reference
from checks.schema.indexes import create, differences, drop, keys
from checks.traces import applied_by_us, told_at, where_lost

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "declared indexes"
PROVES = "are there as declared"

#: The index that every collection has.
_ID = "_id_"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every declared index, then those that stand beside them and are not declared."""
    declared = target.expect.documents.indexes
    instead: set[tuple[str, str]] = set()
    for one in declared:
        collection = target.collections.collection.get(one.collection)
        found = _found(one, collection, declared)
        if found is not None:
            instead.add((one.collection, found.name))
        yield _judge(one, collection, found, target)
    for name in dict.fromkeys(one.collection for one in declared):
        names = {one.index.name for one in declared if one.collection == name} | {_ID}
        collection = target.collections.collection.get(name)
        for index in collection.indexes if collection else ():
            if index.name not in names and (name, index.name) not in instead:
                yield _undeclared(name, index)


def _found(declared: DeclaredIndex, collection: Collection | None, others: tuple[DeclaredIndex, ...]) -> CollectionIndex | None:
    """The index of that name, else the one that stands in its place: on the same keys, and declared by no other name."""
    if collection is None:
        return None
    if declared.index.name in collection.index:
        return collection.index[declared.index.name]
    taken = {one.index.name for one in others if one.collection == declared.collection}
    same = (one for one in collection.indexes if one.keys == declared.index.keys and one.name not in taken)
    return min(same, key=lambda one: len(list(differences(declared.index, one))), default=None)


def _judge(
    declared: DeclaredIndex, collection: Collection | None, found: CollectionIndex | None, target: DocumentTarget
) -> Judgement:
    differ = list(differences(declared.index, found)) if found else []
    renamed = found is not None and found.name != declared.index.name
    if found is not None and not differ and not renamed:
        ours = applied_by_us(declared.reference, declared.place, target.evidence)
        return NotProven(declared.label, "applied from this declaration") if ours else Proven(declared.label)
    if collection is not None and not collection.readable:
        return NotProven(declared.label, "permission denied")
    if target.evidence.incomplete:
        return NotProven(declared.label, "not as declared, the migrations failed")
    if found is None:
        return _missing(declared, collection, target)
    return _different(declared, found, differ, renamed, target)


def _missing(declared: DeclaredIndex, collection: Collection | None, target: DocumentTarget) -> Finding:
    place, statement = where_lost(declared.reference, target.evidence)
    nothing = "" if collection else f", nor a collection {declared.collection}"
    objects = (declared.reference, collection_reference(declared.collection))
    return Finding(
        subject=f"{declared.label} (missing)",
        message=f"there is no index {declared.label} on {keys(declared.index)}{nothing}",
        remedy=f"Build it in a migration: {create(declared.collection, declared.index)}",
        objects=objects,
        place=place or (told_at(objects, declared.place, target.evidence) if collection else declared.place),
        evidence={"statement": statement} if statement else {},
    )


def _different(
    declared: DeclaredIndex, found: CollectionIndex, differ: list[str], renamed: bool, target: DocumentTarget
) -> Finding:
    objects = (index_reference(declared.collection, found.name), collection_reference(declared.collection))
    if not differ:
        words = f"{declared.label} is there under another name, {found.name}"
    elif renamed:
        words = f"{declared.label} is not there; in its place {found.name} {', '.join(differ)}"
    else:
        words = f"{declared.label} {', '.join(differ)}"
    meaning = f": no two documents can have the same {_fields(found)}" if found.unique and not declared.index.unique else ""
    rebuild = f"{drop(declared.collection, found.name)}; {create(declared.collection, declared.index)}"
    return Finding(
        subject=declared.label,
        message=f"{words}{meaning}",
        remedy=f"{rebuild}. No document is touched.",
        severity=None if differ else Severity.NOTICE,
        objects=objects,
        place=told_at(objects, declared.place, target.evidence),
        evidence={"found": found.name, "keys": keys(found), "differs": list(differ)},
    )


def _undeclared(collection: str, index: CollectionIndex) -> Finding:
    label = f"{collection}.{index.name}"
    refuses = f" and is unique: no two documents can have the same {_fields(index)}" if index.unique else ""
    return Finding(
        subject=f"{label} (undeclared)",
        message=f"{label} on {keys(index)} is not declared{refuses}",
        remedy=f"Declare it under `indexes`, or drop it in a migration: {drop(collection, index.name)}. No document is touched.",
        severity=None if index.unique else Severity.NOTICE,
        objects=(index_reference(collection, index.name), collection_reference(collection)),
    )


def _fields(index: CollectionIndex) -> str:
    return " and ".join(index.fields)
