"""From PostgreSQL's way of naming an object to ours."""

from __future__ import annotations

import re
from collections.abc import Sequence

from checks.schema.model import ObjectKind, ObjectReference

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
_QUALIFIED = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')


def reference(kind: str, names: Sequence[str], arguments: Sequence[str] = (), table: str = "") -> ObjectReference:
    """Name an object as findings do, from what ``pg_identify_object_as_address`` says of it.

    ``table`` is the table that an index stands on, which PostgreSQL does not say. Objects without a schema have an empty one;
    a schema is its own schema.
    """
    ours = _KINDS.get(kind, ObjectKind.OTHER)
    path = _type_path(kind, names, arguments) if kind in _BY_TYPE else tuple(names)
    if ours is ObjectKind.SCHEMA:
        return ObjectReference(ours, path[0] if path else "")
    if ours is ObjectKind.TABLE:
        return ObjectReference(ours, path[0] if len(path) > 1 else "", path[-1] if path else "")
    return ObjectReference(ours, _schema(path), table or _relation(path), _name(ours, path, arguments))


#: What the server names by a type: one qualified and quoted text, with the constraint of a domain among the arguments.
_BY_TYPE = frozenset({"type", "composite type", "domain", "domain constraint"})


def _type_path(kind: str, names: Sequence[str], arguments: Sequence[str]) -> tuple[str, ...]:
    text = names[0] if names else ""
    path = tuple(quoted.replace('""', '"') or plain for quoted, plain in _QUALIFIED.findall(text))
    return (*path, *arguments) if kind == "domain constraint" else path


def _schema(path: tuple[str, ...]) -> str:
    return path[0] if len(path) > 1 else ""


def _relation(path: tuple[str, ...]) -> str:
    return path[1] if len(path) > 2 else ""


def _name(kind: ObjectKind, path: tuple[str, ...], arguments: Sequence[str]) -> str:
    name = path[-1] if path else ""
    return f"{name}({', '.join(arguments)})" if kind is ObjectKind.FUNCTION else name
