"""No two rows are one where a key says that there is one.

Proves, for every primary key, UNIQUE and unique index that is no proof by itself, that no two rows have the same values under it.
One whose concurrent build failed stays behind INVALID, and the rows that broke it stay too. A valid one on text is sorted by the
operating system's collation; when that changes (an upgrade of the C library, a replica on another system) lookups miss what is
there, and duplicates go in (manual, REINDEX and "Collation Support", "locale provider changes"). So texts are compared byte by
byte, without the index; a valid index of PostgreSQL on numbers, dates and UUIDs is believed, and its rows are not read. SQLite
asks the application for collations, and whoever writes the file without them breaks the order: there every key is looked at.

Two rows with NULL are no duplicates unless the index says NULLS NOT DISTINCT; a partial index is about its own rows only. In a
table without any key rows that are the same in every column are counted: a notice, for there nothing says which of them is meant,
and a log may well say a thing twice. Keys that do not exist yet are constraint-violation's affair. The counts are exact; an empty
table proves nothing.

**Anti-pattern**

```sql
CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);
-- ERROR: could not create unique index ... and the migration tool goes on, for the index is there
```

**Best practice**

```sql
SELECT email, count(*) FROM users GROUP BY email HAVING count(*) > 1;    -- settle these first
DROP INDEX users_email_key;
CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.declared.candidates import Part
from checks.evidence import Counted
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.audited import NULLS_NOT_DISTINCT
from checks.rulebook.violations import Counter, Rule, UniqueRule, rows_that_break
from checks.schema.model import Column, Index, Table
from checks.schema.names import table_reference
from checks.sql.families import family
from checks.sql.indexes import index_subject, qualified
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "keys, and tables without one"
PROVES = "have no row twice"

#: Types of PostgreSQL that no rows can be grouped by.
_NOT_COMPARABLE = re.compile(r"(json|xml|point|line|lseg|box|path|polygon|circle)(\[\])*")

# How the catalogue of PostgreSQL ends a key of an index: operator class, collation, options, and storage parameters.
_KEY = re.compile(r"(?P<expression>.*?) \d+ \d+ -?\d+(?: \{.*\})?", re.DOTALL)


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every unique index, and every table without one."""
    indexes: dict[Rule, Index] = {}
    tables: list[Rule] = []
    for table in target.catalogue.tables:
        unique = [index for index in table.indexes if index.unique and index.part_of is None]
        found = [index for index in unique if _is_doubtful(index, table, target.engine)]
        for index in found:
            parts = _parts(index, table, target)
            if table.name not in target.filled:
                yield NotProven(index_subject(index), "no rows")
            elif parts is None:
                yield NotProven(index_subject(index), "over an expression")
            else:
                indexes[_rule(index, parts)] = index
        if not any(index.unique for index in table.indexes) and table.partition_of is None:
            if table.name in target.filled:
                tables.append(_whole(table, target))
            else:
                yield NotProven(table.name.label(), "no rows")
    yield from _judged(indexes, tables, target)


def _judged(indexes: dict[Rule, Index], tables: list[Rule], target: RelationalTarget) -> Iterator[Judgement]:
    with target.rows() as session:
        for rule, counted in Counter(session, target.catalogue, target.engine).counted([*indexes, *tables]):
            if isinstance(counted, StatementFailed):
                yield NotProven(rule.subject, counted.gap or f"its rows cannot be compared: {counted}")
            elif not counted.rows:
                yield Proven(rule.subject, (table_reference(rule.table),))
            else:
                yield _under(indexes[rule], rule, counted, target) if rule in indexes else _same(rule, counted, target)


def _is_doubtful(index: Index, table: Table, engine: Engine) -> bool:
    """Whether rows could be twice under it: it was not built to its end, or its order is that of somebody's collation."""
    columns = [table.column[name] if name is not None else None for name in index.columns]
    return (
        engine is not Engine.POSTGRESQL
        or not index.valid
        or any(column is None or family(column.base or column.type) == "text" for column in columns)
    )


