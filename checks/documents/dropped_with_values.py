"""New migrations drop no collection and no field that holds values.

Proves, for every collection of the base revision's database that holds documents, that it and every field with values in them are
still there when the new migrations have been applied on those documents: at any depth and inside arrays, an object whose keys are
data (`prices.2024-01-01`) being one field. A collection that has another name now is still there: the server knows it by its
number. So is a field whose values each document holds in a field that it had not: renamed (`$rename`), put into an object or an
array, taken out of one. What some documents still have is not dropped, and what was null was nothing.

What goes with `drop` or `$unset` no way back brings back, and the release before reads it, which still runs while this one is
rolled out. A warning, because dropping may be meant: the last step of expand and contract is one. Accept it then. Documents that
dbproof made count as well, as any values would be lost.

**Anti-pattern**

```python
db.orders.update_many({}, {"$unset": {"legacy_code": ""}})  # still read by the release that runs
```

**Best practice**

```python
db.orders.update_many({}, {"$rename": {"legacy_code": "_legacy_code"}})  # goes in a later release
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.evidence import Place
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Severity
from checks.rulebook.followed_documents import DELETES, WRITES, culprit
from checks.rulebook.survived import DOCUMENTS, EXPAND_FIRST, dropped_facts, judged, proven
from checks.schema.collections import collection_reference
from checks.survivals import ColumnSurvival, Survival
from checks.traces import where_lost

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "collections under new migrations"
PROVES = "kept every field that holds values"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every collection of base that held documents."""
    for one in judged(target.evidence, DOCUMENTS):
        yield from (one,) if isinstance(one, NotProven) else _judge(one, target)


def _judge(one: Survival, target: DocumentTarget) -> Iterator[Judgement]:
    if one.now is None:
        yield _collection(one, target)
        return
    gone = [field for field in one.columns if field.now is None and field.values]
    yield from (_field(one, field, target) for field in gone)
    if not gone:
        yield proven(one.table.name, one, collection_reference(one.now.name))


def _collection(one: Survival, target: DocumentTarget) -> Finding:
    name = one.table.name
    place, statement = where_lost(collection_reference(name), target.evidence)
    if place is None:
        place, statement = culprit(target.evidence, DELETES, [name])
    return _finding(
        name, f"collection {name} is dropped with {DOCUMENTS.held(one.before)} in it", one.before, one, place, statement
    )


def _field(one: Survival, field: ColumnSurvival, target: DocumentTarget) -> Finding:
    subject = f"{one.table.name}.{field.name}"
    message = f"field {subject} is dropped with a value in {DOCUMENTS.of(field.values, one.before)}"
    place, statement = culprit(target.evidence, WRITES, [one.table.name, (one.now or one.table).name], field.name)
    return _finding(subject, message, field.values, one, place, statement, field.keys)


def _finding(
    subject: str, message: str, count: int, one: Survival, place: Place | None, statement: str, keys: tuple[str, ...] = ()
) -> Finding:
    return Finding(
        subject=subject,
        message=message + DOCUMENTS.made(one),
        remedy=EXPAND_FIRST,
        objects=(collection_reference((one.now or one.table).name),),
        place=place,
        count=count,
        values=keys,
        evidence=dropped_facts(one, statement, DOCUMENTS),
    )
