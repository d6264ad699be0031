"""yoyo's migrations, Python and SQL, run by ``yoyo apply`` in the project's own interpreter ("yoyo" in the settings).

They lie where ``sources`` of ``yoyo.ini`` says, else in ``directory`` itself.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from checks.evidence import Place
from runner import children
from runner.children import Command, Finished
from runner.errors import UsageError
from runner.lines import Message
from runner.migrations import hearing, interpreter
from runner.migrations.alembic import guarded
from runner.migrations.environment import environment, varying
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.rehearsing import stepping
from runner.migrations.revision_files import digest
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "yoyo"
TITLE = "yoyo"
FILES_ONLY = True
KEEPS_BOOKS = True

_INSIDE = Path(__file__).with_name("inside")
_CONFIG = "yoyo.ini"


def detect(root: Path) -> Detected | None:
    """A ``yoyo.ini``, up to one folder deep; sure where there is one only."""
    found = [path for pattern in (_CONFIG, f"*/{_CONFIG}") for path in sorted(root.glob(pattern)) if path.is_file()]
    if not found:
        return None
    settings = MigrationSettings(tool="yoyo", directory=found[0].parent.relative_to(root).as_posix())
    return Detected(settings, Place(found[0].relative_to(root).as_posix()), sure=len(found) == 1)


def revisions(project: Project) -> Sequence[Revision]:
    """The migrations in the order in which yoyo applies them to an empty database, as yoyo itself says.

    Where it cannot read them, which ``apply`` then reports, in the order of their names.
    """
    listed: list[Revision] = []
    with closing(children.listen(_command(project, "revisions", None))) as heard:
        for one in heard:
            if isinstance(one, Message) and one.body.get("event") == "lacking":
                raise hearing.lacking(one.body)
            if isinstance(one, Message) and one.body.get("event") == "revision":
                title = str(one.body["title"]).partition("\n")[0]
                listed.append(_revision(project, str(one.body["revision"]), project.root / str(one.body["file"]), title))
            elif isinstance(one, Finished) and not one.status:
                return listed
    return [_revision(project, path.stem, path, "") for path in _files(project)]


def _files(project: Project) -> Sequence[Path]:
    paths = (path for source in _sources(project) for path in source.iterdir() if path.suffix in (".py", ".sql"))
    return sorted(path for path in paths if not path.name.endswith(".rollback.sql") and not path.name.startswith("post-apply"))


def current(project: Project, on: Address) -> Iterator[Event]:
    """The project's interpreter connects as yoyo does; what yoyo calls a look makes its tables already."""
    return hearing.reading(_command(project, "current", on))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """One ``yoyo apply``."""
    return hearing.events(_command(project, "apply", on))


def reversible(project: Project) -> bool:  # noqa: ARG001 - every step may have its rollback
    """By ``yoyo rollback``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``yoyo apply`` of single migrations and ``yoyo rollback`` of the last, in one process."""
    return stepping(steps, lambda more: _command(project, "rehearse", on, more))


def _command(project: Project, verb: str, on: Address | None, more: Mapping[str, object] | None = None) -> Command:
    python = interpreter.find(project, (NAME,))
    config = _config(project)
    request = {
        **(more or {}),
        "verb": verb,
        "url": on.url() if on else None,
        "declared": _settings(project).get("database", ""),
        "config": str(config) if config else None,
        "sources": [str(source) for source in _sources(project)],
    }
    variables = {
        **environment(project, on, python.variables),
        **guarded(project, on),
        "DBPROOF_REQUEST": json.dumps(request),
    }
    arguments = (str(python.python), str(_INSIDE / "start.py"), "yoyo_child")
    return Command(arguments, project.directory, variables, project.settings.timeout, varying=varying(project))


def _config(project: Project) -> Path | None:
    """``yoyo.ini`` in the directory, or the setting ``config``."""
    if project.settings.config is not None:
        path = project.root / project.settings.config
        if not path.is_file():
            remedy = "Name yoyo's configuration by its path from the root of the repository."
            raise UsageError(f"migrations.config: there is no file {project.settings.config}", remedy)
        return path
    path = project.directory / _CONFIG
    return path if path.is_file() else None


def _settings(project: Project) -> Mapping[str, str]:
    config = _config(project)
    if config is None:
        return {}
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(config.read_text("utf-8", "replace"))
    except configparser.Error as error:
        raise UsageError(f"{project.relative(config)}: {error.message}", "Write it as yoyo reads it.") from None
    here = str(config.parent)
    return {name: value.replace("%(here)s", here) for name, value in parser.defaults().items()}


def _sources(project: Project) -> Sequence[Path]:
    """The folders of migrations; seen from the directory that yoyo runs in."""
    named = _settings(project).get("sources", "").split()
    folders = [project.directory / name for name in named] or [project.directory]
    for folder in folders:
        if not folder.is_dir():
            remedy = "Set `directory` to the folder of yoyo.ini, or to that of the migrations."
            raise UsageError(f"migrations: there is no folder {project.relative(folder)}", remedy)
    return folders


def _revision(project: Project, name: str, path: Path, title: str) -> Revision:
    words = name.lstrip("0123456789._-").replace("_", " ").replace("-", " ") or name
    return Revision(name, title or words, Place(project.relative(path), 1), digest(path))
