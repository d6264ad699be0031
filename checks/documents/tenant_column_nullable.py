"""No document can be without its tenant.

Proves, for each field that names the tenant, that the collection's validator refuses a document without it and one in which it
is null, and that no document is without it: a validator looks at no document that is there already (manual, "Schema
Validation"). A document without a tenant is nobody's: a filter `{tenant_id: …}` hides it from everyone, and `{tenant_id: null}`
finds it whether the field is null or missing.

`required` alone takes null, so a type or an `enum` without null has to be there too. A field that may be missing is a warning;
where documents without it are there already, they are counted, and that is an error.

**Anti-pattern**

```python
db.create_collection("orders", validator={"$jsonSchema": {"required": ["tenant_id"]}})  # takes {"tenant_id": None}
```

**Best practice**

```python
schema = {"required": ["tenant_id"], "properties": {"tenant_id": {"bsonType": "objectId"}}}
db.create_collection("orders", validator={"$jsonSchema": schema})
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.pipelines.keys import shown
from checks.pipelines.references import SAMPLE
from checks.schema.collections import Collection, ValidationLevel, validator_reference
from checks.targets import StatementFailed
from checks.tenants.collections import TenantCollections, requires
from checks.unanswered import unanswered

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "fields of declared tenants"
PROVES = "are in every document"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge each declared field of every collection that has it."""
    tenancy = target.expect.tenancy
    if tenancy is None:
        return
    with target.documents() as session:
        tenants = TenantCollections(target, tenancy, session)
        for collection in tenants.all:
            for column in tenants.columns if collection.readable else ():
                yield from _judged(collection, column, tenants, session)


def _judged(collection: Collection, column: str, tenants: TenantCollections, session: DocumentSession) -> Iterator[Judgement]:
    subject = f"{collection.name}.{column}"
    try:
        if not tenants.has(collection.name, column):
            return  # tenant-column-missing says so
        without = session.count(collection.name, {column: None})
        first = [one["_id"] for one in session.find(collection.name, {column: None}, {"_id": 1}, limit=SAMPLE)] if without else []
    except StatementFailed as failure:
        yield unanswered(subject, failure)
        return
    refused = requires(collection.validator, column) and _is_strict(collection)
    yield Proven(subject) if refused and not without else _finding(subject, collection, column, without, first, refused=refused)


def _is_strict(collection: Collection) -> bool:
    """Whether the validator refuses what it does not like, of whatever document."""
    return collection.validation_action.refuses and collection.validation_level is ValidationLevel.STRICT


def _finding(subject: str, collection: Collection, column: str, without: int, first: list[object], *, refused: bool) -> Finding:
    takes = f"the validator of {collection.name} now refuses" if refused else f"{collection.name} takes"
    found = (
        f"{without} document{' has' if without == 1 else 's have'} none already" if without else "no document has made use of it"
    )
    name = column.rpartition(".")[2]
    return Finding(
        subject=subject,
        severity=Severity.ERROR if without else None,
        message=f"{takes} documents without {column}, which are nobody's: {found}",
        remedy=(f"Give every document of {collection.name} its tenant, those of {{{column}: null}}. " if without else "")
        + (
            ""
            if refused
            else f'Then require it with its type: {{"required": ["{name}"], "properties": {{"{name}": …}}}} (collMod).'
        ),
        objects=(validator_reference(collection.name), collection.reference),
        count=without or None,
        values=tuple(f"_id={shown(key)}" for key in first),
        evidence={"collection": collection.name, "field": column},
    )
