"""Faults of references: orphans, keys that are gone, switched off, of another rule or of another type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from checks.declared.subjects import references
from checks.faults import sql
from checks.faults.changes import changes, past_checks
from checks.faults.interface import Fault, Scene, Way
from checks.faults.neighbours import around, with_children
from checks.faults.sqlite_edits import Edit, Part
from checks.interface import Engine
from checks.references.cascade_reach import MOST_TABLES
from checks.references.soft_deleted_parent import subject_of
from checks.schema.model import Action, Catalogue, Column, ForeignKey
from checks.schema.names import TableName
from checks.schema.sqlite import affinity
from checks.sql.guesses import guesses
from checks.sql.orphans import key_of, listing_lost

_INTEGERS = re.compile(r"(?:big|medium|small|tiny)?int")
_WIDER = {"smallint": "bigint", "integer": "bigint", "bigint": "integer"}


def orphan(scene: Scene) -> Iterator[Fault]:
    """A parent goes past everything that would keep it, and its children stay."""
    for subject, key in references(scene.catalogue):
        if not key.period and not key.mismatch:
            yield Fault(
                "orphan",
                "orphaned-rows",
                subject,
                ((_delete_a_parent(scene, key),),),
                tables=around(scene.catalogue, key.table),
                touches=with_children(scene.catalogue, key.parent),
            )


def _delete_a_parent(scene: Scene, key: ForeignKey) -> str:
    """Of one row that refers to a parent. A row that refers to itself would go with its parent."""
    engine = scene.engine
    given = [f"{sql.name(engine, column)} IS NOT NULL" for column in key.columns]
    pairs = zip(key.columns, key.parent_columns, strict=True)
    itself = " AND ".join(f"{sql.name(engine, mine)} = {sql.name(engine, theirs)}" for mine, theirs in pairs)
    other = [f"NOT ({itself})"] if key.table == key.parent else []
    chosen = sql.select(
        sql.names(engine, key.columns),
        sql.rows_of(engine, key.table, scene.catalogue),
        f"WHERE {' AND '.join([*given, *other])} LIMIT 1",
    )
    there = sql.select("*", f"({chosen}) AS one")
    return sql.delete(sql.table(engine, key.parent), f"({sql.names(engine, key.parent_columns)}) IN ({there})")


def switched_off(scene: Scene) -> Iterator[Fault]:
    """What enforces a reference is switched off: its triggers, or (SQLite) the parent is moved away from under its name."""
    for subject, key in references(scene.catalogue):
        if way := _switch_off(scene, key):
            tables = around(scene.catalogue, key.table)
            touches = frozenset({key.table}) if scene.engine is Engine.POSTGRESQL else with_children(scene.catalogue, key.parent)
            yield Fault("unenforced-reference", "reference-probe", subject, (way,), tables=tables, touches=touches)


def _switch_off(scene: Scene, key: ForeignKey) -> Way:
    if scene.engine is Engine.POSTGRESQL:
        return (f"ALTER TABLE {sql.table(scene.engine, key.table)} DISABLE TRIGGER ALL",)
    if scene.engine is Engine.SQLITE and key.table != key.parent:
        parent = sql.name(scene.engine, key.parent.name)
        return (f"ALTER TABLE {parent} RENAME TO {sql.name(scene.engine, f'{sql.PLANTED}_parent')}",)
    return ()


def switched_off_triggers(scene: Scene) -> Iterator[Fault]:
    """The triggers of a table are switched off, those that were made and those that enforce its references."""
    if scene.engine is not Engine.POSTGRESQL:
        return
    for table in scene.catalogue.tables:
        for trigger in table.triggers:
            if not trigger.inherited:
                off = f"ALTER TABLE {sql.table(scene.engine, table.name)} DISABLE TRIGGER {sql.name(scene.engine, trigger.name)}"
                subject = f"{table.name.label()}.{trigger.name}"
                yield Fault("disabled-trigger", "disabled-trigger", subject, ((off,),), touches=frozenset({table.name}))
    for subject, key in references(scene.catalogue):
        way = _switch_off(scene, key)
        yield Fault("disabled-triggers", "disabled-trigger", subject, (way,), touches=frozenset({key.table}))


def idle_delete_rule(scene: Scene) -> Iterator[Fault]:
    """What a reference does when its parent goes is switched off, or a trigger keeps it from coming to that."""
    yield from _idle_rule(scene, "DELETE", "idle-delete-rule", "delete-rule-probe")


def idle_update_rule(scene: Scene) -> Iterator[Fault]:
    """The same of what it does when its parent's key changes."""
    yield from _idle_rule(scene, "UPDATE", "idle-update-rule", "update-rule-probe")


