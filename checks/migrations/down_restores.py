"""The way back of each new migration restores what was there before it.

Proves it by going there: on a copy of what the base revision's database holds (without a base, on an empty one, for the newest
five), each new migration is applied, undone and applied again as its tool does it, and the states are compared: collections with
their options, validators, indexes, how many documents there are and what they hold. Undoing must restore the state before;
applying again must come to the same collections, validators, indexes and numbers as the first time (not the same contents, as a
migration may write the time or make identifiers); and once nothing is pending, one more run of a tool that keeps books must
change nothing. Documents and fields that the way back cannot bring back are counted: they are what a rollback in production
loses. The order in which documents were written and that of their fields does not count, nor does an empty collection without
validator, index or option, which MongoDB makes by itself.

A migration that offers no way back (no `down`, or one that raises NotImplementedError) is a notice.

**Anti-pattern**

```python
def up(db):
    db.subscriptions.update_many({}, {"$unset": {"legacy_code": ""}})  # the values are gone


def down(db):
    db.subscriptions.update_many({}, {"$set": {"legacy_code": None}})  # not what was there
```

**Best practice**

```python
def up(db):
    db.subscriptions.update_many({}, {"$rename": {"legacy_code": "_legacy_code"}})  # dropped by a later migration


def down(db):
    db.subscriptions.update_many({}, {"$rename": {"_legacy_code": "legacy_code"}})
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.evidence import MigrationFailure
from checks.interface import Engine, Finding, Json, Judgement, Need, NotProven, Proven, Severity
from checks.reversals import Difference, DifferenceKind, Reversal, SecondRun
from checks.schema.names import ObjectKind, ObjectReference
from checks.targets import Target

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "new migrations that can be undone"
PROVES = "go back and forth"

#: The subject of a tool without revisions, and that of its second run.
ALL = "migrations"
SECOND = "a second run"

#: How many differences are said.
_MOST = 6

_HELD = frozenset({DifferenceKind.ROWS_MISSING, DifferenceKind.ROWS_EXTRA, DifferenceKind.ROWS_CHANGED})


def run(target: Target) -> Iterator[Judgement]:
    """Judge every migration that was undone, and the run after the last."""
    for one in target.evidence.reversals:
        yield _judge(one)
    if target.evidence.second_run is not None:
        yield _second(target.evidence.second_run)


def _judge(one: Reversal) -> Judgement:
    subject = one.revision or ALL
    if one.gap:
        return NotProven(subject, one.gap)
    if one.irreversible:
        return _irreversible(subject, one)
    if one.left:
        return _not_restored(subject, one)
    if one.failure is not None:
        return _stopped(subject, one, one.failure)
    if one.again:
        return _other_again(subject, one)
    return Proven(subject)


def _irreversible(subject: str, one: Reversal) -> Finding:
    return Finding(
        subject=subject,
        message=f"migration {subject} cannot be undone: {one.irreversible}",
        remedy="Write the way back, or accept it once: `dbproof allow` with the reason and what is done instead (a backup).",
        severity=Severity.NOTICE,
        place=one.place,
    )


def _stopped(subject: str, one: Reversal, failure: MigrationFailure) -> Finding:
    said = "cannot be applied again after it was undone" if one.failed_again else "cannot be undone: its way back fails"
    return Finding(
        subject=subject,
        message=f"{_named(subject)} {said}",
        remedy=_AGAIN if one.failed_again else "Correct the statement of the way back; it is needed when a release goes wrong.",
        place=failure.place or one.place,
        code=failure.code,
        said=failure.said,
        detail=failure.detail,
        evidence={"statement": failure.statement},
    )


_AGAIN = "Let the way back remove everything that the migration makes, so that it finds what it found the first time."


def _not_restored(subject: str, one: Reversal) -> Finding:
    lost = [each for each in one.left if each.kind in _HELD or each.rows]
    return Finding(
        subject=subject,
        message=f"undoing {_named(subject)} does not restore what was there: {_list(one.left)}",
        remedy=_RESTORE_ROWS if lost else _RESTORE,
        place=one.place,
        objects=_objects(one.left),
        count=sum(each.rows for each in lost) or None,
        evidence=_facts(one.left),
    )


_RESTORE = "Let the way back undo each step, the last one first."
_RESTORE_ROWS = (
    "Keep what the migration removes until it is settled (rename it, or copy it aside with $out), and drop it in a later one; "
    "let the way back remove what the migration added."
)


def _other_again(subject: str, one: Reversal) -> Finding:
    return Finding(
        subject=subject,
        message=f"{_named(subject)}, applied again after it was undone, comes to something else: {_list(one.again)}",
        remedy=_AGAIN,
        place=one.place,
        objects=_objects(one.again),
        evidence=_facts(one.again),
    )


def _second(one: SecondRun) -> Judgement:
    if one.failure is not None:
        return Finding(
            subject=SECOND,
            message="applying once more, with nothing pending, fails",
            remedy="Let the program see what is applied already, and do nothing then: deployments run it every time.",
            place=one.failure.place,
            code=one.failure.code,
            said=one.failure.said,
            detail=one.failure.detail,
        )
    if one.changed:
        return Finding(
            subject=SECOND,
            message=f"applying once more, with nothing pending, changes the database: {_list(one.changed)}",
            remedy="Let the program see what is applied already, and do nothing then: deployments run it every time.",
            objects=_objects(one.changed),
            evidence=_facts(one.changed),
        )
    return Proven(SECOND)


def _named(subject: str) -> str:
    return "the migrations" if subject == ALL else f"migration {subject}"


def _list(differences: Sequence[Difference]) -> str:
    said = "; ".join(_say(one) for one in differences[:_MOST])
    more = len(differences) - _MOST
    return f"{said}; and {more} more" if more > 0 else said


def _say(one: Difference) -> str:
    match one.kind:
        case DifferenceKind.MISSING:
            return f"{_label(one.of)} is gone{_with(one.rows)}"
        case DifferenceKind.EXTRA:
            return f"{_label(one.of)} is there, and was not{_with(one.rows)}"
        case DifferenceKind.CHANGED:
            return f"{_label(one.of)} {one.words}"
        case DifferenceKind.ROWS_MISSING:
            return f"{_documents(one.rows)} of {_label(one.of)} {'is' if one.rows == 1 else 'are'} not brought back"
        case DifferenceKind.ROWS_EXTRA:
            return f"{_documents(one.rows)} of {_label(one.of)} {'was' if one.rows == 1 else 'were'} not there"
        case DifferenceKind.ROWS_CHANGED:
            number = _documents(one.rows) if one.rows else "the documents"
            hold = "holds" if one.rows == 1 else "hold"
            return f"{number} of {_label(one.of)} {hold} something else{f' in {one.words}' if one.words else ''}"


def _label(of: ObjectReference) -> str:
    if of.kind is ObjectKind.INDEX:
        return f"index {of.relation}.{of.name}"
    return f"the validator of {of.relation}" if of.kind is ObjectKind.VALIDATOR else of.relation


def _with(rows: int) -> str:
    return f", with {_documents(rows)}" if rows else ""


def _documents(number: int) -> str:
    return "1 document" if number == 1 else f"{number} documents"


def _objects(differences: Sequence[Difference]) -> tuple[ObjectReference, ...]:
    return tuple(dict.fromkeys(one.of for one in differences))


def _facts(differences: Sequence[Difference]) -> dict[str, Json]:
    listed: list[Json] = [
        {"object": _label(one.of), "kind": one.kind.value, "rows": one.rows, "words": one.words} for one in differences
    ]
    return {"differences": listed}
