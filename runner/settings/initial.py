"""The first settings file: what was detected is filled in, every other key stands there as a comment with its sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pydantic.fields import FieldInfo

from checks.interface import Engine
from runner.errors import UsageError
from runner.settings.allows import AllowSettings
from runner.settings.data import DataSettings
from runner.settings.detect import DATABASE, ROWS, detect
from runner.settings.detect import engine as engine_of
from runner.settings.engines import DOCUMENTS, Keys, belongs
from runner.settings.expected import ExpectSettings, QuerySettings
from runner.settings.files import OWN_FILE, check_root, find
from runner.settings.fixing import FixSettings
from runner.settings.limits import LimitsSettings
from runner.settings.model import DatabaseSettings, MigrationSettings, Settings
from runner.settings.services import WantedImage
from runner.settings.services import find as find_server
from runner.settings.tenancy import TenancySettings
from runner.settings.values import Section
from runner.settings.wording import BARE_KEY

Values = Mapping[str, object]
Reasons = Mapping[str, str]

#: The name that the example of a declared query has, and that of a collection.
QUERY = "open_orders"
_NAMES = {"queries": QUERY, "fix": "companies"}


def write(root: Path, force: bool = False) -> Path:
    """Write dbproof.toml at the root and say where. Raises UsageError where settings stand already, unless ``force``."""
    target = root / OWN_FILE
    check_free(root, force)
    try:
        target.write_text(text(root), encoding="utf-8")
    except OSError as refused:
        raise UsageError(f"{target}: cannot be written: {refused.strerror}") from None
    return target


def check_free(root: Path, force: bool, *beside: str) -> None:
    """Raise UsageError where settings stand at the root already, or a file of those ``beside``, unless ``force``."""
    check_root(root)
    if force:
        return
    for name in (OWN_FILE, *beside):
        target = root / name
        if target.exists() or target.is_symlink():
            raise UsageError(f"{target}: exists already", "Edit it, or let --force write it anew.")
    if find(root, None) is not None:
        raise UsageError(f"{root / 'pyproject.toml'}: [tool.dbproof] holds the settings already", "Edit them there.")


def text(root: Path) -> str:
    """The commented dbproof.toml for a repository. Whatever was detected it loads without a fault."""
    detection = detect(root)
    likely = detection.sure or (detection.suggestions[0] if len(detection.suggestions) == 1 else None)
    found = _facts(likely.settings) if likely else {}
    because = {"tool": f"read in {likely.because}" + ("" if detection.sure else "; a guess, please look")} if likely else {}
    engine = engine_of(root, likely) if likely else Engine.POSTGRESQL
    return "\n".join(_lines(found, because, engine, find_server(root, engine).wanted)) + "\n"


def _lines(found: Values, because: Reasons, engine: Engine, server: WantedImage | None) -> Iterator[str]:
    yield "# What dbproof is told about this repository. Every key is optional; a line that is a comment shows an example."
    yield ""
    yield from _section(Settings, _Shown(engine))
    yield from _table(DatabaseSettings, _Shown(engine, (), *_server(engine, server)))
    yield from _table(MigrationSettings, _Shown(engine, ("migrations",), found, because), out=not found)
    yield from _table(DataSettings, _Shown(engine, ("data",), {"rows": ROWS}))
    yield from _table(ExpectSettings, _Shown(engine, ("expect",)))
    if belongs(("tenancy",), engine):
        yield from _table(TenancySettings, _Shown(engine, ("tenancy",)), out=True)
    yield from _table(QuerySettings, _Shown(engine, ("queries", "*")), out=True)
    yield from _table(LimitsSettings, _Shown(engine, ("limits",)), out=True)
    if belongs(("fix",), engine):
        yield from _table(FixSettings, _Shown(engine, ("fix", "*")), out=True)
    yield ""
    yield f"# {AllowSettings.__doc__}"
    yield "# [[allow]]"
    yield from _section(AllowSettings, _Shown(engine))


@dataclass(frozen=True)
class _Shown:
    """A table of the file: where it stands below the database, what is filled in, and why."""

    engine: Engine
    keys: Keys = ()
    values: Values = field(default_factory=dict)
    reasons: Reasons = field(default_factory=dict)

    @property
    def header(self) -> str:
        return ".".join(("databases", DATABASE, *(_NAMES[self.keys[0]] if key == "*" else key for key in self.keys)))


def _server(engine: Engine, server: WantedImage | None) -> tuple[Values, Reasons]:
    named: Values = {} if engine is Engine.POSTGRESQL else {"engine": engine}
    if server is None:
        return named, {}
    key = "image" if server.extensions or server.version is None else "version"
    said = server.image if key == "image" else server.version
    return {**named, key: said}, {key: f"read in {server.place}: {server.image}"}


def _facts(section: Section) -> Values:
    """What differs from the defaults, as TOML says it. Durations are left out: they are numbers by now."""
    return {name: value for name, value in section.model_dump(exclude_defaults=True).items() if not isinstance(value, float)}


def _table(section: type[Section], shown: _Shown, out: bool = False) -> Iterator[str]:
    yield ""
    yield f"# {' '.join((section.__doc__ or '').split())}"
    yield f"{'# ' if out else ''}[{shown.header}]"
    yield from _section(section, shown)


def _section(section: type[Section], shown: _Shown) -> Iterator[str]:
    for name, one in section.model_fields.items():
        if _is_table(one) or not belongs((*shown.keys, name), shown.engine):
            continue
        yield f"# {one.description}"
        if name in shown.values:
            reason = shown.reasons.get(name)
            yield f"{name} = {toml(shown.values[name])}" + (f"  # {_comment(reason)}" if reason else "")
        else:
            yield f"# {name} = {toml(_example(one, shown.engine))}"


def _example(one: FieldInfo, engine: Engine) -> object:
    examples = one.examples or [""]
    return examples[-1] if engine in DOCUMENTS else examples[0]


def _is_table(one: FieldInfo) -> bool:
    """Whether a field is a section of its own and has no example in one line."""
    return not one.examples


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
    if '"' in printable and "'" not in printable and printable.isprintable():
        return f"'{printable}'"
    return json.dumps(printable, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text.encode("utf-8", "replace").decode())
