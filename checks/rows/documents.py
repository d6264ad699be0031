"""The document compiler: documents that satisfy a validator, and documents that break exactly one rule of it.

Documents that are there are the truest to begin from; without any, one is made up from the validator alone. As little as may be
of it is changed for what is asked. The same validator gives the same documents each time. What a schema cannot say (``$expr``,
``$mod``, geometry) is asked of the server through ``ask``, and values that may do are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any

from checks.jsonschema.bson_types import equal, every, type_of
from checks.jsonschema.building import NOTHING, Building
from checks.jsonschema.denials import with_field
from checks.jsonschema.dots import without_dots
from checks.jsonschema.matching import Matching, Schema, UnknownPattern
from checks.jsonschema.queries import Unsaid, schema_of
from checks.jsonschema.rules import DocumentRule, Query, document_rules, whole
from checks.jsonschema.trying import proposals
from checks.rows.missing import NoValue
from checks.schema.collections import CollectionIndex

Document = Mapping[str, Any]
#: Says whether the server finds that a document matches a query.
Ask = Callable[[Query, Document], bool]

#: Documents that are thought of before giving up where only the server can tell.
TRIED = 200
#: Documents that satisfy the schemas and may satisfy the rest by chance.
FEW = 8
#: Values of a kind that a place on earth may have, as an index of places wants it.
_POINT = {"type": "Point", "coordinates": [0.0, 0.0]}
_PLACES: Mapping[str, object] = {"2dsphere": _POINT, "2d": [0.0, 0.0]}
#: What the server never takes for an ``_id``.
_NO_ID = ("array", "regex")


@dataclass(frozen=True)
class Wrong:
    """A document that breaks ``rule`` and nothing else. ``changed`` are the fields that make it so, with their new values."""

    document: Document
    rule: DocumentRule
    changed: tuple[tuple[str, Any], ...]


class DocumentCompiler:
    """Compiles documents for one collection.

    ``documents`` are some that are there. ``ask`` is asked where nothing else knows; without it, rules that only the server can
    judge are taken to hold for documents that are there, and cannot be broken. ``hints`` are values that are tried first where an
    enum is to be broken.
    """

    def __init__(
        self,
        validator: Query | None,
        indexes: Sequence[CollectionIndex] = (),
        *,
        documents: Sequence[Document] = (),
        ask: Ask | None = None,
        hints: Sequence[Any] = (),
    ) -> None:
        self._validator = plain(validator or {})
        self._documents = documents
        self._ask = ask
        self._hints = hints
        self._matching = Matching(self._fits if ask else None)
        self._building = Building(self._matching)
        self._indexes = indexes

    @cached_property
    def rules(self) -> tuple[DocumentRule, ...]:
        """Every rule that a document can break by itself."""
        return document_rules(self._validator, self._hints)

    def satisfying(self, fixed: Mapping[str, Any] | None = None, number: int = 0) -> Document:
        """A document that satisfies the validator. Raises NoValue where none is found.

        ``fixed`` are values that it must have, by field: ``address.town`` in a sub-document, ``lines[].product_id`` in an element
        of an array. Documents of different ``number`` differ in their ``_id``, and in whatever leaves them room to.
        """
        asked = [_ID, *self._schemas(self._validator), *(_fixed(path, value) for path, value in (fixed or {}).items())]
        wishes = list(_wishes(self._indexes))
        opaque = self._opaque(self._validator)
        for base in self._bases(number, asked):
            found = self._found([*asked, *wishes], base, number, opaque)
            if found is None and wishes:
                found = self._found(asked, base, number, opaque)
            if found is not None:
                return found
        raise NoValue("no document was found that satisfies the validator")

    def violations(self, rule: DocumentRule) -> Iterator[Wrong]:
        """Documents that break this rule and no other, what differs least from a valid one first.

        Raises NoValue where none is found.
        """
        good = self._good
        none = True
        for document in _one_of_each([self._broken(rule, broken, good) for broken in (rule.breaks if rule.solved else ({},))]):
            none = False
            yield Wrong(document, rule, tuple(changes(good, document)))
        if none:
            raise NoValue("no document was found that breaks it and nothing else")

    def violating(self, rule: DocumentRule) -> Wrong:
        """The first of the violations. Raises NoValue."""
        return next(self.violations(rule))

    def together(self, rule: DocumentRule) -> Wrong | None:
        """A document that breaks the rule and others with it, for where nothing breaks it alone; ``None`` where none is found."""
        for broken in rule.breaks:
            for document in islice(self._values([_ID, broken], self._good, 0), 1):
                return Wrong(document, rule, tuple(changes(self._good, document)))
        return None

    def at_limit(self, rule: DocumentRule) -> Document | None:
        """A valid document that only just keeps the rule: of the least length, with the highest number, the last of an enum."""
        asked = [_ID, *self._schemas(self._validator)]
        for limit in rule.limits:
            found = self._found([*asked, limit], self._good, 0, self._opaque(self._validator))
            if found is not None:
                return found
        return None

    def is_valid(self, document: Document) -> bool:
        """Whether a document satisfies the validator, as far as that is known here; the rest is asked."""
        return self._suits(self._schemas(self._validator), self._opaque(self._validator), document)

    @cached_property
    def _good(self) -> Document:
        return self.satisfying()

    def _bases(self, number: int, asked: Sequence[Schema]) -> Iterator[Any]:
        """What to begin from: documents that are there, valid ones first, then nothing."""
        if number == 0:
            yield from sorted(self._documents, key=lambda one: not self._suits(asked, (), one))
        yield NOTHING

    def _found(self, asked: Sequence[Schema], base: Any, number: int, opaque: Sequence[Query]) -> Document | None:  # noqa: ANN401
        """A document that satisfies all schemas and queries, or the nearest that trying leads to."""
        first: Document | None = None
        for document in islice(self._values(asked, base, number), FEW if opaque else 1):
            if self._agrees(opaque, document):
                return document
            first = first or document
        return self._tried(first, asked, opaque) if first is not None else None

    def _tried(self, start: Document, asked: Sequence[Schema], opaque: Sequence[Query]) -> Document | None:
        """Other values in the fields that the queries speak of, each tried, query by query."""
        schema, found = {"allOf": list(asked)}, start
        for number, query in enumerate(opaque, 1):
            if self._agrees(opaque[:number], found):
                continue
            wanted = (one for one in islice(proposals(found, [query]), TRIED * 10) if self._matching(schema, one))
            better = next((one for one in islice(wanted, TRIED) if self._agrees(opaque[:number], one)), None)
            if better is None:
                return None
            found = better
        return found

    def _broken(self, rule: DocumentRule, broken: Schema, good: Document) -> Iterator[Document]:
        schemas, opaque = self._schemas(rule.without), self._opaque(rule.without)
        asked = [_ID, *schemas, broken]
        if rule.solved:
            for document in islice(self._values(asked, good, 0), TRIED):
                if not self.is_valid(document) and self._agrees(opaque, document):
                    yield document
            return
        schema = {"allOf": asked}
        candidates = chain(proposals(good, [rule.alone]), self._values(asked, NOTHING, 1))
        for document in islice((one for one in candidates if self._matching(schema, one)), TRIED):
            if self._ask and not self._ask(rule.alone, document) and self._agrees(opaque, document):
                yield document

    def _values(self, asked: Sequence[Schema], base: Any, number: int) -> Iterator[Document]:  # noqa: ANN401 - a document or nothing
        try:
            yield from self._building.values(asked, base, number)
        except UnknownPattern as error:
            raise NoValue(f"the pattern {error} is known to the server only") from None

    def _suits(self, schemas: Sequence[Schema], opaque: Sequence[Query], document: Document) -> bool:
        return all(self._matching(one, document) for one in schemas) and self._agrees(opaque, document)

    def _agrees(self, opaque: Sequence[Query], document: Document) -> bool:
        """What only the server knows; without it, documents that are there are taken to be right."""
        return not opaque or (
            self._ask(whole(opaque), document) if self._ask else any(document is one for one in self._documents)
        )

    def _fits(self, pattern: str, options: str, text: str) -> bool:
        return bool(self._ask and self._ask({"text": {"$regex": pattern, "$options": options}}, {"text": text}))

    @staticmethod
    def _schemas(validator: Query) -> list[Schema]:
        return [one for one in map(said, parts(validator)) if one is not None]

    @staticmethod
    def _opaque(validator: Query) -> list[Query]:
        return [one for one in parts(validator) if said(one) is None]


#: Every document has one; ours come with what the driver would make.
_ID: Schema = with_field("_id", {"bsonType": sorted(every() - set(_NO_ID)), "$prefer": ["objectId"]})


def _one_of_each(ways: Sequence[Iterator[Document]]) -> Iterator[Document]:
    """The first that each way leads to, then the others."""
    for way in ways:
        yield from islice(way, 1)
    yield from chain.from_iterable(ways)


def parts(query: Query) -> Iterator[Query]:
    """The parts of a query all of which have to match, each field's operators apart."""
    for name, value in query.items():
        if name == "$and":
            for one in value:
                yield from parts(one)
        else:
            yield {name: value}


