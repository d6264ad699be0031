"""Files of JSON and YAML with the line of every key, in which no key stands twice.

YAML is read as its version 1.2 means it: ``yes``, ``off`` and ``2024-01-01`` are texts there, as they are in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

#: How the files end that are read as YAML; everything else is JSON.
YAML_ENDINGS = (".yaml", ".yml")

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Structure:
    """What a file holds, in BSON's own types, and at which line (from 1) each key and each element of a list stands."""

    content: Any
    lines: Mapping[Keys, int] = field(default_factory=dict, hash=False)

    def line(self, *keys: str) -> int | None:
        """The line of a key, else of the nearest one above it that is known."""
        return next((self.lines[keys[:length]] for length in range(len(keys), 0, -1) if keys[:length] in self.lines), None)


class Unreadable(ValueError):
    """A text that is no JSON or YAML, and the line where it stops being that."""

    def __init__(self, said: str, line: int | None = None) -> None:
        super().__init__(said)
        self.line = line


def read(text: str, name: str) -> Structure:
    """The structure of a text, read by how its file's name ends; Extended JSON (``{"$date": …}``) is taken in both.

    Raises Unreadable.
    """
    try:
        content, lines = _yaml(text) if name.endswith(YAML_ENDINGS) else _json(text)
        plain = json.dumps(content, ensure_ascii=False)
        found = extended_json(plain)
        _hold_storable(found)
        return Structure(found, lines)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except Unreadable:
        raise
    except (ValueError, TypeError, OverflowError) as wrong:
        raise Unreadable(f"holds a value that cannot be stored: {wrong}") from None


def _hold_storable(content: object) -> None:
    """Raise ValueError or OverflowError for what BSON has not: half a surrogate pair, a whole number of more than 8 bytes."""
    from bson import encode
    from bson.errors import BSONError

    try:
        encode({"content": content})
    except BSONError as wrong:
        raise ValueError(str(wrong)) from None


def extended_json(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A text of Extended JSON (``{"$date": …}``, ``{"$oid": …}``) as BSON's own types; raises ValueError."""
    from bson import json_util
    from bson.errors import InvalidId

    try:
        return json_util.loads(text)
    except (InvalidId, TypeError) as wrong:
        raise ValueError(str(wrong)) from None


def _json(text: str) -> tuple[object, Mapping[Keys, int]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as wrong:
        raise Unreadable(f"not JSON: {wrong.msg}", wrong.lineno) from None
    return content, dict(_lines_of_json(text))


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|\n')


@dataclass
class _Open:
    """An object or a list that is open; ``keys`` are those that an object has had, ``expects`` that a key comes next."""

    keys: dict[str, int] | None
    last: str = "0"
    expects: bool = True


def _lines_of_json(text: str) -> Iterator[tuple[Keys, int]]:
    """The line of each key and element of a text that is JSON. Raises Unreadable for a key that stands twice."""
    line, stack = 1, list[_Open]()
    for found in _TOKEN.finditer(text):
        sign = found[0]
        if sign == "\n":
            line += 1
        elif sign in "{[":
            if stack and stack[-1].keys is None:
                yield tuple(one.last for one in stack), line
            stack.append(_Open({} if sign == "{" else None))
        elif sign in "}]":
            stack.pop()
        elif sign == ",":
            stack[-1].expects = True
            if stack[-1].keys is None:
                stack[-1].last = str(int(stack[-1].last) + 1)
        elif stack and stack[-1].keys is not None and stack[-1].expects:
            yield _key(stack, json.loads(sign), line), line
        elif stack and stack[-1].keys is None:
            yield tuple(one.last for one in stack), line


def _key(stack: list[_Open], name: str, line: int) -> Keys:
    top = stack[-1]
    if top.keys is None:
        raise AssertionError("a list has no keys")
    if name in top.keys:
        raise Unreadable(f"'{name}' stands there twice, first in line {top.keys[name]}", line)
    top.keys[name], top.last, top.expects = line, name, False
    return tuple(one.last for one in stack)


def _yaml(text: str) -> tuple[object, Mapping[Keys, int]]:
    """Read by the library's fast parser where it has one; what that refuses is said in the words of the other."""
    import yaml

    if yaml.__with_libyaml__:
        with suppress(yaml.YAMLError):
            return _loaded(text, fast=True)
    try:
        return _loaded(text, fast=False)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        said = ", ".join(filter(None, (wrong.context, wrong.problem)))
        raise Unreadable(f"not YAML: {said}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as wrong:
        raise Unreadable(f"not YAML: {' '.join(str(wrong).split())}") from None


def _loaded(text: str, *, fast: bool) -> tuple[object, Mapping[Keys, int]]:
    loader = _core(fast)(text)
    node = loader.get_single_node()
    return (None, {}) if node is None else (loader.construct_document(node), dict(_lines_of_yaml(node)))


#: How deep the lines of YAML are kept: collection, part, name and what stands below it.
_DEPTH = 5


def _lines_of_yaml(node: yaml.Node, keys: Keys = ()) -> Iterator[tuple[Keys, int]]:
    import yaml

    if len(keys) >= _DEPTH:
        return
    pairs: list[tuple[str, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        pairs = [(key.value, key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]
    elif isinstance(node, yaml.SequenceNode):
        pairs = [(str(number), value, value) for number, value in enumerate(node.value)]
    for name, at, value in pairs:
        yield (*keys, name), at.start_mark.line + 1
        yield from _lines_of_yaml(value, (*keys, name))


#: The values that YAML 1.2 tells from texts (its core schema), each with the characters that one begins with.
_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)", "-+.0123456789"),
    ("float", r"\.(?:nan|NaN|NAN)", "."),
    ("merge", r"<<", "<"),
)


@lru_cache(maxsize=2)
def _core(fast: bool) -> Any:  # noqa: ANN401 - two classes of the library's that have none above both
    """A loader of plain values only, in which a key is a text and stands once. Made late, for it needs the library."""
    import yaml

    base: Any = yaml.CSafeLoader if fast else yaml.SafeLoader

    class Core(base):  # type: ignore[misc]  # as above
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the library's own way to have others than its class above

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            _hold_keys(node)
            found: dict[Any, Any] = super().construct_mapping(node, deep)
            return found

    for tag, pattern, first in _SCALARS:
        Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))
    return Core


def _hold_keys(node: yaml.MappingNode) -> None:
    from yaml.constructor import ConstructorError

    met: dict[str, int] = {}
    for key, _ in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        if key.tag != "tag:yaml.org,2002:str":
            raise ConstructorError(None, None, "expected a text as key; put it in quotes", key.start_mark)
        if key.value in met:
            said = f"'{key.value}' stands there twice, first in line {met[key.value]}"
            raise ConstructorError(None, None, said, key.start_mark)
        met[key.value] = key.start_mark.line + 1
