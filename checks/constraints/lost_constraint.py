"""No constraint of the base revision was lost.

Proves, for every foreign key, CHECK, primary key, unique, exclusion constraint, NOT NULL and trigger that the base revision's
database had, that head has it too, so that no kind of rule falls without somebody knowing. A constraint stands where one of its
kind and name does, or where the table is held to the same by another: the same condition under a new name or in other words, a
CHECK that is a part of a longer one, a primary key in place of a UNIQUE, a UNIQUE of fewer columns, a CHECK that says
`IS NOT NULL` for a NOT NULL, a new trigger that fires for the same and calls another function. What belonged to a table or a
column that is gone went with it and is no subject; nor is it judged whether a rule that kept its name still says the same, for a
list of states may grow.

It compares what the two databases hold, not the text of the migrations: what a tool leaves out when it makes a table anew
(Alembic's batch mode, a model that never knew of the CHECK) is seen as well as a `DROP`. The inventory in the reports counts both
sides by kind. A warning, because taking a rule away may be meant, and a notice where a new key of more columns, or of some rows
only, shows that it is. Without a base revision there is nothing to compare with.

**Anti-pattern**

```sql
ALTER TABLE orders DROP CONSTRAINT ck_order_total_positive;    -- for one import, and it never came back
```

**Best practice**

```sql
ALTER TABLE orders DROP CONSTRAINT ck_order_total_positive;
-- ... the import ...
ALTER TABLE orders ADD CONSTRAINT ck_order_total_positive CHECK (total > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT ck_order_total_positive;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from checks.evidence import Evidence, Place
from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.rulebook.covering import covered, speaks_of
from checks.rulebook.intended import renamed
from checks.rulebook.inventory import Kind, Rule, rules
from checks.schema.model import Catalogue, CheckConstraint, Column, ForeignKey, Index, Table, Trigger
from checks.schema.names import TableName
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget
from checks.traces import where_lost, where_said

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.BASE})
SUBJECTS = "constraints of base"
PROVES = "still stand"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Look for every rule of base whose table and columns are still there."""
    base = target.evidence.base or Catalogue(())
    called = _called_now(target)
    standing = {(rule.table.name, rule.kind, rule.thing.name) for rule in rules(target.catalogue)}
    for rule in rules(base):
        here = target.catalogue.table
        table = here.get(rule.table.name) or here.get(called.get(rule.table.name, rule.table.name))
        if table is None:
            continue
        if (table.name, rule.kind, rule.thing.name) in standing or covered(rule, table, target.engine):
            yield Proven(replace(rule, table=table).subject)
        elif all(column in table.column for column in speaks_of(rule, target.engine)):
            yield _gone(replace(rule, table=table), rule.table, target)


def _gone(rule: Rule, was: Table, target: RelationalTarget) -> Judgement:
    if target.evidence.incomplete:
        return NotProven(rule.subject, "not there, the migrations failed")
    return _lost(rule, _looser(rule, was), target)


def _looser(rule: Rule, was: Table) -> Index | None:
    """What is new in place of a key and keeps fewer rows apart: a key of more columns, or of some rows only."""
    if not isinstance(rule.thing, Index) or rule.kind is Kind.EXCLUSION or None in rule.thing.columns:
        return None
    known, columns = {index.name for index in was.indexes if index is not rule.thing}, set(rule.thing.columns)
    new = (index for index in rule.table.indexes if index.unique and index.valid and index.name not in known)
    return next((index for index in new if columns <= set(index.columns)), None)


def _called_now(target: RelationalTarget) -> dict[TableName, TableName]:
    """The tables that statements gave another name, by the one that they had."""
    default = target.catalogue.default_schema
    whole = [(TableName(one.table.schema or default, one.table.name), one) for one in renamed(target.evidence.statements)]
    return {table: TableName(table.schema, one.new) for table, one in whole if not one.constraint}


def _lost(rule: Rule, looser: Index | None, target: RelationalTarget) -> Finding:
    place, statement = _where(rule, target.evidence)
    instead = f"{looser.name} in its place asks for less: {_columns(looser)}; it was" if looser else ""
    return Finding(
        subject=rule.subject,
        message=f"{rule.table.name.label()} lost its {_noun(rule)}, and"
        f" {instead or 'nothing in its place asks for the same:'} {_said(rule)}",
        remedy=_remedy(rule, target),
        severity=Severity.NOTICE if looser else None,
        objects=rule.references,
        place=place,
        evidence={"kind": rule.kind.value, "was": _said(rule), **({"statement": statement} if statement else {})},
    )


