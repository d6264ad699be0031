"""What the values at each place of a collection's documents are: types, fields, elements, and the few texts that recur.

Documents are read one by one and forgotten, so that memory depends on how many different fields there are, and that is bounded.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

#: Above so many different names an object's fields are taken for keys of a map, which no schema lists.
FIELDS = 200
#: Above so many different texts a field's texts are not counted any more.
TEXTS = 20
#: Below so many levels nothing is looked at.
DEPTH = 12


class Shape:
    """The values at one place. ``count`` is how many there are, null among them; a place that is missing has no value.

    ``fields`` are those of its objects, or nothing where they are keys of a map (``is_map``); ``elements`` are those of its
    arrays. ``texts`` counts its texts while they are few, and is ``None`` from then on.
    """

    def __init__(self, depth: int = 0) -> None:
        self.count = 0
        self.types: Counter[str] = Counter()
        self.fields: dict[str, Shape] = {}
        self.elements: Shape | None = None
        self.texts: Counter[str] | None = Counter()
        self.is_map = False
        self._depth = depth

    def add(self, value: Any) -> None:  # noqa: ANN401 - any value of a document
        """Take one value in."""
        kind = type_of(value)
        self.count += 1
        self.types[kind] += 1
        if kind == "object":
            self._add_fields(value)
        elif kind == "array":
            self._add_elements(value)
        elif kind == "string" and self.texts is not None:
            self.texts[value] += 1
            if len(self.texts) > TEXTS:
                self.texts = None

    def _add_fields(self, value: Mapping[str, Any]) -> None:
        if self.is_map or self._depth >= DEPTH:
            return
        for name, inner in (value if isinstance(value, Mapping) else value.as_doc()).items():
            self.fields.setdefault(name, Shape(self._depth + 1)).add(inner)
        if len(self.fields) > FIELDS:
            self.is_map, self.fields = True, {}

    def _add_elements(self, value: list[Any]) -> None:
        self.elements = self.elements or Shape(self._depth + 1)
        for inner in value:
            self.elements.add(inner)


def type_of(value: Any) -> str:  # noqa: ANN401 - any value of a document
    """The name by which ``$jsonSchema`` knows the type of a value as the driver gives it (manual, "BSON Types")."""
    known = _types()
    exact = known.get(type(value))
    return exact or next((name for kind, name in known.items() if isinstance(value, kind)), "undefined")


@cache
def _types() -> Mapping[type, str]:
    """Types by their names; what is derived from another stands before it."""
    from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

    return {
        bool: "bool",
        Int64: "long",
        int: "int",
        Code: "javascript",
        str: "string",
        float: "double",
        ObjectId: "objectId",
        datetime.datetime: "date",
        DatetimeMS: "date",
        dict: "object",
        DBRef: "object",
        list: "array",
        type(None): "null",
        Decimal128: "decimal",
        Binary: "binData",
        bytes: "binData",
        uuid.UUID: "binData",
        Regex: "regex",
        re.Pattern: "regex",
        Timestamp: "timestamp",
        MinKey: "minKey",
        MaxKey: "maxKey",
    }
