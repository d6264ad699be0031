"""Every declared validator is attached to its collection, as it is declared.

Proves, for every collection under `schemas` in `[databases.NAME.expect]`, that the server refuses what the declaration refuses:
the collection has a validator, it is the declared one, its level is `strict` and its action `error`. MongoDB has no other place
for a rule about documents (its manual, "Schema Validation"), and each of the following leaves a collection without one, in
silence: a collection that an insert made, `collMod` with an empty validator, a rebuild by `$out` or by renaming, a restore of
the documents alone. Collections that nothing is declared of are not judged. Where dbproof itself applied the declaration
(`tool = "declared"`) this proves nothing and says so.

**Anti-pattern**

```python
def up(db):
    db.command("collMod", "subscriptions", validator={})  # "for the import only", and never put back
```

**Best practice**

```python
def up(db):
    schema = json.loads(Path("schemas/subscriptions.json").read_text())
    db.command("collMod", "subscriptions", validator={"$jsonSchema": schema}, validationLevel="strict", validationAction="error")
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.documents import DeclaredValidator
from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.collections import Collection, CollectionKind, ValidationLevel, collection_reference
from checks.schema.validators import same
from checks.traces import applied_by_us, told_at, where_lost

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "declared validators"
PROVES = "are attached as declared"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every declared validator by what the server says of its collection."""
    for declared in target.expect.documents.validators:
        yield _judge(declared, target)


def _judge(declared: DeclaredValidator, target: DocumentTarget) -> Judgement:
    collection = target.collections.collection.get(declared.collection)
    wrong = _wrong(declared, collection)
    if wrong is None:
        ours = applied_by_us(declared.reference, declared.place, target.evidence)
        return NotProven(declared.collection, "applied from this declaration") if ours else Proven(declared.collection)
    if target.evidence.incomplete:
        return NotProven(declared.collection, "not as declared, the migrations failed")
    kind, words = wrong
    place, statement = where_lost(declared.reference, target.evidence)
    objects = (declared.reference, collection_reference(declared.collection))
    return Finding(
        subject=f"{declared.collection}{kind}",
        message=f"{declared.collection} {words}",
        remedy=_remedy(declared, collection),
        objects=objects,
        place=place or (told_at(objects, declared.place, target.evidence) if collection else declared.place),
        evidence={"statement": statement} if statement else {},
    )


def _wrong(declared: DeclaredValidator, collection: Collection | None) -> tuple[str, str] | None:
    """What is wrong, with a subject of its own for each way, so that one does not hide another that base has."""
    if collection is None:
        return " (absent)", "has a declared validator, and there is no such collection"
    if collection.kind is not CollectionKind.COLLECTION:
        return " (absent)", f"has a declared validator, and is a {collection.kind}, which takes none"
    if not collection.validator:
        return "", "has no validator: every document is taken"
    if not same(declared.validator, collection.validator):
        return " (differs)", "has another validator than the declared one"
    weak = _weak(collection)
    return (" (weak)", f"has its validator, but {weak}") if weak else None


def _weak(collection: Collection) -> str:
    if collection.validation_level is ValidationLevel.OFF:
        return "its level is off: no write is looked at"
    if not collection.validation_action.refuses:
        return "its action is warn: what it does not like is written all the same"
    moderate = collection.validation_level is ValidationLevel.MODERATE
    return "its level is moderate: documents that are invalid already may stay so" if moderate else ""


def _remedy(declared: DeclaredValidator, collection: Collection | None) -> str:
    told = f"validator: <{declared.place.file if declared.place else 'as declared'}>"
    options = f'{told}, validationLevel: "strict", validationAction: "error"'
    if collection is None:
        return f'db.createCollection("{declared.collection}", {{{options}}})'
    look = "first look for documents that it would refuse (document-violates-validator)"
    return f'db.runCommand({{collMod: "{declared.collection}", {options}}}); {look}.'
