"""Every foreign key has an index on its child columns.

Proves that deleting a parent, or changing its key, finds the children by an index. Without one the whole child table is read for
every parent that goes (PostgreSQL's manual, "Foreign Keys", and sqlite.org/foreignkeys.html, 3: no index on the referencing
columns is made for you). A notice; a warning where the delete rule writes to the children (CASCADE, SET NULL, SET DEFAULT).

An index covers a key when its leading columns are the key's columns, in any order. So does less where it leads to as few rows: a
unique index within the key, or one that begins with columns whose counterparts are unique in the parent (`buyer_id` of
`(tenant_id, buyer_id)` where `users.id` is unique). PostgreSQL 15 and 18 were watched at it: a B-tree serves, a hash index on
one column, a GiST index (an exclusion constraint), and a partial index that leaves out only rows whose key is NULL. Any other
partial index, an invalid one, one on an expression, and BRIN do not. SQLite's own plans were asked as well: there an index
serves only in the collation of the parent's column, and one on TEXT or untyped children does not serve a parent that counts in
numbers. An empty table is judged as well, for the schema says it all.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, buyer_id bigint REFERENCES users (id) ON DELETE CASCADE);
CREATE INDEX ON orders (buyer_id) WHERE status = 'open';     -- of no use to DELETE FROM users
```

**Best practice**

```sql
CREATE INDEX CONCURRENTLY orders_buyer_id ON orders (buyer_id);
-- or, where most rows have no buyer:
CREATE INDEX CONCURRENTLY orders_buyer_id ON orders (buyer_id) WHERE buyer_id IS NOT NULL;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from checks.declared.subjects import references
from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import Action, Catalogue, ForeignKey, Index, Table
from checks.schema.names import column_reference
from checks.schema.sqlite import BINARY, affinity
from checks.sql.indexes import qualified
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "foreign keys"
PROVES = "are served by an index"

_WRITING = {Action.CASCADE: "deletes", Action.SET_NULL: "clears", Action.SET_DEFAULT: "resets"}
_SERVING = {"btree", "gist", "hash"}
_NAME = r'"(?:[^"]|"")+"|[^\s"()]+'
_NOT_NULL = rf"\(*(?:{_NAME}) IS NOT NULL\)*"
_ONLY_NOT_NULL = re.compile(rf"{_NOT_NULL}(?: AND {_NOT_NULL})*")


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every foreign key by the indexes of its table."""
    for subject, key in references(target.catalogue):
        table = target.catalogue.table[key.table]
        if _served(table, key, target.catalogue):
            yield Proven(subject)
        else:
            yield _finding(subject, key, table, target)


def _served(table: Table, key: ForeignKey, catalogue: Catalogue) -> bool:
    """An index of the table itself, or one in each of its partitions."""
    parent = catalogue.table.get(key.parent)
    if any(covers(index, key, parent) and _comparable(index, key, table, parent) for index in table.indexes):
        return True
    partitions = catalogue.partitions.get(table.name, ())
    return bool(partitions) and all(_served(part, key, catalogue) for part in partitions)


def covers(index: Index, key: ForeignKey, parent: Table | None) -> bool:
    """Whether the server can find a parent's children by this index, and finds few other rows by it."""
    leads = _leads(index, key) or _leads_to_one_row(index, key) or _leads_by_a_key_of(parent, index, key)
    return index.valid and leads and index.method in _SERVING and _complete(index, key)


def _leads(index: Index, key: ForeignKey) -> bool:
    return set(index.columns[: len(key.columns)]) == set(key.columns)


def _leads_to_one_row(index: Index, key: ForeignKey) -> bool:
    """``(kind, id)`` where ``id`` is the primary key: the rest of the key is compared on the one row found."""
    return index.unique and set(index.columns) <= set(key.columns)


def _leads_by_a_key_of(parent: Table | None, index: Index, key: ForeignKey) -> bool:
    """``(tenant_id, buyer_id)`` by an index on ``buyer_id``, where ``users.id`` is unique: all that it finds are children."""
    counterpart = dict(zip(key.columns, key.parent_columns, strict=True))
    leading = {counterpart[name] for name in takewhile(lambda name: name in counterpart, index.columns) if name is not None}
    unique = (one for one in (parent.indexes if parent else ()) if one.unique and one.valid and one.predicate is None)
    return any(set(one.columns) <= leading for one in unique)


