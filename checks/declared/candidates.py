"""Constraints that the settings propose and that are counted on the rows before a migration adds them, and their parser.

A line is one of these; names are spelled as the catalogue spells them, what stands in the parentheses after ``check`` and what
stands after ``where`` is the engine's own SQL:

    orders: check (total > 0)
    orders.buyer_id: not null
    users: unique (email)
    users: unique nulls not distinct (tenant_id, lower(email)) where deleted_at is null
    orders.buyer_id -> users.id
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.declared.references import ExpectedReference, parse_reference
from checks.declared.spelling import NAME, QUOTED, closing, names_in, table_of, unquoted
from checks.schema.names import TableName, column_label


@dataclass(frozen=True)
class CheckCandidate:
    """``orders: check (total > 0)``."""

    table: TableName
    expression: str

    @property
    def label(self) -> str:
        """As it is declared, with single spaces."""
        return f"{self.table.label()}: check ({' '.join(self.expression.split())})"


@dataclass(frozen=True)
class NotNullCandidate:
    """``orders.buyer_id: not null``."""

    table: TableName
    column: str

    @property
    def label(self) -> str:
        """As it is declared."""
        return f"{column_label(self.table, (self.column,))}: not null"


@dataclass(frozen=True)
class Part:
    """What is unique, or a part of it: a column by its name, or an ``expression`` in the engine's SQL, shown as ``name``."""

    text: str
    expression: bool = False
    name: str = ""

    @property
    def label(self) -> str:
        """What it is called where values of it are shown."""
        return self.name or self.text


@dataclass(frozen=True)
class UniqueCandidate:
    """``users: unique (email) where deleted_at is null``; ``nulls_distinct`` lets any number of rows have NULL in a part."""

    table: TableName
    parts: tuple[Part, ...]
    nulls_distinct: bool = True
    predicate: str = ""

    @property
    def label(self) -> str:
        """As it is declared, with single spaces."""
        nulls = "" if self.nulls_distinct else " nulls not distinct"
        where = f" where {' '.join(self.predicate.split())}" if self.predicate else ""
        return f"{self.table.label()}: unique{nulls} ({', '.join(part.text for part in self.parts)}){where}"


Candidate = CheckCandidate | NotNullCandidate | UniqueCandidate | ExpectedReference

_ON_A_TABLE = re.compile(rf"\s*(?P<path>{NAME}(?:\.{NAME}){{0,2}})\s*:\s*(?P<rule>.*)", re.DOTALL)
_CHECK = re.compile(r"check\s*\((?P<expression>.+)\)\s*", re.IGNORECASE | re.DOTALL)
_NOT_NULL = re.compile(r"not\s+null\s*", re.IGNORECASE)
_UNIQUE = re.compile(r"unique\b(?P<nulls>\s*nulls\s+not\s+distinct\b)?\s*(?=\()", re.IGNORECASE)
_WHERE = re.compile(r"\s*(?:where\s+(?P<predicate>.*\S)\s*)?", re.IGNORECASE | re.DOTALL)

_EXPECTED = (
    "expected 'table: check (expression)', 'table.column: not null', 'table: unique (column, …)' or"
    " 'child.column -> parent.column'"
)


def parse_candidate(text: str, default_schema: str = "public") -> Candidate:
    """Read a candidate; raises ValueError with what was expected."""
    found = _ON_A_TABLE.fullmatch(text)
    if found is None:
        if "->" in text:
            return _reference(text, default_schema)
        raise ValueError(_EXPECTED)
    path, rule = names_in(found["path"]), found["rule"]
    if check := _CHECK.fullmatch(rule):
        if closing(rule, rule.index("(")) != len(rule.rstrip()):
            raise ValueError("the parentheses after 'check' do not close at its end")
        return CheckCandidate(_table(path, default_schema), check["expression"].strip())
    if _NOT_NULL.fullmatch(rule):
        return NotNullCandidate(_table(path[:-1], default_schema), path[-1])
    if unique := _UNIQUE.match(rule):
        return _unique(_table(path, default_schema), rule[unique.end() :], nulls_distinct=unique["nulls"] is None)
    raise ValueError(_EXPECTED)


def _table(path: tuple[str, ...], default_schema: str) -> TableName:
    if len(path) not in (1, 2):
        raise ValueError(_EXPECTED)
    return table_of(path, default_schema)


def _reference(text: str, default_schema: str) -> ExpectedReference:
    read = parse_reference(text, default_schema)
    if read.undeclared or read.where or read.on_delete is not None:
        raise ValueError("a candidate is 'child.column -> parent.column', and nothing after it")
    return read


def _unique(table: TableName, rest: str, *, nulls_distinct: bool) -> UniqueCandidate:
    end = closing(rest, 0)
    where = _WHERE.fullmatch(rest[end:]) if end else None
    parts = tuple(_part(one) for one in _split(rest[1 : end - 1])) if end else ()
    if where is None or not parts:
        raise ValueError("expected 'table: unique (column, …)', with 'where …' or nothing after it")
    return UniqueCandidate(table, parts, nulls_distinct, where["predicate"] or "")


def _part(text: str) -> Part:
    return Part(unquoted(text)) if re.fullmatch(NAME, text) else Part(text, expression=True)


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no parentheses and no quotes, without empty ones."""
    parts, begun, place = [], 0, 0
    while place < len(text):
        if quoted := QUOTED.match(text, place):
            place = quoted.end()
        elif text[place] == "(":
            place = closing(text, place) or len(text)
        else:
            if text[place] == ",":
                parts.append(text[begun:place])
                begun = place + 1
            place += 1
    return [part.strip() for part in (*parts, text[begun:]) if part.strip()]
