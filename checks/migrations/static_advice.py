"""A linter of SQL has nothing against the new migrations.

Proves nothing by trying: it passes on what squawk (squawkhq.com, "Rules") says of the text of each statement that a new migration
sent, whatever tool sent it, with the ids of squawk's own rules. It is asked where `squawk = true` stands under `migrations`. What
this run saw itself needs no advice: rules that a migration breaks at once when it is applied are left out, and so are rules of
style (`prefer-…`, `ban-char-field`). A comment `-- squawk-ignore RULE` on the line before a statement is heeded, and a
`.squawk.toml` in the root of the repository.

**Anti-pattern**

```sql
CREATE INDEX orders_by_buyer ON orders (buyer_id);  -- require-concurrent-index-creation
```

**Best practice**

```sql
CREATE INDEX CONCURRENTLY orders_by_buyer ON orders (buyer_id);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.advice import Hint
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.targets import Target

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "new migrations that squawk was asked about"
PROVES = "leave a linter of SQL nothing to say"

#: The subject where the linter could not be asked.
ALL = "new migrations"
#: Rules about what a session sets for itself, which a tool or a role may set as well.
_SETTINGS = frozenset({"require-lock-timeout", "require-statement-timeout"})


def run(target: Target) -> Iterator[Judgement]:
    """Pass on what the linter said, one finding for each rule in each migration; nothing where it is not asked."""
    advice = target.evidence.advice
    if advice is None:
        return
    if advice.gap:
        yield NotProven(ALL, advice.gap)
    unread = dict(advice.unread)
    yield from (NotProven(revision, why) for revision, why in unread.items())
    for revision in (one for one in advice.looked if one not in unread):
        hints = [one for one in advice.hints if one.revision == revision]
        if not hints:
            yield Proven(revision)
        for rule in dict.fromkeys(one.rule for one in hints):
            yield _finding(revision, [one for one in hints if one.rule == rule], advice.tool)


def _finding(revision: str, hints: list[Hint], tool: str) -> Finding:
    first = hints[0]
    return Finding(
        subject=f"{revision}: {first.rule}",
        message=f"{tool} {first.rule}: {first.message}",
        remedy=first.remedy
        or f"See the rule {first.rule} in {tool}'s documentation, or say `-- squawk-ignore {first.rule}` above it.",
        severity=Severity.NOTICE if first.rule in _SETTINGS else None,
        place=first.place,
        count=len(hints),
        evidence={"rule": first.rule, "places": [str(one.place) for one in hints]},
    )
