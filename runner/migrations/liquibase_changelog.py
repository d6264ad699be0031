"""Liquibase's root changelog and what it includes, in order: YAML, JSON, XML and SQL, of which only SQL is applied here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from runner.errors import ToolFailed, UsageError
from runner.migrations.interface import Project
from runner.migrations.liquibase_sql import Changeset, Parsed, expanded, is_formatted, raw

PROPERTIES = "liquibase.properties"
ENDINGS = (".yaml", ".yml", ".xml", ".json", ".sql")
_USUAL = ("db.changelog-master", "changelog-master", "db.changelog-root", "db.changelog", "changelog", "master")
_FOLDERS = ("", "db/changelog", "changelog", "db")
_COMMAND = 'Set migrations.tool to "command" and migrations.command to your call of Liquibase.'


@dataclass
class Changelog:
    """All changesets in the order in which they apply, with the values of ``${name}`` and the contexts that are given."""

    project: Project
    search: tuple[Path, ...]
    contexts: Sequence[str]
    changesets: list[Changeset] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    places: dict[int, Path] = field(default_factory=dict)

    def file_of(self, changeset: Changeset) -> Path:
        """The file in which a changeset stands."""
        return self.places[id(changeset)]


def read(project: Project) -> Changelog:
    """Everything that the root changelog leads to. Raises UsageError, and ToolFailed for what only Liquibase can run."""
    keys = dict(_keys(project))
    if "labelfilter" in keys or "labels" in keys:
        raise ToolFailed(f"{PROPERTIES}: a label filter is not understood here: cannot run here", _COMMAND)
    search = tuple(project.directory / name for name in keys.get("searchpath", keys.get("classpath", ".")).split(",")) or (
        project.directory,
    )
    contexts = [name for name in keys.get("contexts", keys.get("contextfilter", "")).split(",") if name.strip()]
    changelog = Changelog(project, (*search, project.directory), contexts)
    _include(changelog, _root(project, keys, changelog), (), ())
    for one in changelog.changesets:
        one.body, one.back = (expanded(text, changelog.properties) for text in (one.body, one.back))
    return changelog


def _keys(project: Project) -> Iterator[tuple[str, str]]:
    """Settings of ``liquibase.properties`` and of variables, without what they begin with."""
    file = project.directory / PROPERTIES
    lines = file.read_text("utf-8", "replace").replace("\\\n", "").splitlines() if file.is_file() else []
    for line in lines:
        if (found := re.match(r"\s*([\w.-]+)\s*[=:]\s*(.*?)\s*$", line)) and not line.lstrip().startswith(("#", "!")):
            yield _key(found[1]), found[2]
    for name, value in project.settings.env.items():
        if name.startswith("LIQUIBASE_"):
            yield _key(name.removeprefix("LIQUIBASE_")), value


def _key(name: str) -> str:
    return re.sub(r"[-_.]", "", name.lower()).removeprefix("liquibase").removeprefix("command").removeprefix("update")


def _root(project: Project, keys: Mapping[str, str], changelog: Changelog) -> str:
    if project.settings.config is not None:
        path = project.root / project.settings.config
        path = path if path.is_file() else project.directory / project.settings.config
        if not path.is_file():
            raise UsageError(f"migrations.config: there is no file {project.settings.config}", "Name the root changelog.")
        return _seen_from(changelog, path)
    if named := keys.get("changelogfile"):
        return named
    usual = (f"{folder}/{name}{ending}".lstrip("/") for folder in _FOLDERS for name in _USUAL for ending in ENDINGS)
    found = next((name for name in usual if (project.directory / name).is_file()), None)
    if found is None:
        raise UsageError(
            f"migrations: there is no changelog in {project.settings.directory}",
            "Set `config` to the root changelog's path from the root of the repository, `directory` to Liquibase's search path.",
        )
    return found


def _seen_from(changelog: Changelog, path: Path) -> str:
    """A file as the books know it: seen from the search path."""
    for folder in changelog.search:
        if path.resolve().is_relative_to(folder.resolve()):
            return path.resolve().relative_to(folder.resolve()).as_posix()
    return path.name


def _include(changelog: Changelog, name: str, contexts: tuple[str, ...], within: tuple[str, ...]) -> None:
    name = PurePosixPath(re.sub(r"^(?:classpath\*?:|file:)/*|^/+", "", name.replace("\\", "/"))).as_posix()
    path = next((folder / name for folder in changelog.search if (folder / name).is_file()), None)
    shown = within[-1] if within else f"migrations in {changelog.project.settings.directory}"
    if path is None:
        raise UsageError(f"{shown}: there is no file {name}, as Liquibase looks for it", "Correct it, or set `directory`.")
    if name in within:
        raise UsageError(f"{shown}: {name} includes itself", "Leave one of the includes out.")
    if path.suffix == ".sql":
        _sql(changelog, path, name, contexts)
    elif path.suffix in ENDINGS:
        for kind, told in _entries(path, changelog.project.relative(path)):
            _entry(changelog, path, name, kind, told, contexts, (*within, name))
    else:
        raise ToolFailed(f"{changelog.project.relative(path)}: no changelog that is understood here: cannot run here", _COMMAND)


def _sql(changelog: Changelog, path: Path, name: str, contexts: tuple[str, ...]) -> None:
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    if is_formatted(text):
        parsed = Parsed(changelog.project.relative(path), text, name)
        found = parsed.changesets
        changelog.properties = {**parsed.properties, **changelog.properties}
    else:
        found = [raw(text, name)]
    for one in found:
        own = one.attributes.get("contextfilter") or one.attributes.get("context") or ""
        one.contexts = tuple(filter(None, (*contexts, own)))
        changelog.places[id(one)] = path
    changelog.changesets += found


def _entry(
    changelog: Changelog,
    path: Path,
    name: str,
    kind: str,
    told: Mapping[str, Any],
    contexts: tuple[str, ...],
    within: tuple[str, ...],
) -> None:
    relative = str(told.get("relativeToChangelogFile", "false")).lower() == "true"
    start = f"{PurePosixPath(name).parent}/" if relative else ""
    own = (*contexts, *filter(None, [str(told.get("contextFilter") or told.get("context") or "")]))
    if kind == "include":
        _include(changelog, f"{start}{told.get('file', '')}", own, within)
    elif kind == "includeAll":
        for file in _all(changelog, f"{start}{told.get('path', '')}", str(told.get("endsWithFilter") or "")):
            _include(changelog, file, own, within)
    elif kind == "property":
        if "file" in told:
            raise ToolFailed(f"{changelog.project.relative(path)}: properties of a file are not read here", _COMMAND)
        changelog.properties.setdefault(str(told.get("name", "")), str(told.get("value", "")))
    elif kind not in ("preConditions", "logicalFilePath", "objectQuotingStrategy"):
        raise ToolFailed(f"{changelog.project.relative(path)}: '{kind}' is not in SQL: cannot run here", _COMMAND)


def _all(changelog: Changelog, name: str, ending: str) -> list[str]:
    """The files of a folder and of those below it, in the order of their paths."""
    clean = re.sub(r"^(?:classpath\*?:|file:)/*|^/+", "", name)
    for folder in changelog.search:
        if (folder / clean).is_dir():
            files = (path for path in (folder / clean).rglob("*") if path.suffix in ENDINGS and path.name.endswith(ending))
            return sorted(path.relative_to(folder).as_posix() for path in files)
    raise UsageError(f"there is no folder {name}, as Liquibase looks for it", "Correct includeAll, or set `directory`.")


def _entries(path: Path, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    text = path.read_text("utf-8", "replace")
    try:
        listed = _of_xml(text) if path.suffix == ".xml" else _of_data(text, path.suffix)
    except ValueError as wrong:
        said = str(wrong).partition("\n")[0]
        raise UsageError(f"{name}: {said}", "Correct the file, which Liquibase cannot read either.") from None
    for kind, told in listed:
        yield kind, told if isinstance(told, Mapping) else {}


def _of_xml(text: str) -> list[tuple[str, Any]]:
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - the repository's own file, whose programs are run here anyway
    except ElementTree.ParseError as wrong:
        raise ValueError(str(wrong)) from None
    return [(str(one.tag).rpartition("}")[2], dict(one.attrib)) for one in root]


def _of_data(text: str, ending: str) -> list[tuple[str, Any]]:
    if ending == ".json":
        data = json.loads(text)
    else:
        import yaml

        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as wrong:
            raise ValueError(str(wrong)) from None
    entries = data.get("databaseChangeLog") if isinstance(data, dict) else None
    return [(str(kind), told) for entry in entries or [] if isinstance(entry, dict) for kind, told in entry.items()]