def _idle_rule(scene: Scene, event: str, kind: str, check: str) -> Iterator[Fault]:
    for subject, key in references(scene.catalogue):
        if key.mismatch:
            continue
        parent, tables = sql.table(scene.engine, key.parent), around(scene.catalogue, key.table)
        if scene.engine is Engine.POSTGRESQL:
            way: Way = (f"ALTER TABLE {parent} DISABLE TRIGGER ALL",)
        elif scene.engine is Engine.SQLITE:
            way = (f"CREATE TRIGGER {sql.PLANTED}_{event} BEFORE {event} ON {parent} BEGIN SELECT RAISE(IGNORE); END",)
        else:
            continue
        touches = with_children(scene.catalogue, key.parent)
        yield Fault(kind, check, subject, (way,), tables=tables, touches=touches)


def marked_parent(scene: Scene) -> Iterator[Fault]:
    """Parents are marked as deleted, or whatever else their children do not allow."""
    for expected in dict.fromkeys(scene.expect.references):
        parent = scene.catalogue.table.get(expected.parent)
        if expected.where and parent is not None:
            subject = subject_of(expected)
            shows = listing_lost(key_of(expected), expected.where, scene.catalogue, scene.engine)
            free, touches = past_checks(scene, expected.parent), with_children(scene.catalogue, expected.parent)
            ways = tuple((*free, *change) for change in changes(scene, parent, expected.where))
            yield Fault("marked-parent", "soft-deleted-parent", subject, ways, shows=shows, touches=touches)


def contained_values(scene: Scene) -> Iterator[Fault]:
    """A column that only looks like a reference names rows that are there."""
    for guess, *_ in guesses(scene.catalogue, scene.engine):
        key = guess.key
        mine, parent = sql.table(scene.engine, key.table), sql.table(scene.engine, key.parent)
        column, theirs = (sql.name(scene.engine, name) for name in (key.columns[0], key.parent_columns[0]))
        ways = (sql.update(mine, f"{column} = ({sql.select(theirs, parent, 'LIMIT 1')})"),)
        yield Fault("contained-values", "undeclared-reference", key.label, (ways,), touches=frozenset({key.table}))


def no_kind(scene: Scene) -> Iterator[Fault]:
    """The type of a polymorphic reference is none that is known, or all parents of one type go."""
    for reference in dict.fromkeys(scene.expect.polymorphic):
        label, mine = reference.label, sql.table(scene.engine, reference.table)
        called = sql.name(scene.engine, reference.type_column)
        free, touches = past_checks(scene, reference.table), frozenset({reference.table})
        unknown = (sql.update(mine, f"{called} = {value}") for value in (sql.literal(sql.PLANTED), "NULL"))
        ways = tuple((*free, one) for one in unknown)
        yield Fault("unknown-kind", "polymorphic-reference", label, ways, touches=touches)
        for kind in reference.kinds:
            if kind.parent != reference.table:
                subject = f"{label} -> {kind.label}"
                way = (sql.delete(sql.table(scene.engine, kind.parent)),)
                gone = touches | with_children(scene.catalogue, kind.parent)
                yield Fault("lost-parents", "polymorphic-reference", subject, (way,), touches=gone)


def lost_reference(scene: Scene) -> Iterator[Fault]:
    """An expected reference is dropped."""
    for expected in dict.fromkeys(scene.expect.references):
        key = _declared(scene, expected.table, expected.columns, expected.parent)
        if key is not None and (way := drop_key(scene, key)):
            red, touches = f"{expected.label} (missing)", frozenset({key.table})
            yield Fault("dropped-reference", "delete-rule", expected.label, (way,), red, touches=touches)


def swapped_rule(scene: Scene) -> Iterator[Fault]:
    """An expected reference does something else when its parent goes."""
    for expected in dict.fromkeys(scene.expect.references):
        key = _declared(scene, expected.table, expected.columns, expected.parent)
        if key is not None and expected.on_delete is not None:
            ways = tuple(with_rule(scene, key, rule) for rule in sql.other_rule(key))
            if all(ways):
                yield Fault("swapped-rule", "delete-rule", expected.label, ways, touches=frozenset({key.table}))


def _declared(scene: Scene, table: TableName, columns: tuple[str, ...], parent: TableName) -> ForeignKey | None:
    found = scene.catalogue.table.get(table)
    same = [key for key in found.foreign_keys if set(key.columns) == set(columns) and key.parent == parent] if found else []
    return same[0] if len(same) == 1 else None


def other_type(scene: Scene) -> Iterator[Fault]:
    """A column that refers gets another type than its parent's."""
    for subject, key in references(scene.catalogue):
        column = scene.catalogue.table[key.table].column.get(key.columns[0])
        if column is not None and not column.generated and not key.mismatch:
            ways = tuple(_retyped(scene, key, column))
            if ways:
                yield Fault("other-type", "reference-type-mismatch", subject, ways, touches=frozenset({key.table}))


