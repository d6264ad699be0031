"""Every collection with documents has a validator.

Proves, for every collection that holds documents and that nothing is declared of, that the server refuses some document. A
collection that an insert made has no rule at all, and takes a document with a misspelt field as readily as any other (MongoDB's
manual, "Schema Validation"). A repository may well mean that, so this is asked only of a database that exists and is looked at,
or where the settings give it a severity. What is declared under `schemas` is judged by validator-missing.

**Anti-pattern**

```python
def up(db):
    db.subscriptions.insert_one({"comapny_name": "Acme"})  # makes the collection, and nobody minds the name of the field
```

**Best practice**

```python
def up(db):
    schema = {"required": ["company_name"], "properties": {"company_name": {"bsonType": "string"}}}
    db.create_collection("subscriptions", validator={"$jsonSchema": schema})
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.document_targets import DocumentTarget
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.shell import quoted
from checks.schema.collections import Collection, CollectionKind, collection_reference

SEVERITY = Severity.OFF
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "collections with documents"
PROVES = "have a validator"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every collection that takes a validator, holds documents and has no declaration."""
    declared = {one.collection for one in target.expect.documents.validators}
    for collection in target.collections.all:
        if collection.kind is CollectionKind.COLLECTION and collection.name not in declared:
            yield from _judge(collection)


def _judge(collection: Collection) -> Iterator[Judgement]:
    if collection.validator:
        yield Proven(collection.name)
    elif not collection.readable:
        yield NotProven(collection.name, "permission denied")
    elif collection.documents:
        yield _finding(collection)


def _finding(collection: Collection) -> Finding:
    many = f"{collection.documents} document" + ("" if collection.documents == 1 else "s")
    return Finding(
        subject=collection.name,
        message=f"{collection.name} holds {many} and has no validator: every document is taken",
        remedy="Declare its schema under `schemas`, see what it would refuse (document-violates-validator), and attach it: "
        f"db.runCommand({{collMod: {quoted(collection.name)}, validator: {{$jsonSchema: …}}}})",
        objects=(collection_reference(collection.name),),
    )
