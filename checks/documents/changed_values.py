"""New migrations leave the values of documents what they are.

Proves, for every collection of the base revision's database that holds documents, that those which are still there hold what they
held, field by field, at any depth and inside arrays, when the new migrations have been applied on them. Values are compared and
not how they are stored: `1.5` as a decimal is `1.5`, an int the same as a long or as its text, an ObjectId as its text, a date
the same moment. What was put into an object or an array, or taken out of one, is the same; a null that was filled lost nothing.

Where a field has another type since, and values were rounded, cut short or emptied by it, that is an error on the repository's
own documents, and a warning with the query to ask production on documents that dbproof made. An object or an array of which a
part is left, values that moved in time, and several that became one, are a warning: the migration may mean that, and have put
the rest elsewhere. All else is a notice with the exact number: a data migration is there to change documents. So is a number, a
date or a truth that is a text now: nothing is lost, yet the server compares within a type only (its manual, "Comparison/Sort
Order"), so `{price: {$gt: 10}}` finds it no more.

**Anti-pattern**

```python
db.orders.update_many({}, [{"$set": {"total": {"$toInt": "$total"}}}])  # held 12.5, holds 12
```

**Best practice**

```python
db.orders.update_many({}, [{"$set": {"total": {"$toDecimal": "$total"}}}])  # holds everything that it held
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Severity
from checks.pipelines.shell import on
from checks.rulebook.followed_documents import WRITES, culprit
from checks.rulebook.survived import DOCUMENTS, became, before_narrowing, changed_facts, judged, narrowed, proven
from checks.schema.collections import collection_reference
from checks.survivals import ColumnSurvival, Loss, Survival

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "collections under new migrations"
PROVES = "hold what they held"

_AS_TEXT = "Let every query that compares it, sorts by it or adds it up ask for a text, or keep the type."
#: Types that compare by more than their text does, and those that the server converts into each other (``$convert``).
_ORDERED = frozenset({"int", "long", "double", "decimal", "date", "bool"})
_CONVERTED = _ORDERED | {"string", "objectId"}


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every collection that held documents and is still there, and every field that has another type since."""
    for one in judged(target.evidence, DOCUMENTS):
        if isinstance(one, NotProven):
            yield one
        elif one.now is not None and one.after:
            yield from _judge(one, one.now.name, target)


def _judge(one: Survival, now: str, target: DocumentTarget) -> Iterator[Judgement]:
    kept = [field for field in one.columns if field.now is not None]
    told = [field for field in kept if field.changed or _is_text_now(field)]
    if not any(field.changed for field in kept):
        yield proven(one.table.name, one, collection_reference(now))
    for field in kept:
        if field in told:
            yield _finding(one, field, now, target)
        elif field.retyped:  # made documents may not hold what is too much for the new type
            yield proven(f"{one.table.name}.{field.name}", one, collection_reference(now))


def _is_text_now(field: ColumnSurvival) -> bool:
    return field.now_type == "string" and bool(_ORDERED & set(field.type.split(" or ")))


def _finding(one: Survival, field: ColumnSurvival, now: str, target: DocumentTarget) -> Finding:
    subject = f"{one.table.name}.{field.name}"
    place, statement = culprit(target.evidence, WRITES, [one.table.name, now], field.name)
    severity = _severity(one, field)
    return Finding(
        subject=subject,
        message=_message(subject, one, field),
        remedy=_remedy(severity, one, field),
        severity=severity,
        objects=(collection_reference(now),),
        place=place,
        count=field.changed or None,
        values=field.keys,
        invented=one.made and severity is not Severity.NOTICE,
        evidence=changed_facts(one, field, statement, DOCUMENTS),
    )


def _severity(one: Survival, field: ColumnSurvival) -> Severity:
    if not field.retyped:
        return Severity.NOTICE
    if narrowed(field):
        parts = {"object", "array"} & set(field.type.split(" or "))
        return Severity.WARNING if one.made or parts else Severity.ERROR
    return Severity.WARNING if field.losses.get(Loss.SHIFTED) or field.merged else Severity.NOTICE


def _message(subject: str, one: Survival, field: ColumnSurvival) -> str:
    made = DOCUMENTS.made(one)
    documents = f"{DOCUMENTS.of(field.changed, one.before - one.missing)}{became(field)}{made}"
    if not field.changed:
        return f"{subject} is a text now, and was {field.type}: what it holds is the same, and compares as text{made}"
    if field.retyped:
        what = "holds something else" if _severity(one, field) is Severity.NOTICE else "lost values"
        return f"{subject} {what} since its type went from {field.type} to {field.now_type}, in {documents}"
    return f"{subject} holds something else than before in {documents}"


def _remedy(severity: Severity, one: Survival, field: ColumnSurvival) -> str:
    if severity is Severity.NOTICE:
        return _AS_TEXT if _is_text_now(field) else ""
    return before_narrowing(field, _query(one, field) if one.made else "", DOCUMENTS)


def _query(one: Survival, field: ColumnSurvival) -> str:
    """How many of production's values the new type would not give back; empty where the server has no such conversion.

    A label in quotes, or with a mark in it, is no path of a query.
    """
    if not {field.type, field.now_type} <= _CONVERTED or set(field.name) & set('[]*"'):
        return ""
    there = {"$convert": {"input": f"${field.name}", "to": field.now_type, "onError": None, "onNull": None}}
    back = {"$convert": {"input": there, "to": field.type, "onError": None, "onNull": None}}
    asked = {field.name: {"$type": field.type}, "$expr": {"$ne": [f"${field.name}", back]}}
    return f"{on(one.table.name)}.countDocuments({json.dumps(asked, ensure_ascii=False)})"
