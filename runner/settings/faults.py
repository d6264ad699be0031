"""Everything that is wrong in one settings document, as faults: what pydantic refuses, then what contradicts itself."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runner.settings.contradictions import contradictions
from runner.settings.model import TOOLS, Settings
from runner.settings.wording import Fault, KeyPath, did_you_mean, shorten

#: What a word stands for, by the key that it is the value of.
_NOUNS = {
    "tool": "a migration tool",
    "engine": "a database engine that dbproof knows",
    "category": "a category of queries",
    "transaction": "a transaction mode",
    "fail_on": "a severity to fail on",
    "selftest": "an extent of the self-proof",
    "format": "a format of rows",
    "severity": "a severity",
}

_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "dict_type": "a table",
    "mapping_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "date_type": "a date such as 2027-06-30, without quotes and time",
}


def settings_from(document: Mapping[str, object]) -> tuple[Settings | None, list[Fault]]:
    """The settings of a document, or ``None`` with every fault of it."""
    try:
        return Settings.model_validate(_with_tuples(document)), list(contradictions(document))
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_context=True)
        return None, [*map(_fault, errors), *contradictions(document)]


def _with_tuples(value: object) -> object:
    """TOML's arrays as tuples, which strict validation wants."""
    if isinstance(value, Mapping):
        return {key: _with_tuples(part) for key, part in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


def _fault(error: ErrorDetails) -> Fault:
    path = error["loc"]
    if path[-1] == "[key]" and error["type"] == "value_error":  # so pydantic says that the key itself is wrong
        path = path[:-1]
    return Fault(path, _sentence(error, path))


def _sentence(error: ErrorDetails, path: KeyPath) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"unknown key{did_you_mean(str(path[-1]), _keys(path[:-1]))}"
    if kind == "missing":
        return "is missing" if path[-1] != "tool" else f"is missing{did_you_mean('', TOOLS)}"
    if kind in ("literal_error", "enum"):
        return _not_a_word(error, path)
    if kind == "value_error":
        return str(error.get("ctx", {}).get("error", error["msg"]))
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {_found(error['input'], quotable=kind == 'string_type')}"
    return error["msg"]


def _not_a_word(error: ErrorDetails, path: KeyPath) -> str:
    words = re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", "")))
    given = error["input"]
    if not isinstance(given, str):
        return f"expected {_one_of(words)}, found {_found(given)}"
    # "severity.unindexed-foreign-key": the word is a severity, whatever its key is called.
    noun = _NOUNS.get(str(path[-1]), _NOUNS["severity"])
    return f"'{shorten(given)}' is not {noun}{did_you_mean(given, words)}"


def _one_of(words: list[str]) -> str:
    return " or ".join(f"'{word}'" for word in words)


def _found(value: object, quotable: bool = False) -> str:
    """The kind of a value. The value itself may be a secret and is never said."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number; put it in quotes" if quotable else "a number"
    kinds: tuple[tuple[type | types.UnionType, str], ...] = ((str, "text"), (Mapping, "a table"), (list | tuple, "a list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "a date or time")


def _keys(path: KeyPath) -> Collection[str]:
    """The keys that are known at a place, found by walking the model."""
    kind: Any = Settings
    for part in path:
        section = isinstance(kind, type) and issubclass(kind, BaseModel)
        inner = get_args(kind)
        kind = _plain(kind.model_fields[part].annotation if section else inner[0 if isinstance(part, int) else 1])
    return tuple(kind.model_fields)


def _plain(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """The type within ``Annotated[…]`` or ``… | None``."""
    if get_origin(annotation) in (Annotated, Union, types.UnionType):
        return _plain(get_args(annotation)[0])
    return annotation


def unknown_checks(document: Mapping[str, object], known: Callable[[], Collection[str]]) -> Iterator[Fault]:
    """A fault for each id under ``severity`` and in ``allow`` that no check has; ``known`` is asked only where there are any."""
    named = list(_named_checks(document))
    ids = known() if named else ()
    for path, name in named:
        if name not in ids:
            yield Fault(path, f"no such check{did_you_mean(name, ids)}")


def _named_checks(document: Mapping[str, object]) -> Iterator[tuple[KeyPath, str]]:
    severity, allows = document.get("severity"), document.get("allow")
    for name in severity if isinstance(severity, Mapping) else ():
        yield ("severity", str(name)), str(name)
    for number, allow in enumerate(allows if isinstance(allows, list | tuple) else ()):
        if isinstance(allow, Mapping) and isinstance(allow.get("check"), str):
            yield ("allow", number, "check"), allow["check"]
