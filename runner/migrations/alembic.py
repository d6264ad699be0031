"""Alembic, run as its own command line runs it, in the project's own interpreter ("alembic" in the settings)."""

from __future__ import annotations

import configparser
import json
import os
import tomllib
from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from checks.drift import Drift
from checks.evidence import Place
from checks.schema.names import default_schema
from runner import children
from runner.children import Command, Finished
from runner.errors import UsageError
from runner.lines import Message
from runner.migrations import hearing, interpreter, revision_files
from runner.migrations.comparing import compared
from runner.migrations.environment import environment, varying
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.last_answer import LastAnswer, question
from runner.migrations.rehearsing import stepping
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "alembic"
TITLE = "Alembic"
FILES_ONLY = False
KEEPS_BOOKS = True
MERGING = "alembic merge heads"

_INSIDE = Path(__file__).with_name("inside")
_DEPTH = 2
_NOT_OURS = frozenset({"node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__"})


def detect(root: Path) -> Detected | None:
    """An ``alembic.ini`` or ``[tool.alembic]`` that says where its scripts lie, up to two folders deep; sure if there is one."""
    found = [(path, line) for path in _configurations(root, _DEPTH) if (line := _script_location(path)) is not None]
    if not found:
        return None
    path, line = min(found, key=lambda one: (len(one[0].parts), one[0]))
    directory = path.parent.relative_to(root).as_posix()
    config = None if path.name == "alembic.ini" else path.relative_to(root).as_posix()
    settings = MigrationSettings(tool="alembic", directory=directory, config=config)
    return Detected(settings, Place(path.relative_to(root).as_posix(), line), sure=len(found) == 1)


def revisions(project: Project) -> Sequence[Revision]:
    """The revisions in the order that ``upgrade heads`` takes on an empty database.

    Alembic itself is asked, once for databases that share a history; where it cannot read its own files (which ``apply`` then
    reports), they are read as text.
    """
    return _last.to(_question(project), lambda: _asked(project))


_last = LastAnswer()


def _question(project: Project) -> Hashable:
    files = [_configuration(project), *(path for folder in _folders(project) for path in sorted(folder.rglob("*.py")))]
    return question(project, files)


def _asked(project: Project) -> Sequence[Revision]:
    return listed(project, _configuration(project))


def listed(project: Project, config: Path, scripts: Path | None = None) -> Sequence[Revision]:
    """The revisions of a configuration as Alembic lists them; ``scripts`` where it does not say where they lie."""
    listed: list[Revision] = []
    with closing(children.listen(_command(project, "revisions", None, config=config, scripts=scripts))) as heard:
        for one in heard:
            if isinstance(one, Message) and one.body.get("event") == "revision":
                listed.append(_revision(project, one.body))
            elif isinstance(one, Message) and one.body.get("event") == "lacking":
                raise hearing.lacking(one.body)
            elif isinstance(one, Finished) and one.status:
                folders = revision_files.folders(config, project.directory) if scripts is None else [scripts / "versions"]
                return revision_files.read(project, folders)
    return listed


def heads(project: Project, among: Container[str] | None = None) -> Sequence[str]:
    """The revisions that no other goes on from; of those ``among`` alone where that is said."""
    return revision_files.heads(_folders(project), among)


def faults(project: Project) -> Sequence[str]:
    """What of its revision files Alembic passes over, in sentences."""
    return list(revision_files.faults(project, _folders(project)))


def _folders(project: Project) -> Sequence[Path]:
    try:
        return revision_files.folders(_configuration(project), project.directory)
    except (configparser.Error, tomllib.TOMLDecodeError):  # Alembic will say it
        return ()


def current(project: Project, on: Address) -> Iterator[Event]:
    """``alembic current``: env.py connects, and only the version table is read.

    Starting Alembic is what takes time, so it lists its revisions on the way, which answers :func:`revisions` afterwards.
    """
    asked, listed = _question(project), list[Revision]()

    def listen(body: Mapping[str, object]) -> None:
        if body.get("event") == "revision":
            listed.append(_revision(project, body))

    yield from hearing.reading(_command(project, "current", on, listing=not _last.knows(asked)), listen)
    if listed:
        _last.keep(asked, listed)


