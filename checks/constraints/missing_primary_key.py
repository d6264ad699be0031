"""Every table has a key.

Proves that each row of a table can be named: by a primary key, or by a unique index whose columns are never NULL. Without one a
row that is there twice cannot be told from the other, no reference can lead to it, and logical replication refuses its UPDATE
and DELETE (PostgreSQL's manual, "Publication": a published table must have a replica identity). SQLite's rowid is no
substitute: VACUUM may change it (sqlite.org/lang_vacuum.html). A notice, for a log that is only ever appended to may do
without.

Partitions have the key of their partitioned table; where that has none, a key in each of the partitions will do.

**Anti-pattern**

```sql
CREATE TABLE order_tags (order_id bigint, tag text);
```

**Best practice**

```sql
CREATE TABLE order_tags (order_id bigint, tag text, PRIMARY KEY (order_id, tag));
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import Catalogue, Index, Table
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "tables"
PROVES = "have a key"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every table but partitions by its keys."""
    for table in target.catalogue.tables:
        if table.partition_of is not None:
            continue
        if _has_key(table, target.catalogue):
            yield Proven(table.name.label())
        else:
            yield _finding(table, target)


def _has_key(table: Table, catalogue: Catalogue) -> bool:
    if table.primary_key or any(_names_each_row(index, table) for index in table.indexes):
        return True
    partitions = catalogue.partitions.get(table.name, ())
    return bool(partitions) and all(_has_key(part, catalogue) for part in partitions)


def _names_each_row(index: Index, table: Table) -> bool:
    """Whether no two rows are alike in it: unique, whole, and no column of it is ever NULL or an expression."""
    never_null = all(name is not None and not table.column[name].nullable for name in index.columns)
    return index.unique and index.valid and index.predicate is None and never_null


def _finding(table: Table, target: RelationalTarget) -> Finding:
    where = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    clause = "PRIMARY KEY (…)"
    return Finding(
        subject=table.name.label(),
        message=f"{table.name.label()} has neither a primary key nor a unique index on columns that are NOT NULL",
        remedy=made_anew(where, clause) if target.engine is Engine.SQLITE else f"ALTER TABLE {where} ADD {clause};",
        objects=(table.reference,),
    )
