"""What a fault is: one thing that is broken on purpose on a copy, and the check that has to find it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from checks.declared.expectations import Expectations
from checks.faults.sqlite_edits import Edit
from checks.interface import Engine
from checks.schema.collections import Collections
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.targets import Target

#: Of a relational database its SQL, of SQLite also a change to the text that it keeps of a table, of MongoDB a command.
Statement = str | Edit | Mapping[str, Any]

#: Statements that plant a fault together, in their order.
Way = tuple[Statement, ...]


@dataclass(frozen=True)
class Fault:
    """One fault, as a description. ``kind`` and ``subject`` name it: ``orphan`` of ``orders.buyer_id``.

    ``check`` has proven the ``subject`` without the fault, and must report a finding with it, on that subject or on ``turns``.
    ``ways`` are tried in their order, until one can be planted, changes something, and (``shows``) lets this query return a row.
    ``tables`` are all that the check has to see of the catalogue, empty for the whole (of MongoDB collections, without a schema).
    ``touches`` are the tables that are not the same any more: faults that touch none in common may stand side by side. It is
    empty for one that stands alone.
    """

    kind: str
    check: str
    subject: str
    ways: tuple[Way, ...] = field(hash=False)
    turns: str = ""
    tables: frozenset[TableName] = frozenset()
    shows: str = ""
    touches: frozenset[TableName] = frozenset()

    @property
    def red(self) -> str:
        """The subject of the finding."""
        return self.turns or self.subject


@dataclass(frozen=True)
class Scene:
    """The database that faults are thought of for, as it is without them."""

    engine: Engine
    expect: Expectations
    catalogue: Catalogue = field(default_factory=lambda: Catalogue(()))
    collections: Collections = field(default_factory=Collections)


def scene_of(target: Target) -> Scene:
    """The scene that a target shows. Raises what reading its catalogue raises."""
    catalogue, collections = getattr(target, "catalogue", None), getattr(target, "collections", None)
    return Scene(target.engine, target.expect, catalogue or Catalogue(()), collections or Collections())


class Maker(Protocol):
    """Thinks of every fault of one kind that a database can have; the function's module says which check must find it."""

    def __call__(self, scene: Scene, /) -> Iterator[Fault]: ...
