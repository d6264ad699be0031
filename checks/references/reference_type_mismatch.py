"""A reference's columns have their parent's types.

Proves, column by column, that child and parent agree in type, width, sign, domain and collation. A narrower child cannot hold
every key of its parent (`integer` ends at 2 147 483 647 while the parent's `bigint` goes on); a wider one says that somebody
thought the parent's had been widened too. PostgreSQL compares unlike types through casts, and then an index on the child may
not serve. A warning; a notice for `text` against `varchar`, and where only the parent has a domain, for neither refuses a key
by itself in everyday use.

SQLite has affinities instead of types (datatype3.html, 3): `BIGINT` and `INTEGER` are one, and INTEGER and NUMERIC behave alike;
what differs in affinity (`TEXT` against `INTEGER`) or in collation is compared through conversions, and an index on the child may
not serve the key.

InnoDB refuses a key whose columns differ in type, sign or collation, but not a parent that was dropped and made anew under
`foreign_key_checks = 0`. On MariaDB lengths of text are no difference.

**Anti-pattern**

```sql
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE orders (buyer_id integer REFERENCES users (id));    -- accepted; breaks at user 2 147 483 648
```

**Best practice**

```sql
CREATE TABLE orders (buyer_id bigint REFERENCES users (id));
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from checks.declared.subjects import references
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.mariadb import plain_type
from checks.schema.model import Catalogue, Column, ForeignKey
from checks.schema.names import TableName, column_label, column_reference, table_reference
from checks.schema.sqlite import BINARY, affinity
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "declared references"
PROVES = "have their parent's types"

_BYTES = {"smallint": 2, "integer": 4, "bigint": 8}


@dataclass(frozen=True)
class Difference:
    """How one column of a reference differs from its parent's."""

    child: Column
    parent: Column
    words: str
    severity: Severity = Severity.WARNING


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every declared reference by the types of its columns."""
    for subject, key in references(target.catalogue):
        pairs = _pairs(key, target.catalogue)
        if pairs is None:
            yield NotProven(subject, f"the columns of {key.parent.label()} are not known")
            continue
        compared = _COMPARED.get(target.engine, difference)
        differences = [found for child, parent in pairs if (found := compared(child, parent)) is not None]
        yield _finding(subject, key, differences, target) if differences else Proven(subject)


def difference(child: Column, parent: Column) -> Difference | None:
    """What tells two columns apart, the weightiest first; ``None`` where they are of one type."""
    mine, theirs = child.base or child.type, parent.base or parent.type
    if mine != theirs:
        return _by_type(child, parent, mine, theirs)
    if child.collation != parent.collation:
        return Difference(child, parent, f"collation {child.collation or 'default'} against {parent.collation or 'default'}")
    if child.type != parent.type:
        severity = Severity.NOTICE if child.base is None else Severity.WARNING
        return Difference(child, parent, f"{child.type} against {parent.type}, both {mine} below", severity)
    return None


def affinities(child: Column, parent: Column) -> Difference | None:
    """What tells two columns of SQLite apart; INTEGER differs from NUMERIC in a CAST alone."""
    mine, theirs = affinity(child.type), affinity(parent.type)
    if mine.replace("INTEGER", "NUMERIC") != theirs.replace("INTEGER", "NUMERIC"):
        return Difference(child, parent, f"{_typed(child)} against {_typed(parent)}")
    if child.collation != parent.collation:
        return Difference(child, parent, f"collation {child.collation or BINARY} against {parent.collation or BINARY}")
    return None


def of_mariadb(child: Column, parent: Column) -> Difference | None:
    """What tells two columns of MariaDB apart; lengths of text do not, and InnoDB lets the rest pass only unchecked."""
    mine, theirs = _kind(child), _kind(parent)
    if mine != theirs:
        return Difference(child, parent, f"{child.type} against {parent.type}")
    if child.collation != parent.collation:
        own = "that of the database"
        return Difference(child, parent, f"collation {child.collation or own} against {parent.collation or own}")
    return None


def _kind(column: Column) -> str:
    name = plain_type(column.type)
    return "text" if "char" in name or "text" in name else "bytes" if "binary" in name or "blob" in name else name


_COMPARED: Mapping[Engine, Callable[[Column, Column], Difference | None]] = {
    Engine.SQLITE: affinities,
    Engine.MARIADB: of_mariadb,
}


def _typed(column: Column) -> str:
    """``VARCHAR(36), which is TEXT``."""
    found = affinity(column.type)
    return found if column.type.upper() == found else f"{column.type or 'no type'}, which is {found},"


def _by_type(child: Column, parent: Column, mine: str, theirs: str) -> Difference:
    words = f"{child.type} against {parent.type}"
    if mine in _BYTES and theirs in _BYTES:
        narrower = _BYTES[mine] < _BYTES[theirs]
        return Difference(child, parent, f"{words}, which {'holds more' if narrower else 'holds less'}")
    if _is_text(mine) and _is_text(theirs) and child.collation == parent.collation:
        return Difference(child, parent, words, Severity.NOTICE)
    return Difference(child, parent, words)


def _is_text(name: str) -> bool:
    return name == "text" or name.startswith("character varying")


def _pairs(key: ForeignKey, catalogue: Catalogue) -> list[tuple[Column, Column]] | None:
    child = [_column(catalogue, key.table, name) for name in key.columns]
    parent = [_column(catalogue, key.parent, name) for name in key.parent_columns]
    pairs = [(mine, theirs) for mine, theirs in zip(child, parent, strict=True) if mine is not None and theirs is not None]
    return pairs if len(pairs) == len(child) else None


def _column(catalogue: Catalogue, table: TableName, name: str) -> Column | None:
    found = catalogue.table.get(table)
    return found.column.get(name) if found is not None else None


def _finding(subject: str, key: ForeignKey, differences: list[Difference], target: RelationalTarget) -> Finding:
    weightiest = max(differences, key=lambda found: found.severity.weight)
    children = [found.child.name for found in differences]
    listed = "; ".join(f"{found.child.name} to {found.parent.name}: {found.words}" for found in differences)
    return Finding(
        subject=subject,
        message=f"{key.label} and {column_label(key.parent, key.parent_columns)} differ in type ({listed})",
        remedy=_remedy(key, weightiest, target),
        severity=weightiest.severity,
        objects=(*(column_reference(key.table, name) for name in children), key.reference, table_reference(key.table)),
        evidence={found.child.name: found.words for found in differences},
    )


def _remedy(key: ForeignKey, found: Difference, target: RelationalTarget) -> str:
    """Change the narrower side: the parent's where a wider child shows that the parent was forgotten."""
    table, column, wanted = key.table, found.child, found.parent
    if _BYTES.get(found.child.base or found.child.type, 0) > _BYTES.get(found.parent.base or found.parent.type, 8):
        table, column, wanted = key.parent, found.parent, found.child
    collation = f" COLLATE {wanted.collation}" if wanted.collation not in {None, column.collation} else ""
    where = quoted_table(target.engine, table, target.catalogue.default_schema)
    if target.engine is Engine.SQLITE:
        return made_anew(where, f"{quoted(target.engine, column.name)} {wanted.type}{collation}".rstrip())
    if target.engine is Engine.MARIADB:
        strict = "" if column.nullable else " NOT NULL"
        return f"ALTER TABLE {where} MODIFY {quoted(target.engine, column.name)} {wanted.type}{collation}{strict};"
    return f"ALTER TABLE {where} ALTER COLUMN {quoted(target.engine, column.name)} TYPE {wanted.type}{collation};"
