"""What the repository declares of a document database, as frozen data, and the one parser of references between documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checks.evidence import Place
from checks.schema.collections import CollectionIndex, index_reference, validator_reference
from checks.schema.names import ObjectReference

if TYPE_CHECKING:
    from checks.declared.expectations import Category


@dataclass(frozen=True)
class Step:
    """One name on the way to a field; ``each`` says that an array stands there, and that each of its elements is meant."""

    name: str
    each: bool = False


@dataclass(frozen=True)
class FieldPath:
    """A field of a collection's documents: ``invoices.lines[].subscription_id``."""

    collection: str
    steps: tuple[Step, ...]

    @property
    def dotted(self) -> str:
        """The path as the server writes it, arrays unmarked: ``lines.subscription_id``."""
        return ".".join(step.name for step in self.steps)

    @property
    def label(self) -> str:
        """As it is declared: ``invoices.lines[].subscription_id``."""
        return ".".join((self.collection, *(f"{step.name}[]" if step.each else step.name for step in self.steps)))

    @property
    def arrays(self) -> Iterator[str]:
        """The paths at which an array stands, the outermost first: ``lines``."""
        for length, step in enumerate(self.steps, 1):
            if step.each:
                yield ".".join(one.name for one in self.steps[:length])


@dataclass(frozen=True)
class DocumentReference:
    """A declared reference ``subscriptions.company_name -> companies.company_name``; ``place`` is where it is declared."""

    child: FieldPath
    parent: FieldPath
    place: Place | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """``subscriptions.company_name -> companies.company_name``."""
        return f"{self.child.label} -> {self.parent.label}"


@dataclass(frozen=True)
class DeclaredValidator:
    """The validator that a collection must have, as the server takes it (``{"$jsonSchema": …}``), and where it is declared."""

    collection: str
    validator: Mapping[str, Any] = field(hash=False)
    place: Place | None = field(default=None, compare=False)

    @property
    def reference(self) -> ObjectReference:
        """What provenance of the validator is kept under."""
        return validator_reference(self.collection)


@dataclass(frozen=True)
class DeclaredIndex:
    """An index that a collection must have, and where it is declared."""

    collection: str
    index: CollectionIndex
    place: Place | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """``subscriptions.status_idx``."""
        return f"{self.collection}.{self.index.name}"

    @property
    def reference(self) -> ObjectReference:
        """What provenance of the index is kept under."""
        return index_reference(self.collection, self.index.name)


@dataclass(frozen=True)
class DocumentQuery:
    """A find (``find`` is its filter) or an aggregation (``pipeline``) with a limit in seconds.

    ``examined`` is how many documents the server may look at for it, ``None`` for any number.
    """

    name: str
    collection: str
    find: Mapping[str, Any] | None = field(hash=False)
    pipeline: Sequence[Mapping[str, Any]] | None = field(hash=False)
    category: Category
    limit: float
    examined: int | None = None


@dataclass(frozen=True)
class DocumentExpectations:
    """All that the settings declare of a document database."""

    references: tuple[DocumentReference, ...] = ()
    validators: tuple[DeclaredValidator, ...] = ()
    indexes: tuple[DeclaredIndex, ...] = ()
    queries: tuple[DocumentQuery, ...] = ()


_NAME = r'(?:"[^"]+"|[^\s".\[\]]+)'
_PATH = re.compile(rf"(?P<collection>{_NAME})(?P<steps>(?:\.{_NAME}(?:\[\])?)+)")
_STEP = re.compile(rf"\.(?P<name>{_NAME})(?P<each>\[\])?")


def parse_document_reference(text: str, place: Place | None = None) -> DocumentReference:
    """Read a declared reference; raises ValueError with what was expected."""
    child, arrow, parent = text.partition("->")
    if not arrow:
        raise ValueError(_EXPECTED)
    return DocumentReference(parse_path(child), parse_path(parent), place)


_EXPECTED = "expected 'collection.field -> collection.field', with dots into sub-documents and [] where an array stands"


def parse_path(text: str) -> FieldPath:
    """Read a field of a collection; raises ValueError with what was expected."""
    found = _PATH.fullmatch(text.strip())
    if found is None:
        raise ValueError(_EXPECTED)
    steps = tuple(Step(_unquoted(step["name"]), bool(step["each"])) for step in _STEP.finditer(found["steps"]))
    if wrong := next((step.name for step in steps if "." in step.name or step.name.startswith("$")), None):
        raise ValueError(f"'{wrong}': a field whose name holds a dot or begins with a dollar cannot be referred by")
    return FieldPath(_unquoted(found["collection"]), steps)


def _unquoted(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name
