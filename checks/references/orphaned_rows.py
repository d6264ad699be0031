"""No row names a parent that does not exist.

Proves, for every declared reference, that each of its rows finds its parent: validated or not, enforced or not, composite,
to the table itself, across schemas, partitioned. A constraint in the catalogue is no proof: `NOT VALID` never looked at older
rows, and `session_replication_role = replica`, a disabled trigger or a restored dump write past the strictest key.

What counts as an orphan is what the engine itself refuses. PostgreSQL (CREATE TABLE, "FOREIGN KEY"): under `MATCH SIMPLE` a key
with any NULL in it refers to nothing and is fine; under `MATCH FULL` a key that is NULL only in part is a violation too. SQLite
(foreignkeys.html) knows SIMPLE alone, compares in the parent's collation after giving the child's value the parent's affinity,
and enforces nothing unless each session says `PRAGMA foreign_keys = on`: rows are counted whatever the sessions do.

The count is exact and comes with the sample from one scan, by the anti-join that the engine itself finds best. An empty table
proves nothing.

**Anti-pattern**

```sql
-- Rows first, the rule later, and the old rows are never looked at.
INSERT INTO orders (buyer_id) VALUES (99);          -- there is no user 99
ALTER TABLE orders ADD FOREIGN KEY (buyer_id) REFERENCES users (id) NOT VALID;
```

**Best practice**

```sql
-- Find them, settle them, then let the server vouch for every row.
SELECT orders.* FROM orders LEFT JOIN users ON users.id = orders.buyer_id
 WHERE orders.buyer_id IS NOT NULL AND users.id IS NULL;
ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_id_fkey;
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, cast, exists, func, literal_column, or_, select
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import (
    Catalogue,
    ForeignKey,
    Match,
    Table,
    column_label,
    column_reference,
    no_table,
    table_reference,
)
from checks.statements import copyable, named, only
from checks.subjects import references
from checks.targets import ReadSession, RelationalTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "declared references"
PROVES = "hold for every row"

#: How many orphans a finding shows, of however many there are.
SAMPLE = 5

#: What PostgreSQL calls the database's own collation.
DEFAULT_COLLATION = 'pg_catalog."default"'


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every declared reference by its rows."""
    with target.rows() as session:
        for subject, key in references(target.catalogue):
            yield _judge(subject, key, session, target) if key.table in target.filled else NotProven(subject, "no rows")


def _judge(subject: str, key: ForeignKey, session: ReadSession, target: RelationalTarget) -> Judgement:
    if key.mismatch and not _has_no_parents(key) and not _is_known(key, target.catalogue):
        return NotProven(subject, key.mismatch)
    try:
        orphans = session.rows(sample(key, target.catalogue, target.engine))
    except StatementFailed as failure:
        if not failure.gap:
            raise
        return NotProven(subject, failure.gap)
    return _finding(subject, key, target, orphans) if orphans else Proven(subject)


def _has_no_parents(key: ForeignKey) -> bool:
    return key.mismatch == no_table(key.parent)


def _is_known(key: ForeignKey, catalogue: Catalogue) -> bool:
    parent = catalogue.table.get(key.parent)
    return parent is not None and set(key.parent_columns) <= set(parent.column)


def sample(key: ForeignKey, catalogue: Catalogue, engine: Engine = Engine.POSTGRESQL) -> Select[*tuple[Any, ...]]:
    """The first orphans of a reference in the order of their primary key, each row with the count of all.

    Columns: the child's primary key and the reference's columns as text, then the count.
    """
    child = named(key.table, shown(key, catalogue), "child")
    texts = [cast(child.c[name], Text) for name in shown(key, catalogue)]
    order = [child.c[name] for name in shown(key, catalogue)]
    counted = select(*(*texts, func.count().over().label("orphans")))
    return _orphans(counted, child, key, catalogue, engine).order_by(*order).limit(SAMPLE)


def shown(key: ForeignKey, catalogue: Catalogue) -> tuple[str, ...]:
    """The columns by which an orphan is shown: its primary key, then what it refers by."""
    child = catalogue.table.get(key.table)
    return tuple(dict.fromkeys((*(child.primary_key if child else ()), *key.columns)))


