"""The references that the repository expects stand in the database, with the delete rule it expects.

Proves, for every line of `references` under `[databases.NAME.expect]`, that a foreign key from those columns to that parent
exists and does what the line says when a parent is deleted. An object-relational mapper's `cascade="all, delete"` is no rule of
the database, and a migration that drops and re-adds a key loses its rule without a word.

The rule must be the same, word for word: `restrict` is not met by `no action`. Both refuse to delete a parent that has
children, but NO ACTION looks at the end of the statement (or of the transaction, where the key is deferrable), so a trigger or
another cascade may remove the children first, and the delete passes; RESTRICT refuses at once (manual, "Foreign Keys"). A line
without `on delete` accepts any rule; one that says `undeclared` wants no key at all (see orphaned-rows).

In SQLite a rule does nothing unless the application's sessions switch foreign keys on: where the settings do not say so
(`foreign_keys = true`) nothing is proven, and where they say that they are off nothing holds.

**Anti-pattern**

```sql
-- expected: orders.buyer_id -> users.id on delete restrict
ALTER TABLE orders ADD FOREIGN KEY (buyer_id) REFERENCES users (id) ON DELETE CASCADE;    -- one DELETE takes every order along
```

**Best practice**

```sql
ALTER TABLE orders ADD FOREIGN KEY (buyer_id) REFERENCES users (id) ON DELETE RESTRICT;
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from checks.declared.absent import absent
from checks.declared.references import ExpectedReference
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Action, Catalogue, ForeignKey
from checks.schema.names import column_label, column_reference, table_reference
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "expected references"
PROVES = "stand as declared"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every expected reference by the catalogue."""
    declared = [replace(one, where="") for one in target.expect.references if not one.undeclared]
    ruled = {one.label for one in declared if one.on_delete is not None}
    for expected in dict.fromkeys(declared):
        if expected.on_delete is not None or expected.label not in ruled:
            yield _judge(expected, target)


def _judge(expected: ExpectedReference, target: RelationalTarget) -> Judgement:
    lacking = absent(target.catalogue, (expected.table, expected.columns), (expected.parent, expected.parent_columns))
    key = None if lacking else _key(expected, target.catalogue)
    if key is None and target.evidence.incomplete:
        return NotProven(expected.label, "not there, the migrations failed")
    if key is None:
        return _without_columns(expected, lacking) if lacking else _missing(expected, target)
    if expected.on_delete not in {None, key.on_delete}:
        return _wrong_rule(expected, key, target)
    if target.engine is Engine.SQLITE and not target.expect.foreign_keys:
        return _not_enforced(expected, key, target)
    return Proven(expected.label)


def _not_enforced(expected: ExpectedReference, key: ForeignKey, target: RelationalTarget) -> Judgement:
    """It stands, and whether SQLite heeds it is decided by each session."""
    if target.expect.foreign_keys is None:
        return NotProven(expected.label, "stands, but not said whether the application's sessions enforce it: set `foreign_keys`")
    return Finding(
        subject=f"{expected.label} (off)",
        message=f"{expected.label} stands and does nothing: the application's sessions run with foreign_keys off",
        remedy="Execute PRAGMA foreign_keys = on in every session, outside of a transaction, and set `foreign_keys = true`.",
        objects=(key.reference, table_reference(key.table)),
    )


def _pairs(columns: tuple[str, ...], parent_columns: tuple[str, ...]) -> set[tuple[str, str]]:
    return set(zip(columns, parent_columns, strict=True))


def _key(expected: ExpectedReference, catalogue: Catalogue) -> ForeignKey | None:
    """The key that was expected: a composite one in any order of its pairs; among several, one whose rule is right."""
    wanted = _pairs(expected.columns, expected.parent_columns)
    keys = catalogue.table[expected.table].foreign_keys
    found = [key for key in keys if key.parent == expected.parent and _pairs(key.columns, key.parent_columns) == wanted]
    return min(found, key=lambda key: key.on_delete is not expected.on_delete, default=None)


# The three ways to fail have subjects of their own: a reference whose column did not exist on the base revision and which arrives
# with the wrong rule is a new finding, not a known one.


def _without_columns(expected: ExpectedReference, lacking: list[str]) -> Finding:
    return Finding(
        subject=f"{expected.label} (absent)",
        message=f"{expected.label} is expected, and there is no {' and no '.join(lacking)}",
        remedy="Correct the line under `references`, or add what it names in a migration.",
        objects=(table_reference(expected.table), table_reference(expected.parent)),
    )


def _missing(expected: ExpectedReference, target: RelationalTarget) -> Finding:
    keys = target.catalogue.table[expected.table].foreign_keys
    others = [key for key in keys if set(key.columns) == set(expected.columns)]
    instead = "".join(f"; {key.name} refers to {column_label(key.parent, key.parent_columns)} instead" for key in others)
    return Finding(
        subject=f"{expected.label} (missing)",
        message=f"no foreign key enforces {expected.label}{instead}",
        remedy=_add(expected, expected.on_delete or Action.NO_ACTION, target),
        objects=(
            *(key.reference for key in others),
            *(column_reference(expected.table, name) for name in expected.columns),
            table_reference(expected.table),
        ),
    )


def _wrong_rule(expected: ExpectedReference, key: ForeignKey, target: RelationalTarget) -> Finding:
    wanted = expected.on_delete or key.on_delete
    table = quoted_table(target.engine, key.table, target.catalogue.default_schema)
    drop = f"ALTER TABLE {table} DROP CONSTRAINT {quoted(target.engine, key.name)}; "
    add = _add(expected, wanted, target)
    differ = f"is ON DELETE {key.on_delete.upper()}, expected {wanted.upper()}"
    return Finding(
        subject=expected.label,
        message=f"{expected.label} {differ}{_nearly(wanted, key.on_delete)}",
        remedy=add if target.engine is Engine.SQLITE else drop + add,
        objects=(key.reference, *(column_reference(key.table, name) for name in key.columns), table_reference(key.table)),
        evidence={"constraint": key.name, "expected": wanted.value, "found": key.on_delete.value},
    )


def _nearly(wanted: Action, found: Action) -> str:
    if {wanted, found} != {Action.RESTRICT, Action.NO_ACTION}:
        return ""
    return ": both refuse, but NO ACTION looks only at the end, when a trigger or a cascade may have removed the children"


def _add(expected: ExpectedReference, rule: Action, target: RelationalTarget) -> str:
    engine, schema = target.engine, target.catalogue.default_schema
    table, parent = (quoted_table(engine, name, schema) for name in (expected.table, expected.parent))
    columns, theirs = quoted(engine, expected.columns), quoted(engine, expected.parent_columns)
    clause = f"FOREIGN KEY ({columns}) REFERENCES {parent} ({theirs}) ON DELETE {rule.upper()}"
    return made_anew(table, clause) if engine is Engine.SQLITE else f"ALTER TABLE {table} ADD {clause};"
