"""What the repository declares of a document database, as frozen data, and the one parser of references between documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from checks.declared.queries import Category
from checks.evidence import Place
from checks.schema.collections import CollectionIndex, index_reference, validator_reference
from checks.schema.model import Action
from checks.schema.names import ObjectReference


@dataclass(frozen=True)
class Step:
    """One name on the way to a field; ``each`` says how many arrays, one in the other, stand there whose elements are meant."""

    name: str
    each: int = 0

    @property
    def label(self) -> str:
        """As it is declared: ``lines[]``."""
        return self.name + "[]" * self.each


#: The field of a DBRef that holds the key; beside it ``$ref`` names the collection, and ``$db`` may name a database.
DBREF_KEY = "$id"


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
    def spelled(self) -> str:
        """The path as it is declared: ``lines[].subscription_id``."""
        return ".".join(step.label for step in self.steps)

    @property
    def label(self) -> str:
        """As it is declared: ``invoices.lines[].subscription_id``."""
        return f"{self.collection}.{self.spelled}"

    @property
    def arrays(self) -> Iterator[str]:
        """The paths at which an array stands, the outermost first, one in another by its path again: ``lines``."""
        for length, step in enumerate(self.steps, 1):
            yield from step.each * (".".join(one.name for one in self.steps[:length]),)

    @property
    def dbref(self) -> str:
        """The path of the DBRef whose key this is, empty where it is of none: ``customer`` of ``orders.customer.$id``."""
        return ".".join(step.name for step in self.steps[:-1]) if self.steps[-1].name == DBREF_KEY else ""


@dataclass(frozen=True)
class DocumentReference:
    """A declared reference ``subscriptions.company_name -> companies.company_name``; ``place`` is where it is declared.

    ``further`` are the other fields of a composite key, each with its counterpart: a document refers where it has all of them.
    ``on_delete`` is what the application must do with children when it deletes their parent, ``None`` where nothing is said.
    """

    child: FieldPath
    parent: FieldPath
    place: Place | None = field(default=None, compare=False)
    further: tuple[tuple[FieldPath, FieldPath], ...] = ()
    on_delete: Action | None = None

    @property
    def children(self) -> tuple[FieldPath, ...]:
        """The fields of the child's key, in order."""
        return (self.child, *(child for child, _ in self.further))

    @property
    def parents(self) -> tuple[FieldPath, ...]:
        """Their counterparts, in the same order."""
        return (self.parent, *(parent for _, parent in self.further))

    @property
    def label(self) -> str:
        """``subscriptions.company_name -> companies.company_name``."""
        return f"{key_label(self.children)} -> {key_label(self.parents)}"


def key_label(paths: Sequence[FieldPath]) -> str:
    """A key as it is declared: ``companies.company_name``, ``companies.(tenant_id, company_name)``."""
    if len(paths) == 1:
        return paths[0].label
    return f"{paths[0].collection}.({', '.join(path.spelled for path in paths)})"


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
    """A find (``find`` is its filter, ``sort`` its order) or an aggregation (``pipeline``) with a limit in seconds.

    ``examined`` and ``keys_examined`` are how many documents and index keys the server may look at for it,
    ``examined_per_returned`` how many of either for each document that comes back, ``None`` for any number. ``in_memory_sort``
    says whether it may sort without an index. ``gain`` is how many times as fast it must be as without its indexes.
    """

    name: str
    collection: str
    find: Mapping[str, Any] | None = field(hash=False)
    pipeline: Sequence[Mapping[str, Any]] | None = field(hash=False)
    category: Category
    limit: float
    examined: int | None = None
    keys_examined: int | None = None
    examined_per_returned: float | None = None
    in_memory_sort: bool = True
    gain: float | None = None
    sort: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class DocumentLimits:
    """Limits of a whole database: seconds that a write may take, and that validators and indexes may add to one.

    ``collection_scan`` is how many documents a query may read without an index, ``array_length`` how many elements an array may
    have, ``document_size`` how many bytes a document. ``None`` is not declared.
    """

    write: float | None = None
    overhead: float | None = None
    collection_scan: int | None = None
    array_length: int | None = None
    document_size: int | None = None

    @property
    def of_writes(self) -> bool:
        """Whether writes have a limit, so that they are measured."""
        return self.write is not None or self.overhead is not None


@dataclass(frozen=True)
class DocumentExpectations:
    """All that is declared of a document database; ``deletes`` are the application's commands that delete one, by collection."""

    references: tuple[DocumentReference, ...] = ()
    validators: tuple[DeclaredValidator, ...] = ()
    indexes: tuple[DeclaredIndex, ...] = ()
    queries: tuple[DocumentQuery, ...] = ()
    limits: DocumentLimits = DocumentLimits()
    deletes: Mapping[str, str] = field(default_factory=dict, hash=False)


