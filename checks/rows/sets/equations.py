"""What rules say a column is: an equation of columns is solved for one of them, where that takes no division."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from checks.rows.expressions import columns_of
from checks.rows.terms import Condition

_ZERO = exp.Literal.number(0)


def computed_columns(condition: Condition, names: Sequence[str]) -> Iterator[tuple[str, exp.Expression]]:
    """The columns that a rule equals with an expression of others, alone or joined by AND, the likeliest first.

    That is one that stands alone (``total = subtotal + tax``), then of differences that are nothing (``round(subtotal + tax -
    total, 2) = 0``, ``abs(total - subtotal - tax) < 0.01``) what needs the fewest subtractions: rarely may a value be negative.
    """
    tree = condition.tree
    found = [one for part in _joined(tree) for one in _solved(part, tuple(names))] if tree is not None else []
    yield from sorted(found, key=lambda one: len(list(one[1].find_all(exp.Sub))))


def _joined(tree: exp.Expression) -> Iterator[exp.Expression]:
    for part in tree.flatten() if isinstance(tree, exp.And) else (tree,):
        inner = part.unnest()
        if isinstance(inner, exp.Expression):
            yield inner


def _solved(part: exp.Expression, names: tuple[str, ...]) -> Iterator[tuple[str, exp.Expression]]:
    """An equation solved for each of its columns, those on the right first: what is computed tends to stand last."""
    if not isinstance(part, exp.EQ | exp.LT | exp.LTE):
        return
    left, right = part.this.unnest(), part.expression.unnest()
    if not isinstance(part, exp.EQ):
        if not isinstance(left, exp.Abs) or columns_of(right, names):
            return
        left, right = left.this.unnest(), _ZERO
    for one, other in ((left, right), (right, left)):
        for column in reversed(list(one.find_all(exp.Column, bfs=False))):
            value = _isolated(column, one, other)
            own = columns_of(column, names)
            if value is not None and own and (others := columns_of(value, names)) and own[0] not in others:
                yield own[0], value


def _isolated(column: exp.Column, tree: exp.Expression, value: exp.Expression) -> exp.Expression | None:
    """What a column is where the tree around it is this value; None where that cannot be told."""
    here: exp.Expression = tree
    while here is not column:
        match here:
            case exp.Paren() | exp.Round():
                here = here.this
            case exp.Add() | exp.Sub() if _holds(here.this, column):
                other = here.expression
                value = _sum(value, other) if isinstance(here, exp.Sub) else _difference(value, other)
                here = here.this
            case exp.Add():
                here, value = here.expression, _difference(value, here.this)
            case exp.Sub():
                here, value = here.expression, _difference(here.this, value)
            case _:
                return None
    return value


def _holds(tree: exp.Expression, column: exp.Column) -> bool:
    return any(found is column for found in tree.find_all(exp.Column))


def _sum(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return right.copy() if _is_zero(left) else exp.Add(this=_wrapped(left), expression=_wrapped(right))


def _difference(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    return left.copy() if _is_zero(right) else exp.Sub(this=_wrapped(left), expression=_wrapped(right))


def _wrapped(tree: exp.Expression) -> exp.Expression:
    return exp.Paren(this=tree.copy())


def _is_zero(tree: exp.Expression) -> bool:
    inner = tree.unnest()
    while isinstance(inner, exp.Cast):
        inner = inner.this.unnest()
    return isinstance(inner, exp.Literal) and not inner.is_string and not any(digit in "123456789" for digit in inner.this)
