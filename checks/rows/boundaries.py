"""Where the comparisons of a condition change their mind about a column: values worth trying, none of which is believed.

A comparison is turned into the value at which it changes its mind, for one column at a time and given the rest of the row: the
difference of its sides is taken for a straight line (``total = subtotal + tax``, ``ends > starts + interval '1 hour'``,
``length(name) <= 20`` all are one). What is no straight line gives a value that is of no use, and costs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow
from enum import StrEnum

from sqlglot import exp

from checks.rows.expressions import name_of
from checks.rows.shapes import DAY, Kind, Row, Shape, decimal, measured, seconds

Shapes = Mapping[str, Shape]


class Measure(StrEnum):
    """What of a column a comparison looks at: its value, the length of its text, how many elements its array has."""

    VALUE = "value"
    LENGTH = "length"
    COUNT = "count"


@dataclass(frozen=True)
class Boundary:
    """A comparison changes its mind where this measure of the column is so."""

    measure: Measure
    at: Decimal


def boundaries(tree: exp.Expression, column: str, row: Row, shapes: Shapes, now: Decimal) -> Iterator[Boundary]:
    """Where each comparison in ``tree`` changes its mind about ``column``, everything else being as in ``row``."""
    for left, right in _comparisons(tree):
        for measure in _measures(left, right, column, shapes):
            line = _line(left, right, _Reckoner(row, shapes, now, column, measure))
            at = _root(line)
            if at is not None:
                yield Boundary(measure, at)


def _comparisons(tree: exp.Expression) -> Iterator[tuple[exp.Expression, exp.Expression]]:
    for node in tree.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between):
        if isinstance(node, exp.Between):
            yield node.this, node.args["low"]
            yield node.this, node.args["high"]
        else:
            yield node.this, node.expression


def _measures(left: exp.Expression, right: exp.Expression, column: str, shapes: Shapes) -> Iterator[Measure]:
    found: dict[Measure, None] = {}
    for node in (*left.find_all(exp.Column), *right.find_all(exp.Column)):
        if name_of(node, tuple(shapes)) == column:
            found[_measure_of(node)] = None
    yield from found


def _measure_of(node: exp.Expression) -> Measure:
    parent = node.parent
    while parent is not None:
        if _is_length(parent):
            return Measure.LENGTH
        if _counts(parent):
            return Measure.COUNT
        if isinstance(parent, exp.Binary | exp.Between):
            break
        parent = parent.parent
    return Measure.VALUE


def _function(node: object) -> str:
    """The name of a function, whether the parser knows it (``ArraySize``) or not (``num_nonnulls``), in lower case."""
    return (node.name if isinstance(node, exp.Anonymous) else type(node).__name__).lower()


def _counts(node: object) -> bool:
    return _function(node) in _COUNTING


def _is_length(node: object) -> bool:
    return _function(node) in _LENGTHS


_COUNTING = frozenset({"arraysize", "cardinality", "array_length", "jsonb_array_length", "json_array_length", "jsonarraylength"})
_NOW = frozenset({"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp"})
_LENGTHS = frozenset({"length", "bytelength", "octet_length", "char_length", "character_length"})


def _line(left: exp.Expression, right: exp.Expression, reckoner: _Reckoner) -> Callable[[Decimal], Decimal | None]:
    """The difference of the sides, given the measure of one column."""

    def difference(at: Decimal) -> Decimal | None:
        try:
            low, high = (reckoner.of(side, at) for side in (left, right))
            return None if low is None or high is None else low - high
        except (InvalidOperation, DivisionByZero, Overflow, ZeroDivisionError, RecursionError):
            return None

    return difference


def _root(line: Callable[[Decimal], Decimal | None]) -> Decimal | None:
    """Where a straight line crosses zero; None for one that does not rise or fall. Far apart, as rounding bends the line."""
    first, second = Decimal(1), Decimal(1_001)
    low, high = line(first), line(second)
    if low is None or high is None or low == high:
        return None
    return first - low * (second - first) / (high - low)


class _Reckoner:
    """Works out an expression as a number, with one measure of one column left open."""

    def __init__(self, row: Row, shapes: Shapes, now: Decimal, column: str, measure: Measure) -> None:
        self._row = row
        self._shapes = shapes
        self._now = now
        self._column = column
        self._measure = measure

    def of(self, node: exp.Expression, at: Decimal) -> Decimal | None:
        """The number, or None for what cannot be worked out."""
        if isinstance(node, exp.Column):
            return self._of_column(node, at)
        if _is_length(node) or _counts(node):
            return self._of_length(node, at)
        if isinstance(node, exp.Binary):
            return self._of_two(node, at)
        if isinstance(node, exp.Literal):
            return _of_literal(node)
        return self._of_function(node, at)

    def _of_column(self, node: exp.Column, at: Decimal) -> Decimal | None:
        name = name_of(node, tuple(self._shapes))
        if name is None:
            return None
        if name == self._column:
            return at if self._measure is Measure.VALUE else None
        return measured(self._row.get(name), self._shapes[name])

    def _of_length(self, node: exp.Expression, at: Decimal) -> Decimal | None:
        names = [name_of(column, tuple(self._shapes)) for column in node.find_all(exp.Column)]
        if names == [self._column]:
            return at if self._measure is not Measure.VALUE else None
        value = self._row.get(names[0]) if len(names) == 1 and names[0] is not None else None
        return Decimal(len(value)) if isinstance(value, str) else None

    def _of_two(self, node: exp.Expression, at: Decimal) -> Decimal | None:
        operation = _OPERATIONS.get(type(node))
        left, right = self.of(node.this, at), self.of(node.expression, at)
        if operation is None or left is None or right is None:
            return None
        if isinstance(node, exp.Add | exp.Sub):
            dates = [self._is_date(side) for side in (node.this, node.expression)]
            if all(dates):
                return (left - right) / DAY
            if any(dates):  # a date and a number of days
                left, right = (
                    value if not _is_number(side) else value * DAY
                    for side, value in ((node.this, left), (node.expression, right))
                )
        return operation(left, right)

    def _is_date(self, node: exp.Expression) -> bool:
        inner = node.unnest()
        if isinstance(inner, exp.Column):
            name = name_of(inner, tuple(self._shapes))
            return name is not None and self._shapes[name].kind is Kind.DATE
        return isinstance(inner, exp.CurrentDate) or (isinstance(inner, exp.Cast) and inner.is_type("date"))

    def _of_function(self, node: exp.Expression, at: Decimal) -> Decimal | None:
        match node:
            case exp.Paren() | exp.Cast() | exp.Round() | exp.Trim():
                return self.of(node.this, at)
            case exp.Neg():
                inner = self.of(node.this, at)
                return None if inner is None else -inner
            case exp.Abs():
                inner = self.of(node.this, at)
                return None if inner is None else abs(inner)
            case exp.Coalesce() | exp.Greatest() | exp.Least():
                return self._of_several(node, at)
            case exp.CurrentDate():
                return self._now // DAY * DAY
            case exp.CurrentTimestamp() | exp.CurrentDatetime():
                return self._now
            case exp.Interval():
                return seconds(f"{node.this.name} {node.text('unit')}")
            case exp.Anonymous() if node.name.lower() in _NOW:
                return self._now
        return None

    def _of_several(self, node: exp.Expression, at: Decimal) -> Decimal | None:
        given = [self.of(part, at) for part in (node.this, *node.expressions)]
        known = [number for number in given if number is not None]
        if not known:
            return None
        if isinstance(node, exp.Coalesce):
            return known[0]
        return max(known) if isinstance(node, exp.Greatest) else min(known)


_OPERATIONS: Mapping[type[exp.Expression], Callable[[Decimal, Decimal], Decimal]] = {
    exp.Add: lambda left, right: left + right,
    exp.Sub: lambda left, right: left - right,
    exp.Mul: lambda left, right: left * right,
    exp.Div: lambda left, right: left / right,
    exp.Mod: lambda left, right: left % right,
}


def _of_literal(node: exp.Literal) -> Decimal | None:
    if not node.is_string:
        return decimal(node.this)
    number = decimal(node.this)
    return seconds(node.this) if number is None else number


def _is_number(node: exp.Expression) -> bool:
    inner = node.unnest()
    if isinstance(inner, exp.Cast):
        return not inner.is_type("interval", "date", "timestamp") and _is_number(inner.this)
    return isinstance(inner, exp.Literal) and not inner.is_string
