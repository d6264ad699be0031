"""Constraints that the repository expects of its database, by name or by meaning, and their parser.

A line is one of these; names are spelled as the catalogue spells them, conditions are the engine's own SQL:

    ck_order_total_positive
    orders: total > 0
    orders: check (total > 0)
    orders.buyer_id: not null
    users: unique (tenant_id, lower(email)) where deleted_at is null
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.declared.candidates import Candidate, CheckCandidate, NotNullCandidate, UniqueCandidate, parse_candidate
from checks.declared.spelling import names_in, table_of, unquoted
from checks.evidence import Place


@dataclass(frozen=True)
class NamedConstraint:
    """A constraint, or a unique index, of this name on any table."""

    name: str

    @property
    def label(self) -> str:
        """The name."""
        return self.name


@dataclass(frozen=True)
class ExpectedConstraint:
    """A line of the settings, and where the lines stand."""

    declared: NamedConstraint | CheckCandidate | NotNullCandidate | UniqueCandidate
    place: Place | None = None


_NAME = r'(?:"(?:[^"]|"")+"|[^\s".,():]+)'
_ON_A_TABLE = re.compile(rf"\s*(?P<path>{_NAME}(?:\.{_NAME}){{0,2}})\s*:(?!:)\s*(?P<rule>.*\S)\s*", re.DOTALL)
_A_NAME = re.compile(r'\s*(?:"(?:[^"]|"")+"|[^"\s:()]+)\s*')
#: What a rule begins with that is no condition.
_CLAUSE = re.compile(r"(?:check\s*\(|unique\b|not\s+null\s*\Z)", re.IGNORECASE)

_EXPECTED = "expected the name of a constraint, or 'table: condition', 'table.column: not null', 'table: unique (column, …)'"


def parse_expected(text: str, default_schema: str = "public", place: Place | None = None) -> ExpectedConstraint:
    """Read a line; raises ValueError with what was expected."""
    found = _ON_A_TABLE.fullmatch(text)
    if found is None:
        if _A_NAME.fullmatch(text):
            return ExpectedConstraint(NamedConstraint(unquoted(text.strip())), place)
        raise ValueError("declare it under 'references'" if "->" in text else _EXPECTED)
    if _CLAUSE.match(found["rule"]):
        declared = _clause(f"{found['path']}: {found['rule']}", default_schema)
        if isinstance(declared, CheckCandidate | NotNullCandidate | UniqueCandidate):
            return ExpectedConstraint(declared, place)
    path = names_in(found["path"])
    if len(path) > 2:
        raise ValueError(_EXPECTED)
    return ExpectedConstraint(CheckCandidate(table_of(path, default_schema), found["rule"]), place)


def _clause(text: str, default_schema: str) -> Candidate:
    try:
        return parse_candidate(text, default_schema)
    except ValueError as wrong:
        raise ValueError(_EXPECTED if "->" in str(wrong) else str(wrong)) from None
