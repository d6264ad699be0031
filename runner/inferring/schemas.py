"""A ``$jsonSchema`` from the shape of documents: what all that were read have in common, and nothing that is only likely.

The one guess is a list of allowed texts, where few texts recur often: each is there at least :data:`RECURS` times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.inferring.shapes import Shape

#: How often each text has to be there for a list of allowed ones, and how many such texts a list may have.
RECURS = 5
ALLOWED = 10
#: Texts longer than this are prose and no word of a list.
WORD = 40


def schema_of(shape: Shape) -> dict[str, Any]:
    """The schema that every value of a shape satisfies."""
    types = sorted(shape.types)
    schema: dict[str, Any] = {"bsonType": types[0] if len(types) == 1 else types} if types else {}
    if "object" in shape.types and not shape.is_map:
        schema |= _of_object(shape)
    if shape.elements is not None and shape.elements.count:
        schema["items"] = schema_of(shape.elements)
    if types == ["string"] and (allowed := allowed_texts(shape)):
        schema["enum"] = allowed
    return schema


def _of_object(shape: Shape) -> dict[str, Any]:
    said = {name: field for name, field in shape.fields.items() if can_be_said(name)}
    required = sorted(name for name, field in said.items() if field.count == shape.types["object"])
    described: dict[str, Any] = {"required": required} if required else {}
    properties = {name: schema_of(field) for name, field in said.items()}
    return described | ({"properties": properties} if properties else {})


def can_be_said(name: str) -> bool:
    """Whether a schema reaches a field of this name: dots are read as a path, and a dollar as an operator."""
    return bool(name) and "." not in name and not name.startswith("$")


def allowed_texts(shape: Shape) -> list[str]:
    """The texts of a shape where they look like a list of allowed ones, else nothing."""
    texts: Mapping[str, int] = shape.texts or {}
    few = 2 <= len(texts) <= ALLOWED and all(len(text) <= WORD for text in texts)
    return sorted(texts) if few and min(texts.values()) >= RECURS else []


def notes_of(shape: Shape, where: str = "") -> Iterator[tuple[str, str]]:
    """What a person should look over: the place, and why."""
    if shape.is_map:
        yield where, "its fields look like keys of a map: they are not listed"
    if allowed := allowed_texts(shape) if set(shape.types) == {"string"} else []:
        yield where, f"a guess: {len(allowed)} texts in {shape.count} values"
    several = sorted(set(shape.types) - {"null"})
    if len(several) > 1:
        counts: Mapping[str, int] = shape.types
        yield where, ", ".join(f"{counts[name]} {name}" for name in several)
    for name, field in shape.fields.items():
        if not can_be_said(name):
            yield f"{where}.{name}" if where else name, "a schema does not reach a field of this name"
            continue
        yield from notes_of(field, f"{where}.{name}" if where else name)
    if shape.elements is not None:
        yield from notes_of(shape.elements, f"{where}[]")
