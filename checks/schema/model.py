"""The catalogue of a relational database, engine-neutral and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from checks.schema.names import ObjectKind, ObjectReference, TableName, column_label, table_reference


class Action(StrEnum):
    """What a foreign key does to its children when the parent goes or changes its key."""

    NO_ACTION = "no action"
    RESTRICT = "restrict"
    CASCADE = "cascade"
    SET_NULL = "set null"
    SET_DEFAULT = "set default"


class Match(StrEnum):
    """How a composite foreign key treats NULL: SIMPLE lets any NULL pass, FULL wants all or none."""

    SIMPLE = "simple"
    FULL = "full"
    PARTIAL = "partial"


@dataclass(frozen=True)
class DomainCheck:
    """A CHECK of a domain, or of one below it; the expression speaks of ``VALUE``."""

    name: str
    schema: str
    domain: str
    expression: str

    @property
    def reference(self) -> ObjectReference:
        """The domain, which is what provenance is kept of."""
        return ObjectReference(ObjectKind.TYPE, self.schema, "", self.domain)


@dataclass(frozen=True)
class Column:
    """A column. ``type`` is the full type as the engine formats it (``character varying(20)``).

    ``collation`` is written as in SQL (``"de-x-icu"``), ``None`` for the database's own.
    ``base`` is the type below a domain; ``element`` is the type of an array's elements; ``enum_labels`` are in their order
    and belong to the type itself, to the type below a domain, or to the elements. The ``default`` of a generated column is the
    expression that it is computed by, where the engine tells it.
    """

    name: str
    type: str
    nullable: bool
    default: str | None = None
    generated: bool = False
    identity: bool = False
    collation: str | None = None
    base: str | None = None
    enum_labels: tuple[str, ...] = ()
    element: str | None = None
    domain_checks: tuple[DomainCheck, ...] = ()


@dataclass(frozen=True)
class ForeignKey:
    """A declared reference from ``table`` (the child) to ``parent``.

    ``period`` says that the last column is a period of time that the parent's periods must cover (PostgreSQL 18).
    ``operators`` compare each parent column (left) with its child column, as they are written in SQL.
    ``switched_off`` names the tables (the child, or partitions of it) on which somebody disabled what enforces it;
    ``delete_off`` and ``update_off`` those (the parent, or partitions of it) where that is what carries out its rule.
    ``delete_columns`` are the columns that SET NULL or SET DEFAULT changes on delete, where those are not all.
    ``mismatch`` says why the server can do nothing with it (SQLite takes a key to a parent that cannot be one, MariaDB
    lets the parent lose its index while ``foreign_key_checks`` are off).
    """

    name: str
    table: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    on_delete: Action = Action.NO_ACTION
    on_update: Action = Action.NO_ACTION
    match: Match = Match.SIMPLE
    deferrable: bool = False
    initially_deferred: bool = False
    validated: bool = True
    enforced: bool = True
    period: bool = False
    operators: tuple[str, ...] = ()
    switched_off: tuple[TableName, ...] = ()
    delete_off: tuple[TableName, ...] = ()
    update_off: tuple[TableName, ...] = ()
    delete_columns: tuple[str, ...] = ()
    mismatch: str = ""

    @property
    def label(self) -> str:
        """``orders.buyer_id``, or ``orders.(tenant_id, buyer_id)`` for a composite key."""
        return column_label(self.table, self.columns)

    @property
    def reference(self) -> ObjectReference:
        """What provenance is kept under."""
        return ObjectReference(ObjectKind.CONSTRAINT, self.table.schema, self.table.name, self.name)

    @property
    def sides(self) -> tuple[ObjectReference, ...]:
        """The child's table and the parent's."""
        return (table_reference(self.table), table_reference(self.parent))


@dataclass(frozen=True)
class CheckConstraint:
    """A CHECK constraint with its expression as the engine deparses it."""

    name: str
    table: TableName
    expression: str
    validated: bool = True
    enforced: bool = True

    @property
    def reference(self) -> ObjectReference:
        """What provenance is kept under."""
        return ObjectReference(ObjectKind.CONSTRAINT, self.table.schema, self.table.name, self.name)


@dataclass(frozen=True)
class Index:
    """An index. ``columns`` holds the key columns in order, ``None`` for an expression; ``predicate`` makes it partial.

    ``part_of`` names the index of the partitioned table that a partition's index is a part of. ``collations`` are those of the
    key columns, where the engine names them (SQLite).

    ``keys`` say of each key column all that it is sorted and found by: the column or expression, operator class, collation,
    direction and place of NULLs. Where two are equal, so is what they can be used for. ``included`` columns are only carried.
    ``traits`` are other properties in which two indexes may differ (storage parameters, ``NULLS NOT DISTINCT``, deferral).
    ``constraint`` is the kind of the constraint that it backs (``p``, ``u``, ``x``); ``relied_on`` says that something else
    rests on it (a foreign key, the replica identity). Of two indexes the younger has the higher ``number``.
    """

    name: str
    table: TableName
    columns: tuple[str | None, ...]
    unique: bool = False
    primary: bool = False
    predicate: str | None = None
    valid: bool = True
    method: str = "btree"
    definition: str = ""
    part_of: str | None = None
    collations: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    constraint: str | None = None
    relied_on: bool = False
    number: int = field(default=0, compare=False)

    @property
    def reference(self) -> ObjectReference:
        """What provenance is kept under."""
        return ObjectReference(ObjectKind.INDEX, self.table.schema, self.table.name, self.name)


@dataclass(frozen=True)
class Sequence:
    """A sequence that fills ``column`` of its table: an identity's, or one whose next number is the column's whole default.

    ``minimum`` and ``maximum`` are the sequence's own.
    """

    schema: str
    name: str
    column: str
    increment: int
    minimum: int
    maximum: int
    cycle: bool = False


class Firing(StrEnum):
    """When a trigger fires: in ordinary sessions, only where changes are replicated (``ENABLE REPLICA TRIGGER``), or never."""

    ON = "on"
    REPLICATION = "replication"
    OFF = "off"


@dataclass(frozen=True)
class Trigger:
    """A trigger that somebody made; those that enforce a foreign key belong to :class:`ForeignKey`.

    ``definition`` is the statement as the engine writes it. ``inherited`` says that it is the part of a partitioned table's
    trigger that stands on a partition.
    """

    name: str
    table: TableName
    definition: str
    firing: Firing = Firing.ON
    inherited: bool = False

    @property
    def reference(self) -> ObjectReference:
        """What provenance is kept under."""
        return ObjectReference(ObjectKind.TRIGGER, self.table.schema, self.table.name, self.name)


class Command(StrEnum):
    """What a policy of row security is asked for."""

    ALL = "all"
    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Policy:
    """A policy of row security. ``roles`` are those that it is for, none for everybody.

    ``using`` decides which rows are there, ``check`` which may be written, as the engine deparses them; ``None`` where the policy
    says nothing of it (then ``using`` decides what may be written too). Permissive ones widen, the others narrow.
    """

    name: str
    table: TableName
    command: Command = Command.ALL
    permissive: bool = True
    roles: tuple[str, ...] = ()
    using: str | None = None
    check: str | None = None

    @property
    def reference(self) -> ObjectReference:
        """What provenance is kept under."""
        return ObjectReference(ObjectKind.POLICY, self.table.schema, self.table.name, self.name)


@dataclass(frozen=True)
class Table:
    """A table with all that hangs on it.

    ``partitioned`` tables hold no rows themselves; ``partition_of`` names the table that a partition belongs to. ``row_security``
    says whether the policies are asked, ``forced`` whether the ``owner`` (a role) has to obey them too. ``bound`` is the
    condition that a partition's rows have to meet.
    """

    name: TableName
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[CheckConstraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    partitioned: bool = False
    partition_of: TableName | None = None
    sequences: tuple[Sequence, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    policies: tuple[Policy, ...] = ()
    row_security: bool = False
    forced: bool = False
    owner: str = ""
    bound: str | None = None

    @cached_property
    def column(self) -> Mapping[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def reference(self) -> ObjectReference:
        """What provenance is kept under."""
        return table_reference(self.name)


@dataclass(frozen=True)
class Catalogue:
    """Every table that is judged: objects of extensions, of migration tools and of platforms are left out by the reader."""

    tables: tuple[Table, ...]
    default_schema: str = "public"

    @cached_property
    def table(self) -> Mapping[TableName, Table]:
        """Tables by name."""
        return {table.name: table for table in self.tables}

    @cached_property
    def partitions(self) -> Mapping[TableName, tuple[Table, ...]]:
        """The partitions of each partitioned table, one level below it."""
        found: dict[TableName, tuple[Table, ...]] = {}
        for table in self.tables:
            if table.partition_of is not None:
                found[table.partition_of] = (*found.get(table.partition_of, ()), table)
        return found

    @property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """Every declared reference, in the order of tables and names."""
        return tuple(key for table in self.tables for key in table.foreign_keys)