def _comparable(index: Index, key: ForeignKey, table: Table, parent: Table | None) -> bool:
    """Whether SQLite can look a parent's key up in an index: collated like the parent's column, numbers among numbers."""
    if parent is None or not index.collations:
        return True
    collations = dict(zip(index.columns, index.collations, strict=True))
    return all(
        collations.get(mine, BINARY) == (parent.column[theirs].collation or BINARY)
        and (_is_numeric(table.column[mine].type) or not _is_numeric(parent.column[theirs].type))
        for mine, theirs in zip(key.columns, key.parent_columns, strict=True)
        if mine in collations and theirs in parent.column
    )


def _is_numeric(type_: str) -> bool:
    return affinity(type_) not in ("TEXT", "BLOB")


def _complete(index: Index, key: ForeignKey) -> bool:
    """Whether every row that refers to a parent is in the index: equality implies that the key's columns are not NULL."""
    if index.predicate is None:
        return True
    if _ONLY_NOT_NULL.fullmatch(index.predicate) is None:
        return False
    names = re.findall(rf"({_NAME}) IS NOT NULL", index.predicate)
    return {_unquote(name) for name in names} <= set(key.columns)


def _unquote(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _finding(subject: str, key: ForeignKey, table: Table, target: RelationalTarget) -> Finding:
    effect = _WRITING.get(key.on_delete)
    why = f"; each delete of a parent {effect} its children by reading the whole table" if effect else ""
    return Finding(
        subject=subject,
        message=f"no index serves {key.label}, which refers to {key.parent.label()}{why}{_near(table, key)}",
        remedy=_remedy(key, table, target),
        severity=Severity.WARNING if effect else Severity.NOTICE,
        objects=(key.reference, *(column_reference(key.table, name) for name in key.columns), table.reference),
        evidence={"constraint": key.name, "on_delete": key.on_delete.value},
    )


def _near(table: Table, key: ForeignKey) -> str:
    """Why an index that looks right does not serve."""
    for index in table.indexes:
        if not _leads(index, key):
            continue
        if not index.valid:
            return f" ({index.name} is invalid)"
        if not _complete(index, key):
            return f" ({index.name} is partial: {index.predicate})"
        if index.method in _SERVING:
            return f" ({index.name} compares otherwise than {key.parent.label()} does)"
        return f" ({index.name} is a {index.method} index)"
    return ""


def _remedy(key: ForeignKey, table: Table, target: RelationalTarget) -> str:
    broken = next((index for index in table.indexes if not index.valid and _leads(index, key) and _complete(index, key)), None)
    if broken is not None and not table.partitioned:
        return f"REINDEX INDEX CONCURRENTLY {qualified(broken, target)};"
    how = "" if table.partitioned else "CONCURRENTLY "  # PostgreSQL refuses CONCURRENTLY on a partitioned table
    where = quoted_table(target.engine, key.table, target.catalogue.default_schema)
    if target.engine is Engine.SQLITE:
        return _remedy_of_sqlite(key, where, target)
    if target.engine is Engine.MARIADB:
        return f"ALTER TABLE {where} ADD INDEX ({quoted(target.engine, key.columns)});"
    return f"CREATE INDEX {how}ON {where} ({quoted(target.engine, key.columns)});"


def _remedy_of_sqlite(key: ForeignKey, where: str, target: RelationalTarget) -> str:
    """SQLite wants a name for an index, and the collation where it is not the column's own."""
    table, parent = target.catalogue.table[key.table], target.catalogue.table.get(key.parent)
    columns: list[str] = []
    for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
        wanted = (parent.column[theirs].collation if parent and theirs in parent.column else None) or BINARY
        own = (table.column[mine].collation if mine in table.column else None) or BINARY
        columns.append(quoted(target.engine, mine) + ("" if wanted == own else f" COLLATE {wanted}"))
    name = quoted(target.engine, "_".join(("ix", key.table.name, *key.columns)))
    return f"CREATE INDEX {name} ON {where} ({', '.join(columns)});"
