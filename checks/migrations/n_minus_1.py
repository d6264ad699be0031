"""The previous release runs on the new schema.

Proves it with what base's release sends: while a release is rolled out, and after it is rolled back, the old code meets the new
schema. Its statements come from its own tests, run on a copy of base (`statements`), or from a file (`statements_file`: what
`pg_stat_statements` holds in production, for example). Each is prepared on copies of base and of head, as the extended
protocol's Parse does it (PostgreSQL documentation, "Message Flow"): what base understands and head does not fails in production
at the moment the migration is applied. So does an INSERT that gives no value for a column that is NOT NULL without a default
since; the server would take it until it is executed. With `n_minus_1` base's own tests run on a copy of head; where they fail
there and not on base, that is a finding.

What cannot be prepared (statements of clients that put values into the text of several statements at once, temporary tables) and
what base refuses too is not proven, and how many those are is said. A program that cannot start, or that fails on base's own
schema too, tells nothing of the change: then this check could not run, which ends the run with exit 4.

**Anti-pattern**

```sql
ALTER TABLE orders RENAME COLUMN note TO remark;  -- every instance of the old release fails until it is gone
```

**Best practice**

```sql
-- This release writes both and reads the new one; the old column goes with the next.
ALTER TABLE orders ADD COLUMN remark text;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import CouldNotRun, Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.previous import BrokenStatement, OwnTests, Previous
from checks.targets import Target

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "ways of the previous release"
PROVES = "run on the new schema"

#: The subjects of what holds as a whole.
STATEMENTS = "statements of the previous release"
TESTS = "tests of the previous release"
#: The subject of those of which nothing is known.
LEFT = "statements that base refuses too"


def run(target: Target) -> Iterator[Judgement]:
    """Judge the statements, and the tests; nothing where the settings name neither.

    Raises CouldNotRun where a program that the settings name did not do its work.
    """
    found = target.evidence.previous
    if found is None:
        return
    if found.gap:
        yield NotProven(STATEMENTS, found.gap)
    if found.left:
        yield NotProven(LEFT, f"{found.left} of {found.statements + found.left} statements cannot be prepared on base either")
    for one in found.broken:
        yield _broken(one)
    if found.statements and not found.broken:
        yield Proven(STATEMENTS)
    if found.tests is not None and not found.tests.failed:
        yield _tests(found.tests)
    if failed := _failed(found):
        raise CouldNotRun(failed)


def _failed(found: Previous) -> str:
    """Why programs that the settings name tell nothing, each reason once."""
    return "\n".join(dict.fromkeys(filter(None, (found.failed, found.tests.failed if found.tests else ""))))


def _broken(one: BrokenStatement) -> Finding:
    number = "1 statement" if one.times == 1 else f"{one.times} statements"
    after = f" after migration {one.revision}" if one.revision else ""
    return Finding(
        subject=f"{one.revision}: {one.said}" if one.revision else one.said,
        message=f"{number} of the previous release cannot run{after}: {one.said}; for example {one.texts[0]}",
        remedy="Expand first: keep what the old release uses, let the new one do without, and take it away a release later.",
        place=one.place,
        count=one.times,
        code=one.code,
        said=one.said,
        evidence={"revision": one.revision, "statements": list(one.texts)},
    )


def _tests(one: OwnTests) -> Judgement:
    if one.gap:
        return NotProven(TESTS, one.gap)
    if not one.said:
        return Proven(TESTS)
    return Finding(
        subject=TESTS,
        message=f"base's `{one.command}` fails on the new schema, and passes on its own",
        remedy="Expand first: keep what the old release uses, let the new one do without, and take it away a release later.",
        place=one.place,
        said=one.said,
        evidence={"command": one.command},
    )
