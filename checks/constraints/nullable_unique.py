"""What is declared unique lets no duplicate in by way of NULL.

Proves, for every UNIQUE constraint and unique index of several columns, that two rows cannot be equal in all that is given.
NULL is not equal to NULL, so a row with NULL in any of the columns is never a duplicate of another (PostgreSQL's manual,
"Unique Constraints"; sqlite.org/lang_createtable.html, 3.6). It holds where none of the columns can be NULL (by NOT NULL, by a
CHECK, by the condition of a partial index), where fewer of them are unique already, with `NULLS NOT DISTINCT` (PostgreSQL 15),
and where a second unique index keeps the rows apart that have NULL there.

Found is only what NULL makes a hole of, because it stands for something there: a parent of the same table (with `UNIQUE
(parent_id, name)` there can be any number of roots of one name), a time that has not come (with `UNIQUE (email, deleted_at)`
any number of living users of one address), or one part more of what two other columns that are always given tell apart (`UNIQUE
(tenant_id, team_id, name)`). A value that may be missing is no duplicate of another that is missing: a single column is left
alone, which `WHERE x IS NOT NULL` would say of it as well, and so is a pair of such a value and whose it is (`UNIQUE
(account_id, external_id)`). SQLite's primary keys are judged too, as they take NULL unless NOT NULL is written.

**Anti-pattern**

```sql
CREATE TABLE folders (tenant_id int NOT NULL, parent_id int, name text NOT NULL, UNIQUE (tenant_id, parent_id, name));
```

**Best practice**

```sql
CREATE TABLE folders (tenant_id int NOT NULL, parent_id int, name text NOT NULL);
CREATE UNIQUE INDEX folders_name ON folders (tenant_id, parent_id, name) NULLS NOT DISTINCT;
-- Before PostgreSQL 15, and in SQLite: one index more, CREATE UNIQUE INDEX ... (tenant_id, name) WHERE parent_id IS NULL.
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.rulebook.covering import filled
from checks.rulebook.meaning import conjuncts, given_by, said_of_null
from checks.schema.model import Index, Table
from checks.schema.names import ObjectKind, ObjectReference
from checks.schema.sqlite_tokens import tokens
from checks.sql.indexes import index_subject
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "unique constraints and indexes of several columns"
PROVES = "let no duplicate in by NULL"

_TIMES = ("timestamp", "date", "time")


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge everything that is unique by what its columns can hold."""
    for table in target.catalogue.tables:
        for index in table.indexes:
            if index.unique and index.valid and index.part_of is None and (len(index.columns) > 1 or index.primary):
                yield from _judge(index, table, target)


def _judge(index: Index, table: Table, target: RelationalTarget) -> Iterator[Judgement]:
    nullable = _nullable(index, table, target.engine)
    if not nullable or "nulls not distinct" in index.traits or _unique_without(index, nullable, table, target.engine):
        yield Proven(index_subject(index))
    elif index.primary:
        yield _finding(index, nullable, table, target)
    elif telling := [name for name in nullable if _stands_for_something(name, index, nullable, table)]:
        yield _finding(index, telling, table, target)


def _stands_for_something(name: str, index: Index, nullable: Sequence[str], table: Table) -> bool:
    """Whether NULL is a state of its own there, and not just a value that is missing."""
    root = any(key.parent == table.name and name in key.columns for key in table.foreign_keys)
    column = table.column[name]
    time = (column.base or column.type).lower().startswith(_TIMES)
    return root or time or len(index.columns) - len(nullable) > 1


def _nullable(index: Index, table: Table, engine: Engine) -> list[str]:
    """The key columns that may be NULL in a row that the index holds; for an expression the columns that it is made of."""
    given = given_by(index.predicate, engine) if index.predicate else frozenset()
    names = [name for name in index.columns if name is not None] + _within(index, table)
    return [name for name in dict.fromkeys(names) if name.lower() not in given and not filled(name, table, engine)]


