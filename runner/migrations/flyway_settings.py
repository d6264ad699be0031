"""What ``flyway.toml``, ``flyway.conf`` and the settings' ``env`` say: where the files lie, and what is put into them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import ToolFailed, UsageError
from runner.migrations.interface import Project

FILES = ("flyway.toml", "flyway.conf", "conf/flyway.toml", "conf/flyway.conf")
#: Where Java projects have what Flyway calls ``classpath:``.
_CLASSPATH = ("src/main/resources", "resources", ".")
_VARIABLE = "flyway_placeholders_"
#: Keys that change how files are read or applied, with the only value that is understood here.
_USUAL = {
    "sqlmigrationprefix": "V",
    "repeatablesqlmigrationprefix": "R",
    "baselinemigrationprefix": "B",
    "sqlmigrationseparator": "__",
    "sqlmigrationsuffixes": ".sql",
    "target": "latest",
    "initsql": "",
    "cherrypick": "",
}


@dataclass(frozen=True)
class Flyway:
    """``keys`` are all settings, in lower case; ``placeholders`` go by names in lower case, as Flyway's do."""

    keys: Mapping[str, str]
    placeholders: Mapping[str, str]
    locations: tuple[Path, ...]

    def says(self, key: str, default: str = "") -> str:
        """A setting's value."""
        return self.keys.get(key.lower(), default)

    def replaced(self, text: str, name: str, more: Mapping[str, str]) -> str:
        """A text with its placeholders replaced, wherever they stand. Raises UsageError where one has no value."""
        if self.says("placeholderReplacement", "true").lower() == "false":
            return text
        start, end = self.says("placeholderPrefix", "${"), self.says("placeholderSuffix", "}")

        def value(found: re.Match[str]) -> str:
            word = found[1].lower()
            if word in self.placeholders or word in more:
                return self.placeholders.get(word, more.get(word, ""))
            line = text.count("\n", 0, found.start()) + 1
            raise UsageError(
                f"{name}:{line}: no value provided for Flyway's placeholder {found[0]}",
                f'Give it in migrations.env: {{ FLYWAY_PLACEHOLDERS_{found[1].upper()} = "…" }}.',
            )

        return re.sub(f"{re.escape(start)}(.+?){re.escape(end)}", value, text)


def read(project: Project) -> Flyway:
    """The settings of a project. Raises UsageError where a file is not to be had, ToolFailed for what is not understood here."""
    named = project.settings.config
    usual = [file for name in FILES if (file := project.directory / name).is_file()]
    path = next(iter(usual), None) if named is None else project.root / named
    if path is not None and not path.is_file():
        raise UsageError(f"migrations.config: there is no file {named}", "Paths start at the root.")
    keys = dict(_keys(path, project)) if path is not None else {}
    for key, value in _USUAL.items():
        if keys.get(key, value) != value:
            raise ToolFailed(
                f"{project.relative(path) if path else ''}: flyway.{key} = '{keys[key]}' is not understood here",
                'Set migrations.tool to "command" and migrations.command to your call of Flyway.',
            )
    named_here = {key.removeprefix("placeholders."): value for key, value in keys.items() if key.startswith("placeholders.")}
    variables = {name.lower(): value for name, value in project.settings.env.items()}
    given = {name.removeprefix(_VARIABLE): value for name, value in variables.items() if name.startswith(_VARIABLE)}
    return Flyway(keys, {**named_here, **given}, tuple(_locations(project, keys.get("locations", ""))))


def _keys(path: Path, project: Project) -> Iterator[tuple[str, str]]:
    text = path.read_text("utf-8", "replace")
    if path.suffix != ".toml":
        for line in text.replace("\\\n", "").splitlines():
            key, equals, value = line.partition("=")
            if equals and not key.lstrip().startswith("#"):
                yield key.strip().lower().removeprefix("flyway."), value.strip()
        return
    try:
        table = tomllib.loads(text).get("flyway", {})
    except tomllib.TOMLDecodeError as wrong:
        raise UsageError(f"{project.relative(path)}: {wrong}", "Correct the file, which Flyway cannot read either.") from None
    yield from _flat(table, "")


def _flat(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        yield key.lower(), ",".join(map(str, value))
    else:
        yield key.lower(), str(value).lower() if isinstance(value, bool) else str(value)


def _locations(project: Project, listed: str) -> Iterator[Path]:
    """The folders; without settings the folder itself, or those that Flyway and Spring look into."""
    words = [word.strip() for word in listed.split(",") if word.strip()]
    if not words:
        usual = (*(f"{start}/db/migration" for start in _CLASSPATH), "sql", "migrations")
        folders = [project.directory / name for name in usual]
        yield next((folder for folder in folders if folder.is_dir()), project.directory)
    for word in words:
        kind, _, name = word.rpartition(":")
        starts = _CLASSPATH if kind == "classpath" or not kind else (".",)
        found = next((folder for start in starts if (folder := project.directory / start / name.lstrip("/")).is_dir()), None)
        if found is None or kind not in ("", "classpath", "filesystem") or "*" in name:
            raise UsageError(
                f"migrations.directory: there is no folder '{word}' in {project.settings.directory}, where Flyway is to look",
                "Set migrations.directory to the folder that Flyway runs in.",
            )
        yield found.resolve() if project.root == project.root.resolve() else found
