"""No row names a parent that belongs to another tenant.

Proves, for every reference between two tables that both say whose their rows are, that each row's parent is its own tenant's: the
rows are joined and those counted that differ. Row security does not see to that. The server's own look for a parent bypasses it
(manual, "Row Security Policies": referential integrity checks always bypass row security), so a tenant may name a row that it
cannot see, and every foreign key holds.

A key that compares the tenant too (`FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)`) leaves nothing to count
where it is enforced and valid. A parent that names no tenant (NULL) is everybody's and no cause for alarm; a child that names
none, below a parent that is somebody's, counts. References that the settings call `undeclared` are followed as well.

**Anti-pattern**

```sql
-- Whose order it is, is asked of nobody.
CREATE TABLE order_items (tenant_id bigint NOT NULL, order_id bigint NOT NULL REFERENCES orders (id));
```

**Best practice**

```sql
ALTER TABLE orders ADD UNIQUE (tenant_id, id);
CREATE TABLE order_items (
    tenant_id bigint NOT NULL,
    order_id bigint NOT NULL,
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, and_, cast, func, literal_column, or_, select

from checks.declared.absent import absent
from checks.declared.subjects import references
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Catalogue, ForeignKey
from checks.schema.names import TableName, column_label, column_reference, table_reference
from checks.sql.orphans import SAMPLE, Rows, key_of, matching, shown, shown_row
from checks.sql.statements import copyable, named, only, quoted, quoted_table
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.tenants.tables import Wall, vouched, walls
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "references between tables of declared tenants"
PROVES = "stay within the tenant"

Walls = Mapping[TableName, Wall]


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every reference between two tables that say whose their rows are."""
    tenancy = target.expect.tenancy
    if tenancy is None:
        return
    found = walls(target.catalogue, tenancy)
    with target.rows() as session:
        for subject, key in _followed(target):
            compared = [name for name in found.get(key.table, {}) if name in found.get(key.parent, {})]
            if compared and not key.mismatch:
                yield _judged(subject, key, compared, found, session, target)


def _followed(target: RelationalTarget) -> Iterator[tuple[str, ForeignKey]]:
    """Declared references, and those that the settings say hold without a key."""
    declared = dict(references(target.catalogue))
    yield from declared.items()
    for expected in dict.fromkeys(target.expect.references):
        sides = ((expected.table, expected.columns), (expected.parent, expected.parent_columns))
        if expected.undeclared and expected.label not in declared and not absent(target.catalogue, *sides):
            yield expected.label, key_of(expected)


def _judged(
    subject: str, key: ForeignKey, compared: Sequence[str], found: Walls, session: ReadSession, target: RelationalTarget
) -> Judgement:
    if set(compared) <= vouched(key, found) and _holds(key, target):
        return Proven(subject)
    if key.table not in target.filled:
        return NotProven(subject, "no rows")
    statement = _Crossing(key, compared, found, target)
    try:
        ((count,),) = session.rows(statement.count)
        rows = session.rows(statement.first) if count else ()
    except StatementFailed as failure:
        return unanswered(subject, failure)
    return _finding(subject, key, compared, found, int(count), rows, target) if count else Proven(subject, key.sides)


def _holds(key: ForeignKey, target: RelationalTarget) -> bool:
    """Whether the key itself sees to it, for every row there is."""
    asked = target.engine is not Engine.SQLITE or bool(target.expect.foreign_keys)
    return bool(key.name or target.engine is Engine.SQLITE) and asked and key.validated and key.enforced and not key.switched_off


