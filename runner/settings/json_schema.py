"""A JSON Schema as an application's models print it, turned into what MongoDB's ``$jsonSchema`` takes.

MongoDB follows draft 4 with types of its own (its manual, "$jsonSchema", "Extensions" and "Omissions"); Pydantic, Beanie and
ODMantic print later drafts. What both can say means the same after; what a validator cannot say is refused, not left out. What
is no rule about a document (titles, defaults, examples) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runner.settings.json_schema_types import FORMATS, TYPES, Schema, is_object_id, kinds_of, nullable

#: Keywords that mean the same in both.
_SAME = frozenset({
    "bsonType", "enum", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "description",
})  # fmt: skip
#: Keywords that no validator of MongoDB can say, and what to do instead.
_NEVER = {
    "unevaluatedProperties": "let the model forbid further properties with 'additionalProperties'",
    "unevaluatedItems": "let the model say it with 'items'",
    "minContains": "leave it to the application",
    "maxContains": "leave it to the application",
    "$dynamicRef": "write '$ref'",
    "$recursiveRef": "write '$ref'",
}
#: So many parts make a schema that is written out too large to be meant.
_MOST = 50_000


def converted(schema: Schema) -> dict[str, Any]:
    """The schema for ``$jsonSchema``; raises ValueError that names the part which a validator cannot say."""
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    written = _written(schema, _At("", resolver, _Count(), (id(schema),)))
    if "object" not in (kinds := kinds_of(written) or ["object"]):
        raise ValueError(f"describes {' or '.join(kinds)}, and a collection holds objects")
    return _with_id(written)


@dataclass
class _Count:
    parts: int = 0


@dataclass(frozen=True)
class _At:
    """Where in the schema: ``path`` for people, what resolves references there, and those that are being written out."""

    path: str
    resolver: Any
    count: _Count
    within: tuple[int, ...] = ()

    def below(self, name: str) -> _At:
        return replace(self, path=f"{self.path}.{name}" if self.path else name)

    def cannot(self, what: str) -> ValueError:
        return ValueError(f"{self.path or 'at the top'}: {what}")


def _written(schema: object, at: _At) -> dict[str, Any]:
    """One schema with everything below it."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    if not isinstance(schema, Mapping):
        raise at.cannot("expected a schema, which is an object")
    at.count.parts += 1
    if at.count.parts > _MOST:
        raise at.cannot("written out it becomes too large; its references name each other too often")
    if "$ref" in schema:
        return _referred(schema, at)
    for keyword in _NEVER:
        if keyword in schema:
            raise at.cannot(f"MongoDB cannot say '{keyword}': {_NEVER[keyword]}")
    if is_object_id(schema):
        return nullable({"bsonType": "objectId"}) if schema.get("nullable") is True else {"bsonType": "objectId"}
    return _all_of(_parts(schema, at))


def _parts(schema: Schema, at: _At) -> Iterator[dict[str, Any]]:
    """What the keywords of a schema say, in parts that must all hold."""
    own = {key: value for key, value in schema.items() if key in _SAME}
    if "pattern" in own:
        own["pattern"] = _as_pcre(str(own["pattern"]))
    own |= _typed(schema, at)
    own |= _bounds(schema)
    own |= _lists(schema, at)
    own |= _properties(schema, at)
    if schema.get("required"):
        own["required"] = list(schema["required"])
    if "const" in schema:
        own["enum"] = [schema["const"]]
    if "not" in schema:
        own["not"] = _written(schema["not"], at.below("not"))
    yield nullable(own) if schema.get("nullable") is True else own
    yield from _alternatives(schema, at)
    yield from _rewritten(schema, at)


def _typed(schema: Schema, at: _At) -> dict[str, Any]:
    """``type`` and ``format`` as ``bsonType``."""
    if "type" not in schema:
        return {}
    named = schema["type"] if isinstance(schema["type"], list | tuple) else [schema["type"]]
    known: list[str] = []
    for name in named:
        if name not in TYPES:
            raise at.cannot(f"'{name}' is not a type of JSON Schema")
        stored = FORMATS.get(str(schema.get("format", "")).lower()) if name == "string" else None
        known += [one for one in stored or TYPES[name] if one not in known]
    return {"bsonType": known[0] if len(known) == 1 else known}