def _noun(rule: Rule) -> str:
    if rule.kind is Kind.NOT_NULL:
        return f"NOT NULL of {rule.thing.name}"
    return f"{_WORDS.get(rule.kind, rule.kind.value)} {rule.thing.name}"


_WORDS = {Kind.UNIQUE: "UNIQUE", Kind.PARTIAL_UNIQUE: "partial UNIQUE", Kind.EXCLUSION: "exclusion constraint"}


def _said(rule: Rule) -> str:
    """What the rule said, on one line."""
    match rule.thing:
        case ForeignKey() as key:
            return f"{key.label} -> {key.parent.label()}.{', '.join(key.parent_columns)} on delete {key.on_delete}"
        case CheckConstraint() as check:
            return " ".join(check.expression.split())
        case Index() as index:
            return _columns(index)
        case Column() as column:
            return f"{column.name} {column.type} NOT NULL"
        case Trigger() as trigger:
            return " ".join(trigger.definition.split())


def _columns(index: Index) -> str:
    if None in index.columns:
        return index.definition
    where = f" where {' '.join(index.predicate.split())}" if index.predicate else ""
    return f"({', '.join(name or '…' for name in index.columns)}){where}"


def _remedy(rule: Rule, target: RelationalTarget) -> str:
    """The statement that brings it back."""
    table = quoted_table(target.engine, rule.table.name, target.catalogue.default_schema)
    clause = _clause(rule, target)
    if rule.kind is Kind.EXCLUSION:  # no catalogue read here has its operators
        return f"Add it to {table} again as the migration that made it did, with EXCLUDE {_method(rule)}."
    if not clause:
        return f"{rule.thing.definition};" if isinstance(rule.thing, Index | Trigger) else ""
    if target.engine is Engine.SQLITE:
        return made_anew(table, clause)
    if isinstance(rule.thing, Column) and target.engine is Engine.MARIADB:
        return f"ALTER TABLE {table} MODIFY {clause};"
    if isinstance(rule.thing, Column):
        return f"ALTER TABLE {table} ALTER COLUMN {quoted(target.engine, rule.thing.name)} SET NOT NULL;"
    return f"ALTER TABLE {table} ADD {clause};"


def _method(rule: Rule) -> str:
    definition = rule.thing.definition if isinstance(rule.thing, Index) else ""
    return "".join(definition.partition("USING ")[1:])


def _clause(rule: Rule, target: RelationalTarget) -> str:
    """The rule as a clause of CREATE TABLE; empty where it is made by a statement of its own."""

    def names(columns: tuple[str | None, ...]) -> str:
        return quoted(target.engine, [name for name in columns if name is not None])

    match rule.thing:
        case ForeignKey() as key:
            parent = quoted_table(target.engine, key.parent, target.catalogue.default_schema)
            rest = f"FOREIGN KEY ({names(key.columns)}) REFERENCES {parent} ({names(key.parent_columns)})"
            return f"{_named(key.name, target)}{rest} ON DELETE {key.on_delete.upper()}"
        case CheckConstraint() as check:
            return f"{_named(check.name, target)}CHECK ({check.expression})"
        case Column() as column:
            return f"{quoted(target.engine, column.name)} {column.type} NOT NULL"
        case Index() as index if index.constraint in ("p", "u") and None not in index.columns:
            words = "PRIMARY KEY" if index.primary else "UNIQUE"
            return f"{_named(index.name, target)}{words} ({names(index.columns)})"
        case _:
            return ""


def _named(name: str, target: RelationalTarget) -> str:
    """``CONSTRAINT name``; what SQLite calls a constraint without a name is none."""
    invented = target.engine is Engine.SQLITE and (" " in name or name.startswith("sqlite_autoindex_"))
    return "" if invented else f"CONSTRAINT {quoted(target.engine, name)} "


_DROP, _DROP_NOT_NULL = re.compile(r"\bdrop\b", re.IGNORECASE), re.compile(r"\bdrop\s+not\s+null\b", re.IGNORECASE)


def _where(rule: Rule, evidence: Evidence) -> tuple[Place | None, str]:
    """The statement that took it away: as it was recorded, else as it reads, else the one new migration there is."""
    for reference in rule.references:
        place, statement = where_lost(reference, evidence)
        if place is not None:
            return place, statement
    names = [rule.thing.name, *([rule.table.name.name] if isinstance(rule.thing, Column) else [])]
    place, statement = where_said(_DROP_NOT_NULL if isinstance(rule.thing, Column) else _DROP, names, evidence)
    if place is not None:
        return place, statement
    new = [migration for migration in evidence.migrations if migration.new]
    return (new[0].place, "") if len(new) == 1 else (None, "")