class _Crossing:
    """The statements that read children whose parent is another tenant's."""

    def __init__(self, key: ForeignKey, compared: Sequence[str], found: Walls, target: RelationalTarget) -> None:
        self._key, self._catalogue, self._engine = key, target.catalogue, target.engine
        self.names = tuple(dict.fromkeys((*shown(key, target.catalogue), *(found[key.table][name] for name in compared))))
        columns = (*key.parent_columns, *(found[key.parent][name] for name in compared))
        self.child = named(key.table, self.names, "child")
        self.parent = named(key.parent, tuple(dict.fromkeys(columns)), "parent")
        pairs = ((found[key.table][name], found[key.parent][name]) for name in compared)
        self._differs = or_(*(_differ(self.child, mine, self.parent, theirs, key, target.catalogue) for mine, theirs in pairs))

    @property
    def count(self) -> Rows:
        return self._read(select(func.count()))

    @property
    def first(self) -> Rows:
        keys = [self.child.c[name] for name in self.names]
        return self._read(select(*(cast(key, Text) for key in keys))).order_by(*keys).limit(SAMPLE)

    @property
    def all(self) -> str:
        return copyable(self._read(select(literal_column("child.*"))), self._engine)

    def _read(self, statement: Rows) -> Rows:
        same = matching(self.child, self.parent, self._key, self._catalogue, self._engine)
        joined = statement.select_from(self.child.join(self.parent, and_(*same))).where(self._differs)
        reading = only(joined, self.child, self._catalogue.table.get(self._key.table))
        return only(reading, self.parent, self._catalogue.table.get(self._key.parent))


def _differ(
    child: FromClause, mine: str, parent: FromClause, theirs: str, key: ForeignKey, catalogue: Catalogue
) -> ColumnElement[bool]:
    """Whether the tenants differ; a parent that is nobody's is everybody's. Columns of two types are compared as text."""
    ours: ColumnElement[Any] = child.c[mine]
    other: ColumnElement[Any] = parent.c[theirs]
    types = {catalogue.table[key.table].column[mine].type, catalogue.table[key.parent].column[theirs].type}
    if len(types) > 1:
        ours, other = cast(ours, Text), cast(other, Text)
    return and_(other.is_not(None), ours.is_distinct_from(other))


def _finding(
    subject: str,
    key: ForeignKey,
    compared: Sequence[str],
    found: Walls,
    count: int,
    rows: Sequence[tuple[Any, ...]],
    target: RelationalTarget,
) -> Finding:
    crossing = _Crossing(key, compared, found, target)
    names = f"1 row of {key.table.label()} names" if count == 1 else f"{count} rows of {key.table.label()} name"
    return Finding(
        subject=subject,
        message=f"{names} a row of {key.parent.label()} that has another {' or '.join(compared)}: the key by"
        f" {', '.join(key.columns)} does not ask whose it is, and row security does not apply to its look",
        remedy=f"List them all with: {crossing.all}; settle them, then compare the tenant in the key too: "
        + _strict(key, compared, found, target),
        objects=(*([key.reference] if key.name else ()), column_reference(key.table, key.columns[0]), table_reference(key.table)),
        count=count,
        values=tuple(shown_row(crossing.names, row) for row in rows),
        evidence={
            "constraint": key.name or None,
            "parent": column_label(key.parent, key.parent_columns),
            "compared": list(compared),
        },
    )


def _strict(key: ForeignKey, compared: Sequence[str], found: Walls, target: RelationalTarget) -> str:
    """The key that would not let them in, with the unique key that it needs."""
    engine, schema = target.engine, target.catalogue.default_schema
    missing = [name for name in compared if name not in vouched(key, found)]
    mine = quoted(engine, (*(found[key.table][name] for name in missing), *key.columns))
    theirs = quoted(engine, (*(found[key.parent][name] for name in missing), *key.parent_columns))
    child, parent = quoted_table(engine, key.table, schema), quoted_table(engine, key.parent, schema)
    clause = f"FOREIGN KEY ({mine}) REFERENCES {parent} ({theirs})"
    if engine is Engine.SQLITE:
        return f"{clause}, with UNIQUE ({theirs}) on {parent}."
    return f"ALTER TABLE {parent} ADD UNIQUE ({theirs}); ALTER TABLE {child} ADD {clause};"
