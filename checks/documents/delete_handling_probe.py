"""Deleting a document does to those that refer to it what is declared.

Proves, for every reference with `on delete restrict`, `cascade` or `set null` under `references` in
`[databases.NAME.expect]`, that the application's own command keeps to it. MongoDB itself knows no delete rules (its manual,
"Database References"): whatever should happen to children is code. So on a copy the command that `deletes` names is run for a
parent that has children, in a database of the same name.

- `restrict`: the command must end with a status that is not 0, and no collection may differ after; without its children the same
  parent must go, for a command that never deletes anything refuses nothing.
- `cascade`: parent and children are gone.
- `set null`: the parent is gone, and its children are there without the reference. In an array the element may go.

With the last two nothing may dangle after that did not before. Other rules with `restrict`, which would keep the parent, are
taken out of the way first. Keys of several fields in arrays, and arrays in arrays, are not tried.

**Anti-pattern**

```python
db.companies.delete_one({"company_name": name})  # and its subscriptions?
```

**Best practice**

```toml
[databases.docs.expect]
references = ["subscriptions.company_name -> companies.company_name on delete restrict"]

[databases.docs.expect.deletes]
companies = "python scripts/delete_company.py {company_name}"
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.documents import DocumentReference, key_label
from checks.document_targets import DocumentTarget
from checks.evidence import DeleteAttempt
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.collections import collection_reference
from checks.schema.model import Action

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.MONGODB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "declared delete rules"
PROVES = "are kept by the application's own command"


def run(target: DocumentTarget) -> Iterator[Judgement]:
    """Judge every reference with a delete rule by what became of a parent with children."""
    for reference in dict.fromkeys(target.expect.documents.references):
        if reference.on_delete is not None:
            yield _judge(reference, target)


def _judge(reference: DocumentReference, target: DocumentTarget) -> Judgement:
    attempt = target.evidence.deletes.get(reference.label)
    if reference.parent.collection not in target.expect.documents.deletes:
        return NotProven(reference.label, "no command under `deletes`")
    if target.evidence.failure is not None:
        return NotProven(reference.label, "the migrations failed")
    if attempt is None:
        return NotProven(reference.label, "the command is run on a copy alone, and here is none")
    if attempt.gap:
        return NotProven(reference.label, attempt.gap)
    return _RULES[reference.on_delete or Action.RESTRICT](reference, attempt, target)


def _restricted(reference: DocumentReference, attempt: DeleteAttempt, target: DocumentTarget) -> Judgement:
    if not attempt.refused:
        became = "is gone" if not attempt.parent_left else "is there still, though the command ended well"
        said = f"{_a_parent(reference, attempt)} is not refused: it {became}; children: {_children(attempt, reference)}"
        return _finding(reference, attempt, said, target)
    if attempt.changed:
        said = f"{_a_parent(reference, attempt)} is refused, and yet it changes {', '.join(attempt.changed)}"
        return _finding(reference, attempt, said, target)
    if attempt.alone:
        why = attempt.alone.strip().splitlines()[-1] if attempt.alone.strip() else "it said nothing"
        return NotProven(reference.label, f"the command deletes no such document without children either: {why}")
    return Proven(reference.label)


def _cascaded(reference: DocumentReference, attempt: DeleteAttempt, target: DocumentTarget) -> Judgement:
    wrong = attempt.named or attempt.emptied or attempt.moved
    return _gone(reference, attempt, bool(wrong), target)


def _emptied(reference: DocumentReference, attempt: DeleteAttempt, target: DocumentTarget) -> Judgement:
    wrong = attempt.named or attempt.gone or attempt.moved
    return _gone(reference, attempt, bool(wrong), target)


def _gone(reference: DocumentReference, attempt: DeleteAttempt, wrong: bool, target: DocumentTarget) -> Judgement:
    """The parent is to be gone, and its children as declared."""
    deleting = _a_parent(reference, attempt)
    if attempt.refused:
        changed = f", and yet it changes {', '.join(attempt.changed)}" if attempt.changed else ""
        return _finding(reference, attempt, f"{deleting} is refused{changed}", target)
    if attempt.parent_left:
        return _finding(reference, attempt, f"{deleting} ends well, and it is there still", target)
    if wrong:
        return _finding(reference, attempt, f"{deleting} leaves its children otherwise: {_children(attempt, reference)}", target)
    if attempt.dangling:
        since = ", ".join(f"{label} ({count})" for label, count in attempt.dangling)
        return _finding(reference, attempt, f"{deleting} leaves references that dangle: {since}", target)
    return Proven(reference.label)


_RULES = {Action.RESTRICT: _restricted, Action.CASCADE: _cascaded, Action.SET_NULL: _emptied}


def _a_parent(reference: DocumentReference, attempt: DeleteAttempt) -> str:
    children = "1 child" if attempt.children == 1 else f"{attempt.children} children"
    return f"deleting a document of {reference.parent.collection} that has {children} in {reference.child.collection}"


def _children(attempt: DeleteAttempt, reference: DocumentReference) -> str:
    parts = (
        (attempt.gone, "gone"),
        (attempt.named, "still naming it"),
        (attempt.emptied, f"without {reference.child.dotted}"),
        (attempt.moved, "naming another"),
    )
    return ", ".join(f"{count} {words}" for count, words in parts if count)


def _finding(reference: DocumentReference, attempt: DeleteAttempt, message: str, target: DocumentTarget) -> Finding:
    command = target.expect.documents.deletes[reference.parent.collection]
    return Finding(
        subject=reference.label,
        message=f"{message}; declared is on delete {reference.on_delete}",
        remedy=f"Let `{command}` do what is declared, in one transaction, or declare what it does.",
        objects=(collection_reference(reference.child.collection),),
        place=reference.place,
        count=attempt.children,
        said=attempt.said,
        values=(attempt.key,),
        evidence={
            "parent": key_label(reference.parents),
            "refused": attempt.refused,
            "gone": attempt.gone,
            "naming it still": attempt.named,
            "without the reference": attempt.emptied,
            "naming another": attempt.moved,
            "changed": list(attempt.changed),
        },
    )
