"""Runs the project's own ``manage.py`` in its own Python, with its settings led to our database.

Verbs: ``revisions`` lists the migrations in the order in which they apply, ``current`` is ``showmigrations --plan``, ``apply``
one ``migrate``, ``rehearse`` single steps, ``drift`` compares the models with the migrations. The request comes as JSON in
``DBPROOF_REQUEST``: ``verb``, ``manage`` (a path), ``database`` (the name in dbproof's settings), ``address`` (ours, in parts, or
none), ``listing`` where ``current`` lists too.
"""

from __future__ import annotations

import os
import runpy
import sys
from contextlib import suppress
from typing import Any, Callable, Dict, Iterator, Optional

from . import django_drift, guard
from .django_steps import class_line
from .place import Place
from .serving import serve
from .steps import walk
from .telling import tell

#: What every start imports and no project changes.
AHEAD = ("django.core.management", "django.db.migrations.executor")


def main() -> None:
    """Do what the request says."""
    serve(_do, _find)


def _find(request: Dict[str, Any]) -> None:
    """Beside ``manage.py``, as where that is started."""
    sys.path.insert(0, os.path.dirname(request["manage"]) if request["manage"] else os.getcwd())


def _do(request: Dict[str, Any], inside: guard.Inside) -> None:
    leading = _Leading(request["database"], request["address"])
    leading.install()
    verb, run = request["verb"], _Program(request["manage"], leading).run
    if verb == "revisions":
        run("migrate", instead=lambda: _revisions(inside))
    elif verb == "current":
        run("showmigrations", "--plan")
        if request["listing"]:
            with suppress(Exception):  # whoever asks for the migrations themselves is told why they cannot be read
                _revisions(inside)
    elif verb == "drift":
        run("migrate", instead=lambda: django_drift.compare(inside.places))
    elif verb == "apply":
        run("migrate", "--noinput")
    else:
        run("migrate", instead=_leave_rows_alone)
        walk(request, _take(run, inside), inside)


class _Program:
    """The project's ``manage.py``, else Django's own program."""

    def __init__(self, manage: Optional[str], leading: _Leading) -> None:
        self._manage = manage
        self._leading = leading

    def run(self, *words: str, instead: Optional[Callable[[], None]] = None) -> None:
        """Run a command on our database; ``instead`` is done in its place, once Django is set up for it."""
        from django.core.management import execute_from_command_line
        from django.core.management.base import BaseCommand

        original = BaseCommand.run_from_argv

        def command(one: Any, argv: Any) -> None:
            BaseCommand.run_from_argv = original
            if instead is not None:
                instead()
            else:
                original(one, [*argv, "--database", self._leading.alias(), "--traceback"])

        BaseCommand.run_from_argv = command
        sys.argv = [self._manage or "django-admin", *words]
        try:
            if self._manage:
                runpy.run_path(self._manage, run_name="__main__")
            else:
                execute_from_command_line(sys.argv)
        except SystemExit as error:
            if error.code not in (None, 0):
                raise
        finally:
            BaseCommand.run_from_argv = original


# The migrations ------------------------------------------------------------------------------------------------------


def _plan() -> Iterator[Any]:
    """Every migration, in the order in which ``migrate`` applies them to an empty database."""
    from django.db.migrations.loader import MigrationLoader

    graph = MigrationLoader(None).graph
    seen = set()
    for leaf in graph.leaf_nodes():
        for node in graph.forwards_plan(leaf):
            if node not in seen:
                seen.add(node)
                yield graph.nodes[node]


def _revisions(inside: guard.Inside) -> None:
    for one in _plan():
        file = str(sys.modules[one.__module__].__file__)
        title = one.name.lstrip("0123456789_").replace("_", " ") or one.name
        name = inside.places.name(file)
        tell("revision", revision=f"{one.app_label}.{one.name}", title=title, file=name, line=class_line(file))


def _leave_rows_alone() -> None:
    """Keep Django from writing down each model after a step (content types, permissions): no step back takes those rows out."""
    from django.apps import apps
    from django.db.models.signals import post_migrate

    if apps.is_installed("django.contrib.contenttypes"):
        from django.contrib.contenttypes.management import create_contenttypes

        post_migrate.disconnect(create_contenttypes)
    if apps.is_installed("django.contrib.auth"):
        post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


