"""Whose documents are: what they say in the fields that name the tenant, in Python's types as the driver gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from checks.pipelines.references import SAMPLE


@dataclass
class Tally:
    """How many documents hold something of the tenant's (``ours``), of another's (``others``), and of nobody that they name.

    ``keys`` are the ``_id`` of some that hold another's.
    """

    ours: int = 0
    others: int = 0
    silent: int = 0
    keys: list[Any] = field(default_factory=list)


def tallied(
    documents: Iterable[Mapping[str, Any]], within: Sequence[str], wall: Mapping[str, str], tenant: Mapping[str, Any]
) -> Tally:
    """Count documents, or what lies in them ``within`` a path, by whose they are; one in which nothing lies counts nowhere.

    ``wall`` are the fields that say it, by the column that each stands for.
    """
    tally = Tally()
    for document in documents:
        parts = [one for one in _at(document, within) if isinstance(one, Mapping)] if within else [document]
        said = {_is_ours(part, wall, tenant) for part in parts}
        if False in said:
            tally.others += 1
            if len(tally.keys) < SAMPLE and "_id" in document:
                tally.keys.append(document["_id"])
        elif True in said:
            tally.ours += 1
        elif said:
            tally.silent += 1
    return tally


def _is_ours(document: Mapping[str, Any], wall: Mapping[str, str], tenant: Mapping[str, Any]) -> bool | None:
    """Whether a document names this tenant (be it beside others), ``None`` where it names nobody."""
    named = [(name, {token(value) for value in _at(document, field.split("."))}) for name, field in wall.items()]
    said = [token(tenant[name]) in values for name, values in named if values]
    return all(said) if said else None


def _at(document: Mapping[str, Any], names: Sequence[str]) -> Iterator[Any]:
    """The values that a document has at a path, those of arrays one by one; none that is null."""
    found: list[Any] = [document]
    for name in names:
        found = [one[name] for value in found for one in _documents(value) if name in one]
    for value in found:
        yield from (one for one in (value if isinstance(value, list) else [value]) if one is not None)


def _documents(value: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - any value of a document
    """The document that a value is, or those that an array holds."""
    from bson import DBRef

    if isinstance(value, list):
        for one in value:
            yield from _documents(one)
    elif isinstance(value, DBRef):
        yield value.as_doc()
    elif isinstance(value, Mapping):
        yield value


def token(value: object) -> str:
    """What a value has in common with those that name the same tenant: numbers of unlike types, an identifier and its text."""
    from bson import Decimal128

    if isinstance(value, Decimal128):
        value = value.to_decimal()
    if isinstance(value, float):
        value = Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return str(int(value)) if value == value.to_integral_value() else str(value.normalize())
    return str(value)
