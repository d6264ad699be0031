"""New migrations delete no documents.

Proves, for every collection of the base revision's database that holds documents and is still there, that each of them is there
when the new migrations have been applied on them: found by its `_id`, whatever else of it was changed. Documents that were added
do not count. Where every `_id` was rewritten, and of a time series, whose measurements have none, the numbers are compared.

It sees what a `deleteMany` takes, whatever program sends it, and a collection that was made anew (`$out`) without all of its
documents. A warning with the exact number, because deleting may be meant; then accept it. On documents that dbproof made the
number says how far the condition reaches there, and not how many production loses.

**Anti-pattern**

```python
db.orders.delete_many({"buyer_id": None})  # so that the new validator takes what is left; and what was ordered is gone
```

**Best practice**

```python
db.orders.aggregate([{"$match": {"buyer_id": None}}, {"$out": "orders_without_buyer"}])
db.orders.delete_many({"buyer_id": None})  # dbproof: allow lost-rows, kept in orders_without_buyer
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Severity
from checks.rulebook.followed_documents import DELETES, culprit
from checks.rulebook.survived import DOCUMENTS, added, judged, lost_facts, proven
from checks.schema.collections import collection_reference
from checks.survivals import Survival

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.BASE, Need.EVIDENCE})
SUBJECTS = "collections under new migrations"
PROVES = "kept every document"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every collection that held documents and is still there."""
    for one in judged(target.evidence, DOCUMENTS):
        if isinstance(one, NotProven):
            yield one
        elif one.now is not None:
            reference = collection_reference(one.now.name)
            yield _finding(one, one.now.name, target) if one.missing else proven(one.table.name, one, reference)


def _finding(one: Survival, now: str, target: DocumentTarget) -> Finding:
    name = one.table.name
    place, statement = culprit(target.evidence, DELETES, [name, now])
    return Finding(
        subject=name,
        message=f"{DOCUMENTS.gone(one)}{added(one)}{DOCUMENTS.made(one)}",
        remedy=DOCUMENTS.keep_aside,
        objects=(collection_reference(now),),
        place=place,
        count=one.missing,
        values=one.keys,
        evidence=lost_facts(one, statement),
    )
