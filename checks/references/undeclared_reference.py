"""What looks and behaves like a reference is declared as one.

Proves that no column is a reference which nobody wrote down: one whose name names a table (`customer_id`, `billingCustomerId`,
`parent_id` of the table itself), of the type of that table's primary key, almost all of whose values are there. Names alone prove
nothing, so the values decide: a few hundred of them first, looked up by the parent's key, then all of them, and the finding says
how many rows name nothing, with the confidence that names and values give. `stripe_customer_id` is a text where customers have
numbers, or holds values that no customer has, and is left alone; so is a column with its `_type` beside it, and whatever
`references` declares, as `undeclared` too.

Off by default: rows that were made for a test agree by chance. It is on where the settings give it a severity, and a notice where
`dbproof check` looks at a database that exists.

**Anti-pattern**

```sql
CREATE TABLE invoices (id bigint PRIMARY KEY, customer_id bigint NOT NULL);    -- everybody knows what that means, but the server
```

**Best practice**

```sql
ALTER TABLE invoices ADD FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
ALTER TABLE invoices VALIDATE CONSTRAINT invoices_customer_id_fkey;
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Select, and_, func, select

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.names import column_label, column_reference, table_reference
from checks.sql.guesses import Guess, guesses
from checks.sql.orphans import counted, matching
from checks.sql.remedies import made_anew
from checks.sql.statements import named, only, quoted, quoted_table
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.OFF
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "columns with names like those of references"
PROVES = "are none by their values"

#: How many rows are looked at for values at first, and how many different values are tried.
LOOKED_AT, TRIED = 10_000, 300

#: The share of values that must be there for a column to be a reference.
CONTAINED = 0.9


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every column that looks like a reference by its values."""
    declared = {(one.table, one.columns) for one in target.expect.references}
    declared |= {(one.table, (one.column,)) for one in target.expect.polymorphic}
    with target.rows() as session:
        for guessed in guesses(target.catalogue, target.engine):
            key = guessed[0].key
            if (key.table, key.columns) in declared:
                continue
            if key.table not in target.filled:
                yield NotProven(key.label, "no rows")
                continue
            try:
                yield _judge(guessed, session, target)
            except StatementFailed as failure:
                yield unanswered(key.label, failure)


def _judge(guessed: Sequence[Guess], session: ReadSession, target: RelationalTarget) -> Judgement:
    key = guessed[0].key
    tried = [(guess, *session.rows(_sample(guess, target))[0]) for guess in guessed]
    if not tried[0][1]:
        return NotProven(key.label, "no values")
    likely = [guess for guess, values, found in tried if found >= CONTAINED * values]
    if len(likely) > 1:
        return NotProven(key.label, f"it could name {' or '.join(guess.label.partition(' -> ')[2] for guess in likely)}")
    if not likely:
        return Proven(key.label, key.sides)
    (orphans,) = session.rows(counted(likely[0].key, target.catalogue, target.engine))[0]
    (rows,) = session.rows(_rows(likely[0], target))[0]
    few = orphans > (1 - CONTAINED) * rows
    return Proven(key.label, key.sides) if few else _finding(likely[0], orphans, rows, target)


def _sample(guess: Guess, target: RelationalTarget) -> Select[int, int]:
    """How many different values the first rows have, and how many of these the parent has."""
    key, (name,) = guess.key, guess.key.columns
    child = named(key.table, key.columns, "child")
    first = only(select(child.c[name]).select_from(child), child, target.catalogue.table[key.table])
    some = first.where(child.c[name].is_not(None)).limit(LOOKED_AT).subquery("some")
    values = select(some.c[name]).distinct().limit(TRIED).subquery("values_")
    parent = named(key.parent, key.parent_columns, "parent")
    same = and_(*matching(values, parent, key, target.catalogue, target.engine))
    return select(func.count(), func.count(parent.c[key.parent_columns[0]])).select_from(values.outerjoin(parent, same))


def _rows(guess: Guess, target: RelationalTarget) -> Select[int]:
    """How many rows refer to something."""
    child = named(guess.key.table, guess.key.columns, "child")
    counted_ = select(func.count(child.c[guess.key.columns[0]])).select_from(child)
    return only(counted_, child, target.catalogue.table[guess.key.table])


def _finding(guess: Guess, orphans: int, rows: int, target: RelationalTarget) -> Finding:
    key, contained = guess.key, (rows - orphans) / rows
    every = (
        f"all but {orphans} of its {rows} rows" if orphans else f"every one of its {rows} rows" if rows > 1 else "its only row"
    )
    parent = column_label(key.parent, key.parent_columns)
    return Finding(
        subject=key.label,
        severity=Severity.NOTICE,
        message=f"{key.label} names {parent} in {every}, and no foreign key says so",
        remedy=_remedy(guess, target),
        objects=(column_reference(key.table, key.columns[0]), table_reference(key.table)),
        count=orphans,
        evidence={"parent": parent, "rows": rows, "orphans": orphans, "confidence": round(guess.likeness * contained, 2)},
    )


def _remedy(guess: Guess, target: RelationalTarget) -> str:
    key, engine, schema = guess.key, target.engine, target.catalogue.default_schema
    table, parent = (quoted_table(engine, name, schema) for name in (key.table, key.parent))
    clause = f"FOREIGN KEY ({quoted(engine, key.columns)}) REFERENCES {parent} ({quoted(engine, key.parent_columns)})"
    unchecked = " NOT VALID" if engine is Engine.POSTGRESQL else ""
    add = made_anew(table, clause) if engine is Engine.SQLITE else f"ALTER TABLE {table} ADD {clause}{unchecked};"
    return f'{add} Where it is to stay as it is: references = ["{guess.label} undeclared"].'
