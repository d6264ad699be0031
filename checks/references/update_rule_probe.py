"""When a parent gets another key, each reference does what its rule says, and nothing is orphaned downstream.

Proves the update rule of each declared reference by updating. First alone: on a copy, in a transaction that is undone, a parent
and a child that refers to it are put into their tables, from which everything else was taken away (other constraints, triggers,
rules), and the parent gets another key. RESTRICT and NO ACTION (deferred ones are made immediate) must refuse, by that very
constraint; CASCADE must give the child the new key; SET NULL must leave it with NULL; SET DEFAULT must refuse while no parent
has the default, and give it afterwards (manual, "Foreign Keys").

Then with everything in place: of each reference that has rows, some of the parents that they refer to get another key, and
where that goes through, the orphans of every reference downstream are counted again: a trigger on the child that puts the old
key back leaves a row without a parent, and nobody looks again. A trigger that swallows the update of the parent itself is a
notice.

`SET NULL` on a column that is NOT NULL is a warning: the key can never change. In SQLite all of this depends on what the
application's sessions do with `PRAGMA foreign_keys`: without `foreign_keys = true` in the settings nothing is proven.

**Anti-pattern**

```sql
-- Faster renaming, and the way back forgotten: from now on lines keep the old code.
ALTER TABLE products DISABLE TRIGGER ALL;
UPDATE products SET code = 'A-' || code;
```

**Best practice**

```sql
-- A key that means nothing never has to change; one that does is carried along by the server itself.
ALTER TABLE lines ADD FOREIGN KEY (product_code) REFERENCES products (code) ON UPDATE CASCADE;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import Engine, Judgement, Need, Severity
from checks.probing.rule_probes import probed
from checks.probing.rules import UPDATE
from checks.targets import RelationalTarget

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "update rules"
PROVES = "do what they say"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Give a parent of every declared reference another key."""
    yield from probed(UPDATE, target)
