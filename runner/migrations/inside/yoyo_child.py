"""Runs yoyo by its own command line, in the project's Python, on our database, and tells what happens.

Verbs: ``revisions`` lists the migrations in the order in which they apply, ``current`` connects and asks for nothing, ``apply``
is one ``yoyo apply``. The request comes as JSON in ``DBPROOF_REQUEST``: ``verb``, ``url`` (ours, or none), ``declared`` (the
address in the project's configuration), ``config`` (a path, or none) and ``sources``.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
import time
from typing import Any, Dict, Optional, Sequence

from . import guard
from .guard import encode
from .place import Place
from .python_child import failed
from .telling import tell


def main() -> None:
    """Do what the request says; exit 1 where it failed, which has been told by then."""
    request = json.loads(os.environ.pop("DBPROOF_REQUEST"))
    inside = guard.install()
    if inside is None:
        raise SystemExit("dbproof: this program is started by dbproof only")
    sys.path.insert(0, os.getcwd())
    try:
        _do(request, inside)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return
        failed(error, inside)
        if inside.begun is None:  # what a migration died of has been told with its file and line
            sys.__excepthook__(type(error), error, error.__traceback__)
        raise SystemExit(1) from None


def _do(request: Dict[str, Any], inside: guard.Inside) -> None:
    if request["verb"] == "revisions":
        _revisions(request["sources"], inside)
        return
    url = _led(request["declared"], request["url"])
    if request["verb"] == "current":
        _connect(url)
        return
    _Followed(inside).install()
    from yoyo.scripts.main import main as yoyo  # type: ignore[import-not-found]  # in the project's own environment

    config = ["--config", request["config"]] if request["config"] else ["--no-config-file"]
    status = yoyo(["apply", "--batch", *config, "--database", url, *request["sources"]])
    if status:
        raise SystemExit(status)


def _revisions(sources: Sequence[str], inside: guard.Inside) -> None:
    from yoyo.migrations import read_migrations, topological_sort  # type: ignore[import-not-found]  # as above

    for one in topological_sort(read_migrations(*sources)):
        tell("revision", revision=one.id, title=(one.module.__doc__ or "").strip(), file=inside.places.name(one.path), line=1)


def _connect(url: str) -> None:
    """Connect as yoyo does. Its own look (``yoyo list``) makes its tables already."""
    from yoyo.backends import get_backend_class  # type: ignore[import-not-found]  # as above
    from yoyo.connections import parse_uri  # type: ignore[import-not-found]  # as above

    address = parse_uri(url)
    backend = get_backend_class(address.scheme)(address, "_yoyo_migration")
    backend.connection.close()


def _led(declared: str, url: str) -> str:
    """Our URL with the driver that the declared one names, where it is one for the same kind of server, or one that is there."""
    kind, rest = url.partition("://")[0], url[url.index("://") :]
    named = declared.partition("://")[0]
    usual = {
        "postgresql": [("postgresql", "psycopg2"), ("postgresql+psycopg", "psycopg")],
        "mysql": [("mysql", "pymysql"), ("mysql+mysqldb", "MySQLdb")],
        "sqlite": [("sqlite", "sqlite3")],
    }[kind]
    known = {"postgres": "postgresql", "psql": "postgresql"}.get(named, named)
    first = [one for one in usual if one[0] == known]
    for scheme, module in [*first, *usual]:
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        return scheme + rest
    raise ModuleNotFoundError("no driver is installed", name=usual[0][1])


class _Followed:
    """Tells that migrations begin and end, and stamps their steps with the line on which the statement stands."""

    def __init__(self, inside: guard.Inside) -> None:
        self._inside = inside
        self._text = ""

    def install(self) -> None:
        from yoyo.backends.base import DatabaseBackend  # type: ignore[import-not-found]  # as above
        from yoyo.migrations import MigrationStep

        applied, sent = DatabaseBackend.apply_one, MigrationStep._execute

        @functools.wraps(applied)
        def apply_one(backend: Any, migration: Any, *arguments: Any, **named: Any) -> Any:
            self._begin(migration)
            start = time.monotonic()
            try:
                done = applied(backend, migration, *arguments, **named)
            except BaseException as error:
                self._inside.broke(error)
                raise
            tell("ended", revision=migration.id, seconds=time.monotonic() - start)
            return done

        @functools.wraps(sent)
        def execute(step: Any, cursor: Any, statement: Any, *arguments: Any, **named: Any) -> Any:
            place = self._line(statement)
            if place is None:
                return sent(step, cursor, statement, *arguments, **named)
            self._inside.begun_at = place
            stamped = f"/*dbproof:{encode(place[0])}:{place[1]}*/{statement}"
            try:
                return sent(step, cursor, stamped, *arguments, **named)
            except Exception as error:
                error.statement = statement  # type: ignore[attr-defined]  # where SQLAlchemy's errors have it
                raise

        DatabaseBackend.apply_one, MigrationStep._execute = apply_one, execute

    def _begin(self, migration: Any) -> None:
        name = self._inside.places.name(migration.path)
        self._inside.begun, self._inside.begun_at = migration.id, (name, 1)
        self._inside.places.at_work = name
        with open(migration.path, encoding="utf-8", errors="replace") as file:
            self._text = file.read()
        tell("began", revision=migration.id, file=name, line=1)

    def _line(self, statement: Any) -> Optional[Place]:
        """Where the file of the migration says a statement; its first line where it makes it in another way."""
        file = self._inside.places.at_work
        if not isinstance(statement, str) or file is None:
            return None
        at = self._text.find(statement.strip())
        return file, self._text.count("\n", 0, max(at, 0)) + 1
