"""Every validator refuses the documents that break it.

Proves, for every collection with a validator, that it is looked at and heeded: its action is `error`, its level `strict`, and
some document breaks its rules at all. With `validationAction: "warn"` what breaks a rule is written, and a line in the server's
log is all that comes of it; with `moderate` a document that breaks it already may be changed and go on breaking it; with `off`
nobody looks (MongoDB's manual, "Choose How to Handle Invalid Documents" and "Specify Validation Level for Existing Documents").
A schema without a type, a bound or a required field refuses nothing: `properties` alone says what fields may mean, not that
they must be there. Where the validator is the declared one, its level and action are judged by validator-missing, and here only
its rules.

**Anti-pattern**

```python
def up(db):  # "until the old documents are cleaned up", three years ago
    db.command("collMod", "subscriptions", validationAction="warn", validationLevel="moderate")
```

**Best practice**

```python
def up(db):
    db.subscriptions.update_many({"status": {"$exists": False}}, {"$set": {"status": "active"}})
    db.command("collMod", "subscriptions", validationAction="error", validationLevel="strict")
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.pipelines.shell import quoted
from checks.schema.collections import (
    Collection,
    CollectionKind,
    ValidationLevel,
    collection_reference,
    validator_reference,
)
from checks.schema.refusing import can_refuse
from checks.schema.validators import same

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.MONGODB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "validators"
PROVES = "refuse what breaks them"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every validator by what the server says of it; of a declared one that is weak validator-missing tells."""
    declared = {one.collection: one.validator for one in target.expect.documents.validators}
    for collection in target.collections.all:
        if collection.kind is not CollectionKind.COLLECTION or not collection.validator:
            continue
        unheeded = list(_unheeded(collection))
        told_already = collection.name in declared and same(declared[collection.name], collection.validator)
        if not can_refuse(collection.validator):
            yield _toothless(collection)
        elif not unheeded:
            yield Proven(collection.name)
        elif not told_already:
            yield _finding(collection, unheeded)


def _unheeded(collection: Collection) -> Iterator[str]:
    if collection.validation_level is ValidationLevel.OFF:
        yield "its level is off: no write is looked at"
        return
    if not collection.validation_action.refuses:
        yield "its action is warn: what breaks it is written all the same"
    if collection.validation_level is ValidationLevel.MODERATE:
        yield "its level is moderate: documents that break it already may go on doing so"


def _finding(collection: Collection, unheeded: list[str]) -> Finding:
    command = f'db.runCommand({{collMod: {quoted(collection.name)}, validationLevel: "strict", validationAction: "error"}})'
    return Finding(
        subject=collection.name,
        message=f"{collection.name} has a validator, but {'; '.join(unheeded)}",
        remedy=f"{command}; first look for documents that it would refuse (document-violates-validator).",
        objects=(validator_reference(collection.name), collection_reference(collection.name)),
        evidence={"level": collection.validation_level.value, "action": collection.validation_action.value},
    )


def _toothless(collection: Collection) -> Finding:
    return Finding(
        subject=f"{collection.name} (refuses nothing)",
        message=f"the validator of {collection.name} refuses nothing: no document breaks any of its rules",
        remedy='Say what must be there and of which type: {$jsonSchema: {required: ["status"], properties: {status: {bsonType: '
        '"string"}}}}.',
        objects=(validator_reference(collection.name), collection_reference(collection.name)),
    )
