"""No document breaks its collection's validator.

Proves, for every collection with a validator, attached or declared under `schemas`, that each of its documents obeys it. The
validator alone is no proof: `collMod` looks at no document that is there already, `moderate` lets those stay invalid, and
`bypassDocumentValidation`, `validationAction: "warn"` or a restored dump write past it (MongoDB's manual, "Schema Validation").
The server evaluates its own validator, as `$nor` of it; the count is exact and comes with the sample from one scan. Only
where something was found does a second one count the documents behind each single rule. Where the attached validator is not the
declared one, both are asked. A collection without documents proves nothing.

**Anti-pattern**

```python
def up(db):  # the rule first; that old documents break it shows at their next update
    db.command("collMod", "subscriptions", validator={"$jsonSchema": {"required": ["status"]}})
```

**Best practice**

```python
def up(db):
    db.subscriptions.update_many({"status": {"$exists": False}}, {"$set": {"status": "active"}})
    db.command("collMod", "subscriptions", validator={"$jsonSchema": {"required": ["status"]}})
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.keys import shown
from checks.schema.collections import Collection, CollectionKind, collection_reference, validator_reference
from checks.schema.validators import rules, same
from checks.targets import DocumentSession, DocumentTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "validated collections"
PROVES = "hold no document that breaks a rule"

#: How many documents a finding shows, of however many there are.
SAMPLE = 5
#: How many rules a message names.
NAMED = 3
#: How many rules are counted one by one; the server takes no pipelines without end.
COUNTED = 200

Validator = Mapping[str, Any]


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every validator by the documents of its collection."""
    with target.documents() as session:
        for collection in target.collections.all:
            for subject, validator in _validators(collection, target):
                if collection.name not in target.filled:
                    yield NotProven(subject, "no documents")
                else:
                    yield _judge(subject, collection, validator, session)


def _validators(collection: Collection, target: DocumentTarget) -> Iterator[tuple[str, Validator]]:
    """The attached validator, and the declared one where that is another."""
    if collection.kind is not CollectionKind.COLLECTION:
        return
    if collection.validator:
        yield collection.name, collection.validator
    for declared in target.expect.documents.validators:
        if declared.collection == collection.name and not same(declared.validator, collection.validator):
            yield f"{collection.name} (as declared)", declared.validator


def _judge(subject: str, collection: Collection, validator: Validator, session: DocumentSession) -> Judgement:
    try:
        found: Mapping[str, Any] = next(iter(session.aggregate(collection.name, _violations(validator))), {"all": []})
        if not found["all"]:
            return Proven(subject)
        broken = _broken(collection.name, validator, session)
    except StatementFailed as failure:
        if not failure.gap:
            raise
        return NotProven(subject, failure.gap)
    return _finding(subject, collection, found, broken)


def _violations(validator: Validator) -> Sequence[Mapping[str, Any]]:
    """How many documents break a validator, and the first of them in the order of ``_id``, in one scan."""
    return [
        {"$match": {"$nor": [validator]}},
        {"$project": {"_id": 1}},
        {"$facet": {"all": [{"$count": "documents"}], "sample": [{"$sort": {"_id": 1}}, {"$limit": SAMPLE}]}},
    ]


def _broken(collection: str, validator: Validator, session: DocumentSession) -> Mapping[str, int]:
    """How many documents break each single rule, the most broken first; nothing where there are too many rules to ask."""
    listed = list(rules(validator))
    if len(listed) > COUNTED:
        return {}
    facets = {f"r{number}": [{"$match": {"$nor": [rule.obeys]}}, {"$count": "n"}] for number, rule in enumerate(listed)}
    counted = next(iter(session.aggregate(collection, [{"$match": {"$nor": [validator]}}, {"$facet": facets}])), {})
    numbers = {rule.label: found[0]["n"] for number, rule in enumerate(listed) if (found := counted.get(f"r{number}"))}
    return dict(sorted(numbers.items(), key=lambda one: (-one[1], one[0])))


def _finding(subject: str, collection: Collection, found: Mapping[str, Any], broken: Mapping[str, int]) -> Finding:
    count = int(found["all"][0]["documents"])
    which = "the declared validator" if subject != collection.name else "its validator"
    documents = f"{count} document of {collection.name} breaks" if count == 1 else f"{count} documents of {collection.name} break"
    named = [f"{label} ({number})" for label, number in list(broken.items())[:NAMED]]
    more = f" and {len(broken) - NAMED} more rules" if len(broken) > NAMED else ""
    counts: dict[str, Json] = dict(broken)
    return Finding(
        subject=subject,
        message=f"{documents} {which}{': ' if named else ''}{', '.join(named)}{more}",
        remedy=f"List them with db.{collection.name}.find({{$nor: [<the validator>]}}), correct them in a migration, "
        "and let no write bypass the validator.",
        objects=(validator_reference(collection.name), collection_reference(collection.name)),
        count=count,
        values=tuple(f"_id={shown(one['_id'])}" for one in found["sample"]),
        evidence={"rules": counts},
    )
