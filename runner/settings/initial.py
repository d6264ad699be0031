"""The first settings file: what was detected is filled in, every other key stands there as a comment with its sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path

from pydantic.fields import FieldInfo

from runner.errors import UsageError
from runner.settings.detect import DATABASE, detect
from runner.settings.files import OWN_FILE, check_root, find
from runner.settings.model import (
    DatabaseSettings,
    DataSettings,
    ExpectSettings,
    MigrationSettings,
    QuerySettings,
    Section,
    Settings,
)
from runner.settings.services import WantedImage
from runner.settings.services import find as find_server
from runner.settings.wording import BARE_KEY

Values = Mapping[str, object]
Reasons = Mapping[str, str]

#: The name that the example of a declared query has.
QUERY = "open_orders"


def write(root: Path, force: bool = False) -> Path:
    """Write dbproof.toml at the root and say where. Raises UsageError where settings stand already, unless ``force``."""
    target = root / OWN_FILE
    check_root(root)
    if not force:
        if target.exists() or target.is_symlink():
            raise UsageError(f"{target}: exists already", "Edit it, or let --force write it anew.")
        if find(root, None) is not None:
            raise UsageError(f"{root / 'pyproject.toml'}: [tool.dbproof] holds the settings already", "Edit them there.")
    try:
        target.write_text(text(root), encoding="utf-8")
    except OSError as refused:
        raise UsageError(f"{target}: cannot be written: {refused.strerror}") from None
    return target


def text(root: Path) -> str:
    """The commented dbproof.toml for a repository. Whatever was detected it loads without a fault."""
    detection, server = detect(root), find_server(root).wanted
    likely = detection.sure or (detection.suggestions[0] if len(detection.suggestions) == 1 else None)
    found = _facts(likely.settings) if likely else {}
    because = {"tool": f"read in {likely.because}" + ("" if detection.sure else "; a guess, please look")} if likely else {}
    return "\n".join(_lines(found, because, server)) + "\n"


def _lines(found: Values, because: Reasons, server: WantedImage | None) -> Iterator[str]:
    yield "# What dbproof is told about this repository. Every key is optional; a line that is a comment shows an example."
    yield ""
    yield from _section(Settings, {})
    yield from _table(f"databases.{DATABASE}", DatabaseSettings, *_server(server))
    yield from _table(f"databases.{DATABASE}.migrations", MigrationSettings, found, because, out=not found)
    yield from _table(f"databases.{DATABASE}.data", DataSettings, {})
    yield from _table(f"databases.{DATABASE}.expect", ExpectSettings, {})
    yield from _table(f"databases.{DATABASE}.queries.{QUERY}", QuerySettings, {}, out=True)


def _server(server: WantedImage | None) -> tuple[Values, Reasons]:
    if server is None:
        return {}, {}
    key = "image" if server.extensions or server.version is None else "version"
    return {key: server.image if key == "image" else server.version}, {key: f"read in {server.place}: {server.image}"}


def _facts(section: Section) -> Values:
    """What differs from the defaults, as TOML says it. Durations are left out: they are numbers by now."""
    return {name: value for name, value in section.model_dump(exclude_defaults=True).items() if not isinstance(value, float)}


def _table(
    header: str, section: type[Section], values: Values, reasons: Reasons | None = None, out: bool = False
) -> Iterator[str]:
    yield ""
    yield f"# {' '.join((section.__doc__ or '').split())}"
    yield f"{'# ' if out else ''}[{header}]"
    yield from _section(section, values, reasons)


def _section(section: type[Section], values: Values, reasons: Reasons | None = None) -> Iterator[str]:
    for name, field in section.model_fields.items():
        if _is_table(field):
            continue
        yield f"# {field.description}"
        if name in values:
            reason = (reasons or {}).get(name)
            yield f"{name} = {toml(values[name])}" + (f"  # {_comment(reason)}" if reason else "")
        else:
            yield f"# {name} = {toml((field.examples or [''])[0])}"


def _is_table(field: FieldInfo) -> bool:
    """Whether a field is a section of its own and has no example in one line."""
    return not field.examples


def toml(value: object) -> str:
    """A value in one line of TOML."""
    if isinstance(value, Enum):
        return toml(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(str(key))} = {toml(part)}" for key, part in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return _text(value) if isinstance(value, str) else str(value)


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped; half a surrogate pair is no text at all.
    printable = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(printable, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text.encode("utf-8", "replace").decode())
