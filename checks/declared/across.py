"""References from one database to another, of whatever kind the two are: how they are declared, and what was found of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from checks.declared.documents import FieldPath, parse_path
from checks.declared.spelling import SIDE, side_of
from checks.evidence import Place
from checks.interface import Engine
from checks.schema.collections import collection_reference
from checks.schema.names import ObjectReference, TableName, column_label, column_reference, default_schema, table_reference
from checks.targets import Target


@dataclass(frozen=True)
class ColumnPath:
    """A column of a relational database: ``customers.id``."""

    table: TableName
    column: str

    @property
    def label(self) -> str:
        """``customers.id``."""
        return column_label(self.table, (self.column,))

    @property
    def holder(self) -> str:
        """The table's name."""
        return self.table.label()

    @property
    def objects(self) -> tuple[ObjectReference, ...]:
        """What provenance is looked up by."""
        return (column_reference(self.table, self.column), table_reference(self.table))


@dataclass(frozen=True)
class Side:
    """One side of a reference: a column or a field of a database of the settings."""

    database: str
    path: ColumnPath | FieldPath

    @property
    def label(self) -> str:
        """``docs:subscriptions.customer_id``."""
        return f"{self.database}:{self.path.label}"

    @property
    def holder(self) -> str:
        """``docs:subscriptions``."""
        return f"{self.database}:{self.path.holder if isinstance(self.path, ColumnPath) else self.path.collection}"

    @property
    def rows(self) -> str:
        """What the holder is made of."""
        return "rows" if isinstance(self.path, ColumnPath) else "documents"

    @property
    def objects(self) -> tuple[ObjectReference, ...]:
        """What provenance is looked up by."""
        return self.path.objects if isinstance(self.path, ColumnPath) else (collection_reference(self.path.collection),)


@dataclass(frozen=True)
class CrossReference:
    """A declared reference ``docs:subscriptions.customer_id -> app:customers.id``; ``place`` is where it is declared."""

    child: Side
    parent: Side
    place: Place | None = None

    @property
    def label(self) -> str:
        """As it is declared."""
        return f"{self.child.label} -> {self.parent.label}"


@dataclass(frozen=True)
class Compared:
    """The keys of both sides, compared: how many different ``keys`` the child has, and what of them the parent has not.

    ``missing`` counts different keys, ``references`` the rows (or elements of arrays) that name them; ``sample`` are those named
    most often, with how often. ``gap`` says why nothing could be compared, ``lacking`` what the databases do not have.
    """

    keys: int = 0
    missing: int = 0
    references: int = 0
    sample: Sequence[tuple[str, int]] = ()
    gap: str = ""
    lacking: Sequence[str] = ()


class AcrossTarget(Target, Protocol):
    """The references of one database to others."""

    @property
    def references(self) -> Sequence[CrossReference]:
        """Those whose child is this database."""
        ...

    def compared(self, reference: CrossReference) -> Compared:
        """What the keys of both sides say. Raises StatementFailed where they could not be read."""
        ...


_SIDES = re.compile(r"\s*(?P<child>[^\s:]+)\s*:(?P<child_path>.+?)->\s*(?P<parent>[^\s:]+)\s*:(?P<parent_path>.+)", re.DOTALL)
_COLUMN = re.compile(rf"\s*{SIDE.format('')}\s*")


def parse_cross_reference(text: str, engines: Mapping[str, Engine], place: Place | None = None) -> CrossReference:
    """Read a reference between databases, of which ``engines`` are known; raises ValueError with what was expected."""
    found = _SIDES.fullmatch(text)
    if found is None:
        raise ValueError("expected 'database:child.column -> database:parent.column'")
    child, parent = (_side(found[side], found[f"{side}_path"], engines) for side in ("child", "parent"))
    if child.database == parent.database:
        raise ValueError(f"both sides are in '{child.database}': such a reference stands under databases.{child.database}.expect")
    return CrossReference(child, parent, place)


def _side(database: str, path: str, engines: Mapping[str, Engine]) -> Side:
    if database not in engines:
        raise ValueError(f"there is no database '{database}'; there are: {', '.join(sorted(engines)) or 'none'}")
    engine = engines[database]
    if engine is Engine.MONGODB:
        return Side(database, parse_path(path))
    found = _COLUMN.fullmatch(path)
    table, columns = side_of(found, "", default_schema(engine)) if found else (TableName("", ""), ())
    if len(columns) != 1:
        raise ValueError(f"expected one column of {database}, such as 'customers.id'")
    return Side(database, ColumnPath(table, columns[0]))