def _retyped(scene: Scene, key: ForeignKey, column: Column) -> Iterator[Way]:
    """Another width where there is one, else a domain of the same type: both are taken by the key."""
    if scene.engine is Engine.SQLITE:
        number = affinity(column.type) in ("INTEGER", "NUMERIC", "REAL")
        yield (Edit(key.table, Part.TYPE, column=column.name, text="TEXT" if number else "INTEGER"),)
    if scene.engine is Engine.MARIADB and (integer := _INTEGERS.match(column.type.lower())):
        other, end = ("int" if integer[0] == "bigint" else "bigint"), "" if column.nullable else " NOT NULL"
        where = sql.table(scene.engine, key.table)
        yield (f"ALTER TABLE {where} MODIFY {sql.name(scene.engine, column.name)} {other}{end}",)
    if scene.engine is Engine.POSTGRESQL:
        where, which = sql.table(scene.engine, key.table), sql.name(scene.engine, column.name)
        if column.type in _WIDER:
            yield (f"ALTER TABLE {where} ALTER COLUMN {which} TYPE {_WIDER[column.type]}",)
        domain = sql.table(scene.engine, TableName(key.table.schema, f"{sql.PLANTED}_type"))
        retyped: Way = (f"CREATE DOMAIN {domain} AS {column.type}", f"ALTER TABLE {where} ALTER COLUMN {which} TYPE {domain}")
        policies = scene.catalogue.table[key.table].policies
        yield retyped
        if policies:  # they keep a column that they ask for as it is
            yield *(f"DROP POLICY {sql.name(scene.engine, one.name)} ON {where}" for one in policies), *retyped


def circle(scene: Scene) -> Iterator[Fault]:
    """A table and a new one must each have a row of the other first."""
    engine = scene.engine
    for table in scene.catalogue.tables:
        if len(table.primary_key) != 1 or all(key.parent == table.name for key in table.foreign_keys) or table.partition_of:
            continue
        key, new = table.column[table.primary_key[0]], TableName(table.name.schema, sql.PLANTED)
        mine, other = sql.table(engine, table.name), sql.table(engine, new)
        default = " DEFAULT 0" if engine is Engine.SQLITE else ""
        way = (
            f"CREATE TABLE {other} (id integer PRIMARY KEY, other {key.type} NOT NULL"
            f" REFERENCES {mine} ({sql.name(engine, key.name)}))",
            sql.delete(mine),
            f"ALTER TABLE {mine} ADD COLUMN {sql.name(engine, sql.PLANTED)} integer NOT NULL{default} REFERENCES {other} (id)",
        )
        turns = ", ".join(name.label() for name in sorted((table.name, new)))
        touches = with_children(scene.catalogue, table.name)
        yield Fault("reference-circle", "reference-cycle", table.name.label(), (way,), turns, touches=touches)


def wide_cascade(scene: Scene) -> Iterator[Fault]:
    """So many tables more go with a parent's rows that the reach of one DELETE is beyond its limit."""
    engine, parents = scene.engine, dict[TableName, ForeignKey]()
    for key in scene.catalogue.foreign_keys:
        if key.on_delete is Action.CASCADE and key.enforced and not key.mismatch and not key.period:
            parents.setdefault(key.parent, key)
    for parent, key in parents.items():
        types = [scene.catalogue.table[parent].column[column].type for column in key.parent_columns]
        columns = ", ".join(f"c{number} {type_}" for number, type_ in enumerate(types))
        listed = ", ".join(f"c{number}" for number in range(len(types)))
        way = tuple(
            f"CREATE TABLE {sql.table(engine, TableName(parent.schema, f'{sql.PLANTED}_{number}'))} ({columns}, FOREIGN KEY"
            f" ({listed}) REFERENCES {sql.table(engine, parent)} ({sql.names(engine, key.parent_columns)}) ON DELETE CASCADE)"
            for number in range(MOST_TABLES + 1)
        )
        yield Fault("wide-cascade", "cascade-reach", parent.label(), (way,), touches=frozenset({parent}))


def drop_key(scene: Scene, key: ForeignKey) -> Way:
    """What takes a foreign key away; nothing where an engine cannot."""
    if scene.engine is not Engine.SQLITE:
        return (sql.drop_foreign_key(scene.engine, key),)
    number = written(scene.catalogue, key)
    return () if number is None else (Edit(key.table, Part.REFERENCE, number),)


def with_rule(scene: Scene, key: ForeignKey, rule: Action) -> Way:
    """What gives a foreign key another delete rule; nothing where an engine cannot."""
    if scene.engine is Engine.SQLITE:
        number = written(scene.catalogue, key)
        return () if number is None else (Edit(key.table, Part.RULE, number, text=rule.upper()),)
    dropped, other = sql.drop_foreign_key(scene.engine, key), replace(key, on_delete=rule)
    if scene.engine is Engine.POSTGRESQL:
        return dropped, sql.add_foreign_key(scene.engine, other)
    # In one statement, as MariaDB undoes none; under another name, as the old one is not free before its end.
    added = sql.add_foreign_key(scene.engine, replace(other, name=f"{sql.PLANTED}_rule"))
    return (f"{dropped}, {added.partition(sql.table(scene.engine, key.table))[2].strip()}",)


def written(catalogue: Catalogue, key: ForeignKey) -> int | None:
    """The place of a foreign key among those of its table, in the order in which SQLite's text has them."""
    keys = catalogue.table[key.table].foreign_keys
    return next((number for number, one in enumerate(keys) if one is key), None)
