"""Commands as text to paste into mongosh: whole, exact, each value of a type that has a spelling of its own there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What begins a name that the shell's ``db`` may have a meaning of its own for; such collections are named in brackets.
_PLAIN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: Words of one part that ``db`` knows by itself (mongosh's manual, "Database Methods").
_TAKEN = frozenset(
    {"aggregate", "auth", "commands", "constructor", "disable", "hello", "help", "logout", "stats", "version", "watch"}
)
#: Years that Python writes with fewer digits than a date has.
_FOUR_DIGITS = 999
#: The whole numbers that JavaScript keeps exactly.
_EXACT = 2**53


def shell(command: Mapping[str, Any], width: int | None = None) -> str:
    """``db.companies.createIndex({company_name: 1}, {name: "company_name_unique", unique: true})`` and the like.

    With a ``width`` what is longer is folded, each part of it on a line of its own.
    """
    name, collection = next(iter(command.items()))
    on = database_member(str(collection))
    if name == "createIndexes" and len(command["indexes"]) == 1:
        index = dict(command["indexes"][0])
        return f"{on}.createIndex({literal(index.pop('key'))}, {folded(index, width)})"
    if name == "dropIndexes":
        return f"{on}.dropIndex({literal(command['index'])})"
    if name == "create":
        options = {key: command[key] for key in command if key != name}
        return f"db.createCollection({literal(collection)}, {folded(options, width)})"
    if name == "drop":
        return f"{on}.drop()"
    return f"db.runCommand({folded(command, width)})"


def folded(value: Any, width: int | None, indent: int = 0) -> str:  # noqa: ANN401 - whatever BSON holds
    """A value as JavaScript, in one line where it fits into the width."""
    line = literal(value)
    if width is None or indent + len(line) <= width or not isinstance(value, Mapping | list | tuple) or not value:
        return line
    inner, end = " " * (indent + 2), " " * indent
    if isinstance(value, Mapping):
        parts = (f"{_key(str(key))}: {folded(part, width, indent + 2)}" for key, part in value.items())
        return "{\n" + ",\n".join(f"{inner}{part}" for part in parts) + f"\n{end}}}"
    return "[\n" + ",\n".join(f"{inner}{folded(part, width, indent + 2)}" for part in value) + f"\n{end}]"


def database_member(collection: str) -> str:
    """``db.companies``, or ``db.getCollection("…")`` for a name that is none of JavaScript's, or that ``db`` has itself."""
    plain = _PLAIN.fullmatch(collection) and collection not in _TAKEN
    return f"db.{collection}" if plain else f"db.getCollection({_text(collection)})"


def literal(value: Any) -> str:  # noqa: ANN401 - whatever BSON holds
    """A value as JavaScript; types of BSON's own by the shell's ``EJSON``."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(key))}: {literal(part)}" for key, part in value.items()) + "}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ", ".join(literal(part) for part in value) + "]"
    if value is None or isinstance(value, bool) or _plain_number(value):
        return json.dumps(value)
    return _extended(value)


def _plain_number(value: object) -> bool:
    whole = isinstance(value, int | float)
    return whole and type(value) in (int, float) and abs(value) < _EXACT  # type: ignore[arg-type]


def _extended(value: object) -> str:
    from bson import Decimal128, Int64, ObjectId

    if isinstance(value, datetime) and value.tzinfo is not None:
        told = value.astimezone(UTC)
        return (
            f'ISODate("{told:%Y-%m-%dT%H:%M:%S}.{told.microsecond // 1000:03}Z")' if told.year > _FOUR_DIGITS else _other(value)
        )
    for kind, name in ((ObjectId, "ObjectId"), (Int64, "NumberLong"), (Decimal128, "NumberDecimal")):
        if isinstance(value, kind):
            return f'{name}("{value}")'
    return _other(value)


def _other(value: object) -> str:
    from bson import json_util

    text = json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS)
    return f"EJSON.parse({_text(text)})"


def _text(text: str) -> str:
    """As JSON; what is not seen on a screen, or would be no text there, by its number."""
    return "".join(one if one.isprintable() else _escaped(one) for one in json.dumps(text, ensure_ascii=False))


def _escaped(one: str) -> str:
    return json.dumps(one)[1:-1]


def _key(key: str) -> str:
    if key == "__proto__":  # which without brackets is no key of an object's own
        return '["__proto__"]'
    return key if _IDENTIFIER.fullmatch(key.replace("$", "_")) else _text(key)
