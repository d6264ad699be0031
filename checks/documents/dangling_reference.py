"""No document refers to one that does not exist.

Proves, for every reference under `references` in `[databases.NAME.expect]`, that each value of the child's field stands in a
document of the parent's collection. MongoDB has no foreign keys (its manual, "Database References"): nothing but the
application keeps a company from going while its subscriptions stay. `[]` marks an array, each of whose elements refers
(`invoices.lines[].subscription_id`; `[][]` arrays in an array); dots lead into sub-documents. A key of several fields is
written `subscriptions.(tenant_id, company_name) -> companies.(tenant_id, company_name)`. A field that is missing or null refers
to nothing and is fine, and so does a key of several fields with any that is.

Values are equal where the server finds them equal: 1 and 1.0 are, an ObjectId and its text are not, and then both sides' types
are said. Texts are compared by the collation of the parent's collection, as a look for a parent there is. A DBRef is declared
by its key (`orders.customer.$id -> customers._id`) and judged where its `$ref` names the parent's collection. One that names a
collection that is not there is a finding; those that name another collection or database are counted apart, and where no
declared reference is about them this one is not proven.

The counts are exact, of references and of missing parents. The different keys are put beside the parent's with `$unionWith`,
and those that have no parent are left: each side is read once, the child by its index where it has one. Only where some are
left are their references counted. Of more than half a million different keys (three times as many, where an index has them)
both sides are read in the order of keys instead, and compared one by one: neither way takes more memory for more documents. A
collection without documents, or whose documents all lack the field, proves nothing.

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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.declared.documents import DocumentReference, key_label
from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.dangling import Dangling, count
from checks.pipelines.keys import shown
from checks.pipelines.references import SAMPLE, Sides, sides
from checks.pipelines.types import comparable, families, listed
from checks.schema.collections import collection_reference
from checks.targets import StatementFailed
from checks.unanswered import Unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "references between documents"
PROVES = "find their parents"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every declared reference by the documents of both sides; the first that is wrong is raised after all others."""
    unanswered = Unanswered()
    with target.documents() as session:
        for reference in dict.fromkeys(target.expect.documents.references):
            try:
                yield _judge(reference, target, session)
            except StatementFailed as failure:
                yield from unanswered.of(reference.label, failure)
    unanswered.told()


def _judge(reference: DocumentReference, target: DocumentTarget, session: DocumentSession) -> Judgement:
    label = reference.label
    known = target.collections.collection
    for path in (reference.child, reference.parent):
        if (one := known.get(path.collection)) is not None and not one.readable:
            return NotProven(label, f"permission denied to read {path.collection}")
    if reference.child.collection not in target.filled:
        return NotProven(label, "no documents")
    try:
        return _judged(sides(reference, target.collections), target, session)
    except StatementFailed as failure:
        if failure.code == _VIEW_COLLATION:
            return NotProven(label, "a view with a collation of its own, which the server compares with no other")
        raise


#: The server's code for a view that is to be read by another collation than its own (OptionNotSupportedOnView).
_VIEW_COLLATION = "167"


@dataclass(frozen=True)
class _Elsewhere:
    """DBRefs that name another collection than the parent's: one that does not exist, or one that no declaration is about."""

    nowhere: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)


def _judged(two: Sides, target: DocumentTarget, session: DocumentSession) -> Judgement:
    dangling, elsewhere = count(two, target.collections, session), _elsewhere(two, target, session)
    if dangling.references or elsewhere.nowhere:
        return _finding(two.reference, dangling, elsewhere, target)
    if elsewhere.others:
        return NotProven(two.reference.label, _apart(elsewhere.others))
    if dangling.refers:
        return Proven(
            two.reference.label,
            (collection_reference(two.reference.child.collection), collection_reference(two.reference.parent.collection)),
        )
    return NotProven(two.reference.label, f"no document has {' and '.join(path.dotted for path in two.reference.children)}")


def _elsewhere(two: Sides, target: DocumentTarget, session: DocumentSession) -> _Elsewhere:
    """The DBRefs of a reference that do not name the parent's collection, save those that another declaration is about."""
    if not any(path.dbref for path in two.reference.children):
        return _Elsewhere()
    declared = {one.parent.collection for one in target.expect.documents.references if one.children == two.reference.children}
    nowhere, others = dict[str, int](), dict[str, int]()
    for one in session.aggregate(two.reference.child.collection, two.elsewhere()):
        named, database = str(one["_id"].get("ref")), one["_id"].get("db")
        here = database in (None, target.collections.database)
        if here and named not in target.collections.collection:
            nowhere[named] = one["references"]
        elif not (here and named in declared):
            others[named if here else f"{database}.{named}"] = one["references"]
    return _Elsewhere(nowhere, others)


