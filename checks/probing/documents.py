"""What probes of documents share: documents to begin from, and the server's word on whether a document matches a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from checks.declared.documents import DocumentExpectations
from checks.document_targets import Denied, DocumentSession, DocumentTarget, Scratch, Stored
from checks.jsonschema.building import NOTHING
from checks.jsonschema.rules import Query
from checks.pipelines.keys import shown
from checks.rows.documents import Ask, Document
from checks.schema.collections import Collection
from checks.targets import StatementFailed

#: The server's codes for a document that its validator refuses, and for a key that is taken.
VALIDATION = "121"
TAKEN = "11000"
#: How many documents are begun from, of how many that are looked at, and how many bytes each may have.
STARTS, LOOKED_AT, SMALL = 3, 20, 64 * 1024
#: A collection of our own in the scratch, with one document, upon which queries are asked.
_ASKED = "dbproof_asked"


def starts(collection: Collection, target: DocumentTarget, session: DocumentSession) -> Sequence[Document]:
    """A few small documents of a collection, the first by ``_id``; none of one that cannot be read."""
    from bson.errors import BSONError

    if collection.name not in target.filled or not collection.readable:
        return ()
    small = {"$expr": {"$lte": [{"$bsonSize": "$$ROOT"}, SMALL]}}
    pipeline: list[Mapping[str, Any]] = [{"$sort": {"_id": 1}}, {"$limit": LOOKED_AT}, {"$match": small}, {"$limit": STARTS}]
    try:
        return [_plain(document) for document in session.aggregate(collection.name, pipeline)]
    except BSONError:  # text that is no UTF-8, a date that Python has none for
        return ()
    except StatementFailed as failure:
        if not failure.gap:
            raise
        return ()


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a document holds
    """A value whose references are the objects that the server keeps of them."""
    from bson import DBRef

    if isinstance(value, DBRef):
        return dict(value.as_doc())
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


@contextmanager
def scratch_of(target: DocumentTarget, names: Sequence[str], *, indexes: bool = True) -> Iterator[Scratch | str]:
    """A scratch, or why there can be none: the user of a given address may not make one."""
    with ExitStack() as stack:
        try:
            found: Scratch | str = stack.enter_context(target.scratch(names, indexes=indexes))
        except StatementFailed as failure:
            if not failure.gap:
                raise
            found = failure.gap
        yield found


def asking(scratch: Scratch) -> Ask:
    """A function that says whether the server finds that a document matches a query. Raises StatementFailed."""
    scratch.insert(_ASKED, {})
    session = scratch.documents()

    def ask(query: Query, document: Document) -> bool:
        stages: list[Mapping[str, Any]] = [
            {"$project": {"_id": 0, "document": {"$literal": document}}},
            {"$replaceRoot": {"newRoot": "$document"}},
            {"$match": query},
            {"$count": "documents"},
        ]
        return any(True for _ in session.aggregate(_ASKED, stages))

    return ask


def declared_validator(collection: str, expect: DocumentExpectations) -> Query | None:
    """The validator that a collection should have; ``None`` where none is declared."""
    return next((one.validator for one in expect.validators if one.collection == collection), None)


def keys_of(document: Document, fields: Sequence[str]) -> Mapping[str, Any]:
    """What an index has for a key of a document, field by field: of an array one element. A field that is not there has none."""
    found = (_key_of(document, field.split(".")) for field in fields)
    return dict(filter(None, found))


def _key_of(value: Any, path: Sequence[str]) -> tuple[str, Any] | None:  # noqa: ANN401 - whatever a document holds
    first, *more = path
    if not isinstance(value, Mapping) or first not in value:
        return None
    inner, label = value[first], first
    if isinstance(inner, list) and inner:
        inner, label = inner[0], f"{first}[]"
    if not more:
        return label, inner
    deeper = _key_of(inner, more)
    return (f"{label}.{deeper[0]}", deeper[1]) if deeper else None


def is_taken(answer: Stored | Denied) -> bool:
    """Whether a validator let a document through: it is asked before any index is."""
    return isinstance(answer, Stored) or answer.code == TAKEN


def words(answer: Stored | Denied) -> str:
    """What became of a document."""
    return f"{answer.code} {answer.said}" if isinstance(answer, Denied) else "it was taken"


def told(changed: Sequence[tuple[str, Any]], *, hidden: bool = False) -> str:
    """What makes a document a wrong one: ``with status = "ACTIVE"``, ``without status``; ``hidden`` names the field alone."""
    if not changed:
        return "as there is none"
    path, value = changed[0]
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    if value is NOTHING:
        return f"without {path}{more}"
    return f"with another {path}{more}" if hidden else f"with {path} = {_short(value)}{more}"


def _short(value: Any) -> str:  # noqa: ANN401 - whatever a document holds
    """A value of ours; of what may hold others' only its kind."""
    if isinstance(value, list | Mapping):
        many = f"{len(value)} {'element' if isinstance(value, list) else 'field'}{'' if len(value) == 1 else 's'}"
        return f"{'an array' if isinstance(value, list) else 'an object'} of {many}"
    if isinstance(value, str) and len(value) > 40:
        return f"a text of {len(value)} characters"
    return f"{shown(value)} ({type_name(value)})" if not isinstance(value, str) else shown(value)


def type_name(value: Any) -> str:  # noqa: ANN401 - whatever a document holds
    """The BSON type of a value."""
    from checks.jsonschema.bson_types import type_of

    return type_of(value)