_NAME = r'(?:"[^"]+"|[^\s".,\[\]()]+)'
_STEPS = rf"{_NAME}(?:\[\])*(?:\.{_NAME}(?:\[\])*)*"
_KEY = re.compile(
    rf"(?P<collection>{_NAME})\.(?:(?P<one>{_STEPS})|(?:(?P<in>{_STEPS})\.)?\((?P<many>\s*{_STEPS}(?:\s*,\s*{_STEPS})*)\s*\))"
)
_STEP = re.compile(rf"(?P<name>{_NAME})(?P<each>(?:\[\])*)")


def parse_document_reference(text: str, place: Place | None = None, of: str = "") -> DocumentReference:
    """Read a declared reference; raises ValueError with what was expected.

    ``of`` is the child's collection where the line may leave it out: ``company_name -> companies.company_name``.
    """
    declared, on_delete = _on_delete(text)
    child, arrow, parent = declared.partition("->")
    if not arrow:
        raise ValueError(_EXPECTED)
    children, parents = _children(child, of), _parse_key(parent)
    if len(children) != len(parents):
        raise ValueError(f"{len(children)} fields refer to {len(parents)}")
    if any(path.dbref for path in parents):
        raise ValueError(f"'{DBREF_KEY}' is the key in a DBRef, which only the referring side has")
    for paths in (children, parents):
        _refuse_side_by_side(paths)
    further = tuple(zip(children[1:], parents[1:], strict=True))
    return DocumentReference(children[0], parents[0], place, further, on_delete)


_ON_DELETE = re.compile(r"\s+on\s+delete\s+(?P<rule>restrict|cascade|set\s+null)\s*", re.IGNORECASE)
_SOME_RULE = re.compile(r"\s+on\s+delete\b[^\"]*", re.IGNORECASE)


def _on_delete(text: str) -> tuple[str, Action | None]:
    """A line without its delete rule, and that; raises ValueError for a rule that no application is asked about."""
    found = _SOME_RULE.search(text)
    if found is None or found.end() != len(text):
        return text, None
    rule = _ON_DELETE.fullmatch(found[0])
    if rule is None:
        raise ValueError("expected 'on delete restrict', 'on delete cascade' or 'on delete set null' at its end")
    return text[: found.start()], Action(" ".join(rule["rule"].lower().split()))


def _children(text: str, of: str) -> tuple[FieldPath, ...]:
    """The child's key, whose collection is ``of`` unless the line itself begins with it."""
    if not of or text.strip().startswith((f"{of}.", f'"{of}".')):
        return _parse_key(text)
    return tuple(replace(path, collection=of) for path in _parse_key(f'"-".{text.strip()}'))


_EXPECTED = (
    "expected 'collection.field -> collection.field', with dots into sub-documents and [] where an array stands; several fields"
    " that are one key as 'collection.(one, other)'"
)


def parse_path(text: str) -> FieldPath:
    """Read one field of a collection, outside of a DBRef; raises ValueError with what was expected."""
    paths = _parse_key(text)
    if len(paths) != 1:
        raise ValueError("expected one field: keys of several are not compared from one database to another")
    if paths[0].dbref:
        raise ValueError(f"'{DBREF_KEY}': a DBRef names its database itself, and is not followed into another")
    return paths[0]


def _parse_key(text: str) -> tuple[FieldPath, ...]:
    found = _KEY.fullmatch(text.strip())
    if found is None:
        raise ValueError(_EXPECTED)
    before, collection = _steps(found["in"] or ""), _unquoted(found["collection"])
    each = [found["one"]] if found["one"] else re.findall(_STEPS, found["many"])
    return tuple(FieldPath(collection, _named(before + _steps(one))) for one in each)


def _steps(text: str) -> tuple[Step, ...]:
    return tuple(Step(_unquoted(step["name"]), len(step["each"]) // 2) for step in _STEP.finditer(text))


def _named(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps, where the server can go them; raises ValueError."""
    within = steps[:-1] if len(steps) > 1 and steps[-1] == Step(DBREF_KEY) else steps
    if wrong := next((step.name for step in within if "." in step.name or step.name.startswith("$")), None):
        raise ValueError(f"'{wrong}': a field whose name holds a dot or begins with a dollar cannot be referred by")
    return steps


def _refuse_side_by_side(paths: Sequence[FieldPath]) -> None:
    """Raise ValueError where the fields of a key lie in arrays of which neither is in the other: no element has them all."""
    arrays = sorted((tuple(path.arrays) for path in paths), key=len)
    if any(longer[: len(shorter)] != shorter for shorter, longer in pairwise(arrays)):
        raise ValueError("the fields of one key lie in arrays that stand side by side: no element has them all")


def _unquoted(name: str) -> str:
    return name[1:-1] if name.startswith('"') else name
