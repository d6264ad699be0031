"""What single settings may say: durations, names, templates, and the section that every table of the file is made from."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", re.ASCII)
_NO_TIME = re.compile(r"\s*0+\s*(ms|s|m|h|d)\s*", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(KB|MB)\s*", re.ASCII)
_BYTES = {"KB": 1_024, "MB": 1_048_576}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VERSION = re.compile(r"[1-9][0-9]*(\.[0-9]+)*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: What stands in braces in a template, and the names that may: everything else in braces (JSON, ``{{url}}``) is left alone.
PLACEHOLDER = re.compile(r"(?<!\{)\{(?P<name>[A-Za-z_]+)(?::(?P<driver>[^{}\s]*))?\}(?!\})")
_ESCAPED = re.compile(r"\{\{[A-Za-z_]+(?::[^{}\s]*)?\}\}")
PLACEHOLDERS = ("url", "host", "port", "user", "password", "database")

#: What stands in braces in a command that deletes a document: one of those names, or a field of the document.
FIELD = re.compile(r"""(?<!\{)\{(?P<name>[^\s{}:"',]+)(?::[^{}\s]*)?\}(?!\})""")

#: PostgreSQL keeps 63 bytes of a name, and the owner of database ``shop`` is the role ``shop_owner``.
LONGEST_NAME = 63 - len("_owner")

#: Databases that every server has.
TAKEN = frozenset({"postgres", "template0", "template1"})


def seconds(text: object) -> float:
    """Read a duration with a unit (``200ms``, ``1.5s``, ``10m``, ``1h``, ``30d``) into seconds; raises ValueError."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or not (length := float(found[1]) * _SECONDS[found[2]]):
        raise ValueError("expected a duration with a unit, such as '200ms', '30s', '10m'")
    return length


def _lapse(text: object) -> float:
    """A duration that may be none at all: a document that expires at its date expires after 0 s."""
    return 0.0 if isinstance(text, str) and _NO_TIME.fullmatch(text) else seconds(text)


def size(text: object) -> int:
    """Read a size with a unit (``500KB``, ``1MB``, ``1.5MB``) into bytes, a KB being 1 024; raises ValueError."""
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if found is None or not (length := round(float(found[1]) * _BYTES[found[2]])):
        raise ValueError("expected a size with a unit, such as '500KB', '1MB'")
    return length


def database_name(name: str) -> str:
    """The name of a database as the settings take it; raises ValueError."""
    if not _IDENTIFIER.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ValueError(
            f"not a name for a database; expected letters, digits and underscores, no digit first, at most {LONGEST_NAME}"
        )
    if name in TAKEN:
        raise ValueError("every server has a database of that name already; choose another")
    return name


def _variable_name(name: str) -> str:
    # The wrong value is not repeated: it may be the address itself, with its password.
    if not _VARIABLE.fullmatch(name):
        raise ValueError("expected the name of an environment variable, such as 'DATABASE_URL'")
    return name


def _server_version(version: str) -> str:
    if not _VERSION.fullmatch(version):
        raise ValueError("expected a version such as '16' or '16.4'")
    return version


def filled(text: str) -> str:
    """The same text; raises ValueError where it is empty or cannot be sent anywhere."""
    if not text.strip() or "\0" in text:
        raise ValueError("is empty" if not text.strip() else "holds a NUL character")
    return text


def _template(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    for found in PLACEHOLDER.finditer(_ESCAPED.sub("", text)):
        with_driver = found["driver"] is not None
        if found["name"] not in PLACEHOLDERS or (with_driver and (found["name"] != "url" or not found["driver"])):
            known = ", ".join(("{url}", "{url:DRIVER}", *(f"{{{name}}}" for name in PLACEHOLDERS[1:])))
            raise ValueError(f"'{found[0]}' is not a placeholder; there are: {known}")
    return text


def _deleting(text: str) -> str:
    if not any(found["name"] not in PLACEHOLDERS for found in FIELD.finditer(text)):
        raise ValueError("expected a field of the document in braces, such as 'python delete_company.py {company_name}'")
    return text


def _object(given: object) -> object:
    """A table, or the same as Extended JSON in a text."""
    if isinstance(given, Mapping) and given:
        return given
    if isinstance(given, str) and isinstance(_extended_json(given), dict):
        return given
    raise ValueError("expected a table, or an object as Extended JSON in quotes")


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """TOML's values as a server has them: the settings keep lists as tuples."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def _schema(given: object) -> object:
    """The path of a file, or a schema as a table."""
    if (isinstance(given, str) and given.strip() and "\0" not in given) or (isinstance(given, Mapping) and given):
        return given
    raise ValueError("expected the path of a file, or a table")


def _pipeline(text: str) -> str:
    stages = _extended_json(text)
    if not isinstance(stages, list) or not stages or not all(isinstance(stage, dict) for stage in stages):
        raise ValueError('expected a list of stages as Extended JSON, such as \'[{"$match": {"status": "active"}}]\'')
    return text


def _extended_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as wrong:
        raise ValueError(f"is no JSON: {wrong}") from None


def index_key(text: str) -> tuple[str, int | str]:
    """Read a field of an index (``-created_at`` is ``("created_at", -1)``); raises ValueError."""
    found = _KEY.fullmatch(text)
    if found is None or (found["down"] and found["kind"]):
        raise ValueError(
            "expected a field, such as 'created_at', '-created_at' for the other direction, or 'place 2dsphere' for another kind"
        )
    return found["field"], found["kind"] or (-1 if found["down"] else 1)


def some(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The same keys; raises ValueError where there is none."""
    if not keys:
        raise ValueError("is empty")
    return keys


def _count(number: int) -> int:
    if number < 1:
        raise ValueError("expected a whole number from 1 on")
    return number


def _times(number: float) -> float:
    if not 1 <= number < math.inf:
        raise ValueError("expected a number from 1 on")
    return number


def _sort_key(text: str) -> str:
    if not isinstance(index_key(text)[1], int):
        raise ValueError("expected a field, such as 'created_at', or '-created_at' for the other direction")
    return text


def _index_key(text: str) -> str:
    index_key(text)
    return text


#: A field of an index: its direction, its name, and its kind where it is no ordinary one.
_KEY = re.compile(r"(?P<down>-?)(?P<field>[^\s\0]+)(?:\s+(?P<kind>text|2d|2dsphere|hashed))?")

Size = Annotated[int, BeforeValidator(size)]
Duration = Annotated[float, BeforeValidator(seconds)]
Lapse = Annotated[float, BeforeValidator(_lapse)]
Text = Annotated[str, AfterValidator(filled)]
Texts = tuple[Text, ...]
Schema = Annotated[Any, AfterValidator(_schema)]
Object = Annotated[Any, AfterValidator(_object)]
Pipeline = Annotated[str, AfterValidator(_pipeline)]
Count = Annotated[int, AfterValidator(_count)]
Times = Annotated[float, AfterValidator(_times)]
SortKey = Annotated[str, AfterValidator(_sort_key)]
IndexKey = Annotated[str, AfterValidator(_index_key)]
Template = Annotated[str, AfterValidator(_template)]
Command = Annotated[Text, AfterValidator(_template)]
DeleteCommand = Annotated[Text, AfterValidator(_deleting)]
DatabaseName = Annotated[str, AfterValidator(database_name)]
VariableName = Annotated[str, AfterValidator(_variable_name)]
Version = Annotated[str, AfterValidator(_server_version)]

#: TOML has no enumerations: only here is text taken for something else.
WORD = Field(strict=False)


def setting(default: object, says: str, *examples: object) -> Any:  # noqa: ANN401 - what pydantic's own Field gives
    """A field with its example, and a second one for a document database where the first makes no sense there."""
    if isinstance(default, dict):
        return Field(default_factory=dict, description=says, examples=list(examples))
    return Field(default, description=says, examples=list(examples))


class Section(BaseModel):
    """A table of the settings file: frozen, no unknown keys, no coercion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
