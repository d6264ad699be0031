"""No index and no foreign key is there twice.

Proves that no two indexes of a table are alike in all that an index can be used for, and that no reference is declared twice. The
second one is never used, and yet each write keeps it up to date, each vacuum reads it (PostgreSQL's manual, "Indexes:
Introduction": an index adds overhead to data manipulation, so that those seldom used should be removed). A second foreign key
looks every row up a second time, and where the two have different delete rules one of them is not what somebody thought.

Alike means the same columns and expressions in the same order, the same access method, operator class, collation, direction,
place of NULLs, condition, included columns, storage parameters, and both unique or neither: an index for `LIKE` beside one for
`=` is no duplicate, nor is one with another condition. A PRIMARY KEY and a UNIQUE over the same columns are. What backs a
constraint, or what a foreign key rests on, stays; else the elder stays. Indexes of partitions are judged with the partitioned
table's, invalid ones by another check. A foreign key that is still NOT VALID is left alone: it may be about to take the other's
place.

**Anti-pattern**

```sql
CREATE TABLE orders (number text UNIQUE, buyer_id bigint REFERENCES users (id));
CREATE UNIQUE INDEX orders_by_number ON orders (number);                            -- UNIQUE has made this one
ALTER TABLE orders ADD FOREIGN KEY (buyer_id) REFERENCES users (id);                -- orders_buyer_id_fkey1
```

**Best practice**

```sql
DROP INDEX CONCURRENTLY orders_by_number;
ALTER TABLE orders DROP CONSTRAINT orders_buyer_id_fkey1;
```
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import ForeignKey, Index, Table
from checks.schema.names import table_reference
from checks.sql.indexes import drop_index, index_subject, judged_indexes
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "indexes and references"
PROVES = "are there once"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every index and every declared reference by the others of its table."""
    for table in target.catalogue.tables:
        yield from _indexes(table, target)
        yield from _references(table, target)


def _indexes(table: Table, target: RelationalTarget) -> Iterator[Judgement]:
    stays: dict[Hashable, Index] = {}
    for index in sorted(judged_indexes(table), key=_claim):
        kept = stays.setdefault(_use(index), index)
        if kept is index or index.relied_on or index.constraint == "x":  # two exclusions may differ in their operators
            yield Proven(index_subject(index))
        else:
            yield _index_finding(index, kept, table, target)


def _claim(index: Index) -> tuple[bool, bool, bool]:
    """What has the best reason to stay sorts first; sorting keeps the elder before the younger."""
    return not index.primary, not index.relied_on, index.constraint is None


def _use(index: Index) -> Hashable:
    """All that an index can be used for."""
    return index.method, index.keys, index.included, index.predicate, index.unique, index.traits


def _index_finding(index: Index, kept: Index, table: Table, target: RelationalTarget) -> Finding:
    return Finding(
        subject=index_subject(index),
        message=f"{index.name} of {table.name.label()} is the same index as {kept.name}",
        remedy=drop_index(index, table, target),
        objects=(index.reference, kept.reference, table.reference),
        evidence={"index": index.definition, "same as": kept.definition},
    )


def _references(table: Table, target: RelationalTarget) -> Iterator[Judgement]:
    alike: defaultdict[Hashable, list[ForeignKey]] = defaultdict(list)
    for key in table.foreign_keys:
        pairs = frozenset(zip(key.columns, key.parent_columns, strict=True))
        alike[key.parent, pairs, key.match, key.period].append(key)
    for keys in alike.values():
        subject = f"{keys[0].label} -> {keys[0].parent.label()}.({', '.join(keys[0].parent_columns)})"
        settled = [key for key in keys if key.validated and key.enforced]
        yield Proven(subject) if len(settled) < 2 else _reference_finding(subject, settled, target)


def _reference_finding(subject: str, keys: list[ForeignKey], target: RelationalTarget) -> Finding:
    first, *others = keys
    rules = dict.fromkeys(f"ON DELETE {key.on_delete.value.upper()} ON UPDATE {key.on_update.value.upper()}" for key in keys)
    differing = f", with different rules ({'; '.join(rules)})" if len(rules) > 1 else ""
    return Finding(
        subject=subject,
        message=f"{first.label} is declared to refer to {first.parent.label()} {_times(len(keys))}{differing}",
        remedy=_remedy(first, others, target),
        objects=(*(key.reference for key in reversed(keys)), table_reference(first.table)),
        count=len(keys),
        evidence={"constraints": [key.name for key in keys]},
    )


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _remedy(first: ForeignKey, others: list[ForeignKey], target: RelationalTarget) -> str:
    """Take away all but one; which, is the repository's to say where their rules differ."""
    where = quoted_table(target.engine, first.table, target.catalogue.default_schema)
    if target.engine is Engine.SQLITE:
        return made_anew(where, "one of the references")
    return f"ALTER TABLE {where} {', '.join(f'DROP CONSTRAINT {quoted(target.engine, key.name)}' for key in others)};"
