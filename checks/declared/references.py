"""References between tables that the settings declare, as they are written there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.declared.spelling import SIDE, side_of
from checks.schema.model import Action
from checks.schema.names import TableName, column_label


@dataclass(frozen=True)
class ExpectedReference:
    """A declared expectation ``orders.buyer_id -> users.id on delete restrict``.

    A composite key is written ``a.(x, y) -> b.(x, y)``; a schema stands before its table: ``sales.orders.buyer_id``.
    ``on_delete`` is ``None`` where the declaration leaves it open. ``undeclared`` says that no foreign key stands for it and the
    rows must hold all the same. ``where`` is SQL that a row's parent must fulfil (``users.deleted_at is null``), empty for none.
    """

    table: TableName
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    on_delete: Action | None = None
    undeclared: bool = False
    where: str = ""

    @property
    def label(self) -> str:
        """``orders.buyer_id -> users.id``."""
        return f"{column_label(self.table, self.columns)} -> {column_label(self.parent, self.parent_columns)}"


@dataclass(frozen=True)
class Kind:
    """One kind of parent of a polymorphic reference: the text by which a row names it, and the parent."""

    value: str
    parent: TableName
    column: str

    @property
    def label(self) -> str:
        """``Post: posts.id``."""
        return f"{self.value}: {column_label(self.parent, (self.column,))}"


@dataclass(frozen=True)
class PolymorphicReference:
    """A reference whose parent's table each row names: ``comments.(target_type, target_id) -> {Post: posts.id}``."""

    table: TableName
    type_column: str
    column: str
    kinds: tuple[Kind, ...]

    @property
    def label(self) -> str:
        """``comments.(target_type, target_id)``."""
        return column_label(self.table, (self.type_column, self.column))


_REFERENCE = re.compile(
    rf"\s*{SIDE.format('child_')}\s*->\s*{SIDE.format('parent_')}(?:\s+on\s+delete\s+(?P<rule>[a-z ]+?))?"
    r"(?:\s+(?P<undeclared>undeclared))?(?:\s+where\s+(?P<where>.*\S))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_POLYMORPHIC = re.compile(rf"\s*{SIDE.format('child_')}\s*->\s*\{{(?P<kinds>.*)\}}\s*", re.DOTALL)
_KIND = re.compile(rf"\s*(?P<value>'[^']*'|\"[^\"]*\"|[^\s'\",{{}}]+)\s*:\s*{SIDE.format('')}\s*(?:,|\Z)")


def parse_reference(text: str, default_schema: str = "public") -> ExpectedReference:
    """Read a declared reference; raises ValueError with what was expected."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ValueError(
            "expected 'child.column -> parent.column', with 'on delete restrict' or another rule after it, or 'undeclared', or"
            " 'where …'"
        )
    table, columns = side_of(found, "child_", default_schema)
    parent, parent_columns = side_of(found, "parent_", default_schema)
    if len(columns) != len(parent_columns):
        raise ValueError(f"{len(columns)} columns refer to {len(parent_columns)}")
    rule, undeclared = _rule(found["rule"]), found["undeclared"] is not None
    if rule is not None and undeclared:
        raise ValueError("a reference that is 'undeclared' has no rule 'on delete'")
    return ExpectedReference(table, columns, parent, parent_columns, rule, undeclared, found["where"] or "")


def parse_any_reference(text: str, default_schema: str = "public") -> ExpectedReference | PolymorphicReference:
    """Read a declared reference of either form; raises ValueError with what was expected."""
    if text.partition("->")[2].lstrip().startswith("{"):
        return _polymorphic(text, default_schema)
    return parse_reference(text, default_schema)


def _polymorphic(text: str, default_schema: str) -> PolymorphicReference:
    found = _POLYMORPHIC.fullmatch(text)
    kinds = _kinds(found["kinds"], default_schema) if found else ()
    if found is None or not kinds:
        raise ValueError("expected 'child.(type_column, id_column) -> {Type: parent.column, …}'")
    table, columns = side_of(found, "child_", default_schema)
    if len(columns) != 2:
        raise ValueError("expected two columns, the one that names the type and the one that names the row")
    if twice := sorted({kind.value for kind in kinds if sum(kind.value == other.value for other in kinds) > 1}):
        raise ValueError(f"'{twice[0]}' stands there twice")
    return PolymorphicReference(table, columns[0], columns[1], kinds)


def _kinds(text: str, default_schema: str) -> tuple[Kind, ...]:
    """The kinds in braces; none where something else stands between them."""
    kinds, place = [], 0
    while place < len(text.rstrip()):
        found = _KIND.match(text, place)
        if found is None:
            return ()
        parent, columns = side_of(found, "", default_schema)
        if len(columns) != 1:
            return ()
        kinds.append(Kind(found["value"].strip("'\""), parent, columns[0]))
        place = found.end()
    return tuple(kinds)


def _rule(words: str | None) -> Action | None:
    if words is None:
        return None
    rule = " ".join(words.lower().split())
    if rule not in set(Action):
        raise ValueError(f"'{words}' is not a delete rule; there are: {', '.join(Action)}")
    return Action(rule)
