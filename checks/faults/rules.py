"""Faults of rules: those that are gone, CHECKs that refuse nothing, and rows that break one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from checks.declared.candidates import CheckCandidate, NotNullCandidate, UniqueCandidate
from checks.declared.expected import ExpectedConstraint, NamedConstraint
from checks.faults import sql
from checks.faults.changes import changes_of_one
from checks.faults.interface import Fault, Scene, Statement, Way
from checks.faults.neighbours import with_children
from checks.faults.references import drop_key
from checks.faults.sqlite_edits import Edit, Part
from checks.interface import Engine
from checks.rulebook.covering import covered
from checks.rulebook.inventory import Kind, Rule, rules
from checks.schema.model import CheckConstraint, Column, ForeignKey, Index, Table, Trigger
from checks.schema.names import TableName

#: How many changes to rows are tried to break a CHECK.
TRIED = 40


def lost_rule(scene: Scene) -> Iterator[Fault]:
    """A rule of base is not there any more, and nothing that asks for the same."""
    for rule in rules(scene.catalogue):
        way = dropped(scene, rule)
        if way and not covered(rule, _without(rule), scene.engine):
            kind = f"dropped-{rule.kind.value.replace(' ', '-').lower()}"
            tables = frozenset({rule.table.name})
            touches = with_children(scene.catalogue, rule.table.name) if isinstance(rule.thing, Index) else tables
            yield Fault(kind, "lost-constraint", rule.subject, (way,), tables=tables, touches=touches)


def unmet_expectation(scene: Scene) -> Iterator[Fault]:
    """A constraint that is expected is dropped."""
    for expected in {one.declared.label: one for one in scene.expect.constraints}.values():
        found = [rule for rule in rules(scene.catalogue) if _meant(expected, rule)]
        way = tuple(statement for rule in found for statement in dropped(scene, rule))
        if way:
            label = expected.declared.label
            touches = with_children(scene.catalogue, *(rule.table.name for rule in found))
            yield Fault("dropped-expected", "expected-constraint", label, (way,), touches=touches)


def _meant(expected: ExpectedConstraint, rule: Rule) -> bool:
    """Whether a line may be met by a rule: of one that is declared by its meaning, by any of that kind on the table."""
    match expected.declared:
        case NamedConstraint(name=name):
            return rule.thing.name == name and rule.kind not in (Kind.NOT_NULL, Kind.TRIGGER)
        case CheckCandidate(table=table):
            return rule.kind is Kind.CHECK and rule.table.name == table
        case NotNullCandidate(table=table, column=column):
            return rule.kind is Kind.NOT_NULL and rule.table.name == table and rule.thing.name == column
        case UniqueCandidate(table=table):
            return rule.kind in (Kind.UNIQUE, Kind.PARTIAL_UNIQUE) and rule.table.name == table


def weak_check(scene: Scene) -> Iterator[Fault]:
    """A CHECK is made true for every row."""
    for table, check, number in _checks(scene):
        weak: Way = (Edit(table.name, Part.CHECK, number),)
        if scene.engine is not Engine.SQLITE:
            weak = (
                sql.drop_constraint(scene.engine, table.name, check.name),
                _add(scene, check, f"({check.expression}) OR true"),
            )
        subject = f"{table.name.label()}.{check.name}"
        alone = frozenset({table.name})
        yield Fault("weakened-check", "check-probe", subject, (weak,), tables=alone, touches=alone)


def compared_with_null(scene: Scene) -> Iterator[Fault]:
    """A CHECK compares with NULL, to which nothing is equal, so that it refuses nothing more."""
    for table, check, number in _checks(scene):
        open_ones = (one.name for one in table.columns if one.nullable and not one.generated)
        column = min(open_ones, key=lambda name: name not in check.expression, default=None)
        if column is None:
            continue
        expression = f"({check.expression}) AND {sql.name(scene.engine, column)} <> NULL"
        way: Way = (Edit(table.name, Part.CHECK, number, text=expression),)
        if scene.engine is not Engine.SQLITE:
            way = (sql.drop_constraint(scene.engine, table.name, check.name), _add(scene, check, expression))
        subject, alone = f"{table.name.label()}.{check.name}", frozenset({table.name})
        yield Fault("compared-with-null", "null-passes-check", subject, (way,), tables=alone, touches=alone)


def missing_rule(scene: Scene) -> Iterator[Fault]:
    """A constraint that a migration's block has made is dropped."""
    for rule in rules(scene.catalogue):
        if isinstance(rule.thing, ForeignKey | CheckConstraint):
            touches = frozenset({rule.table.name})
            yield Fault("dropped-made", "missing-constraint", rule.subject, (dropped(scene, rule),), touches=touches)