def _within(index: Index, table: Table) -> list[str]:
    """The columns of expressions, unless they say themselves what NULL is to be."""
    if None not in index.columns:
        return []
    words = [token for token in tokens(index.definition.partition("(")[2]) if token.kind in ("word", "name")]
    before = next((number for number, word in enumerate(words) if word.keyword in ("WHERE", "INCLUDE")), len(words))
    named = {word.name.lower() for word in words[:before]}
    if named & {"coalesce", "ifnull", "case"}:
        return []
    return [column.name for column in table.columns if column.name.lower() in named and column.name not in index.columns]


def _unique_without(index: Index, nullable: Sequence[str], table: Table, engine: Engine) -> bool:
    """Whether other unique indexes keep rows apart: on columns that are always given, or on the rest where one is NULL."""
    others = [other for other in table.indexes if other.unique and other.valid and other != index and None not in other.columns]
    mine = set(index.columns)
    given = mine - set(nullable)
    where = conjuncts(index.predicate, engine) if index.predicate else frozenset()
    if any(set(other.columns) <= given and _holds_where(other, where, engine) for other in others):
        return True
    return all(
        any(
            set(other.columns) <= mine - {name} and _holds_where(other, where | {said_of_null(name, engine, given=False)}, engine)
            for other in others
        )
        for name in nullable
    )


def _holds_where(other: Index, where: frozenset[str], engine: Engine) -> bool:
    return other.predicate is None or conjuncts(other.predicate, engine) <= where


def _finding(index: Index, nullable: Sequence[str], table: Table, target: RelationalTarget) -> Finding:
    where = table.name.label()
    listed = " or ".join(nullable)
    rest = [name for name in index.columns if name is not None and name != nullable[-1]]
    same = f"with the same {', '.join(rest)} " if rest else ""
    words = "its primary key takes NULL" if index.primary else f"{index.name} does not tell them apart"
    return Finding(
        subject=index_subject(index),
        message=f"any number of rows of {where} {same}can have NULL in {listed}: {words}, as NULL is not equal to NULL",
        remedy=_remedy(index, nullable, rest, target),
        objects=_objects(index),
        evidence={"nullable": [*nullable], "columns": [*index.columns]},
    )


def _objects(index: Index) -> tuple[ObjectReference, ...]:
    if index.constraint is None:
        return (index.reference,)
    return (ObjectReference(ObjectKind.CONSTRAINT, index.table.schema, index.table.name, index.name), index.reference)


def _remedy(index: Index, nullable: Sequence[str], rest: Sequence[str], target: RelationalTarget) -> str:
    engine, empty = target.engine, quoted(target.engine, nullable[-1])
    table = quoted_table(engine, index.table, target.catalogue.default_schema)
    if index.primary or not rest:
        if engine is Engine.SQLITE:
            return made_anew(table, f"NOT NULL at {empty}")
        if engine is Engine.MARIADB:
            return _without_partial_indexes(index, nullable[-1], target)
        return f"ALTER TABLE {table} ALTER {empty} SET NOT NULL;"
    if engine is Engine.MARIADB:
        return _without_partial_indexes(index, nullable[-1], target)
    name = ""
    if engine is Engine.SQLITE:  # which names no index by itself
        name = f"{quoted(engine, '_'.join((index.table.name, *rest, 'without', nullable[-1])))} "
    also = f" AND {index.predicate}" if index.predicate else ""
    return f"CREATE UNIQUE INDEX {name}ON {table} ({quoted(engine, rest)}) WHERE {empty} IS NULL{also};"


def _without_partial_indexes(index: Index, nullable: str, target: RelationalTarget) -> str:
    """MariaDB has no index with a predicate: the column is made NOT NULL, with a value that stands for none."""
    column = target.catalogue.table[index.table].column[nullable]
    table = quoted_table(target.engine, index.table, target.catalogue.default_schema)
    return f"ALTER TABLE {table} MODIFY {quoted(target.engine, nullable)} {column.type} NOT NULL; let a value stand for none."
