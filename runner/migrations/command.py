"""Any program of the project's that migrates ("command" in the settings): ``flask db upgrade``, ``make migrate``.

Where Python runs in it, a ``sitecustomize`` of ours puts the guard in: statements carry the file and line that they come
from, Alembic's steps are told, and no other database is reached. Where Node runs in it and the database is a MongoDB, files of
ours hear its driver in the same way. Of other languages, and in a container image, only the server sees.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from runner.children import Command
from runner.errors import UsageError
from runner.migrations import hearing, interpreter, node, revision_files
from runner.migrations.alembic import guarded
from runner.migrations.environment import environment
from runner.migrations.interface import Broke, Detected, Direction, Elsewhere, Event, Paused, Project, Revision, Step
from runner.migrations.templates import words
from runner.servers.interface import Address

NAME = "command"
TITLE = "a command"
FILES_ONLY = False
KEEPS_BOOKS = True

_SITE = Path(__file__).with_name("inside") / "site"

#: What migrates, as the end of a command line, and what the same program offers that connects and only reads.
_READ_ONLY: Sequence[tuple[tuple[str, ...], tuple[str, ...]]] = (
    (("db", "upgrade"), ("db", "current")),  # flask, with or without options before
    (("db", "migrate"), ("db", "check")),  # airflow
    (("upgrade",), ("current",)),  # alembic
    (("migrate",), ("showmigrations",)),  # manage.py, django-admin
    (("db:migrate",), ("db:version",)),  # rails
    (("migrate", "up"), ("migrate", "version")),  # golang-migrate
    (("goose", "up"), ("goose", "status")),
    (("up",), ("status",)),  # dbmate
    (("migrate", "deploy"), ("migrate", "status")),  # prisma
)
#: Where a word of the table is common, the programs that it is meant of.
_PROGRAMS = {
    ("db", "upgrade"): ("flask",),
    ("db", "migrate"): ("airflow",),
    ("upgrade",): ("alembic",),
    ("migrate",): ("manage.py", "django-admin"),
    ("db:migrate",): ("rails", "rake"),
    ("migrate", "up"): ("migrate",),
    ("up",): ("dbmate",),
    ("migrate", "deploy"): ("prisma",),
}


def detect(root: Path) -> Detected | None:  # noqa: ARG001 - whatever lies there
    """Never: which program migrates is known to people only."""
    return None


def revisions(project: Project) -> Sequence[Revision]:
    """The Alembic revisions that lie where Alembic or Flask would look for them, read as text; else none."""
    return next(filter(None, (revision_files.read(project, folders) for folders in _versions(project))), ())


def faults(project: Project) -> Sequence[str]:
    """What of those files Alembic passes over, in sentences."""
    folders = next((one for one in _versions(project) if revision_files.read(project, one)), ())
    return list(revision_files.faults(project, folders))


def _versions(project: Project) -> Iterator[Sequence[Path]]:
    for name in ("alembic.ini", "pyproject.toml"):
        config = project.directory / name
        if config.is_file():
            yield revision_files.folders(config, project.directory)
    yield [project.directory / "migrations" / "versions"]


def current(project: Project, on: Address) -> Iterator[Event] | None:
    """The setting ``current``, else what is known of the command; ``None`` where nothing is."""
    if project.settings.current is not None:
        arguments: tuple[str, ...] | None = words(project.settings.current, "current", on)
    else:
        arguments = read_only(words(_migrating(project), "command", on))
    if arguments is None or project.settings.image is not None:
        return None if arguments is None else _in_image(project, arguments, on)
    return hearing.reading(_command(project, arguments, on, reading=True))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """The setting ``command``, once; in a container of ``image`` where that is set."""
    if project.settings.image is not None:
        return _in_image(project, words(_migrating(project), "command", on), on)
    there = node.there(on) if on.scheme == "mongodb" else None
    return hearing.events(_command(project, words(_migrating(project), "command", on), on), there=there)


def reversible(project: Project) -> bool:
    """Where the setting ``down`` says how."""
    return project.settings.down is not None


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """The settings ``command`` and ``down``, each as a process of its own."""
    for number, step in enumerate(steps):
        undoing = step.direction is Direction.DOWN
        text = project.settings.down or "" if undoing else _migrating(project)
        key = "down" if undoing else "command"
        arguments = words(text, key, on)
        in_image = project.settings.image is not None
        taken = _in_image(project, arguments, on) if in_image else hearing.events(_command(project, arguments, on))
        with closing(cast("Any", taken)) as events:
            for event in events:
                yield event
                if isinstance(event, Broke | Elsewhere):
                    return
        yield Paused(number, None)


def _in_image(project: Project, arguments: tuple[str, ...], on: Address) -> Iterator[Event]:
    from runner.migrations import in_image

    return in_image.events(project, project.settings.image or "", arguments, on)


def read_only(arguments: tuple[str, ...]) -> tuple[str, ...] | None:
    """The read-only command of the same program: ``flask --app shop db upgrade`` gives ``flask --app shop db current``."""
    for migrating, reading in _READ_ONLY:
        at = _position(arguments, migrating)
        if at is not None:
            return (*arguments[:at], *reading)
    return None


def _position(arguments: tuple[str, ...], migrating: tuple[str, ...]) -> int | None:
    programs = _PROGRAMS.get(migrating)
    start = 0
    if programs is not None:
        names = [Path(word).name for word in arguments]
        found = [names.index(program) for program in programs if program in names]
        if not found:
            return None
        start = found[0] + 1
    for at in range(start, len(arguments) - len(migrating) + 1):
        if tuple(Path(word).name for word in arguments[at : at + len(migrating)]) == migrating:
            return at
    return None


def _migrating(project: Project) -> str:
    if project.settings.command is None:
        raise UsageError("migrations: tool 'command' needs `command`", 'Say what migrates, for example command = "make migrate".')
    return project.settings.command


def _command(project: Project, arguments: tuple[str, ...], on: Address, *, reading: bool = False) -> Command:
    python = interpreter.find_any(project)
    node.link(project)
    variables = environment(project, on, python.variables if python else {})
    path = os.pathsep.join(part for part in (str(_SITE), variables.get("PYTHONPATH", "")) if part)
    variables = {**variables, **guarded(project, on), "PYTHONPATH": path}
    if on.scheme == "mongodb":
        variables = {**variables, **node.heard(variables, reading)}
    return Command(arguments, project.directory, variables, project.settings.timeout)
