"""The rules that a database holds its rows to, one by one and counted by kind.

What a partition has of its partitioned table is counted there only, and the columns of a primary key are not counted as NOT NULL
besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from checks.schema.model import Catalogue, CheckConstraint, Column, ForeignKey, Index, Table, Trigger
from checks.schema.names import ObjectKind, ObjectReference, column_reference


class Kind(StrEnum):
    """The kinds of rules, in the order in which they are counted."""

    FOREIGN_KEY = "foreign key"
    CHECK = "CHECK"
    PRIMARY_KEY = "primary key"
    UNIQUE = "unique"
    PARTIAL_UNIQUE = "partial unique"
    NOT_NULL = "NOT NULL"
    EXCLUSION = "exclusion"
    TRIGGER = "trigger"


@dataclass(frozen=True)
class Rule:
    """One rule of a table: a constraint, a unique index, a trigger, or a column's NOT NULL (``thing`` is that column)."""

    kind: Kind
    table: Table
    thing: ForeignKey | CheckConstraint | Index | Trigger | Column

    @property
    def subject(self) -> str:
        """What it is called in findings: ``orders.ck_total``, ``orders.email NOT NULL``, ``orders.touch (trigger)``."""
        after = {Kind.NOT_NULL: " NOT NULL", Kind.TRIGGER: " (trigger)"}
        return f"{self.table.name.label()}.{self.thing.name}{after.get(self.kind, '')}"

    @property
    def references(self) -> tuple[ObjectReference, ...]:
        """What provenance of it is kept under, the most telling first."""
        if isinstance(self.thing, Column):
            return (column_reference(self.table.name, self.thing.name),)
        if isinstance(self.thing, Index) and self.thing.constraint is not None:
            table = self.table.name
            return (ObjectReference(ObjectKind.CONSTRAINT, table.schema, table.name, self.thing.name), self.thing.reference)
        return (self.thing.reference,)


@dataclass(frozen=True)
class Inventory:
    """How many rules of each kind a database has."""

    foreign_keys: int = 0
    checks: int = 0
    primary_keys: int = 0
    uniques: int = 0
    partial_uniques: int = 0
    not_nulls: int = 0
    exclusions: int = 0
    triggers: int = 0

    @property
    def counts(self) -> Mapping[Kind, int]:
        """The figures by kind, in the order of :class:`Kind`."""
        return {
            Kind.FOREIGN_KEY: self.foreign_keys,
            Kind.CHECK: self.checks,
            Kind.PRIMARY_KEY: self.primary_keys,
            Kind.UNIQUE: self.uniques,
            Kind.PARTIAL_UNIQUE: self.partial_uniques,
            Kind.NOT_NULL: self.not_nulls,
            Kind.EXCLUSION: self.exclusions,
            Kind.TRIGGER: self.triggers,
        }


def inventory(catalogue: Catalogue) -> Inventory:
    """The rules of a database, counted."""
    counted = Counter(rule.kind for rule in rules(catalogue))
    return Inventory(
        foreign_keys=counted[Kind.FOREIGN_KEY],
        checks=counted[Kind.CHECK],
        primary_keys=counted[Kind.PRIMARY_KEY],
        uniques=counted[Kind.UNIQUE],
        partial_uniques=counted[Kind.PARTIAL_UNIQUE],
        not_nulls=counted[Kind.NOT_NULL],
        exclusions=counted[Kind.EXCLUSION],
        triggers=counted[Kind.TRIGGER],
    )


def rules(catalogue: Catalogue) -> Iterator[Rule]:
    """Every rule of every table, in the order of tables and kinds."""
    for table in catalogue.tables:
        yield from (Rule(Kind.FOREIGN_KEY, table, key) for key in table.foreign_keys)
        yield from (Rule(Kind.CHECK, table, check) for check in table.checks)
        yield from _of_indexes(table)
        yield from _not_nulls(table, catalogue)
        yield from (Rule(Kind.TRIGGER, table, trigger) for trigger in table.triggers if not trigger.inherited)


def _of_indexes(table: Table) -> Iterator[Rule]:
    for index in table.indexes:
        kind = kind_of(index)
        if kind is not None and index.part_of is None:
            yield Rule(kind, table, index)


def kind_of(index: Index) -> Kind | None:
    """What rule an index stands for, ``None`` for one that only finds rows."""
    if index.primary:
        return Kind.PRIMARY_KEY
    if index.constraint == "x":
        return Kind.EXCLUSION
    if not index.unique:
        return None
    return Kind.UNIQUE if index.predicate is None else Kind.PARTIAL_UNIQUE


def _not_nulls(table: Table, catalogue: Catalogue) -> Iterator[Rule]:
    whole = catalogue.table.get(table.partition_of) if table.partition_of else None
    for column in table.columns:
        above = whole.column.get(column.name) if whole else None
        inherited = above is not None and not above.nullable
        if not column.nullable and column.name not in table.primary_key and not inherited:
            yield Rule(Kind.NOT_NULL, table, column)