def broken_check(scene: Scene) -> Iterator[Fault]:
    """A row is written past a CHECK."""
    for table, check, _ in _checks(scene):
        subject = f"{table.name.label()}.{check.name}"
        where, expression = sql.table(scene.engine, table.name), check.expression
        others = [other for other in table.checks if other is not check]
        before: Way = tuple(sql.drop_constraint(scene.engine, table.name, one.name) for one in table.checks)
        after: Way = (*(_add(scene, one, one.expression, " NOT VALID") for one in (*others, check)),)
        if scene.engine is not Engine.POSTGRESQL:  # the others can be asked to look away
            before = after = ()
        ways = tuple((*before, *change, *after) for change in changes_of_one(scene, table, expression))
        yield Fault(
            "broken-check",
            "constraint-violation",
            subject,
            ways[:TRIED],
            tables=frozenset({table.name}),
            touches=frozenset({table.name}),
            shows=sql.select("1", where, f"WHERE NOT ({expression})"),
        )


def _checks(scene: Scene) -> Iterator[tuple[Table, CheckConstraint, int]]:
    return ((table, check, number) for table in scene.catalogue.tables for number, check in enumerate(table.checks))


def _add(scene: Scene, check: CheckConstraint, expression: str, end: str = "") -> str:
    where, name = sql.table(scene.engine, check.table), sql.name(scene.engine, check.name)
    return f"ALTER TABLE {where} ADD CONSTRAINT {name} CHECK ({expression}){end}"


def dropped(scene: Scene, rule: Rule) -> Way:
    """What takes a rule away; nothing where the engine cannot."""
    engine, table = scene.engine, rule.table.name
    match rule.thing:
        case ForeignKey() as key:
            return drop_key(scene, key)
        case CheckConstraint() as check if engine is Engine.SQLITE:
            return (Edit(table, Part.WHOLE_CHECK, rule.table.checks.index(check)),)
        case CheckConstraint() as check:
            return (sql.drop_constraint(engine, table, check.name),)
        case Index() as index if engine is Engine.SQLITE and index.constraint is not None:
            return ()
        case Index() as index:
            return (sql.drop_index(engine, index),)
        case Column() as column:
            return (_nullable(scene, table, column),)
        case Trigger() as trigger:
            return (_drop_trigger(scene, table, trigger),)


def _nullable(scene: Scene, table: TableName, column: Column) -> Statement:
    if scene.engine is Engine.SQLITE:
        return Edit(table, Part.NOT_NULL, column=column.name)
    return sql.nullable(scene.engine, table, column)


def _drop_trigger(scene: Scene, table: TableName, trigger: Trigger) -> str:
    on = f" ON {sql.table(scene.engine, table)}" if scene.engine is Engine.POSTGRESQL else ""
    return f"DROP TRIGGER {sql.name(scene.engine, trigger.name)}{on}"


def _without(rule: Rule) -> Table:
    """The table as it is without a rule."""
    table, thing = rule.table, rule.thing
    columns = tuple(replace(one, nullable=True) if one is thing else one for one in table.columns)
    return replace(
        table,
        columns=columns,
        foreign_keys=tuple(one for one in table.foreign_keys if one is not thing),
        checks=tuple(one for one in table.checks if one is not thing),
        indexes=tuple(one for one in table.indexes if one is not thing),
        triggers=tuple(one for one in table.triggers if one is not thing),
    )
