"""Follows Django's migrations: when each begins and ends, and which operation in its file a statement comes from.

An operation knows the line on which it was made. What Django puts off to the end of a migration (foreign keys, indexes) keeps the
line of the operation that put it off; a function of ``RunPython`` is found on the stack, with the line that sends.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from .place import Place, outwards
from .telling import tell

if TYPE_CHECKING:
    from .guard import Inside

_AT = "_dbproof_at"
_DJANGO = os.sep + "django" + os.sep + "db" + os.sep


def class_line(file: str) -> int:
    """Where a migration's file defines its class, 1 where it does not."""
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            return next((number for number, line in enumerate(lines, 1) if line.startswith("class Migration")), 1)
    except OSError:
        return 1


class Steps:
    """Django's migrations in this process. ``operation`` is the place of the one that is at work."""

    def __init__(self, inside: Inside, stamp: Callable[[str, Place], str]) -> None:
        self._inside = inside
        self._stamp = stamp
        self.operation: Optional[Place] = None
        self._under_way = False

    def hooks(self) -> Dict[str, Callable[[Any], None]]:
        """What happens right after each of Django's modules was imported."""
        return {
            "django.db.migrations.executor": self.executor,
            "django.db.migrations.operations.base": self.operations,
            "django.db.backends.base.base": self.connections,
            "django.db.backends.base.schema": self.editors,
        }

    def operations(self, module: Any) -> None:
        """Keep the line on which every operation is made."""
        original = module.Operation.__new__

        def made(cls: Any, *arguments: Any, **named: Any) -> Any:
            one = original(cls, *arguments, **named)
            one.__dict__[_AT] = _made_at(sys._getframe(1))
            return one

        module.Operation.__new__ = staticmethod(made)

    def executor(self, module: Any) -> None:
        """Tell the beginning and the end of each migration, up or down."""
        for way in ("apply_migration", "unapply_migration"):
            setattr(module.MigrationExecutor, way, self._told(getattr(module.MigrationExecutor, way)))

    def _told(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def run(executor: Any, state: Any, migration: Any, *arguments: Any, **named: Any) -> Any:
            self._begin(migration)
            start = time.monotonic()
            try:
                done = original(executor, state, migration, *arguments, **named)
            except BaseException as error:
                self._inside.broke(error)
                raise
            finally:
                self._under_way = False
            self._inside.places.at_work = None
            tell("ended", revision=f"{migration.app_label}.{migration.name}", seconds=time.monotonic() - start)
            return done

        return run

    def _begin(self, migration: Any) -> None:
        file = getattr(sys.modules.get(migration.__module__), "__file__", None) or ""
        name, line = self._inside.places.name(file), class_line(file)
        self._inside.begun, self._inside.begun_at = f"{migration.app_label}.{migration.name}", (name, line)
        self._inside.places.at_work = name
        self.operation, self._under_way = None, True
        self._follow(migration.operations)
        tell("began", revision=self._inside.begun, file=name, line=line)

    def _follow(self, operations: Iterable[Any]) -> None:
        """Have operations say that they are at work, those within others too."""
        for one in operations:
            made = one.__dict__.get(_AT)
            if made is None or "database_forwards" in one.__dict__:
                continue
            place = self._inside.places.name(made[0]), made[1]
            for way in ("database_forwards", "database_backwards"):
                one.__dict__[way] = self._at_work(getattr(one, way), place)
            self._follow(getattr(one, "database_operations", None) or ())

    def _at_work(self, original: Callable[..., Any], place: Place) -> Callable[..., Any]:
        @functools.wraps(original)
        def run(*arguments: Any, **named: Any) -> Any:
            outer, self.operation = self.operation, place
            self._inside.begun_at = place
            done = original(*arguments, **named)
            self.operation = outer
            return done

        return run

    def editors(self, module: Any) -> None:
        """Have what is put off to the end of a migration remember its operation."""
        editor = module.BaseDatabaseSchemaEditor
        entered, left = editor.__enter__, editor.__exit__

        @functools.wraps(entered)
        def enter(one: Any) -> Any:
            done = entered(one)
            one.deferred_sql = _PutOff(self)
            return done

        @functools.wraps(left)
        def leave(one: Any, *arguments: Any) -> Any:
            self.operation = None
            try:
                return left(one, *arguments)
            finally:
                self.operation = None

        editor.__enter__, editor.__exit__ = enter, leave

    def connections(self, module: Any) -> None:
        """Stamp every statement of every connection, by Django's own way to wrap them."""
        original = module.BaseDatabaseWrapper.__init__

        @functools.wraps(original)
        def made(wrapper: Any, *arguments: Any, **named: Any) -> None:
            original(wrapper, *arguments, **named)
            wrappers = getattr(wrapper, "execute_wrappers", None)
            if wrappers is not None:
                wrappers.append(self._send)

        module.BaseDatabaseWrapper.__init__ = made

    def _send(self, execute: Callable[..., Any], sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        place = self._place() if isinstance(sql, str) else None
        try:
            return execute(sql if place is None else self._stamp(sql, place), parameters, many, context)
        except Exception as error:
            with contextlib.suppress(AttributeError, TypeError):
                error.statement = str(sql)  # type: ignore[attr-defined]  # where SQLAlchemy's errors have it
            raise

    def _place(self) -> Optional[Place]:
        """The line of a function of the migration's file, else its operation's; outside of migrations any own file."""
        found = self._inside.places.now(depth=3)
        if not self._under_way:
            return None if found is None or os.path.basename(found[0]) == "manage.py" else found
        return found if found is not None and found[0] == self._inside.places.at_work else self.operation


class _PutOff(List[Any]):
    """A list of statements that says, as it is gone through, which operation each is of."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps = steps
        self._of: Dict[int, Tuple[Any, Optional[Place]]] = {}

    def append(self, statement: Any) -> None:
        self._of[id(statement)] = statement, self._steps.operation  # kept with it, so that its id stays its own
        super().append(statement)

    def extend(self, statements: Iterable[Any]) -> None:
        for one in statements:
            self.append(one)

    def __iter__(self) -> Iterator[Any]:
        if self._steps.operation is not None:  # Django looks for what to take out again
            yield from super().__iter__()
            return
        for one in super().__iter__():
            self._steps.operation = self._of.get(id(one), (None, None))[1]
            yield one
            self._steps.operation = None


def _made_at(frame: Any) -> Optional[Place]:
    """The line in the body of a class ``Migration``, else the first outside of Django."""
    outside = None
    for one in outwards(frame):
        if one.f_code.co_name == "Migration":
            return one.f_code.co_filename, one.f_lineno
        if outside is None and _DJANGO not in one.f_code.co_filename:
            outside = one.f_code.co_filename, one.f_lineno
        if one.f_code.co_name == "<module>":
            break
    return outside
