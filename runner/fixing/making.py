"""Makes the parent that a reference names: its key, what its collection's validator requires, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from checks.declared.documents import DocumentReference
from checks.rows.documents import Ask, Document, DocumentCompiler
from checks.rows.missing import NoValue
from checks.schema.collections import CollectionIndex

#: What the documents that are made say of themselves, where their validator lets them.
MARK = {"created_by": "dbproof"}
#: What stands for the time of making in the settings' values.
NOW = "{now}"


class Unmakeable(Exception):
    """No parent can be made for a reference at all, and why."""


def values_of(given: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    """The settings' values as documents hold them: ``{now}`` is the time, tables may be Extended JSON (``{"$oid" = "…"}``).

    Raises Unmakeable for Extended JSON that is none.
    """
    return {name: _value(value, now) for name, value in given.items()}


def _value(value: Any, now: datetime) -> Any:  # noqa: ANN401 - whatever TOML holds
    from bson import json_util
    from bson.errors import BSONError

    if value == NOW:
        return now
    if isinstance(value, list | tuple):
        return [_value(one, now) for one in value]
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, Mapping):
        return value
    inner = {name: _value(one, now) for name, one in value.items()}
    try:
        return json_util.object_hook(inner)
    except (BSONError, TypeError, ValueError, KeyError) as wrong:
        raise Unmakeable(f"a value of the settings is no Extended JSON: {wrong}") from None


class Maker:
    """Makes parents for one reference. ``values`` are what the settings say of them; ``indexes`` are their collection's.

    Raises Unmakeable where none can be made.
    """

    def __init__(
        self,
        reference: DocumentReference,
        validator: Mapping[str, Any],
        indexes: Sequence[CollectionIndex],
        values: Mapping[str, Any],
        ask: Ask,
        now: datetime,
    ) -> None:
        self._paths = [path.dotted for path in reference.parents]
        self._collection = reference.parent.collection
        self._given = values
        self._now = now
        self._compiler = DocumentCompiler(validator, ask=ask)
        self._differing = [
            name
            for index in indexes
            if index.unique
            for name in index.fields
            if name not in self._paths and name != "_id" and not set(index.fields) & set(self._paths)
        ]
        self._template: dict[str, Any] | None = None
        self._numbers = 0

    def made(self, key: Sequence[Any]) -> Document | None:
        """A parent with this key, or ``None`` where its collection's validator takes none with it. Raises Unmakeable."""
        if self._template is None or self._differing:
            template = self._compiled(key)
            if template is None:
                return None
            self._template = template
        document = copy.deepcopy(self._template)
        if not self._differing:
            for path, value in zip(self._paths, key, strict=True):
                _put(document, path, value)
        own = any(path.partition(".")[0] == "_id" for path in self._paths)
        identity = document.pop("_id")
        document = {"_id": identity if own else self._identity(identity), **document}
        return document if self._compiler.is_valid(document) else None

    def _compiled(self, key: Sequence[Any]) -> dict[str, Any] | None:
        fixed = {**self._given, **dict(zip(self._paths, key, strict=True))}
        number, self._numbers = self._numbers, self._numbers + 1
        for marked in ({**MARK, **fixed}, fixed):
            try:
                return self._spare(dict(self._compiler.satisfying(marked, number)), marked)
            except NoValue:
                continue
        return None

    def _spare(self, document: dict[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
        """Without what nobody requires, and with dates of today."""
        kept = {"_id", *(name.partition(".")[0].removesuffix("[]") for name in fixed)}
        for name in [name for name in document if name not in kept]:
            without = {key: value for key, value in document.items() if key != name}
            today = {**document, name: self._now}
            if self._compiler.is_valid(without):
                document = without
            elif isinstance(document[name], datetime) and self._compiler.is_valid(today):
                document = today
        return document

    def _identity(self, compiled: object) -> object:
        """An ``_id`` that no other document has."""
        from bson import ObjectId

        if isinstance(compiled, ObjectId):
            return ObjectId()
        if isinstance(compiled, str):
            return str(ObjectId())
        kind = type(compiled).__name__
        raise Unmakeable(f"an _id of {self._collection} is to be of the type {kind}, and which are free is not known here")


def _put(document: dict[str, Any], path: str, value: object) -> None:
    *within, last = path.split(".")
    for name in within:
        document = document.setdefault(name, {})
    document[last] = value
