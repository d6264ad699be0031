"""When a parent is deleted, each reference does what its rule says, and nothing is orphaned downstream.

Proves the delete rule of each declared reference by deleting. First alone: on a copy, in a transaction that is undone, a parent
and a child that refers to it are put into their tables, from which everything else was taken away (other constraints, triggers,
rules), and the parent is deleted. RESTRICT and NO ACTION (deferred ones are made immediate) must refuse, by that very
constraint; CASCADE must take the child along; SET NULL must leave it with NULL, in the listed columns where there is a list
(PostgreSQL 15); SET DEFAULT must refuse while no parent has the default, and give it afterwards (manual, "Foreign Keys").

Then with everything in place: of each reference that has rows, some of the parents that they refer to are deleted, and where
that goes through, the orphans of every reference downstream are counted again. A trigger may undo what a rule did: PostgreSQL
carries a cascade out as a statement on the child's table, a trigger there may let it pass over a row, and nobody looks again.
The key stays valid, and the row has no parent. MariaDB lets a parent lose the index that references need (`SET
foreign_key_checks = 0`); their rules do nothing from then on. A trigger that swallows the delete of the parent itself without a
word is a notice.

`SET NULL` on a column that is NOT NULL is a warning: the parent can never be deleted. In SQLite all of this depends on what the
application's sessions do with `PRAGMA foreign_keys`: without `foreign_keys = true` in the settings nothing is proven.

**Anti-pattern**

```sql
-- What a person approved is not deleted; also not when its import goes, and then it points at nothing.
CREATE FUNCTION keep_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN OLD.is_approved THEN NULL ELSE OLD END;
END $$;
CREATE TRIGGER keep_approved BEFORE DELETE ON mappings FOR EACH ROW EXECUTE FUNCTION keep_approved();
```

**Best practice**

```sql
-- Refuse with an error: then the parent stays as well.
CREATE FUNCTION keep_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.is_approved THEN RAISE 'mapping % is approved', OLD.id; END IF;
    RETURN OLD;
END $$;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import Engine, Judgement, Need, Severity
from checks.probing.rule_probes import probed
from checks.probing.rules import DELETE
from checks.targets import RelationalTarget

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.SANDBOX})
SUBJECTS = "delete rules"
PROVES = "do what they say"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Delete a parent of every declared reference."""
    yield from probed(DELETE, target)
