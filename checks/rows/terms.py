"""What a search for rows is about: conditions and what they are made of, columns whose values are looked for, what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from sqlglot import exp

from checks.rows.expressions import parsed
from checks.rows.shapes import Row, Shape, Value


class Truth(Enum):
    """What a condition comes to: an expression that fails (a division by zero) is broken."""

    TRUE = "true"
    FALSE = "false"
    NULL = "null"
    BROKEN = "broken"


@dataclass(frozen=True)
class Condition:
    """An expression of one row that must not be false, as the server writes it; with ``strict`` it must be true.

    ``dialect`` is sqlglot's name of its language; ``columns`` are those it rests on. ``reading`` is what is read for values worth
    trying: the expression, with what generated columns (``computed``) are computed by in their place.
    """

    name: str
    expression: str
    columns: tuple[str, ...]
    dialect: str = ""
    reading: str = ""
    strict: bool = False
    computed: tuple[str, ...] = ()

    @property
    def tree(self) -> exp.Expression | None:
        """The expression as it was parsed, or None."""
        return parsed(self.reading or self.expression, self.dialect) if self.dialect else None

    def holds(self, truth: Truth) -> bool:
        """Whether a row for which the expression comes to this is taken: NULL passes a CHECK."""
        return truth is Truth.TRUE or (truth is Truth.NULL and not self.strict)


@dataclass(frozen=True)
class Field:
    """A column whose value is looked for: what it can hold, and what is worth trying, the plainest first.

    ``kept`` are the values it may have in a row that is to go in, where that are not all (it refers to a parent).
    """

    name: str
    shape: Shape
    pool: tuple[Value, ...]
    kept: tuple[Value, ...] = ()

    @property
    def first(self) -> Value:
        """The value to begin with."""
        return (self.kept or self.pool)[0]


@dataclass(frozen=True)
class Violation:
    """A row for which one condition is false. ``changed`` are the columns in which it differs from the row it was made of;
    ``others`` are the conditions that it breaks as well.
    """

    row: Row
    changed: tuple[str, ...]
    others: tuple[str, ...]


#: What each of the conditions comes to, for each of the rows.
Ask = Callable[[Sequence[Condition], Sequence[Row]], Sequence[Sequence[Truth]]]


def denied(condition: Condition) -> Condition:
    """The condition of rows that break it: false, not NULL."""
    return replace(
        condition,
        expression=f"NOT ({condition.expression}\n)",
        reading=f"NOT ({condition.reading or condition.expression}\n)",
        strict=True,
    )


def parts(condition: Condition) -> list[Condition]:
    """The sides of AND that a condition is made of, or of the OR that it denies; none where it is one."""
    tree = condition.tree
    if tree is None:
        return []
    inner, denied = _undenied(tree)
    return [_part(condition, side, denied) for side in _joined(inner, exp.Or if denied else exp.And)]


def sides(condition: Condition) -> list[Condition]:
    """The sides of OR that a condition is made of, or of the AND that it denies; itself where it is none."""
    tree = condition.tree
    if tree is None:
        return []
    inner, denied = _undenied(tree)
    return [_part(condition, side, denied) for side in _joined(inner, exp.And if denied else exp.Or)]


def _joined(tree: exp.Expression, by: type[exp.Connector]) -> list[exp.Expression]:
    sides = tree.flatten() if isinstance(tree, by) else ()
    return [side for side in sides if isinstance(side, exp.Expression)]


def _undenied(tree: exp.Expression) -> tuple[exp.Expression, bool]:
    inner, denied = tree, False
    while isinstance(inner, exp.Not | exp.Paren):
        inner, denied = inner.this, denied ^ isinstance(inner, exp.Not)
    return inner, denied


def _part(condition: Condition, side: exp.Expression, denied: bool) -> Condition:
    text = side.sql(dialect=condition.dialect)
    names = {column.name.lower() for column in side.find_all(exp.Column)}
    columns = tuple(name for name in condition.columns if name.lower() in names)
    return replace(condition, expression=f"NOT ({text})" if denied else text, reading="", columns=columns, strict=True)
