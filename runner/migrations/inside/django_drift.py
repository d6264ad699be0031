"""Compares a Django project's models with its migrations, as ``makemigrations --check`` does, and tells each difference.

The operations are then applied to the state of the migrations and compared once more: what Django wants again and again comes of
a field that describes itself differently each time.
"""

from __future__ import annotations

import inspect
from typing import Any, Dict, Iterator, Optional, Tuple

from .place import Places
from .telling import tell

AGAIN = "Django finds it again after it has settled it"


def compare(places: Places) -> None:
    """Tell the differences once."""
    from django.db.migrations.loader import MigrationLoader

    state = MigrationLoader(None).project_state()
    first = list(_operations(state))
    for app, operation in first:
        operation.state_forwards(app, state)
    left = {_words(*one) for one in _operations(state)} if first else set()
    tell("drift", operations=[{**_told(*one, places=places), "none": AGAIN if _words(*one) in left else ""} for one in first])


def _operations(state: Any) -> Iterator[Tuple[str, Any]]:
    """The operations of the migrations that would be written, with their application's label."""
    from django.apps import apps
    from django.core.management.commands.makemigrations import Command
    from django.db.migrations import autodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.questioner import MigrationQuestioner
    from django.db.migrations.state import ProjectState

    detector = getattr(Command, "autodetector", autodetector.MigrationAutodetector)
    compared = detector(state, ProjectState.from_apps(apps), MigrationQuestioner(dry_run=True))
    changes = compared.changes(graph=MigrationLoader(None, ignore_no_migrations=True).graph)
    for app, migrations in sorted(changes.items()):
        for migration in migrations:
            for operation in migration.operations:
                yield app, operation


def _words(app: str, operation: Any) -> str:
    said = operation.describe()
    return f"{app}: {said[:1].lower()}{said[1:]}"


def _told(app: str, operation: Any, places: Places) -> Dict[str, Any]:
    model, part = getattr(operation, "model_name", None), getattr(operation, "name", "")
    names = [app, model, part] if model else [app, part]
    file, line, foreign = _model(app, str(model or part), places)
    kind = type(operation).__name__
    ways = (("Create", "missing"), ("Add", "missing"), ("Delete", "unknown"), ("Remove", "unknown"))
    return {
        "subject": ".".join(str(one) for one in names if one),
        "words": _words(app, operation),
        "kind": next((said for way, said in ways if kind.startswith(way)), "changed"),
        "file": file,
        "line": line,
        "foreign": foreign,
    }


def _model(app: str, name: str, places: Places) -> Tuple[Optional[str], Optional[int], bool]:
    """File and line of a model, and whether it belongs to an installed package."""
    from django.apps import apps

    try:
        config = apps.get_app_config(app)
        foreign = not places.is_own_file(inspect.getsourcefile(config.module) or "")
        model = config.get_model(name)
        return places.name(inspect.getsourcefile(model) or ""), inspect.getsourcelines(model)[1], foreign
    except Exception:  # noqa: BLE001 - a model that is gone stands nowhere
        return None, None, False
