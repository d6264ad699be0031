"""No two documents share a key by which one of them is meant.

Proves, for every key that a declared reference refers to, and for every index that is declared to be unique, that no two
documents have the same values in it. Of two companies of one name nobody can tell whose the subscriptions are, and deleting one
leaves the others' references standing; and a unique index is not built where documents share its key already (manual, "Unique
Indexes"; error 11000), so that a declared one may just not be there. Where a unique index over all documents stands, it is
believed, and nothing is read. A key that a whole unique index is declared for is judged as that index.

Of a reference's key documents without the field are left out, of a unique index's they share null, as the server has it; a
partial index is about its own documents, a sparse one about those that have a field of it. Texts are compared by the
collection's collation, or the index's. The counts are exact, of keys and of documents.

**Anti-pattern**

```python
db.companies.create_index("company_name", name="company_name_idx")  # two companies of one name are taken
```

**Best practice**

```python
db.companies.create_index("company_name", name="company_name_unique", unique=True)
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from checks.declared.documents import DeclaredIndex, FieldPath, key_label
from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.keys import shown
from checks.pipelines.shared import Shared, keys_of, keys_under, shared
from checks.schema.collections import Collection, CollectionIndex, collection_reference
from checks.schema.indexes import create, same_collation
from checks.targets import StatementFailed
from checks.traces import where_lost
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "keys that documents are named by"
PROVES = "are had by one document each"


@dataclass(frozen=True)
class _Key:
    """A key that one document is to have: what it is called, and its fields.

    ``index`` is what is declared to be unique, if the key is one's; ``declared`` the unique index that would keep it so.
    """

    label: str
    collection: str
    fields: Sequence[str]
    paths: Sequence[FieldPath] = ()
    index: CollectionIndex | None = None
    declared: DeclaredIndex | None = None


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge each index that is declared to be unique, then each key that references lead to and that is none of these."""
    declared = [one for one in target.expect.documents.indexes if one.index.unique]
    keys = [_Key(one.label, one.collection, one.index.fields, index=one.index, declared=one) for one in declared]
    whole = {(one.collection, frozenset(one.fields)) for one in keys if one.index and one.index.partial_filter is None}
    for paths in dict.fromkeys(one.parents for one in target.expect.documents.references):
        fields = tuple(path.dotted for path in paths)
        if (paths[0].collection, frozenset(fields)) not in whole:
            near = next(
                (one for one in declared if one.collection == paths[0].collection and set(one.index.fields) <= set(fields)), None
            )
            keys.append(_Key(key_label(paths), paths[0].collection, fields, paths, declared=near))
    with target.documents() as session:
        for key in keys:
            yield _judged(key, target, session)


def _judged(key: _Key, target: DocumentTarget, session: DocumentSession) -> Judgement:
    collection = target.collections.collection.get(key.collection)
    if collection is None:
        return NotProven(key.label, f"there is no collection {key.collection}")
    if not collection.readable:
        return NotProven(key.label, f"permission denied to read {collection.name}")
    if any(_holds(index, key, collection) for index in collection.indexes):
        return Proven(key.label)
    if collection.name not in target.filled:
        return NotProven(key.label, "no documents")
    try:
        keys = keys_under(key.index, collection, session) if key.index else keys_of(key.paths, collection)
        found = shared(keys, session)
    except StatementFailed as failure:
        return unanswered(key.label, failure)
    return _finding(key, found, collection, target) if found.keys else Proven(key.label, (collection_reference(collection.name),))


def _holds(index: CollectionIndex, key: _Key, collection: Collection) -> bool:
    """Whether the server lets no second document have such a key: a unique index over it, or a part of it, sees to that."""
    if index.name == "_id_":
        return "_id" in key.fields and not any(list(path.arrays) for path in key.paths)
    wanted = key.index.collation if key.index else None
    same_documents = index.partial_filter is None or (key.index is not None and index.partial_filter == key.index.partial_filter)
    sparse = index.sparse and key.index is not None and not key.index.sparse  # it lets several documents be without the field
    return (
        index.unique
        and set(index.fields) <= set(key.fields)
        and same_documents
        and not sparse
        and same_collation(index.collation, wanted or collection.options.get("collation"))
    )


def _finding(key: _Key, found: Shared, collection: Collection, target: DocumentTarget) -> Finding:
    fields = " and ".join(key.fields)
    many = f"1 {fields} is had" if found.keys == 1 else f"{found.keys} different {fields} are had"
    why = "one of them is to be unique" if key.index else "a reference is to mean one of them"
    return Finding(
        subject=key.label,
        message=f"{many} by {found.documents} documents of {collection.name}, and {why}",
        remedy=f"Settle them in a migration: merge the documents, or give each a key of its own; then {_build(key, collection)}",
        objects=(collection_reference(collection.name),),
        place=where_lost(key.declared.reference, target.evidence)[0] if key.declared else None,
        count=found.documents,
        values=tuple(f"{_shown(key, value)} ({times})" for value, times in found.sample),
        evidence={"keys": found.keys, "documents": found.documents, "fields": [*key.fields]},
    )


def _build(key: _Key, collection: Collection) -> str:
    """The command that keeps it so."""
    name = "_".join(field.replace(".", "_") for field in key.fields)
    return create(
        collection.name, key.index or CollectionIndex(f"{name}_unique", tuple((one, 1) for one in key.fields), unique=True)
    )


def _shown(key: _Key, value: Any) -> str:  # noqa: ANN401 - whatever a document holds
    if len(key.fields) == 1:
        return f"{key.fields[0]}={shown(value)}"
    return ", ".join(f"{name}={shown(value.get(f'k{number}'))}" for number, name in enumerate(key.fields))