def _apart(others: Mapping[str, int]) -> str:
    total = sum(others.values())
    many = "1 DBRef names" if total == 1 else f"{total} DBRefs name"
    named = ", ".join(f"{name} {times}" for name, times in list(others.items())[:SAMPLE])
    more = ", …" if len(others) > SAMPLE else ""
    return f"{many} another collection or database, which no declared reference is about ({named}{more})"


def _finding(reference: DocumentReference, dangling: Dangling, elsewhere: _Elsewhere, target: DocumentTarget) -> Finding:
    child, nowhere = reference.child, sum(elsewhere.nowhere.values())
    types: dict[str, Json] = {", ".join(names): times for names, times in dangling.types.items()}
    parents: list[Json] = [", ".join(sorted(names)) for names in dangling.parents]
    said = [*_names(reference, dangling), *_types(reference, dangling, target), *_of_dbrefs(child.collection, elsewhere)]
    return Finding(
        subject=reference.label,
        message="; ".join(said),
        remedy="Settle them in a migration: give them a parent, make the missing ones, as `dbproof fix dangling-reference` does,"
        " or remove them." + _hints(reference, dangling, target),
        objects=(collection_reference(child.collection),),
        count=dangling.references + nowhere,
        values=tuple(f"{_key(reference, key)} ({times})" for key, times in dangling.sample),
        evidence={
            "missing": dangling.missing,
            "parent": key_label(reference.parents),
            "types": types,
            "parent types": parents,
        },
    )


def _names(reference: DocumentReference, dangling: Dangling) -> Iterator[str]:
    """How many references have no parent."""
    child, parent, many = reference.child, key_label(reference.parents), dangling.references
    if not many:
        return
    what = "references" if any(list(path.arrays) for path in reference.children) else "documents"
    names = f"{many} {what} of {child.collection} name" if many != 1 else f"1 {what[:-1]} of {child.collection} names"
    different = f"{dangling.missing} different ones" if dangling.missing != 1 else "1 that is missing"
    yield f"{names} a {parent} that does not exist, {different}"


def _types(reference: DocumentReference, dangling: Dangling, target: DocumentTarget) -> Iterator[str]:
    """Where no parent can be equal, for it is of another type, or there is none at all."""
    parent = reference.parent.collection
    if dangling.references and parent not in target.collections.collection:
        yield f"there is no collection {parent}"
        return
    for number, (path, found) in enumerate(zip(reference.parents, dangling.parents, strict=False)):
        if not found:
            yield f"no document of {parent} has {path.dotted}"
            continue
        unlike = {kinds[number]: 0 for kinds in dangling.types if comparable(kinds[number]) not in families(found)}
        many = sum(times for kinds, times in dangling.types.items() if kinds[number] in unlike)
        if many:
            whole, some = ("it is", "1 of them is") if many == 1 else (f"all {many} are", f"{many} of them are")
            of = f" in {reference.children[number].dotted}" if reference.further else ""
            yield f"{whole if many == dangling.references else some} {listed(unlike)}{of}, the parent's are {listed(found)}"


def _of_dbrefs(child: str, elsewhere: _Elsewhere) -> Iterator[str]:
    for name, times in elsewhere.nowhere.items():
        many = f"{times} DBRefs of {child} name" if times != 1 else f"1 DBRef of {child} names"
        yield f"{many} the collection {name}, which is not there"
    if elsewhere.others:
        yield _apart(elsewhere.others)


def _hints(reference: DocumentReference, dangling: Dangling, target: DocumentTarget) -> str:
    """What may be meant, where the declaration is what is wrong."""
    if any(isinstance(key, list) for key, _ in dangling.sample):
        path = reference.child
        return f" Some values of {path.dotted} are arrays: write {path.label}[] if each element refers."
    parent = target.collections.collection.get(reference.parent.collection)
    named = {path.dotted for path in reference.parents}
    indexes = (one for one in (parent.indexes if parent else ()) if one.collation and set(one.fields) == named)
    index = next(indexes, None)
    if not dangling.references or parent is None or index is None or index.collation is None or parent.options.get("collation"):
        return ""
    return (
        f" {parent.name}.{index.name} compares by another collation ({index.collation.get('locale')}) than the collection does: a"
        " look for a parent that does not name it finds only what is the same byte by byte."
    )


def _key(reference: DocumentReference, key: Any) -> str:  # noqa: ANN401 - whatever a document holds
    if not reference.further:
        return f"{reference.parent.dotted}={shown(key)}"
    return ", ".join(f"{path.dotted}={shown(key[f'k{number}'])}" for number, path in enumerate(reference.parents))
