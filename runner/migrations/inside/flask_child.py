"""Runs Flask-Migrate's ``flask db …`` in the project's own Python, with the application's address led to our database.

Verbs: ``current``, ``apply``, which is one ``flask db upgrade heads``, ``rehearse``, which takes ``steps``, and ``drift``, which
compares the models with a copy. The request comes as JSON in ``DBPROOF_REQUEST``: ``verb``, ``url`` (ours), ``database`` (its
name in dbproof's settings) and ``directory`` (of ``env.py``, or none).
"""

from __future__ import annotations

import functools
import sys
from contextlib import suppress
from typing import Any, Callable, Dict, Mapping

from . import alembic_child, alembic_drift, alembic_steps, guard
from .alembic_child import led
from .serving import in_folder_first, serve

#: What every start imports and no project changes. No driver: those are guarded as they are imported.
AHEAD = (*alembic_child.AHEAD, "flask.cli", "flask_sqlalchemy", "flask_migrate")

_COMMANDS = {"current": ("current",), "apply": ("upgrade", "heads"), "drift": ("current",), "rehearse": ("current",)}


def main() -> None:
    """Do what the request says."""
    serve(_do, in_folder_first, cause=_cause)


def _cause(error: BaseException) -> BaseException:
    """Flask-Migrate says what Alembic raised and exits; what it raised says more than a status."""
    return error.__context__ if isinstance(error, SystemExit) and error.__context__ is not None else error


def _do(request: Dict[str, Any], inside: guard.Inside) -> None:
    from flask.cli import main as flask  # type: ignore[import-not-found]  # in the project's own environment

    with suppress(ImportError):
        _lead_here(request["url"], request["database"])
    if request["verb"] == "drift":
        _instead(lambda config: alembic_drift.compare(config, inside.places))
    elif request["verb"] == "rehearse":
        _instead(lambda _: alembic_steps.rehearse(request, lambda *_: _config(request), inside))
    where = ["--directory", request["directory"]] if request["directory"] else []
    sys.argv = ["flask", "db", _COMMANDS[request["verb"]][0], *where, *_COMMANDS[request["verb"]][1:]]
    flask()


def _instead(run: Callable[[Any], None]) -> None:
    """Have ``flask db current`` do something else: it sets up the application and Alembic as every command does."""
    from alembic import command

    command.current = lambda config, *_, **__: run(config)


def _config(request: Dict[str, Any]) -> Any:
    """Alembic's configuration, made anew by Flask-Migrate."""
    from flask import current_app  # type: ignore[import-not-found]  # as above

    return current_app.extensions["migrate"].migrate.get_config(request["directory"])


def _lead_here(url: str, name: str) -> None:
    """Have Flask-SQLAlchemy see our address wherever the application has its own from.

    It stands in the place of the bind that is called as the database in dbproof's settings, else of the application's own.
    """
    from flask_sqlalchemy import SQLAlchemy  # type: ignore[import-not-found]  # as above

    original = SQLAlchemy.init_app

    @functools.wraps(original)
    def init_app(extension: Any, app: Any, *arguments: Any, **named: Any) -> Any:
        binds = dict(app.config.get("SQLALCHEMY_BINDS") or {})
        if name in binds:
            app.config["SQLALCHEMY_BINDS"] = {**binds, name: _led(binds[name], url)}
        else:
            app.config["SQLALCHEMY_DATABASE_URI"] = led(str(app.config.get("SQLALCHEMY_DATABASE_URI") or ""), url)
        options = dict(app.config.get("SQLALCHEMY_ENGINE_OPTIONS") or {})
        options.pop("connect_args", None)  # certificates and the like of their server
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
        return original(extension, app, *arguments, **named)

    SQLAlchemy.init_app = init_app


def _led(bind: Any, url: str) -> Any:
    if isinstance(bind, Mapping):
        return {**bind, "url": led(str(bind.get("url") or ""), url)}
    return led(str(bind or ""), url)