def _parts(index: Index, table: Table, target: RelationalTarget) -> tuple[Part, ...] | None:
    """What rows are compared by, ``None`` where the text of an expression is not known."""
    parts = []
    for place, name in enumerate(index.columns):
        if name is not None:
            collation = index.collations[place] if place < len(index.collations) else ""
            parts.append(_column(table.column[name], collation, target.engine))
        elif target.engine is Engine.POSTGRESQL and (key := _KEY.fullmatch(index.keys[place])):
            parts.append(Part(key["expression"], expression=True))
        else:
            return None
    return tuple(parts)


def _column(column: Column, collation: str, engine: Engine) -> Part:
    """A column as it is compared, and in no index's order: by SQLite's collation of it, texts of PostgreSQL by their bytes."""
    name = quoted(engine, column.name)
    if collation:
        return Part(f"+{name} COLLATE {quoted(engine, collation)}", expression=True, name=column.name)
    plain = column.base or column.type
    if engine is Engine.POSTGRESQL and family(plain) == "text" and column.collation is None and plain != "citext":
        return Part(f'{name}::text COLLATE "C"', expression=True, name=column.name)
    return Part(column.name)


def _rule(index: Index, parts: tuple[Part, ...]) -> UniqueRule:
    objects = (index.reference, table_reference(index.table))
    distinct = NULLS_NOT_DISTINCT not in index.traits
    return UniqueRule(index_subject(index), index.table, index.name, objects, parts, distinct, index.predicate or "")


def _whole(table: Table, target: RelationalTarget) -> UniqueRule:
    """The rows of a table that are the same in every column."""
    parts = tuple(_comparable(column, target.engine) for column in table.columns)
    return UniqueRule(table.name.label(), table.name, "", (table.reference,), parts, nulls_distinct=False)


def _comparable(column: Column, engine: Engine) -> Part:
    """A column as a copy has it, to the last byte, whatever its collation takes for the same."""
    name, type_ = quoted(engine, column.name), column.base or column.type
    if engine is Engine.POSTGRESQL and _NOT_COMPARABLE.fullmatch(type_):
        return Part(f"{name}::text", expression=True, name=column.name)
    if engine is Engine.SQLITE:
        return Part(f"{name} COLLATE BINARY", expression=True, name=column.name)
    if engine is Engine.MARIADB and family(type_) == "text":
        return Part(f"CAST({name} AS BINARY)", expression=True, name=column.name)
    return Part(column.name)


def _under(index: Index, rule: Rule, counted: Counted, target: RelationalTarget) -> Finding:
    table, values = index.table.label(), "1 value" if counted.groups == 1 else f"{counted.groups} values"
    broken = "is unique" if index.valid else "is to be unique and whose build failed"
    again = f"{'REINDEX INDEX' if target.engine is Engine.POSTGRESQL else 'REINDEX'} {qualified(index, target)}"
    if target.engine is Engine.MARIADB:
        again = f"ALTER TABLE {quoted_table(target.engine, index.table, target.catalogue.default_schema)} FORCE"
    everything = rows_that_break(rule, target.catalogue, target.engine)
    return Finding(
        subject=rule.subject,
        message=f"{counted.rows} rows of {table} share {values} under {index.name}, which {broken}",
        remedy=f"List them with: {everything}; then keep one row of each, and: {again};",
        objects=rule.objects,
        count=counted.rows,
        values=counted.values,
        evidence={"index": index.name, "values": counted.groups, "valid": index.valid},
    )


def _same(rule: Rule, counted: Counted, target: RelationalTarget) -> Finding:
    different = "1 row" if counted.groups == 1 else f"{counted.groups} different ones"
    return Finding(
        subject=rule.subject,
        severity=Severity.NOTICE,
        message=f"{counted.rows} rows of {rule.table.label()}, which has no key, are copies of {different}",
        remedy=f"List them with: {rows_that_break(rule, target.catalogue, target.engine)}; and give the table a primary key.",
        objects=rule.objects,
        count=counted.rows,
        evidence={"different": counted.groups},
    )
