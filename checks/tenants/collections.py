"""Which collections hold tenants' documents, which the tenants themselves, and by what fields they say whose a document is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from checks.declared.documents import DocumentReference
from checks.document_targets import DocumentSession, DocumentTarget
from checks.schema.collections import Collection, CollectionKind
from checks.tenants.declared import Tenancy


class TenantCollections:
    """The collections of a database by whose documents they hold; documents are looked at once for each field."""

    def __init__(self, target: DocumentTarget, tenancy: Tenancy, session: DocumentSession) -> None:
        self._target = target
        self._session = session
        self.columns = tenancy.columns
        self.shared = frozenset(table.label() for table in tenancy.shared)
        self.tenants = tuple(table.label() for table in tenancy.tables) or tuple(self._referred())
        self.has = cache(self._has)

    def _referred(self) -> Iterator[str]:
        """The collections that references of nothing but the declared fields lead to."""
        for reference in self._target.expect.documents.references:
            ours = {path.dotted for path in reference.children} <= set(self.columns)
            if ours and reference.parent.collection not in {reference.child.collection, *self.shared}:
                yield reference.parent.collection

    @property
    def all(self) -> Sequence[Collection]:
        """Every collection that is to say whose its documents are: not shared, none of the tenants' own, no view."""
        apart = {*self.shared, *self.tenants}
        known = self._target.collections.all
        return [one for one in known if one.name not in apart and one.kind is not CollectionKind.VIEW]

    def _has(self, name: str, column: str) -> bool:
        """Whether a collection's validator names a field, or one of its documents has it. Raises StatementFailed."""
        collection = self._target.collections.collection.get(name)
        if collection is None:
            return False
        return names(collection.validator, column) or any(
            True for _ in self._session.find(name, {column: {"$exists": True}}, {"_id": 1}, limit=1)
        )

    def wall(self, name: str) -> Mapping[str, str]:
        """The field that says whose a document is for each declared one; none of a shared collection. Raises StatementFailed."""
        if name in self.shared:
            return {}
        own = {column: column for column in self.columns if self.has(name, column)}
        if name not in self.tenants:
            return own
        leading = (one for one in self._target.expect.documents.references if one.parent.collection == name and not one.further)
        return {**own, **{one.child.dotted: one.parent.dotted for one in leading if one.child.dotted in self.columns}}

    def compares(self, reference: DocumentReference, column: str) -> bool:
        """Whether a reference's own key has the tenant in it: then it names no other tenant's document."""
        pairs = {(child.dotted, parent.dotted) for child, parent in zip(reference.children, reference.parents, strict=True)}
        walls = self.wall(reference.child.collection), self.wall(reference.parent.collection)
        return (walls[0].get(column), walls[1].get(column)) in pairs


def names(validator: Mapping[str, Any] | None, column: str) -> bool:
    """Whether a validator says anything of a field."""
    return any(column in said for said in _operators(validator)) or _node(validator, column) is not None


def requires(validator: Mapping[str, Any] | None, column: str) -> bool:
    """Whether a validator refuses a document without a field, and one in which it is null."""
    node: Any = (validator or {}).get("$jsonSchema")
    for name in column.split("."):
        if not isinstance(node, Mapping) or name not in node.get("required", ()):
            node = None
            break
        node = node.get("properties", {}).get(name)
    if isinstance(node, Mapping) and _no_null(node):
        return True
    return any(_is_typed(said.get(column)) for said in _operators(validator))


def _no_null(node: Mapping[str, Any]) -> bool:
    words = node.get("bsonType", node.get("type"))
    kinds = [words] if isinstance(words, str) else words
    if kinds is not None and "null" not in kinds:
        return True
    return None not in node["enum"] if "enum" in node else False


def _is_typed(said: object) -> bool:
    """``{"$type": "string"}``, which a missing field does not match; nor does it match ``null``."""
    if not isinstance(said, Mapping) or "$type" not in said:
        return False
    kinds = said["$type"] if isinstance(said["$type"], list) else [said["$type"]]
    return not {"null", 10} & set(kinds)


def _operators(validator: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """The parts of a validator that are written as a query, each of which must hold."""
    if validator:
        yield validator
        for part in validator.get("$and", ()):
            yield from _operators(part)


def _node(validator: Mapping[str, Any] | None, column: str) -> object:
    node: Any = (validator or {}).get("$jsonSchema")
    for name in column.split("."):
        node = node.get("properties", {}).get(name) if isinstance(node, Mapping) else None
    return node
