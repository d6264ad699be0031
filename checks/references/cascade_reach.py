"""Deleting one row takes no more with it than somebody meant.

Proves of each table whose rows take others along (`ON DELETE CASCADE`) that one DELETE reaches at most 10 tables and 10 000 rows.
Each rule says what becomes of one table; what they come to together nobody has written down. The rows are those of the parent
that takes the most along, counted on the rows that are there, down every path of references; a row that two paths lead to counts
for both. A reference from a table to itself may go on for as long as rows refer to rows: its table is named, its rows are counted
one level down.

**Anti-pattern**

```sql
-- One account, and every invoice ever written goes with it.
ALTER TABLE customers ADD FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE;
ALTER TABLE invoices ADD FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE;
```

**Best practice**

```sql
-- What is owned goes along; what has to be kept says no.
ALTER TABLE customers ADD FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE;
ALTER TABLE invoices ADD FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE RESTRICT;
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from sqlalchemy import ColumnElement, FromClause, Subquery, and_, func, literal, select

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import Action, Catalogue, ForeignKey
from checks.schema.names import TableName
from checks.sql.statements import named, only
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.unanswered import unanswered

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "tables whose rows take others along"
PROVES = "take no more than 10 tables and 10 000 rows"

#: How many tables, and how many rows, one DELETE may take along.
MOST_TABLES = 10
MOST_ROWS = 10_000

#: The references that delete their rows, by the parent.
Cascades = Mapping[TableName, tuple[ForeignKey, ...]]
#: The references from a table down to the furthest that a DELETE comes to, in order.
Path = tuple[ForeignKey, ...]


@dataclass(frozen=True)
class _Reach:
    """What a DELETE on a table comes to: each table with the path that leads there first."""

    table: TableName
    paths: Mapping[TableName, Path]

    @property
    def longest(self) -> Path:
        return max(self.paths.values(), key=len)


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table that others hang on and go with."""
    cascades = _cascades(target.catalogue)
    with target.rows() as session:
        for table in target.catalogue.tables:
            if table.name in cascades:
                yield _judged(_reach(table.name, cascades), cascades, session, target)


def _cascades(catalogue: Catalogue) -> Cascades:
    found: defaultdict[TableName, tuple[ForeignKey, ...]] = defaultdict(tuple)
    for key in catalogue.foreign_keys:
        if key.on_delete is Action.CASCADE and key.enforced and not key.mismatch and key.parent in catalogue.table:
            found[key.parent] = (*found[key.parent], key)
    return dict(found)


def _reach(start: TableName, cascades: Cascades) -> _Reach:
    paths: dict[TableName, Path] = {}
    open_ones: list[tuple[TableName, Path]] = [(start, ())]
    while open_ones:
        table, path = open_ones.pop(0)
        for key in cascades.get(table, ()):
            if key.table not in paths:
                paths[key.table] = (*path, key)
                open_ones.append((key.table, (*path, key)))
    return _Reach(start, paths)


def _judged(reach: _Reach, cascades: Cascades, session: ReadSession, target: RelationalTarget) -> Judgement:
    subject = reach.table.label()
    if len(reach.paths) > MOST_TABLES:
        return _finding(reach, f"{len(reach.paths)} tables", None)
    if not {reach.table, *reach.paths} & target.filled:
        return Proven(subject)
    try:
        rows = _most_rows(reach.table, cascades, session, target)
    except StatementFailed as failure:
        return unanswered(subject, failure)
    return _finding(reach, f"{rows:,} rows".replace(",", " "), rows) if rows > MOST_ROWS else Proven(subject)


def _most_rows(table: TableName, cascades: Cascades, session: ReadSession, target: RelationalTarget) -> int:
    """How many rows the parent takes along that takes the most."""
    source, rows, weight = _with_weights(table, (), cascades, target.catalogue, frozenset({table}), 0)
    chosen = only(select(func.max(weight)).select_from(rows), source, target.catalogue.table[table])
    return int(session.rows(chosen)[0][0] or 0)


def _weighed(key: ForeignKey, cascades: Cascades, catalogue: Catalogue, above: frozenset[TableName], level: int) -> Subquery:
    """For each value of a reference how many rows hang on it: its own, and what each of those takes along."""
    further = {} if key.table in above else cascades
    source, rows, weight = _with_weights(key.table, key.columns, further, catalogue, above | {key.table}, level)
    columns = [source.c[name] for name in key.columns]
    chosen = (*(column.label(f"k{place}") for place, column in enumerate(columns)), func.sum(weight + 1).label("weight"))
    grouped = select(*chosen).select_from(rows).where(*(column.is_not(None) for column in columns)).group_by(*columns)
    return only(grouped, source, catalogue.table[key.table]).subquery()


def _with_weights(
    table: TableName, columns: tuple[str, ...], cascades: Cascades, catalogue: Catalogue, above: frozenset[TableName], level: int
) -> tuple[FromClause, FromClause, ColumnElement[int]]:
    """A table, the same joined with what hangs on its rows, and how many rows each takes along."""
    below = cascades.get(table, ())
    source = named(table, dict.fromkeys((*columns, *(name for key in below for name in key.parent_columns))), f"t{level}")
    rows, weight = source, cast("ColumnElement[int]", literal(0))
    for key in below:
        weighed = _weighed(key, cascades, catalogue, above, level + 1)
        equal = (source.c[parent] == weighed.c[f"k{place}"] for place, parent in enumerate(key.parent_columns))
        rows = rows.outerjoin(weighed, and_(*equal))
        weight = weight + func.coalesce(weighed.c.weight, 0)
    return source, rows, weight


def _finding(reach: _Reach, takes: str, rows: int | None) -> Finding:
    path = " -> ".join([reach.table.label(), *(key.table.label() for key in reach.longest)])
    return Finding(
        subject=reach.table.label(),
        message=f"deleting one row of {reach.table.label()} can take {takes} with it, such as {path}",
        remedy="Where rows have to be kept, say ON DELETE RESTRICT on the way; where all of this is meant, allow it by name.",
        objects=tuple(key.reference for key in reach.longest),
        count=rows,
        evidence={"tables": [name.label() for name in sorted(reach.paths)], "path": [key.label for key in reach.longest]},
    )
