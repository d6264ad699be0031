"""Where a value lies in documents, and the expressions by which the server comes to it, whatever its names are made of.

A name that holds a dot, begins with a dollar or is empty cannot be written as a path; it is reached by ``$getField`` (MongoDB
5.0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeAlias

from checks.pipelines.shell import quoted


class Within(Enum):
    """A step that is no name: into each element of an array, or to each value of an object whose keys are data."""

    EACH = "[]"
    ANY = ".*"


Step: TypeAlias = "str | Within"
Path: TypeAlias = "tuple[Step, ...]"
#: An expression of the server's aggregation, or a part of one.
Expression: TypeAlias = Any

#: How many different entries of a document's arrays are told apart; beyond, those that come later are not looked at.
_DIFFERENT = 2_000


def label(path: Path) -> str:
    """``lines[].quantity``, ``prices.*``; a name that would be misread stands in quotes."""
    text = ""
    for step in path:
        if isinstance(step, Within):
            text += step.value if text else step.value.lstrip(".")
        else:
            text += ("." if text else "") + (step if plain(step) and not set(step) & set('[]*"') else quoted(step))
    return text


def plain(name: str) -> bool:
    """Whether a name can be a part of a path."""
    return bool(name) and "." not in name and not name.startswith("$")


def dotted(path: Path) -> str | None:
    """The path as a query writes it, arrays unmarked: ``lines.quantity``; ``None`` where it cannot."""
    names = [step for step in path if step is not Within.EACH]
    return ".".join(map(str, names)) if all(isinstance(step, str) and plain(step) for step in names) else None


def got(names: Sequence[str], start: str = "$$ROOT") -> Expression:
    """The value under names inside names; ``start`` is a variable."""
    if all(map(plain, names)):
        inside = "".join(f".{name}" for name in names)
        return f"${inside[1:]}" if start == "$$ROOT" and names else f"{start}{inside}"
    value: Expression = start
    for name in names:
        value = {"$getField": {"field": {"$literal": name}, "input": value}}
    return value


def kind_of(value: Expression) -> Expression:
    """The type of a value, every kind of number being ``number``; ``missing`` where there is none."""
    return {"$cond": [{"$isNumber": value}, "number", {"$type": value}]}


def elements(value: Expression) -> Expression:
    """The elements of an array, none of anything else."""
    return {"$cond": [{"$isArray": [value]}, value, []]}


def entries(value: Expression) -> Expression:
    """The names and values of an object (``k`` and ``v``), none of anything else."""
    return {"$cond": [{"$eq": [{"$type": value}, "object"]}, {"$objectToArray": value}, []]}


def gathered(path: Path, leaf: Callable[[Expression], Expression], start: str = "$$ROOT") -> Expression:
    """What ``leaf`` (an array) says of the value at a path; of every one that arrays lead to, each different entry once."""
    for place, step in enumerate(path):
        if isinstance(step, Within):
            value = got([str(name) for name in path[:place]], start)
            many, each = (elements(value), "$$this") if step is Within.EACH else (entries(value), "$$this.v")
            more = {"$setUnion": ["$$value", gathered(path[place + 1 :], leaf, each)]}
            full = {"$gte": [{"$size": "$$value"}, _DIFFERENT]}
            return {"$reduce": {"input": many, "initialValue": [], "in": {"$cond": [full, "$$value", more]}}}
    return leaf(got([str(name) for name in path], start))
