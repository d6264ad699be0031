"""Every collection says whose its documents are.

Proves, for every collection that is not declared to be shared, that it has each of the fields that name the tenant
(`[databases.NAME.tenancy]`): its validator names it, or its documents have it. A collection without it can be kept apart by
nothing: no filter can tell whose a document is without asking other collections, and the one query that forgets to ask reads
everybody's.

The collections of the tenants themselves need no such field (`table`; where that is not said, those that references of these
fields lead to), nor do views. Documents that lack the field where others have it are tenant-column-nullable's affair.

**Anti-pattern**

```python
db.invoice_lines.insert_one({"invoice_id": invoice_id, "amount": 12})
```

**Best practice**

```python
db.invoice_lines.insert_one({"tenant_id": tenant_id, "invoice_id": invoice_id, "amount": 12})
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.collections import Collection
from checks.targets import StatementFailed
from checks.tenants.collections import TenantCollections
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "collections of declared tenants"
PROVES = "say whose each document is"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every collection that is not shared."""
    tenancy = target.expect.tenancy
    if tenancy is None:
        return
    with target.documents() as session:
        tenants = TenantCollections(target, tenancy, session)
        for collection in tenants.all:
            yield _judged(collection, tenants, target)


def _judged(collection: Collection, tenants: TenantCollections, target: DocumentTarget) -> Judgement:
    if not collection.readable:
        return NotProven(collection.name, "permission denied")
    try:
        lacking = [column for column in tenants.columns if not tenants.has(collection.name, column)]
    except StatementFailed as failure:
        return unanswered(collection.name, failure)
    if not lacking:
        return Proven(collection.name)
    if collection.name not in target.filled and not collection.validator:
        return NotProven(collection.name, "no documents, and no validator")
    return _finding(collection, lacking)


def _finding(collection: Collection, lacking: list[str]) -> Finding:
    fields = " and no ".join(lacking)
    return Finding(
        subject=collection.name,
        message=f"the documents of {collection.name} have no {fields}: nothing tells whose they are",
        remedy=f"Give every document its {' and '.join(lacking)} in a migration, and let the validator require it. Where the"
        f' documents are everybody\'s: shared = ["{collection.name}"].',
        objects=(collection.reference,),
        evidence={"collection": collection.name, "fields": [*lacking]},
    )
