"""Which columns look like references that nobody declared, by their names and types alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from checks.interface import Engine
from checks.schema.model import Catalogue, Column, ForeignKey, Table
from checks.schema.names import column_label
from checks.schema.sqlite import affinity
from checks.sql.families import family

_NAMED = re.compile(r"(?P<stem>.+)_(?:id|uuid|fk)|(?P<camel>.*[a-z0-9])(?:Id|ID|Uuid|UUID)", re.DOTALL)
_ENDINGS = {"ies": "y", "sses": "ss", "xes": "x", "ches": "ch", "shes": "sh", "ss": "ss", "us": "us", "is": "is", "s": ""}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Guess:
    """A column that may refer to ``key``'s parent. ``likeness`` says how well the names agree, from 0 to 1."""

    key: ForeignKey
    likeness: float

    @property
    def label(self) -> str:
        """``orders.buyer_id -> buyers.id``."""
        return f"{self.key.label} -> {column_label(self.key.parent, self.key.parent_columns)}"


def guesses(catalogue: Catalogue, engine: Engine) -> Iterator[tuple[Guess, ...]]:
    """For each column that looks like a reference, the parents whose names agree best and that it could compare with."""
    tables = [table for table in catalogue.tables if table.partition_of is None and len(table.primary_key) == 1]
    for table in catalogue.tables:
        taken = {name for key in table.foreign_keys for name in key.columns}
        for column in table.columns if table.partition_of is None else ():
            stem = stem_of(column.name)
            if stem and column.name not in taken and not _is_polymorphic(stem, table) and table.primary_key != (column.name,):
                best = _best(table, column, stem, tables, engine)
                if best:
                    yield best


def _best(table: Table, column: Column, stem: str, parents: list[Table], engine: Engine) -> tuple[Guess, ...]:
    found = [
        Guess(ForeignKey("", table.name, (column.name,), parent.name, parent.primary_key), likeness)
        for parent in parents
        if (likeness := _likeness(stem, table, parent)) and _compare(column, parent.column[parent.primary_key[0]], engine)
    ]
    highest = max((guess.likeness for guess in found), default=0.0)
    return tuple(guess for guess in found if guess.likeness == highest)


def stem_of(name: str) -> str:
    """``buyer`` of ``buyer_id`` and of ``buyerId``; nothing of a name that ends in no word for a key (``paid``)."""
    found = _NAMED.fullmatch(name)
    return words(found["stem"] or found["camel"]) if found else ""


def words(name: str) -> str:
    """``billingAddress`` and ``Billing_Address`` alike as ``billing_address``."""
    return _HUMP.sub("_", name).lower()


def _is_polymorphic(stem: str, table: Table) -> bool:
    """A column beside it says of what kind its parent is."""
    return any(words(name) in (f"{stem}_type", f"{stem}_kind", f"{stem}_class") for name in table.column)


def _likeness(stem: str, table: Table, parent: Table) -> float:
    """How well a column's stem names a table: the whole name best, then without what stands before it on either side."""
    if stem in ("parent", f"parent_{singular(words(table.name.name))}"):
        return 1.0 if parent.name == table.name else 0.0
    name = singular(words(parent.name.name))
    wanted = singular(stem)
    if wanted == name:
        return 1.0
    if name.endswith(f"_{wanted}"):  # an application's name before the table's: shop_customer
        return 0.9
    return 0.8 if wanted.endswith(f"_{name}") else 0.0  # a role before the table's name: billing_customer_id


def singular(word: str) -> str:
    """The last word of a name in the singular, as far as English endings tell."""
    for ending, instead in _ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    return word


def _compare(child: Column, parent: Column, engine: Engine) -> bool:
    """Whether the two columns hold the same kind of thing."""
    if engine is Engine.SQLITE:
        return affinity(child.type) == affinity(parent.type)
    return family(child.base or child.type) == family(parent.base or parent.type)
