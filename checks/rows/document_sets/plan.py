"""How a collection is filled, as frozen data: a tree that says of each field where its values come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.declared.documents import DocumentReference
from checks.jsonschema.matching import Schema

#: The arrays on the way to a field, by their paths, the outermost first.
Arrays = tuple[str, ...]


@dataclass(frozen=True)
class Pooled:
    """One of these values, by chance that the seed decides; the first so many (``certain``) come up in turn as well."""

    values: tuple[Any, ...] = field(hash=False)
    certain: int = 0


@dataclass(frozen=True)
class Spread:
    """Any whole number from ``low`` to ``high``, as a value of a type; now and then one of ``ends``.

    Dates are milliseconds since 1970 (UTC), doubles hundredths, ids of objects the second in which they were made.
    """

    kind: str
    low: int
    high: int
    ends: tuple[Any, ...] = field(default=(), hash=False)


@dataclass(frozen=True)
class Form:
    """How a number becomes a value that no other number becomes; ``most`` numbers from 0 on do.

    A number, date or timestamp is ``start`` plus so many ``step``; a text has the number between ``before`` and ``after`` in
    ``width`` characters of ``alphabet``; ``listed`` values are taken by their place.
    """

    kind: str
    most: int
    start: int = 0
    step: int = 1
    before: str = ""
    after: str = ""
    width: int = 0
    alphabet: str = ""
    listed: tuple[Any, ...] = field(default=(), hash=False)


@dataclass(frozen=True)
class Numbered:
    """A value that follows from the document's number: the same for each ``each`` in a row, then from the start again."""

    form: Form
    each: int = 1


@dataclass(frozen=True)
class Taken:
    """A part of a key that was drawn; ``null`` is written where none was, without it the field is left out.

    Where it may not be missing either (``needed``), a document without one is none.
    """

    path: str
    null: bool = False
    needed: bool = False


@dataclass(frozen=True)
class Member:
    """A field of a sub-document, missing in so many of a hundred."""

    name: str
    node: Node
    missing: int = 0


@dataclass(frozen=True)
class ObjectOf:
    """A document or sub-document with these fields, in their order."""

    members: tuple[Member, ...]


@dataclass(frozen=True)
class ArrayOf:
    """An array of ``least`` to ``most`` elements, all different if it has to be; ``arrays`` says which one it is."""

    item: Node
    least: int
    most: int
    unique: bool
    arrays: Arrays


@dataclass(frozen=True)
class OneOf:
    """One of several, by chance; what stands there more than once comes more often."""

    nodes: tuple[Node, ...]


Node = Pooled | Spread | Numbered | Taken | ObjectOf | ArrayOf | OneOf


@dataclass(frozen=True)
class Draw:
    """A parent's key that is drawn, once for each element of the array that it lies in.

    ``taken`` are the fields that get their value by it, with the parent's; ``shared`` have theirs already, and the parent has the
    same. ``each`` is 0 where any parent will do, few of them often; else parents come in turn, each for so many documents.
    In ``missing`` of a hundred the reference's own fields (``own``) stay without. ``values`` stand for keys where there is no
    parent; ``itself`` are the forms by which a document that refers to its own collection may name itself. ``also`` are further
    references of the same fields, and ``asked`` what their schemas ask.
    """

    name: str
    collection: str
    taken: Mapping[str, str] = field(hash=False)
    shared: Mapping[str, str] = field(default_factory=dict, hash=False)
    own: frozenset[str] = frozenset()
    arrays: Arrays = ()
    each: int = 0
    missing: int = 0
    values: tuple[Any, ...] = field(default=(), hash=False)
    itself: Mapping[str, Form] = field(default_factory=dict, hash=False)
    reference: DocumentReference | None = None
    also: tuple[DocumentReference, ...] = ()
    asked: Mapping[str, tuple[Schema, ...]] = field(default_factory=dict, hash=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The parent's fields, those that are shared last."""
        return (*self.taken.values(), *self.shared.values())


@dataclass(frozen=True)
class CollectionPlan:
    """How one collection is filled; one with a ``reason`` is left empty.

    ``most`` is how many documents there is room for, because of ``limited``. ``opaque`` says that only the server can judge a
    part of the validator, ``coupled`` are the fields that this part speaks of. With ``mild`` no field is missing that may be.
    """

    collection: str
    root: Node = ObjectOf(())
    draws: tuple[Draw, ...] = ()
    most: int | None = None
    limited: str = ""
    opaque: bool = False
    coupled: frozenset[str] = frozenset()
    reason: str = ""
    mild: bool = False
