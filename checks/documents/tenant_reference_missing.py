"""The field that names the tenant names one that exists.

Proves, for each field that names the tenant, that a declared reference leads from it to the collection of the tenants:
directly, or by a key of several fields that another collection's own field is bound by (`orders.(tenant_id, customer_id) ->
customers.(tenant_id, _id)`). MongoDB keeps no key that would see to it, so what is not declared is counted by nobody: a typing
error makes a tenant that nobody is, and deleting one leaves its documents behind. Whether the documents keep to it,
dangling-reference counts.

The collection of the tenants is the one that the settings name (`table`), else those that references of nothing but these
fields lead to. Where there is none (the tenants may be in another database), nothing is proven.

**Anti-pattern**

```toml
[databases.docs.tenancy]
column = "tenant_id"
table = "tenants"          # and no reference says that orders.tenant_id is one of them
```

**Best practice**

```toml
[databases.docs.expect]
references = ["orders.tenant_id -> tenants._id"]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.collections import collection_reference
from checks.targets import StatementFailed
from checks.tenants.collections import TenantCollections
from checks.unanswered import unanswered

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "fields of declared tenants"
PROVES = "are declared to name a tenant that exists"

_Bound = frozenset[tuple[str, str]]


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge each declared field of every collection that has it."""
    tenancy = target.expect.tenancy
    if tenancy is None:
        return
    with target.documents() as session:
        tenants = TenantCollections(target, tenancy, session)
        bound = _bound(target, tenants)
        for collection in tenants.all:
            for column in tenants.columns if collection.readable else ():
                try:
                    if tenants.has(collection.name, column):
                        yield _judged(collection.name, column, tenants, bound)
                except StatementFailed as failure:
                    yield unanswered(f"{collection.name}.{column}", failure)


def _judged(collection: str, column: str, tenants: TenantCollections, bound: _Bound) -> Judgement:
    subject = f"{collection}.{column}"
    if (collection, column) in bound:
        return Proven(subject)
    if not tenants.tenants:
        return NotProven(subject, "no collection of the tenants is known: name it under `table`")
    known = " or ".join(tenants.tenants)
    return Finding(
        subject=subject,
        message=f"{subject} may name a tenant that does not exist: no declared reference leads from it to {known}",
        remedy=f'Declare it: references = ["{subject} -> {tenants.tenants[0]}._id"]; then its documents are counted.',
        objects=(collection_reference(collection),),
        evidence={"collection": collection, "field": column},
    )


def _bound(target: DocumentTarget, tenants: TenantCollections) -> _Bound:
    """Collections with each declared field that leads to the tenants, step by step."""
    bound: _Bound = frozenset()
    while new := frozenset(_next(target, tenants, bound)) - bound:
        bound |= new
    return bound


def _next(target: DocumentTarget, tenants: TenantCollections, bound: _Bound) -> Iterator[tuple[str, str]]:
    for reference in target.expect.documents.references:
        for child, parent in zip(reference.children, reference.parents, strict=True):
            to_tenant = parent.collection in tenants.tenants and not reference.further
            if child.dotted in tenants.columns and (to_tenant or (parent.collection, parent.dotted) in bound):
                yield child.collection, child.dotted
