"""No row or document names something that another database does not have.

Proves, for every line of `references` at the top of the settings (`docs:subscriptions.customer_id -> app:customers.id`), that
each value of the child's field or column stands in the parent's, in another database, of another engine or of the same. No server
can hold such a reference: what one of them deletes, or never committed, the other goes on naming.

When the run has each of the two databases before it, the different keys of its side are kept, and compared when both have been
seen; a side is read once, and no more of it is in memory than a few thousand keys. Keys are compared as text, in which 42, 42.0
and "42" are one, a UUID has small letters and its hyphens wherever it is from, and an ObjectId is its 24 digits. Missing fields
and NULL refer to nothing. The counts are exact. A side that this run did not see, or a child without any value, proves nothing.
Findings stand with the child's database; what was so on the base revisions of both is known.

**Anti-pattern**

```python
session.delete(customer)  # PostgreSQL
session.commit()
# ... and nobody tells the service whose MongoDB holds the subscriptions.
```

**Best practice**

```python
# The deletion is an event in the same transaction; who holds references settles them, and only then the row goes.
customer.closed_at = now()
session.add(Event("customer-closed", customer.id))
session.commit()
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.across import AcrossTarget, Compared, CrossReference
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.targets import StatementFailed
from checks.unanswered import Unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB, Engine.MONGODB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "references to other databases"
PROVES = "find their parents"


def run(target: AcrossTarget) -> Iterator[Judgement]:
    """Judge every declared reference of this database to another; the first that could not be read is raised after all others."""
    unanswered = Unanswered()
    for reference in target.references:
        try:
            yield _judge(reference, target.compared(reference))
        except StatementFailed as failure:
            yield from unanswered.of(reference.label, failure)
    unanswered.told()


def _judge(reference: CrossReference, found: Compared) -> Judgement:
    if found.lacking:
        return _absent(reference, found)
    if found.gap:
        return NotProven(reference.label, found.gap)
    if found.missing:
        return _finding(reference, found)
    return Proven(reference.label) if found.keys else NotProven(reference.label, f"no {reference.child.rows} that refer")


def _absent(reference: CrossReference, found: Compared) -> Finding:
    return Finding(
        subject=f"{reference.label} (absent)",
        message=f"{reference.label} is declared to hold, and there is no {' and no '.join(found.lacking)}",
        remedy="Correct the line under `references`, or add what it names in a migration.",
        objects=reference.child.objects,
        place=reference.place,
    )


def _finding(reference: CrossReference, found: Compared) -> Finding:
    child, parent, count = reference.child, reference.parent, found.references
    many = f"{count} {child.rows} of {child.holder} name" if count != 1 else f"1 {child.rows[:-1]} of {child.holder} names"
    different = f"{found.missing} different ones" if found.missing != 1 else "1 that is missing"
    return Finding(
        subject=reference.label,
        message=f"{many} a {parent.label} that does not exist, {different} of {found.keys}",
        remedy=f"Settle them in a migration of {child.database}: give them a parent, make the missing ones, or remove them.",
        objects=child.objects,
        count=count,
        values=tuple(f"{key} ({times})" for key, times in found.sample),
        evidence={"missing": found.missing, "keys": found.keys, "parent": parent.label},
    )
