"""No document breaks its collection's validator.

Proves, for every collection with a validator, attached or declared under `schemas`, that each of its documents obeys it. The
validator alone is no proof: `collMod` looks at no document that is there already, `moderate` lets those stay invalid, and
`bypassDocumentValidation`, `validationAction: "warn"` or a restored dump write past it (MongoDB's manual, "Schema Validation").
The server evaluates its own validator, as `$nor` of it: the exact count, that of each single rule and a sample come from one
scan. Where something may be written, the sampled documents are inserted into an empty copy of the collection, and the server
says itself which rules each breaks (`errInfo`, MongoDB 5.0); where nothing may be, our own reading of the rules stands alone.
Where the attached validator is not the declared one, both are asked. A collection without documents proves nothing.

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

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from checks.document_targets import Denied, DocumentSession, DocumentTarget
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.pipelines.keys import shown
from checks.pipelines.shell import on
from checks.schema.collections import Collection, CollectionKind, collection_reference, validator_reference
from checks.schema.validators import Rule, rules, same
from checks.targets import StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "validated collections"
PROVES = "hold no document that breaks a rule"

#: How many documents a finding shows, of however many there are.
SAMPLE = 5
#: How many rules a message names.
NAMED = 3
#: How many rules are counted in one scan; the server takes no pipelines without end.
COUNTED = 200

#: A key of more bytes is not shown, and not sent here.
SHOWN_KEY = 1_000

Validator = Mapping[str, Any]
Stage = Mapping[str, Any]


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every validator by the documents of its collection."""
    with target.documents() as session:
        for collection in target.collections.all:
            for subject, validator in _validators(collection, target):
                yield _judge(subject, collection, validator, target, session)


def _validators(collection: Collection, target: DocumentTarget) -> Iterator[tuple[str, Validator]]:
    """The attached validator, and the declared one where that is another."""
    if collection.kind is not CollectionKind.COLLECTION:
        return
    if collection.validator:
        yield collection.name, collection.validator
    for declared in target.expect.documents.validators:
        if declared.collection == collection.name and not same(declared.validator, collection.validator):
            yield f"{collection.name} (as declared)", declared.validator


def _judge(
    subject: str, collection: Collection, validator: Validator, target: DocumentTarget, session: DocumentSession
) -> Judgement:
    if not collection.readable:
        return NotProven(subject, "permission denied")
    if collection.name not in target.filled:
        return NotProven(subject, "no documents")
    try:
        broken = _broken(collection.name, validator, session)
        if not broken.documents:
            return Proven(subject, (collection_reference(collection.name),))
        told = _told(collection, broken.sample, target, session) if subject == collection.name else {}
    except StatementFailed as failure:
        if failure.gap:
            return NotProven(subject, failure.gap)
        if "$expr" not in str(validator):
            raise
        return NotProven(subject, f"the server cannot evaluate it on every document (error {failure.code})")
    return _finding(subject, collection, broken, told)


@dataclass(frozen=True)
class _Broken:
    """How many documents break a validator, how many each single rule, the most broken first, and the first ones' keys."""

    documents: int
    rules: Mapping[str, int] = field(default_factory=dict)
    sample: Sequence[Any] = ()


def _broken(collection: str, validator: Validator, session: DocumentSession) -> _Broken:
    """Count in one scan; rules beyond those that fit into one are counted only where something is broken."""
    listed = list(rules(validator))
    first, *further = [listed[place : place + COUNTED] for place in range(0, len(listed), COUNTED)] or [[]]
    found = _asked(collection, validator, {**_WHOLE, **_counts(first)}, session)
    if not found.get("all"):
        return _Broken(0)
    counted = {rule.label: found[f"r{place}"][0]["n"] for place, rule in enumerate(first) if found[f"r{place}"]}
    for some in further:
        more = _asked(collection, validator, _counts(some), session)
        counted |= {rule.label: more[f"r{place}"][0]["n"] for place, rule in enumerate(some) if more[f"r{place}"]}
    in_order = dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))
    return _Broken(int(found["all"][0]["documents"]), in_order, [one["_id"] for one in found["sample"]])


#: How many there are, and the first of them in the order of ``_id``.
_WHOLE: Mapping[str, Sequence[Stage]] = {
    "all": [{"$count": "documents"}],
    "sample": [
        {"$project": {"_id": 1}},
        {"$match": {"$expr": {"$lt": [{"$bsonSize": {"_id": "$_id"}}, SHOWN_KEY]}}},
        {"$sort": {"_id": 1}},
        {"$limit": SAMPLE},
    ],
}


def _counts(some: Sequence[Rule]) -> Mapping[str, Sequence[Stage]]:
    return {f"r{place}": [{"$match": {"$nor": [rule.obeys]}}, {"$count": "n"}] for place, rule in enumerate(some)}


def _asked(
    collection: str, validator: Validator, facets: Mapping[str, Sequence[Stage]], session: DocumentSession
) -> Mapping[str, Any]:
    return next(iter(session.aggregate(collection, [{"$match": {"$nor": [validator]}}, {"$facet": facets}])), {})


def _told(
    collection: Collection, sample: Sequence[Any], target: DocumentTarget, session: DocumentSession
) -> Mapping[int, Denied]:
    """What the server says of each sampled document when an empty copy of the collection is to take it."""
    if not target.writable or not sample or not collection.validation_action.refuses:
        return {}
    said = {}
    with suppress(StatementFailed), target.scratch([collection.name], indexes=False) as scratch:  # what is counted stands
        for place, key in enumerate(sample):
            for document in session.find(collection.name, {"_id": {"$eq": key}}, limit=1):
                answer = scratch.insert(collection.name, document)
                if isinstance(answer, Denied) and answer.broken:
                    said[place] = answer
    return said


def _finding(subject: str, collection: Collection, broken: _Broken, told: Mapping[int, Denied]) -> Finding:
    count = broken.documents
    which = "the declared validator" if subject != collection.name else "its validator"
    documents = f"{count} document of {collection.name} breaks" if count == 1 else f"{count} documents of {collection.name} break"
    named = [f"{label} ({number})" for label, number in list(broken.rules.items())[:NAMED]]
    more = f" and {len(broken.rules) - NAMED} more rules" if len(broken.rules) > NAMED else ""
    counts: dict[str, Json] = dict(broken.rules)
    first = next(iter(told.values()), None)
    said: dict[str, Json] = dict(Counter(rule for denied in told.values() for rule in denied.broken))
    return Finding(
        subject=subject,
        message=f"{documents} {which}{': ' if named else ''}{', '.join(named)}{more}",
        remedy=f"List them with {on(collection.name)}.find({{$nor: [<the validator>]}}), correct them in a migration, "
        "and let no write bypass the validator.",
        objects=(validator_reference(collection.name), collection_reference(collection.name)),
        count=count,
        code=first.code if first else "",
        said=first.said if first else "",
        values=tuple(_shown(key, told.get(place)) for place, key in enumerate(broken.sample)),
        evidence={"rules": counts, **({"server": said} if said else {})},
    )


def _shown(key: object, told: Denied | None) -> str:
    """``_id=7: status: enum``, as the server names the rules."""
    return f"_id={shown(key)}" + (f": {', '.join(told.broken)}" if told else "")