def _bounds(schema: Schema) -> dict[str, Any]:
    """Since draft 6 an exclusive bound is a number of its own; in draft 4 it is a word about the other bound."""
    found: dict[str, Any] = {}
    for bound, exclusive, tighter in (("minimum", "exclusiveMinimum", max), ("maximum", "exclusiveMaximum", min)):
        limit = schema.get(exclusive)
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            continue
        other = schema.get(bound, limit)
        closest = tighter(limit, other)
        found |= {bound: closest, exclusive: closest == limit}
    return found


def _lists(schema: Schema, at: _At) -> dict[str, Any]:
    """``prefixItems`` and what comes after as draft 4 says them: a list of ``items``, and ``additionalItems``."""
    first, further = schema.get("prefixItems"), schema.get("items")
    if first is None and isinstance(further, list | tuple):
        first, further = further, schema.get("additionalItems")
    below = at.below("items")
    if first is not None:
        listed: dict[str, Any] = {"items": [_written(one, below) for one in first]}
        return listed if further in (None, True) else {**listed, "additionalItems": _or_bool(further, below)}
    if further is False:
        return {"maxItems": 0}
    return {} if further in (None, True) else {"items": _written(further, replace(at, path=f"{at.path}[]"))}


def _properties(schema: Schema, at: _At) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword in ("properties", "patternProperties"):
        if schema.get(keyword):
            spelled = _as_pcre if keyword == "patternProperties" else str
            found[keyword] = {spelled(name): _written(one, at.below(str(name))) for name, one in schema[keyword].items()}
    if "additionalProperties" in schema:
        found["additionalProperties"] = _or_bool(schema["additionalProperties"], at.below("*"))
    dependent = {**schema.get("dependencies", {}), **schema.get("dependentRequired", {}), **schema.get("dependentSchemas", {})}
    needs = {
        name: list(one) if isinstance(one, list | tuple) else _written(one, at.below(str(name)))
        for name, one in dependent.items()
        if one != []
    }
    return {**found, "dependencies": needs} if needs else found


_ESCAPE = re.compile(r"\\(?:u(?:(?P<four>[0-9a-fA-F]{4})|\{(?P<more>[0-9a-fA-F]+)\})|(?P<other>.))", re.DOTALL)


def _as_pcre(pattern: str) -> str:
    """A regular expression of JavaScript in the server's words: a character by its number, and any character at all."""
    numbered = _ESCAPE.sub(lambda found: found[0] if found["other"] else f"\\x{{{found['four'] or found['more']}}}", pattern)
    return numbered.replace("[^]", r"[\s\S]")


def _or_bool(schema: object, at: _At) -> bool | dict[str, Any]:
    return schema if isinstance(schema, bool) else _written(schema, at)


def _alternatives(schema: Schema, at: _At) -> Iterator[dict[str, Any]]:
    for keyword in ("allOf", "anyOf", "oneOf"):
        written = [_written(one, at) for one in schema.get(keyword) or ()]
        if keyword == "allOf":
            yield from written
        elif written:
            yield _or_null(written) or {keyword: written}


