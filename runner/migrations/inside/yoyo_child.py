"""Runs yoyo by its own command line, in the project's Python, on our database, and tells what happens.

Verbs: ``revisions`` lists the migrations in the order in which they apply, ``current`` connects and asks for nothing, ``apply``
is one ``yoyo apply``, ``rehearse`` takes ``steps``. The request comes as JSON in ``DBPROOF_REQUEST``: ``verb``, ``url`` (ours, or
none), ``declared`` (the address in the project's configuration), ``config`` (a path, or none) and ``sources``.
"""

from __future__ import annotations

import functools
import importlib
import os
import re
import time
from typing import Any, Callable, Dict, Iterator, Optional, Sequence

from . import guard
from .guard import encode
from .place import Place
from .serving import in_folder_first, serve
from .steps import NoWayBack, walk
from .telling import tell

#: What every start imports and no project changes.
AHEAD = ("yoyo.scripts.main",)


def main() -> None:
    """Do what the request says."""
    serve(_do, in_folder_first)


def _do(request: Dict[str, Any], inside: guard.Inside) -> None:
    if request["verb"] == "revisions":
        _revisions(request["sources"], inside)
        return
    url = _led(request["declared"], request["url"])
    if request["verb"] == "current":
        _connect(url)
        return
    followed = _Followed(inside)
    followed.install()
    config = ["--config", request["config"]] if request["config"] else ["--no-config-file"]
    options = ["--batch", *config, "--database", url]

    def take(direction: str, revision: str) -> Optional[Place]:
        followed.undoing = revision if direction == "down" else ""
        one = ["--match", f"^{re.escape(revision)}$"] if direction == "up" else []
        _run("rollback" if direction == "down" else "apply", *options, *one, *request["sources"])
        return followed.place

    if request["verb"] == "apply":
        take("again", "")
    else:
        walk(request, take, inside)


def _run(*words: str) -> None:
    from yoyo.scripts.main import main as yoyo  # type: ignore[import-not-found]  # in the project's own environment

    status = yoyo(list(words))
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
        #: The migration that is to be undone, and where what was run last begins.
        self.undoing = ""
        self.place: Optional[Place] = None

    def install(self) -> None:
        from yoyo.backends.base import DatabaseBackend  # type: ignore[import-not-found]  # as above
        from yoyo.migrations import MigrationStep

        sent = MigrationStep._execute
        for way in ("apply_one", "rollback_one"):
            setattr(DatabaseBackend, way, self._told(getattr(DatabaseBackend, way)))

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

        MigrationStep._execute = execute

    def _told(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def run(backend: Any, migration: Any, *arguments: Any, **named: Any) -> Any:
            self._begin(migration)
            start = time.monotonic()
            try:
                if self.undoing:
                    self._look(migration)
                done = original(backend, migration, *arguments, **named)
            except BaseException as error:
                self._inside.broke(error)
                raise
            tell("ended", revision=migration.id, seconds=time.monotonic() - start)
            return done

        return run

    def _begin(self, migration: Any) -> None:
        path = (_undoing(migration) if self.undoing else None) or migration.path
        name = self._inside.places.name(path)
        self.place = name, 1
        self._inside.begun, self._inside.begun_at = self.undoing or migration.id, self.place
        self._inside.places.at_work = name
        with open(path, encoding="utf-8", errors="replace") as file:
            self._text = file.read()
        tell("began", revision=self._inside.begun, file=name, line=1)

    def _look(self, migration: Any) -> None:
        """Whether yoyo undoes the migration that is meant, and whether that says how. Raises NoWayBack."""
        if migration.id != self.undoing:
            raise RuntimeError(f"`yoyo rollback` undoes {migration.id}, which comes after")
        migration.load()
        if not any(one._rollback for one in _single(migration.steps)):
            raise NoWayBack("none of its steps says how it is undone")

    def _line(self, statement: Any) -> Optional[Place]:
        """Where the file of the migration says a statement; its first line where it makes it in another way."""
        file = self._inside.places.at_work
        if not isinstance(statement, str) or file is None:
            return None
        at = self._text.find(statement.strip())
        return file, self._text.count("\n", 0, max(at, 0)) + 1


def _undoing(migration: Any) -> Optional[str]:
    """The file that undoes a migration in SQL."""
    path = os.path.splitext(migration.path)[0] + ".rollback.sql"
    return path if migration.path.endswith(".sql") and os.path.exists(path) else None


def _single(steps: Any) -> Iterator[Any]:
    """Steps without what they are wrapped or grouped in."""
    for one in steps:
        within = getattr(one, "steps", None) or [getattr(one, "step", None)]
        if within == [None]:
            yield one
        else:
            yield from _single(within)