def _orphans(
    statement: Select[*tuple[Any, ...]], child: FromClause, key: ForeignKey, catalogue: Catalogue, engine: Engine
) -> Select[*tuple[Any, ...]]:
    """Read from the child only rows that refer to something and find no parent.

    A key that is NULL in part equals no parent, so that MATCH FULL needs no more than to look at those rows as well.
    """
    given = [child.c[name].is_not(None) for name in key.columns]
    refers = or_(*given) if key.match is Match.FULL else and_(*given)
    source = only(statement.select_from(child), child, catalogue.table.get(key.table))
    return source.where(refers) if _has_no_parents(key) else source.where(refers, ~exists(_parent(child, key, catalogue, engine)))


def _parent(child: FromClause, key: ForeignKey, catalogue: Catalogue, engine: Engine) -> Select[*tuple[Any, ...]]:
    """What a child's parent is found by; a period must be covered by all the parent's periods together."""
    parent = named(key.parent, key.parent_columns, "parent")
    found = only(select(literal_column("1")).select_from(parent), parent, catalogue.table.get(key.parent))
    same = _same(child, parent, key) if engine is Engine.SQLITE else _equalities(child, parent, key, catalogue)
    if not key.period:
        return found.where(*same)
    mine, theirs = child.c[key.columns[-1]], parent.c[key.parent_columns[-1]]
    return found.where(*same[:-1], theirs.op("&&")(mine)).having(mine.op("<@")(func.range_agg(theirs)))


def _same(child: FromClause, parent: FromClause, key: ForeignKey) -> list[ColumnElement[bool]]:
    """Each pair as SQLite's own foreign keys compare it: the parent stands left, so that its collation decides, and a plus sign
    takes the child's affinity away, so that its value gets the parent's (datatype3.html, 4.2; foreignkeys.html, 3)."""
    return [
        parent.c[theirs] == UnaryExpression(child.c[mine], operator=custom_op("+"))
        for mine, theirs in zip(key.columns, key.parent_columns, strict=True)
    ]


def _equalities(child: FromClause, parent: FromClause, key: ForeignKey, catalogue: Catalogue) -> list[ColumnElement[bool]]:
    """Each pair of columns compared as the server's own trigger does: its operator, the parent's collation."""
    compared: list[ColumnElement[bool]] = []
    operators = key.operators or ("=",) * len(key.columns)
    for mine, theirs, operator in zip(key.columns, key.parent_columns, operators, strict=True):
        column: ColumnElement[Any] = child.c[mine]
        collation = _collation(catalogue.table.get(key.parent), theirs)
        if collation != _collation(catalogue.table.get(key.table), mine):
            column = column.op("COLLATE")(literal_column(collation or DEFAULT_COLLATION))
        compared.append(parent.c[theirs].bool_op(operator)(column))
    return compared


def _collation(table: Table | None, column: str) -> str | None:
    found = table.column.get(column) if table is not None else None
    return found.collation if found is not None else None


def _finding(subject: str, key: ForeignKey, target: RelationalTarget, orphans: Sequence[tuple[Any, ...]]) -> Finding:
    count = int(orphans[0][-1])
    names = shown(key, target.catalogue)
    return Finding(
        subject=subject,
        message=_message(key, count),
        remedy=_remedy(key, target),
        objects=(key.reference, *(column_reference(key.table, name) for name in key.columns), table_reference(key.table)),
        count=count,
        values=tuple(_value(names, row[:-1]) for row in orphans),
        evidence={"constraint": key.name, "parent": column_label(key.parent, key.parent_columns)},
    )


def _message(key: ForeignKey, count: int) -> str:
    rows = f"{count} row of {key.table.label()} names" if count == 1 else f"{count} rows of {key.table.label()} name"
    if _has_no_parents(key):
        return f"{rows} a row of {key.parent.label()}, and {key.mismatch}"
    partly = ", or only a part of one, which MATCH FULL forbids" if key.match is Match.FULL and len(key.columns) > 1 else ""
    return f"{rows} a {column_label(key.parent, key.parent_columns)} that does not exist{partly}"


def _remedy(key: ForeignKey, target: RelationalTarget) -> str:
    child = named(key.table, key.columns, "child")
    everything = _orphans(select(literal_column("child.*")), child, key, target.catalogue, target.engine)
    return f"List them all with: {copyable(everything, target.engine)}; then give them a parent, or remove them."


def _value(names: Sequence[str], values: Sequence[str | None]) -> str:
    return ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in zip(names, values, strict=True))