def _take(run: Callable[..., None], inside: guard.Inside) -> Callable[[str, str], Optional[Place]]:
    """Takes a step up, down or again."""

    def migrate(*target: str) -> None:
        run("migrate", *target, "--noinput")

    def take(direction: str, revision: str) -> Optional[Place]:
        app, _, name = revision.partition(".")
        if direction == "again":
            migrate()
        elif direction == "up":
            migrate(app, name)
        else:
            _down(app, name, migrate)
        return inside.begun_at

    return take


def _down(app: str, name: str, migrate: Callable[..., None]) -> None:
    before = ["zero"]
    for one in _plan():
        if one.app_label == app and one.name == name:
            break
        before += [one.name] if one.app_label == app else []
    migrate(app, before[-1])


# The address ---------------------------------------------------------------------------------------------------------

_PLAIN = {
    "postgresql": "django.db.backends.postgresql",
    "mysql": "django.db.backends.mysql",
    "sqlite": "django.db.backends.sqlite3",
}
#: Parts of an engine's name by which its kind is known where it cannot be imported.
_LIKE = {"postgresql": ("postg", "psycopg", "psql"), "mysql": ("mysql", "mariadb"), "sqlite": ("sqlite", "spatialite")}
#: Options that say where to connect to, or how far to trust who answers there.
_WHERE = (
    "ssl", "unix_socket", "host", "port", "user", "password", "passwd", "passfile", "dbname", "database", "db", "service",
    "target_session", "read_default", "channel_binding", "gss", "krb", "uri", "pool",
)  # fmt: skip
_WHO = ("ENGINE", "NAME", "HOST", "PORT")


class _Leading:
    """Replaces the address in Django's settings, once they are read, wherever the project has it from."""

    def __init__(self, database: str, address: Optional[Dict[str, Any]]) -> None:
        self._database = database
        self._address = address

    def install(self) -> None:
        """Have the settings changed before anything of Django's sees them."""
        from django.conf import LazySettings

        for way in ("_setup", "configure"):
            setattr(LazySettings, way, self._then(getattr(LazySettings, way)))

    def _then(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def read(settings: Any, *arguments: Any, **named: Any) -> None:
            original(settings, *arguments, **named)
            if self._address is not None:
                self._lead(settings._wrapped, self._address)

        return read

    def alias(self) -> str:
        """The alias of the database that is ours."""
        from django.conf import settings

        return self._alias(settings.DATABASES)

    def _alias(self, databases: Any) -> str:
        return self._database if self._database in databases else "default"

    def _lead(self, settings: Any, address: Dict[str, Any]) -> None:
        databases = dict(settings.DATABASES or {})
        alias = self._alias(databases)
        declared = dict(databases.get(alias) or {})
        ours = _ours(declared, address)
        for name, other in databases.items():
            if name == alias or _same(dict(other or {}), declared, alias):
                databases[name] = {**ours, "TEST": (other or {}).get("TEST", {})}
        settings.DATABASES = {**databases, alias: databases.get(alias) or ours}


def _same(other: Dict[str, Any], declared: Dict[str, Any], alias: str) -> bool:
    """Whether another entry is the same database, or a replica of it."""
    mirror = (other.get("TEST") or {}).get("MIRROR")
    return mirror == alias or [other.get(key) for key in _WHO] == [declared.get(key) for key in _WHO]


def _ours(declared: Dict[str, Any], address: Dict[str, Any]) -> Dict[str, Any]:
    """An entry with our address and all of the declared one that does not say where to connect."""
    engine = str(declared.get("ENGINE") or "")
    fits = _vendor(engine) == address["scheme"]
    options = {key: value for key, value in (declared.get("OPTIONS") or {}).items() if fits and not key.startswith(_WHERE)}
    return {
        **declared,
        "ENGINE": engine if fits else _PLAIN[address["scheme"]],
        "NAME": address["database"],
        "USER": address["user"],
        "PASSWORD": address["password"],
        "HOST": address["host"],
        "PORT": str(address["port"] or ""),
        "OPTIONS": {**options, **address["options"]},
        "CONN_MAX_AGE": 0,
    }


def _vendor(engine: str) -> str:
    """What an engine is for, asked of itself, else by its name."""
    import importlib

    if not engine:
        return ""
    try:
        return str(importlib.import_module(f"{engine}.base").DatabaseWrapper.vendor)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, Django says when it connects
        name = engine.lower()
        return next((vendor for vendor, parts in _LIKE.items() if any(part in name for part in parts)), "")