def apply(project: Project, on: Address) -> Iterator[Event]:
    """One ``alembic upgrade heads``."""
    return hearing.events(_command(project, "apply", on))


def drift(project: Project, on: Address) -> Drift | None:
    """``alembic check``; nothing where env.py gives no ``target_metadata``."""
    asked = Drift("alembic check", 'alembic revision --autogenerate -m "…"')
    return compared(_command(project, "drift", on), asked, default_schema(on.scheme))


def reversible(project: Project) -> bool:  # noqa: ARG001 - every revision may have a ``downgrade``
    """By ``downgrade``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``upgrade`` and ``downgrade`` of single revisions, in one process."""
    return stepping(steps, lambda more: _command(project, "rehearse", on, more=more))


def _command(
    project: Project,
    verb: str,
    on: Address | None,
    *,
    more: Mapping[str, object] | None = None,
    listing: bool = False,
    config: Path | None = None,
    scripts: Path | None = None,
) -> Command:
    python = interpreter.find(project)
    request = {
        **(more or {}),
        "verb": verb,
        "config": str(config or _configuration(project)),
        "scripts": str(scripts) if scripts else None,
        "url": on.url() if on else None,
        "listing": listing,
    }
    variables = {
        **environment(project, on, python.variables),
        **guarded(project, on),
        "DBPROOF_REQUEST": json.dumps(request),
    }
    arguments = (str(python.python), str(_INSIDE / "start.py"), "alembic_child")
    return Command(arguments, project.directory, variables, project.settings.timeout, varying=varying(project))


def guarded(project: Project, on: Address | None) -> Mapping[str, str]:
    """What tells the guard inside a child which server is ours, and where the repository is. Without a server none is."""
    told = {
        "scheme": on.scheme if on else "",
        "host": on.host if on else "",
        "port": on.port if on else 0,
        "database": on.database if on else "",
        "root": str(project.root),
    }
    return {"DBPROOF_GUARD": json.dumps(told)}


def _revision(project: Project, body: Mapping[str, object]) -> Revision:
    file, line = str(body["file"]), body.get("line")
    place = Place(file, line if isinstance(line, int) else None)
    return Revision(str(body["revision"]), str(body["title"]), place, revision_files.digest(project.root / file))


def _configuration(project: Project) -> Path:
    """The configuration file: the setting ``config``, else ``alembic.ini`` or ``pyproject.toml`` in the directory."""
    if project.settings.config is not None:
        path = project.root / project.settings.config
        path = path if path.is_file() else project.directory / project.settings.config
    else:
        names = (project.directory / name for name in ("alembic.ini", "pyproject.toml"))
        path = next((one for one in names if one.is_file()), project.directory / "alembic.ini")
    if not path.is_file():
        remedy = "Set `directory` to the folder of alembic.ini, or `config` to its path from the root of the repository."
        raise UsageError(f"migrations: there is no {project.relative(path)}", remedy)
    return path


def _configurations(folder: Path, depth: int) -> Iterator[Path]:
    try:
        inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in inside:
        if entry.name in ("alembic.ini", "pyproject.toml") and entry.is_file():
            yield Path(entry.path)
        elif depth and entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and entry.name not in _NOT_OURS:
            yield from _configurations(Path(entry.path), depth - 1)


def _script_location(path: Path) -> int | None:
    """The line that says where the scripts lie, where this is an Alembic configuration that says so."""
    text = path.read_text("utf-8", "replace")
    if "script_location" not in text or not (_in_toml(text) if path.name == "pyproject.toml" else _in_ini(text)):
        return None
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.strip().startswith("script_location")), 1)


def _in_toml(text: str) -> bool:
    try:
        tool = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError:
        return False
    return isinstance(tool, dict) and "script_location" in tool.get("alembic", {})


def _in_ini(text: str) -> bool:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return False
    return parser.has_option("alembic", "script_location")
