"""What is heeded of single fields while the tree of a plan is grown, and what is learnt of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.jsonschema.matching import Schema
from checks.rows.document_sets.plan import Arrays, Form


@dataclass(frozen=True)
class Drawn:
    """A field that gets a part of a parent's key."""


@dataclass(frozen=True)
class LeftOut:
    """A field that has to stay without a value."""


@dataclass(frozen=True)
class Counted:
    """A field whose value follows from the document's number: the same for each ``each`` in a row, of ``of`` different ones."""

    each: int = 1
    of: int | None = None


Special = Drawn | LeftOut | Counted


@dataclass
class Grown:
    """What was learnt on the way: which fields there are and which hold arrays, and of special ones what is asked of them.

    ``forms`` are keys with how far they go, ``lackable`` says whether a field that is drawn may be without.
    """

    fields: set[str] = field(default_factory=set)
    arrays: set[str] = field(default_factory=set)
    schemas: dict[str, list[Schema]] = field(default_factory=dict)
    forms: dict[str, Form | None] = field(default_factory=dict)
    lackable: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Heeded:
    """What is to be heeded beside the schemas, by field: special ones, those whose keys are counted, those of one pool.

    ``present`` may not be missing, ``later`` are dates that lie ahead, ``coupled`` are spoken of by what only a server can judge.
    With ``mild`` nothing is missing or awkward, and up to so many documents each have values of their own.
    """

    special: Mapping[tuple[str, Arrays | None], Special] = field(default_factory=dict)
    keyed: frozenset[str] = frozenset()
    pools: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    coupled: frozenset[str] = frozenset()
    mild: int = 0

    def is_key(self, path: str) -> bool:
        """Whether no two documents are to have the same in a field, or in one that it lies in."""
        return path in self.keyed or any(path.startswith(f"{one}.") for one in self.keyed)

    def of(self, path: str, arrays: Arrays) -> Special | None:
        """What is special about a field."""
        return self.special.get((path, arrays)) or self.special.get((path, None))
