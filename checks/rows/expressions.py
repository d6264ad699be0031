"""Reads an expression of SQL: which columns it speaks of, what is written in it, whether it is true of every row."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.simplify import simplify

from checks.rows.shapes import decimal

# Only what prints for dbproof may print: without a handler, logging would write sqlglot's warnings to stderr.
_SILENT = logging.NullHandler()


@lru_cache(maxsize=4096)
def parsed(expression: str, dialect: str) -> exp.Expression | None:
    """An expression in sqlglot's dialect of that name; None where it cannot be parsed. Not to be changed."""
    logging.getLogger("sqlglot").addHandler(_SILENT)
    try:
        tree = sqlglot.parse_one(expression, dialect=dialect)
    except (SqlglotError, RecursionError):
        return None
    return tree if isinstance(tree, exp.Expression) else None


def columns_of(tree: exp.Expression, names: Sequence[str]) -> tuple[str, ...]:
    """The columns among ``names`` that an expression speaks of, as they are spelled there."""
    spoken = {name_of(column, names) for column in tree.find_all(exp.Column)}
    return tuple(name for name in names if name in spoken)


def with_formulas(tree: exp.Expression, formulas: Mapping[str, exp.Expression], names: Sequence[str]) -> exp.Expression:
    """A tree in which what generated columns are computed by stands in their place."""

    def replaced(node: exp.Expression) -> exp.Expression:
        name = name_of(node, names) if isinstance(node, exp.Column) else None
        return exp.Paren(this=formulas[name].copy()) if name is not None and name in formulas else node

    return tree.copy().transform(replaced)


def numbers(tree: exp.Expression) -> Iterator[Decimal]:
    """The numbers that are written in an expression."""
    for literal in tree.find_all(exp.Literal):
        number = None if literal.is_string else decimal(literal.this)
        if number is not None:
            yield -number if isinstance(literal.parent, exp.Neg) else number


def literals(tree: exp.Expression, names: Sequence[str]) -> Iterator[tuple[str, exp.Expression | None]]:
    """The texts that are written in an expression, each with what takes it for a pattern (``LIKE``, ``~``), if anything does.

    A quoted name that is no column is a text in SQLite.
    """
    for node in tree.find_all(exp.Literal, exp.Column, exp.JSONPath):
        if isinstance(node, exp.JSONPath):
            yield "$." + ".".join(str(key.this) for key in node.find_all(exp.JSONPathKey)), None
        elif isinstance(node, exp.Column):
            if node.this.quoted and name_of(node, names) is None:
                yield node.name, None
        elif node.is_string:
            yield node.this, _pattern(node)


def _pattern(node: exp.Expression) -> exp.Expression | None:
    """What uses a text as a pattern; casts and parentheses in between do not count."""
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Cast | exp.Array | exp.Any | exp.Escape | exp.Tuple):
        node, parent = parent, parent.parent
    if isinstance(parent, exp.Like | exp.ILike | exp.RegexpLike | exp.RegexpILike | exp.Glob | exp.SimilarTo):
        return parent if parent.expression is node else None
    return None


def name_of(column: exp.Column, names: Sequence[str]) -> str | None:
    """The column that is meant: quoted as it is spelled, else in any case."""
    if column.name in names:
        return column.name
    return next((name for name in names if name.lower() == column.name.lower()), None)


def always_true(expression: str, dialect: str) -> bool:
    """Whether an expression can be seen to be true whatever the row: ``total > 0 OR true``."""
    tree = parsed(expression, dialect)
    if tree is None:
        return False
    try:
        simple = simplify(tree.copy(), dialect=dialect)
    except (SqlglotError, ArithmeticError, TypeError, ValueError, RecursionError):
        return False
    while isinstance(simple, exp.Paren):
        simple = simple.this
    if isinstance(simple, exp.Literal):
        return decimal(simple.this) not in (None, 0)
    return isinstance(simple, exp.Boolean) and bool(simple.this)
