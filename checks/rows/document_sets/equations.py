"""Equations in validators: fields that are what an expression of others says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def equations(query: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - whatever a query holds
    """The fields that have to equal an expression, as ``$expr`` says it, with the expression: ``total`` and a sum."""
    if isinstance(query, Mapping):
        for name, inner in query.items():
            if name == "$expr":
                yield from _of_expression(inner)
            elif name == "$and":
                for one in inner:
                    yield from equations(one)


def _of_expression(expression: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - whatever an expression holds
    if not isinstance(expression, Mapping):
        return
    for one in expression.get("$and", ()):
        yield from _of_expression(one)
    sides = expression.get("$eq", ())
    if isinstance(sides, list) and len(sides) == 2:
        found = next(((one, other) for one, other in (sides, sides[::-1]) if _is_field(one) and not isinstance(other, str)), None)
        if found is not None:
            yield found[0][1:], found[1]


def _is_field(side: Any) -> bool:  # noqa: ANN401 - whatever an expression holds
    return isinstance(side, str) and side.startswith("$") and not side.startswith("$$")