def _or_null(written: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """One schema for ``[schema, null]``: the other keywords of it say nothing of null."""
    null = {"bsonType": "null"}
    others = [one for one in written if one != null]
    if null not in written or len(others) != 1 or not kinds_of(others[0]) or not _only_of_types(others[0]):
        return None
    return nullable(others[0])


def _only_of_types(schema: Schema) -> bool:
    return not {"anyOf", "oneOf", "allOf", "not"} & schema.keys()


def _rewritten(schema: Schema, at: _At) -> Iterator[dict[str, Any]]:
    """Keywords of later drafts that draft 4 says in another way."""
    if "if" in schema:
        condition = _written(schema["if"], at)
        met, otherwise = _written(schema.get("then", True), at), _written(schema.get("else", True), at)
        yield {"anyOf": [{"allOf": [condition, met]}, {"allOf": [{"not": condition}, otherwise]}]}
    if "contains" in schema:
        none = {"items": {"not": _written(schema["contains"], at)}}
        yield {"anyOf": [{"not": {"bsonType": "array"}}, {"not": none}]}
    if "propertyNames" in schema:
        yield _names(_written(schema["propertyNames"], at), at.below("*"))


def _names(names: Schema, at: _At) -> dict[str, Any]:
    """What is asked of the names of properties: that each is one of several, or matches."""
    asked = {key: value for key, value in names.items() if key not in ("bsonType", "description")}
    if not asked:
        return {}
    if asked.keys() == {"enum"}:
        return {"properties": {str(name): {} for name in asked["enum"]}, "additionalProperties": False}
    if asked.keys() == {"pattern"}:
        return {"patternProperties": {asked["pattern"]: {}}, "additionalProperties": False}
    if asked.keys() <= {"minLength", "maxLength"}:
        length = f"{asked.get('minLength', 0)},{asked.get('maxLength', '')}"
        return {"patternProperties": {f"^[\\s\\S]{{{length}}}$": {}}, "additionalProperties": False}
    raise at.cannot("MongoDB cannot say this of the names of properties; leave it to the application")


def _all_of(parts: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Several schemas as one: side by side where no two say the same keyword, else under ``allOf``."""
    whole: dict[str, Any] = {}
    apart: list[dict[str, Any]] = []
    for part in parts:
        if whole.keys() & part.keys() or (_TOGETHER & whole.keys() and _TOGETHER & part.keys()):
            apart.append(part)
        else:
            whole |= part
    return {**whole, "allOf": [*whole.get("allOf", ()), *apart]} if apart else whole


#: Keywords that each change what the other means, so that two schemas' must not come together.
_TOGETHER = frozenset({"properties", "patternProperties", "additionalProperties", "items", "additionalItems"})


def _referred(schema: Schema, at: _At) -> dict[str, Any]:
    """What a reference leads to, written out; where it leads back to itself it is cut, for a validator has no recursion."""
    from referencing.exceptions import Unresolvable

    try:
        found = at.resolver.lookup(str(schema["$ref"]))
    except Unresolvable:
        raise at.cannot(f"'{schema['$ref']}' leads nowhere: every definition must be printed with the schema") from None
    beside = {key: value for key, value in schema.items() if key not in ("$ref", "$defs", "definitions")}
    inner = _cut(found.contents, schema["$ref"]) if id(found.contents) in at.within else _written(
        found.contents, replace(at, resolver=found.resolver, within=(*at.within, id(found.contents)))
    )  # fmt: skip
    return _all_of(iter([_written(beside, at), inner])) if beside else inner


def _cut(contents: object, reference: object) -> dict[str, Any]:
    name = str(reference).rpartition("/")[2].strip("#") or "the whole"
    named = contents.get("type") if isinstance(contents, Mapping) else None
    kinds = TYPES.get(named, ()) if isinstance(named, str) else ()
    told = {"description": f"{name} once more, not looked into: a validator has no recursion"}
    return {"bsonType": kinds[0] if len(kinds) == 1 else list(kinds), **told} if kinds else told


def _with_id(schema: dict[str, Any]) -> dict[str, Any]:
    """Every document has an ``_id``, which the model may call ``id`` and leave empty until it is stored."""
    properties = dict(schema.get("properties", {}))
    if "_id" not in properties and "objectId" in kinds_of(properties.get("id", {})):
        properties["_id"] = properties.pop("id")
        schema = {**schema, "required": [name for name in schema.get("required", ()) if name != "id"]}
    if "null" in kinds_of(properties.get("_id", {})):
        kinds = [kind for kind in kinds_of(properties["_id"]) if kind != "null"]
        properties["_id"] = {**properties["_id"], "bsonType": kinds[0] if len(kinds) == 1 else kinds}
    if schema.get("additionalProperties", True) is not True:
        properties.setdefault("_id", {})
    required = [name for name in schema.get("required", ()) if name != "_id"]
    left = {key: value for key, value in schema.items() if key not in ("properties", "required")}
    return {**left, **({"required": required} if required else {}), **({"properties": properties} if properties else {})}