def plain(query: Query) -> Query:
    """A validator whose schemas name no field with a dot, which the server reads as a path."""
    return {
        name: without_dots(value) if name == "$jsonSchema" else list(map(plain, value)) if name == "$and" else value
        for name, value in query.items()
    }


def said(query: Query) -> Schema | None:
    """A query as a schema; ``None`` where only the server can judge it."""
    try:
        return schema_of(query)
    except Unsaid:
        return None


def _fixed(path: str, value: Any) -> Schema:  # noqa: ANN401 - whatever a document holds
    """A document whose field at a path has a value."""
    schema: Schema = {"enum": [value]}
    for step in reversed(path.split(".")):
        name = step.removesuffix("[]")
        schema = with_field(name, {"bsonType": "array", "$some": schema} if step.endswith("[]") else schema)
    return schema


def _wishes(indexes: Sequence[CollectionIndex]) -> Iterator[Schema]:
    """What indexes want of documents: a value of its own in each unique field, a place where places are."""
    for index in indexes:
        for name, kind in index.keys:
            if isinstance(kind, str) and kind in _PLACES:
                yield _fixed(name, _PLACES[kind])
            elif index.unique and "$" not in name and index.name != "_id_":
                yield _fixed_place(name)


def _fixed_place(path: str) -> Schema:
    schema: Schema = {}
    for step in reversed(path.split(".")):
        schema = {"anyOf": [with_field(step, schema), {"bsonType": "array", "$some": with_field(step, schema)}]}
    return schema


def changes(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - whatever documents hold
    """The fields in which two documents differ, as deep as they go, with the value of the second or NOTHING."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            below = f"{path}.{name}" if path else str(name)
            yield from changes(before.get(name, NOTHING), after.get(name, NOTHING), below)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changes(one, other, f"{path}[{number}]")
    elif before is NOTHING or after is NOTHING or type_of(before) != type_of(after) or not equal(before, after):
        yield path, after
