"""Django's migrations, run by the project's own ``manage.py`` in its own interpreter ("django" in the settings).

The settings are the project's own; only the address in ``DATABASES`` is replaced with ours, in memory, once they are read. Which
entry: the one that is called as the database in dbproof's settings, else ``default``. Entries that are the same database, or a
replica of it (``TEST.MIRROR``), follow; every other one keeps its address, and a connection to it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from checks.drift import Drift
from checks.evidence import Place
from runner import children
from runner.children import Command, Finished
from runner.errors import ToolFailed, UsageError
from runner.lines import Message
from runner.migrations import django_files, hearing, interpreter
from runner.migrations.alembic import guarded
from runner.migrations.comparing import compared
from runner.migrations.environment import environment, varying
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.last_answer import LastAnswer, question
from runner.migrations.rehearsing import stepping
from runner.migrations.revision_files import digest
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "django"
TITLE = "Django"
FILES_ONLY = False
KEEPS_BOOKS = True

_INSIDE = Path(__file__).with_name("inside")
_MANAGE = "manage.py"

#: Settings read the address from the environment; where there is no server yet, this one leads nowhere.
_NOWHERE = Address("127.0.0.1", 9, "nobody", "nobody", "nowhere")


def detect(root: Path) -> Detected | None:
    """A ``manage.py`` of Django's, up to two folders deep; never sure, for its settings need what only their people know."""
    found = [path for pattern in (_MANAGE, f"*/{_MANAGE}", f"*/*/{_MANAGE}") for path in sorted(root.glob(pattern))]
    for path in found:
        if "node_modules" not in path.parts and path.is_file() and "django" in path.read_text("utf-8", "replace"):
            settings = MigrationSettings(tool="django", directory=path.parent.relative_to(root).as_posix())
            return Detected(settings, Place(path.relative_to(root).as_posix()), sure=False)
    return None


def revisions(project: Project) -> Sequence[Revision]:
    """Every migration of every installed application, in the order in which ``migrate`` applies them to an empty database.

    Django itself is asked, once for databases that share a history; where it cannot be (which ``apply`` then reports), the files
    are read as text.
    """
    return _last.to(_question(project), lambda: _asked(project))


_last = LastAnswer()


def _question(project: Project) -> Hashable:
    return question(project, django_files.files(project.directory))


def _asked(project: Project) -> Sequence[Revision]:
    listed: list[Revision] = []
    with closing(children.listen(_command(project, "revisions", None))) as heard:
        for one in heard:
            if isinstance(one, Message):
                if one.body.get("event") == "lacking":
                    raise hearing.lacking(one.body)
                if one.body.get("event") in ("elsewhere", "wanted", "broke"):
                    break
                listed += _revision(project, one.body)
            elif isinstance(one, Finished) and not one.status:
                return listed
    return django_files.read(project)


def current(project: Project, on: Address) -> Iterator[Event]:
    """``manage.py showmigrations --plan``: it connects, and only the table of migrations is read.

    Starting Django is what takes time, so it lists its migrations on the way, which answers :func:`revisions` afterwards.
    """
    asked, listed = _question(project), list[Revision]()

    def listen(body: Mapping[str, object]) -> None:
        listed.extend(_revision(project, body))

    yield from hearing.reading(_command(project, "current", on, {"listing": not _last.knows(asked)}), listen)
    if listed:
        _last.keep(asked, listed)


def apply(project: Project, on: Address) -> Iterator[Event]:
    """One ``manage.py migrate``."""
    return hearing.events(_command(project, "apply", on))


def reversible(project: Project) -> bool:  # noqa: ARG001 - which migration is not, only Django knows
    """By ``manage.py migrate APP PREVIOUS``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """``migrate APP NAME`` and back to the one before it, in one process."""
    return stepping(steps, lambda more: _command(project, "rehearse", on, more))


def drift(project: Project, on: Address) -> Drift | None:
    """``manage.py makemigrations --check``."""
    return compared(_command(project, "drift", on), Drift("manage.py makemigrations --check", "manage.py makemigrations"))


def _command(project: Project, verb: str, on: Address | None, more: Mapping[str, object] | None = None) -> Command:
    python = interpreter.find(project, (NAME,))
    manage = _manage(project)
    request = {
        "listing": False,
        **(more or {}),
        "verb": verb,
        "manage": str(manage) if manage else None,
        "database": project.database,
        "address": _parts(on) if on else None,
    }
    variables = {
        **environment(project, on or _NOWHERE, python.variables),
        **guarded(project, on),
        "DBPROOF_REQUEST": json.dumps(request),
    }
    arguments = (str(python.python), str(_INSIDE / "start.py"), "django_child")
    return Command(arguments, project.directory, variables, project.settings.timeout, varying=varying(project))


def _parts(on: Address) -> Mapping[str, object]:
    """The address as Django's settings have it."""
    if on.scheme not in ("postgresql", "mysql", "sqlite"):
        raise ToolFailed(f"migrations: Django has no engine for {on.scheme}", "Choose another migration tool for this database.")
    return {
        "scheme": on.scheme,
        "host": on.host,
        "port": on.port,
        "user": on.user,
        "password": on.password,
        "database": on.database,
        "options": dict(on.extra) if on.scheme == "postgresql" else {},
    }


def _manage(project: Project) -> Path | None:
    """``manage.py``, or the setting ``config``; none where the variable DJANGO_SETTINGS_MODULE is to do."""
    if project.settings.config is not None:
        path = project.root / project.settings.config
        if not path.is_file():
            remedy = "Name the project's manage.py by its path from the root of the repository."
            raise UsageError(f"migrations.config: there is no file {project.settings.config}", remedy)
        return path
    path = project.directory / _MANAGE
    if path.is_file() or "DJANGO_SETTINGS_MODULE" in project.settings.env:
        return path if path.is_file() else None
    remedy = (
        "Set `directory` to the folder of manage.py, `config` to its path from the root of the repository, "
        'or env = { DJANGO_SETTINGS_MODULE = "shop.settings" }.'
    )
    raise UsageError(f"migrations: there is no {project.relative(path)}", remedy)


def _revision(project: Project, body: Mapping[str, object]) -> list[Revision]:
    if body.get("event") != "revision":
        return []
    file, line = str(body["file"]), body.get("line")
    place = Place(file, line if isinstance(line, int) else None)
    return [Revision(str(body["revision"]), str(body["title"]), place, digest(project.root / file))]
