"""Puts the guard into a Python program: stamps on statements, refusal of other databases, events of Alembic's steps.

Everything waits until the program imports the library concerned, so that one that never does is not slowed down.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.abc
import importlib.util
import json
import os
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Set, Tuple

from . import failures, variables
from .connections import Guard, without_password
from .django_steps import Steps
from .drivers import Drivers
from .place import Place, Places
from .telling import tell

#: What the guard must know: JSON with ``scheme``, ``host`` and ``port`` of our server, ``database``, ``root`` of the repository.
TOLD = "DBPROOF_GUARD"

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-")


class Inside:
    """The guard of this process."""

    def __init__(self, host: str, port: int, root: str, database: str = "", scheme: str = "") -> None:
        self.guard = Guard(host, port, database if scheme == "sqlite" else "")
        self.drivers = Drivers(self.guard)
        self.places = Places(root)
        self.database = database
        self.commands: Any = None
        self.begun: Optional[str] = None
        self.begun_at: Optional[Place] = None
        self.broken = False
        #: Says of an exception why it is none, where it only says that there is no way back.
        self.forgiven: Optional[Callable[[BaseException], str]] = None

    def sqlalchemy(self, _module: Any) -> None:
        """Stamp every statement, and look at every address, of every engine."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", self.stamped, retval=True)
        event.listen(Engine, "do_connect", self.drivers.do_connect)

    def stamped(self, _c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> Tuple[str, Any]:
        """The statement with its place as a comment before it."""
        place = self.places.now(depth=2)
        if place is None or statement.startswith("/*dbproof:"):
            return statement, parameters
        return f"/*dbproof:{encode(place[0])}:{place[1]}*/{statement}", parameters

    def alembic(self, module: Any) -> None:
        """Tell the beginning and the end of each of Alembic's upgrade steps."""
        original = module.ScriptDirectory._upgrade_revs

        def steps(script: Any, *arguments: Any, **named: Any) -> List[Any]:
            found = list(original(script, *arguments, **named))
            for step in found:
                step.migration_fn = self._told(step.revision, step.migration_fn)
            return found

        module.ScriptDirectory._upgrade_revs = steps

    def _told(self, script: Any, run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)  # Alembic logs the function's name
        def told(*arguments: Any, **named: Any) -> None:
            self.begun = script.revision
            self.begun_at = self.places.name(script.path), first_line(script) or 1
            tell("began", revision=self.begun, file=self.begun_at[0], line=self.begun_at[1])
            start = time.monotonic()
            try:
                run(*arguments, **named)
            except BaseException as error:
                self.broke(error)
                raise
            tell("ended", revision=script.revision, seconds=time.monotonic() - start)

        return told

    def pymongo(self, module: Any) -> None:
        """Look at every address, and hear every command."""
        from .commands import listener

        self.drivers.pymongo(module)
        self.commands = listener(self.places, self.database, lambda: self.begun_at)
        module.monitoring.register(self.commands)

    def sqlite3(self, module: Any) -> None:
        """Look at every file that is opened, and hear what is done to ours."""
        from .sqlite_sessions import connection_class

        original = module.connect
        usual = 5  # where ``factory`` stands among the arguments

        def connect(*arguments: Any, **named: Any) -> Any:
            database = arguments[0] if arguments else named.get("database")
            self.guard.check_sqlite(database)
            if not self.guard.is_our_file(database):
                return original(*arguments, **named)
            given = arguments[usual] if len(arguments) > usual else named.get("factory", module.Connection)
            if isinstance(given, type):
                heard = connection_class(given, self._now)
                if len(arguments) > usual:
                    arguments = (*arguments[:usual], heard, *arguments[usual + 1 :])
                else:
                    named["factory"] = heard
            connection = original(*arguments, **named)
            tell("came")
            with contextlib.suppress(module.Error):  # as on our servers: what is made here is forfeit where the machine fails
                module.Connection.execute(connection, "PRAGMA synchronous = off").close()
            return connection

        module.connect = connect

    def _now(self) -> Tuple[Optional[str], Optional[Place]]:
        return self.begun, self.places.now(depth=2)

    def broke(self, error: BaseException, at: Optional[Place] = None) -> None:
        """Tell once why migrating stopped; ``at`` is where, if the exception does not say it."""
        if self.broken or (self.forgiven is not None and self.forgiven(error)):
            return
        self.broken = True
        file, line = at or self.places.of_error(error, self.begun_at) or (None, None)
        told = failures.describe(error)
        if self.commands is not None and told["code"] and not told["statement"]:
            told["statement"] = self.commands.last
        tell("broke", revision=self.begun, file=file, line=line, **told)

    def stopped(self, error: BaseException) -> bool:
        """Tell why a program ended before it migrated, where that is a matter of settings."""
        names = [] if self.begun else variables.wanted(error)
        if names:
            tell("wanted", names=names, read=variables.read(), said=failures.last_line(error))
        elif not self.begun and self.guard.is_lost(error):
            tell("elsewhere", address=without_password(self.guard.passed), read=variables.read())
            return True
        return bool(names)

    def uncaught(self, kind: Any, error: BaseException, trace: Any) -> None:
        """Python's hook for exceptions that nobody caught."""
        self.stopped(error)
        sys.__excepthook__(kind, error, trace)

    def hooks(self) -> Dict[str, Callable[[Any], None]]:
        """What happens right after each module was imported."""
        steps = Steps(self, lambda sql, place: f"/*dbproof:{encode(place[0])}:{place[1]}*/{sql}")
        return {
            **({"sqlite3.dbapi2": self.sqlite3} if self.guard.file else {}),
            "sqlalchemy": self.sqlalchemy,
            "alembic.script.base": self.alembic,
            "psycopg": self.drivers.psycopg,
            "psycopg2": self.drivers.psycopg2,
            "asyncpg": self.drivers.asyncpg,
            "pymysql": self.drivers.pymysql,
            "aiomysql": self.drivers.aiomysql,
            "asyncmy": self.drivers.called("mysql+asyncmy", "connect", "create_pool"),
            "MySQLdb": self.drivers.called("mysql+mysqldb", "connect", "Connect", "Connection"),
            "mysql.connector": self.drivers.called("mysql+mysqlconnector", "connect", "Connect", "MySQLConnection"),
            "mariadb": self.drivers.called("mariadb+mariadbconnector", "connect"),
            "pymongo": self.pymongo,
            **steps.hooks(),
            "django.db.backends.base.base": _both(self.drivers.django, steps.connections),
        }


def install() -> Optional[Inside]:
    """Put the guard into this process, where dbproof asked for it."""
    told = os.environ.get(TOLD)
    if not told:
        return None
    inside = Inside(**json.loads(told))
    variables.watch()
    hooks = inside.hooks()
    for name in [name for name in hooks if name in sys.modules]:  # imported ahead
        hooks.pop(name)(sys.modules[name])
    sys.meta_path.insert(0, _Hooks(hooks))
    return inside


def encode(file: str) -> str:
    """A file's name for a stamp: what could end a comment or mean something to a driver is written ``=XX``."""
    return "".join(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in os.fsencode(file))


def _both(*hooks: Callable[[Any], None]) -> Callable[[Any], None]:
    def hook(module: Any) -> None:
        for one in hooks:
            one(module)

    return hook


def first_line(script: Any) -> Optional[int]:
    """Where ``def upgrade`` stands in a revision's file."""
    code = getattr(getattr(script.module, "upgrade", None), "__code__", None)
    return getattr(code, "co_firstlineno", None)


class _Hooks(importlib.abc.MetaPathFinder):
    """Lets the other finders find a module, and does something once it has been executed.

    To be found is not to be imported: programs look whether a module is there, and a first import may fail.
    """

    def __init__(self, hooks: Dict[str, Callable[[Any], None]]) -> None:
        self._hooks = hooks
        self._looking: Set[Tuple[int, str]] = set()

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        looking = threading.get_ident(), name
        if name not in self._hooks or looking in self._looking:
            return None
        self._looking.add(looking)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._looking.discard(looking)
        if spec is not None and spec.loader is not None:
            spec.loader = _Executed(spec.loader, self._executed)
        return spec

    def _executed(self, module: Any) -> None:
        hook = self._hooks.pop(module.__name__, None)
        if hook is not None:
            hook(module)


class _Executed(importlib.abc.Loader):
    """A loader with something after it. Otherwise it is the loader it stands for, and it leaves no trace in the module."""

    def __init__(self, loader: Any, hook: Callable[[Any], None]) -> None:
        self._loader = loader
        self._hook = hook

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._hook(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
