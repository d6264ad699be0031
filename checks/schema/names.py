"""What objects of a database are called: as provenance is kept for them, and as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ObjectKind(StrEnum):
    """The kinds of objects that findings name and provenance is kept for."""

    SCHEMA = "schema"
    TABLE = "table"
    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    TRIGGER = "trigger"
    POLICY = "policy"
    SEQUENCE = "sequence"
    TYPE = "type"
    FUNCTION = "function"
    VIEW = "view"
    EXTENSION = "extension"
    COLLECTION = "collection"
    VALIDATOR = "validator"
    OTHER = "other"


@dataclass(frozen=True, order=True)
class ObjectReference:
    """Names an object. ``relation`` is the table it belongs to (empty for none); ``name`` is empty for a table itself.

    An index is named by its own name with the table it stands on as ``relation``; a function carries its argument types.
    """

    kind: ObjectKind
    schema: str
    relation: str = ""
    name: str = ""


@dataclass(frozen=True, order=True)
class TableName:
    """A table by schema (empty where an engine has none) and name, unquoted, exactly as the catalogue spells them."""

    schema: str
    name: str

    def label(self, default_schema: str = "public") -> str:
        """``orders``, or ``sales.orders`` outside the default schema; for people, never for SQL."""
        return self.name if self.schema in ("", default_schema) else f"{self.schema}.{self.name}"


def default_schema(engine: str) -> str:
    """The schema that a name without one is in: ``public``; none where a database has no schemas (SQLite, MariaDB)."""
    return "" if engine in ("sqlite", "mariadb", "mysql") else "public"


def table_reference(table: TableName) -> ObjectReference:
    """What provenance of a table is kept under."""
    return ObjectReference(ObjectKind.TABLE, table.schema, table.name)


def column_reference(table: TableName, column: str) -> ObjectReference:
    """What provenance of a column is kept under."""
    return ObjectReference(ObjectKind.COLUMN, table.schema, table.name, column)


def object_label(of: ObjectReference, schema: str) -> str:
    """``index orders.ix_status``, outside of the default ``schema`` with its own; of a collection the name alone."""
    if of.kind is ObjectKind.VALIDATOR:
        return f"the validator of {of.relation}"
    name = ".".join(part for part in (of.relation, of.name) if part)
    if of.schema and of.schema != schema:
        name = f"{of.schema}.{name}" if name else of.schema
    name = name or of.schema
    return name if of.kind in (ObjectKind.COLLECTION, ObjectKind.OTHER) else f"{of.kind.value} {name}"


def no_table(table: TableName) -> str:
    """The mismatch of a reference whose parent does not exist."""
    return f"there is no table {table.name}"


def unusable(table: TableName, columns: tuple[str, ...]) -> str:
    """The mismatch of a reference for which its parent has no index any more, or columns of another type."""
    return f"{table.name} has no key ({', '.join(columns)}) that the server could use for it"


def column_label(table: TableName, columns: tuple[str, ...], default_schema: str = "public") -> str:
    """``orders.buyer_id``, or ``orders.(tenant_id, buyer_id)`` for several columns."""
    listed = columns[0] if len(columns) == 1 else f"({', '.join(columns)})"
    return f"{table.label(default_schema)}.{listed}"
