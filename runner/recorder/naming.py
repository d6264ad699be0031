"""From PostgreSQL's way of naming an object to ours."""

from __future__ import annotations

import re

from checks.schema.names import ObjectKind, ObjectReference

_KINDS = {
    "schema": ObjectKind.SCHEMA,
    "table": ObjectKind.TABLE,
    "foreign table": ObjectKind.TABLE,
    "table column": ObjectKind.COLUMN,
    "foreign table column": ObjectKind.COLUMN,
    "table constraint": ObjectKind.CONSTRAINT,
    "domain constraint": ObjectKind.CONSTRAINT,
    "index": ObjectKind.INDEX,
    "trigger": ObjectKind.TRIGGER,
    "policy": ObjectKind.POLICY,
    "sequence": ObjectKind.SEQUENCE,
    "type": ObjectKind.TYPE,
    "composite type": ObjectKind.TYPE,
    "domain": ObjectKind.TYPE,
    "function": ObjectKind.FUNCTION,
    "procedure": ObjectKind.FUNCTION,
    "aggregate": ObjectKind.FUNCTION,
    "view": ObjectKind.VIEW,
    "materialized view": ObjectKind.VIEW,
    "extension": ObjectKind.EXTENSION,
}
_NAME = r'(?:"(?:[^"]|"")*"|[a-z_][a-z0-9_$]*)'
_PATH = rf"{_NAME}(?:\.{_NAME})*"
_IDENTITY = re.compile(rf"(?P<path>{_PATH})(?P<arguments>\(.*\))?(?: on (?P<on>{_PATH}))?", re.DOTALL)


def reference(kind: str, identity: str, table: str = "") -> ObjectReference:
    """Name an object as findings do, from the type and identity that ``pg_identify_object`` gives.

    An identity is quoted where it must be: ``public."Order"``, ``public.f(integer)``, ``positive on public.orders``.
    ``table`` is the table that an index stands on, which PostgreSQL does not say. A schema is its own schema; what has none
    has an empty one.
    """
    ours = _KINDS.get(kind, ObjectKind.OTHER)
    found = _IDENTITY.fullmatch(identity)
    if found is None:
        return ObjectReference(ObjectKind.OTHER, "", "", identity)
    path = (*_names(found["on"] or ""), *_names(found["path"]))
    if ours is ObjectKind.SCHEMA:
        return ObjectReference(ours, path[-1])
    schema, *relation = path[:-1] or ("",)
    if ours is ObjectKind.TABLE:
        return ObjectReference(ours, schema, path[-1])
    return ObjectReference(ours, schema, table or ".".join(relation), path[-1] + (found["arguments"] or ""))


def _names(path: str) -> list[str]:
    """The names of a path without their quotes."""
    return [name[1:-1].replace('""', '"') if name.startswith('"') else name for name in re.findall(_NAME, path)]
