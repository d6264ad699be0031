"""Flask-Migrate, run by the project's own ``flask`` in its own interpreter ("flask-migrate" in the settings).

Flask is told the application as ever: FLASK_APP in ``env``, ``.flaskenv``, or an ``app.py``. Where the application uses
Flask-SQLAlchemy, its address is replaced with ours in memory; else it has to come from the environment.
"""

from __future__ import annotations

import configparser
import json
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path

from checks.drift import Drift
from checks.evidence import Place
from checks.schema.names import default_schema
from runner.children import Command
from runner.errors import UsageError
from runner.migrations import alembic, hearing, interpreter, revision_files
from runner.migrations.alembic import guarded
from runner.migrations.comparing import compared
from runner.migrations.environment import environment, varying
from runner.migrations.interface import Detected, Event, Project, Revision, Step
from runner.migrations.rehearsing import stepping
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

NAME = "flask-migrate"
TITLE = "Flask-Migrate"
FILES_ONLY = False
KEEPS_BOOKS = True
MERGING = "flask db merge heads"

_INSIDE = Path(__file__).with_name("inside")
_FOLDER = "migrations"


def detect(root: Path) -> Detected | None:
    """A folder ``migrations`` whose env.py asks for Flask's ``current_app``; never sure, for FLASK_APP is its people's."""
    for env in (root / _FOLDER / "env.py", *sorted(root.glob(f"*/{_FOLDER}/env.py"))):
        if env.is_file() and "current_app" in env.read_text("utf-8", "replace"):
            settings = MigrationSettings(tool="flask-migrate", directory=env.parent.parent.relative_to(root).as_posix())
            return Detected(settings, Place(env.relative_to(root).as_posix()), sure=False)
    return None


def revisions(project: Project) -> Sequence[Revision]:
    """The revisions in the order that ``upgrade heads`` takes on an empty database, as Alembic lists them."""
    folder = _folder(project)
    return alembic.listed(project, folder / "alembic.ini", folder)


def heads(project: Project, among: Container[str] | None = None) -> Sequence[str]:
    """The revisions that no other goes on from; of those ``among`` alone where that is said."""
    return revision_files.heads(_versions(project), among)


def faults(project: Project) -> Sequence[str]:
    """What of its revision files Alembic passes over, in sentences."""
    return list(revision_files.faults(project, _versions(project)))


def current(project: Project, on: Address) -> Iterator[Event]:
    """``flask db current``: the application starts, env.py connects, and only the version table is read."""
    return hearing.reading(_command(project, "current", on))


def apply(project: Project, on: Address) -> Iterator[Event]:
    """One ``flask db upgrade heads``."""
    return hearing.events(_command(project, "apply", on))


def drift(project: Project, on: Address) -> Drift | None:
    """``flask db check``; nothing where env.py gives no ``target_metadata``."""
    asked = Drift("flask db check", 'flask db migrate -m "…"')
    return compared(_command(project, "drift", on), asked, default_schema(on.scheme))


def reversible(project: Project) -> bool:  # noqa: ARG001 - every revision may have a ``downgrade``
    """By ``flask db downgrade``."""
    return True


def rehearse(project: Project, on: Address, steps: Sequence[Step]) -> Iterator[Event]:
    """Single revisions up and down, in one process, as with Alembic."""
    return stepping(steps, lambda more: _command(project, "rehearse", on, more))


def _command(project: Project, verb: str, on: Address, more: Mapping[str, object] | None = None) -> Command:
    python = interpreter.find(project, ("flask_migrate",))
    folder = _folder(project)
    request = {
        **(more or {}),
        "verb": verb,
        "url": on.url(),
        "database": project.database,
        "directory": str(folder) if project.settings.config is not None else None,
    }
    variables = {
        **environment(project, on, python.variables),
        **guarded(project, on),
        "DBPROOF_REQUEST": json.dumps(request),
    }
    arguments = (str(python.python), str(_INSIDE / "start.py"), "flask_child")
    return Command(arguments, project.directory, variables, project.settings.timeout, varying=varying(project))


def _versions(project: Project) -> Sequence[Path]:
    """Where the revision files lie."""
    folder = _folder(project)
    config = folder / "alembic.ini"
    try:
        return revision_files.folders(config, project.directory) if config.is_file() else [folder / "versions"]
    except configparser.Error:  # Alembic will say it
        return ()


def _folder(project: Project) -> Path:
    """The folder of env.py: that of the alembic.ini which ``config`` names, else ``migrations``."""
    path = project.root / project.settings.config if project.settings.config is not None else None
    folder = path.parent if path is not None else project.directory / _FOLDER
    if not (folder / "env.py").is_file():
        remedy = "Set `directory` to where `flask` is run, or `config` to the path of Flask-Migrate's alembic.ini."
        raise UsageError(f"migrations: there is no {project.relative(folder / 'env.py')}", remedy)
    return folder
