"""Tables that refer to each other can be filled.

Proves that there is an order in which rows can be inserted: no circle of references in which every one must be set (`NOT NULL`)
and none may wait (`DEFERRABLE`). In such a circle the first row of either table is refused for want of the other's
(sql-createtable, `DEFERRABLE`): seeds, restores by rows and tests have to switch triggers off, or to send all tables' rows in one
statement with `WITH … INSERT`. A reference to the row's own table is no circle: a row may refer to itself.

**Anti-pattern**

```sql
CREATE TABLE teams (id bigint PRIMARY KEY, lead_id bigint NOT NULL);
CREATE TABLE people (id bigint PRIMARY KEY, team_id bigint NOT NULL REFERENCES teams (id));
ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES people (id);    -- who comes first?
```

**Best practice**

```sql
-- Looked at when the transaction commits: both rows may come in any order.
ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED;
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import Catalogue, ForeignKey, Match
from checks.schema.names import TableName, column_reference
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "tables with references"
PROVES = "can be filled one after the other"

Graph = Mapping[TableName, tuple[ForeignKey, ...]]


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table that refers to another, those of a circle together."""
    graph = _must_be_there(target.catalogue)
    circles = _circles(graph)
    within = {name for circle in circles for name in circle}
    for table in target.catalogue.tables:
        if any(key.parent != table.name for key in table.foreign_keys) and table.name not in within:
            yield Proven(table.name.label())
    for circle in circles:
        yield _finding(circle, graph, target)


def _must_be_there(catalogue: Catalogue) -> Graph:
    """The references of each table that a row cannot be inserted without, at once."""
    found: defaultdict[TableName, tuple[ForeignKey, ...]] = defaultdict(tuple)
    for key in catalogue.foreign_keys:
        waits = key.deferrable or not key.enforced or bool(key.mismatch)
        if key.parent in catalogue.table and key.parent != key.table and not waits and not _may_be_null(key, catalogue):
            found[key.table] = (*found[key.table], key)
    return found


def _may_be_null(key: ForeignKey, catalogue: Catalogue) -> bool:
    """Any NULL leaves a reference open under MATCH SIMPLE, under MATCH FULL only NULL in all of its columns."""
    nullable = [catalogue.table[key.table].column[name].nullable for name in key.columns]
    return all(nullable) if key.match is Match.FULL else any(nullable)


def _circles(graph: Graph) -> list[tuple[TableName, ...]]:
    """The groups of tables of which each leads to every other, smallest name first."""
    reached = {name: _reached(name, graph) for name in _blocked(graph)}
    groups = {
        frozenset(other for other in reached[name] if name in reached.get(other, ())) for name in reached if name in reached[name]
    }
    return sorted(tuple(sorted(group)) for group in groups)


def _blocked(graph: Graph) -> set[TableName]:
    """The tables that no order of filling comes to: those of circles, and those that refer to them."""
    order = TopologicalSorter({name: [key.parent for key in keys] for name, keys in graph.items()})
    with suppress(CycleError):
        order.prepare()
    blocked = set(graph)
    while ready := order.get_ready():
        order.done(*ready)
        blocked.difference_update(ready)
    return blocked


def _reached(start: TableName, graph: Graph) -> set[TableName]:
    found: set[TableName] = set()
    open_ones = [start]
    while open_ones:
        for key in graph.get(open_ones.pop(), ()):
            if key.parent not in found:
                found.add(key.parent)
                open_ones.append(key.parent)
    return found


def _finding(circle: tuple[TableName, ...], graph: Graph, target: RelationalTarget) -> Finding:
    inner = [key for name in circle for key in graph[name] if key.parent in circle]
    listed = ", ".join(f"{key.label} -> {key.parent.label()}" for key in inner)
    return Finding(
        subject=", ".join(name.label() for name in circle),
        message=f"no row can be the first: {listed} must all be set at once, and none may wait",
        remedy=_remedy(inner[0], target),
        objects=(
            *(key.reference for key in inner),
            *(column_reference(key.table, key.columns[0]) for key in inner),
        ),
        evidence={"references": [key.name for key in inner]},
    )


def _remedy(key: ForeignKey, target: RelationalTarget) -> str:
    table = quoted_table(target.engine, key.table, target.catalogue.default_schema)
    if target.engine is Engine.SQLITE:
        return made_anew(table, f"with {key.name} DEFERRABLE INITIALLY DEFERRED")
    if target.engine is Engine.MARIADB:
        return f"Let one of the columns be NULL, and set it when both rows are there: InnoDB looks at {key.name} at once."
    name = quoted(target.engine, key.name)
    return f"ALTER TABLE {table} ALTER CONSTRAINT {name} DEFERRABLE INITIALLY DEFERRED;"
