"""No index is the beginning of another one.

Proves that no plain index is one that another of its table can stand in for: the other begins with the same columns, in the same
order, operator classes, collations and directions, under the same condition (PostgreSQL's manual, "Multicolumn Indexes": a B-tree
serves conditions on its leading columns; sqlite.org/optoverview.html, 2, says the same of SQLite). Each write keeps both up to
date. A notice, because the shorter one is smaller, and somebody may want just that.

Only B-trees are compared. An index that is unique, that backs a constraint, or that a foreign key, the replica identity or
CLUSTER rests on is never called redundant: it does more than find rows. So a plain index on the columns of a PRIMARY KEY is
redundant, and the primary key is not redundant to a longer index. A partial index is compared with those of the same condition
only, and included columns have to be carried by the other one too.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, buyer_id bigint, status text);
CREATE INDEX orders_buyer_id ON orders (buyer_id);
CREATE INDEX orders_buyer_id_status ON orders (buyer_id, status);     -- finds the orders of a buyer just as well
```

**Best practice**

```sql
DROP INDEX CONCURRENTLY orders_buyer_id;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import Index, Table
from checks.sql.indexes import drop_index, index_subject, judged_indexes, replaceable
from checks.targets import RelationalTarget

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "indexes"
PROVES = "do what no other index does"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every index by the others of its table."""
    for table in target.catalogue.tables:
        whole = [index for index in table.indexes if index.valid]
        for index in judged_indexes(table):
            longer = next((other for other in whole if stands_in(other, index)), None)
            yield _finding(index, longer, table, target) if longer else Proven(index_subject(index))


def stands_in(other: Index, index: Index) -> bool:
    """Whether ``other`` finds all that the plain ``index`` finds, as directly; not so where the two are the same."""
    more = len(other.keys) > len(index.keys) or other.unique or set(other.included) > set(index.included)
    return (
        replaceable(index)
        and not index.unique
        and index.method == other.method == "btree"
        and index.predicate == other.predicate
        and other.keys[: len(index.keys)] == index.keys
        and set(index.included) <= {*other.included, *other.columns}
        and more
    )


def _finding(index: Index, longer: Index, table: Table, target: RelationalTarget) -> Finding:
    return Finding(
        subject=index_subject(index),
        message=f"{index.name} of {table.name.label()} finds nothing that {longer.name} does not find as well",
        remedy=drop_index(index, table, target),
        objects=(index.reference, longer.reference, table.reference),
        evidence={"index": index.definition, "stands in": longer.definition},
    )
