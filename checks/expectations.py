"""What the repository declares of its own database, as frozen data, and the one parser of declared references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from checks.document_expectations import DocumentExpectations
from checks.schema.model import Action, TableName, column_label


class Category(StrEnum):
    """The kinds of declared queries; each has a default limit."""

    SIMPLE = "simple"
    JOIN = "join"
    CONSTRAINT = "constraint"
    BATCH = "batch"
    AGGREGATION = "aggregation"

    @property
    def limit(self) -> float:
        """The default limit in seconds: simple 0.5, join 1, constraint 0.1, batch 2, aggregation 0.3."""
        return _LIMITS[self]


_LIMITS = {
    Category.SIMPLE: 0.5,
    Category.JOIN: 1.0,
    Category.CONSTRAINT: 0.1,
    Category.BATCH: 2.0,
    Category.AGGREGATION: 0.3,
}


@dataclass(frozen=True)
class ExpectedReference:
    """A declared expectation ``orders.buyer_id -> users.id on delete restrict``.

    A composite key is written ``a.(x, y) -> b.(x, y)``; a schema stands before its table: ``sales.orders.buyer_id``.
    ``on_delete`` is ``None`` where the declaration leaves it open.
    """

    table: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    on_delete: Action | None = None

    @property
    def label(self) -> str:
        """``orders.buyer_id -> users.id``."""
        return f"{column_label(self.table, self.columns)} -> {column_label(self.parent, self.parent_columns)}"


@dataclass(frozen=True)
class DeclaredQuery:
    """A query with a limit in seconds, measured by ``runner.measure`` and judged by ``query-limit``."""

    name: str
    sql: str
    category: Category
    limit: float


@dataclass(frozen=True)
class Expectations:
    """All that the settings declare of one database. ``no_rows`` maps a sentence to a query that must return no row.

    ``foreign_keys`` is what the application's sessions do with that pragma of SQLite, ``None`` where nobody says it;
    ``documents`` is what only a document database has.
    """

    references: tuple[ExpectedReference, ...] = ()
    no_rows: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[DeclaredQuery, ...] = ()
    foreign_keys: bool | None = None
    documents: DocumentExpectations = field(default_factory=DocumentExpectations)

    @property
    def measured(self) -> bool:
        """Whether there are queries to measure."""
        return bool(self.queries or self.documents.queries)


_NAME = r'(?:"(?:[^"]|"")+"|[^\s".,()]+)'
_SIDE = rf"(?P<{{0}}path>{_NAME}(?:\.{_NAME})?)\.(?:(?P<{{0}}one>{_NAME})|\((?P<{{0}}many>[^()]+)\))"
_REFERENCE = re.compile(
    rf"\s*{_SIDE.format('child_')}\s*->\s*{_SIDE.format('parent_')}(?:\s+on\s+delete\s+(?P<rule>[a-z ]+?))?\s*",
    re.IGNORECASE,
)


def parse_reference(text: str, default_schema: str = "public") -> ExpectedReference:
    """Read a declared reference; raises ValueError with what was expected."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ValueError("expected 'child.column -> parent.column', with 'on delete restrict' or another rule after it")
    table, columns = _side(found, "child_", default_schema)
    parent, parent_columns = _side(found, "parent_", default_schema)
    if len(columns) != len(parent_columns):
        raise ValueError(f"{len(columns)} columns refer to {len(parent_columns)}")
    return ExpectedReference(table, columns, parent, parent_columns, _rule(found["rule"]))


def _side(found: re.Match[str], side: str, default_schema: str) -> tuple[TableName, tuple[str, ...]]:
    path = [_unquote(part) for part in re.findall(_NAME, found[f"{side}path"])]
    schema = path[0] if len(path) == 2 else default_schema
    listed = found[f"{side}one"] or found[f"{side}many"]
    return TableName(schema, path[-1]), tuple(_unquote(part) for part in re.findall(_NAME, listed))


def _unquote(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _rule(words: str | None) -> Action | None:
    if words is None:
        return None
    rule = " ".join(words.lower().split())
    if rule not in set(Action):
        raise ValueError(f"'{words}' is not a delete rule; there are: {', '.join(Action)}")
    return Action(rule)
