"""migrate-mongo, run as its own command line runs it, by the project's own Node ("migrate-mongo" in the settings).

Files of ours that Node loads before it hear the commands that the driver sends, with their lines, and let it connect to our
server only; nothing of the project is touched. What the configuration says is read as text: to run it takes the project's own
variables.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from checks.evidence import Place
from runner.children import Command
from runner.errors import UsageError
from runner.migrations import hearing, node
from runner.migrations.alembic import guarded
from runner.migrations.environment import environment
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.rehearsing import stepping
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "migrate-mongo"
TITLE = "migrate-mongo"
FILES_ONLY = False
KEEPS_BOOKS = True

_CONFIG = "migrate-mongo-config.js"
_DEPTHS = ("", "*/", "*/*/")
#: The keys of the configuration that say which files are migrations, where they are plain text or a path of plain texts.
_KEY = r"^[^/\n]*\b{key}\b['\"]?\s*:\s*(?P<value>[^\n]+)"
_TEXTS = re.compile(r"""['"`]([^'"`$]+)['"`]""")
_COMMENT = re.compile(r"\s*//.*$")
_UP = re.compile(r"(^|[\s.,{*(])up\s*([:=(]|$)")
_VERSION = re.compile(r"\d[\dT._-]*[_-](?P<title>.+)", re.ASCII)


def detect(root: Path) -> Detected | None:
    """The configuration file that ``migrate-mongo init`` writes, up to two folders deep; sure if there is one."""
    found = [path for depth in _DEPTHS for path in sorted(root.glob(f"{depth}{_CONFIG}")) if "node_modules" not in path.parts]
    if not found:
        return None
    directory = found[0].parent.relative_to(root).as_posix()
    place = Place(found[0].relative_to(root).as_posix())
    return Detected(MigrationSettings(tool="migrate-mongo", directory=directory), place, sure=len(found) == 1)


def revisions(project: Project) -> Sequence[Revision]:
    """The files of the folder in the order of their names, which is the tool's. Raises UsageError."""
    return [_revision(project, path) for path in _files(project)]


def _revision(project: Project, path: Path) -> Revision:
    content = path.read_bytes()
    lines = enumerate(content.decode("utf-8", "replace").splitlines(), 1)
    line = next((number for number, text in lines if _UP.search(text) and not text.lstrip().startswith(("//", "*"))), 1)
    found = _VERSION.fullmatch(path.stem)
    title = (found["title"] if found else path.stem).replace("-", " ").replace("_", " ")
    return Revision(path.name, title, Place(project.relative(path), line), hashlib.sha256(content).hexdigest())


def _files(project: Project) -> list[Path]:
    config = _configuration(project)
    text = config.read_text("utf-8", "replace")
    ending = _said(text, "migrationFileExtension") or ".js"
    folder = project.directory / (_said(text, "migrationsDir") or "migrations")
    if not folder.is_dir():
        raise UsageError(
            f"migrations: there is no folder {project.relative(folder)}, in which {project.relative(config)} has its migrations",
            "Set `directory` to the folder of the configuration.",
        )
    found = [path for path in folder.iterdir() if path.suffix == ending and path.name != f"sample-migration{ending}"]
    return sorted(found, key=lambda path: path.name.encode("utf-16-be"))  # as JavaScript sorts


def _said(text: str, key: str) -> str:
    """What a configuration says of a key as text (``"db/migrations"``, ``path.join(__dirname, "db", "migrations")``)."""
    found = re.search(_KEY.format(key=key), text, re.MULTILINE)
    return "/".join(_TEXTS.findall(_COMMENT.sub("", found["value"]))) if found else ""


def _configuration(project: Project) -> Path:
    """The configuration file: the setting ``config``, else the usual one in the directory. Raises UsageError."""
    named = project.settings.config
    path = project.directory / _CONFIG
    if named is not None:
        path = project.root / named if (project.root / named).is_file() else project.directory / named
    if not path.is_file():
        raise UsageError(
            f"migrations: there is no {project.relative(path)}",
            f"Set `directory` to the folder of {_CONFIG}, or `config` to its path from the root of the repository.",
        )
    return path


def current(project: Project, on: Address) -> Iterator[Event]:
    """``migrate-mongo status``, which reads its books."""
    return hearing.reading(_command(project, on, "status"))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """One ``migrate-mongo up``."""
    return hearing.events(_command(project, on, "up"), there=node.there(on))


def reversible(project: Project) -> bool:  # noqa: ARG001 - every migration may have a ``down``
    """By ``migrate-mongo down``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """The tool's own functions behind ``up`` and ``down``, in one process."""
    return stepping(steps, lambda more: _command(project, on, "rehearse", more))


def _command(project: Project, on: Address, verb: str, more: Mapping[str, object] | None = None) -> Command:
    tool = node.package(project, "migrate-mongo")
    config = _configuration(project)
    hooks = ["--require", str(node.PRELOAD)]
    hooks += ["--import", (node.INSIDE / "migrations_dir.mjs").as_uri()] if tool.modules else []
    named = ["-f", str(config)] if project.settings.config is not None else []
    program = (
        [str(node.INSIDE / "steps.mjs")] if more is not None else [str(tool.folder / "bin" / "migrate-mongo.js"), verb, *named]
    )
    variables = {
        **environment(project, on),
        **guarded(project, on),
        "DBPROOF_MIGRATE_MONGO": str(tool.folder),
        "DBPROOF_READING": "1" if verb == "status" else "0",
        "DBPROOF_REQUEST": json.dumps({**(more or {}), "config": str(config)}),
        "NODE_NO_WARNINGS": "1",
        "PATH": os.pathsep.join((str(project.directory / "node_modules" / ".bin"), os.environ.get("PATH", os.defpath))),
    }
    return Command(("node", *hooks, *program), project.directory, variables, project.settings.timeout)
