"""Takes single steps of Alembic in one process, each as ``alembic upgrade`` and ``alembic downgrade`` would take it alone.

A step up is ``alembic upgrade REVISION``, of which all but one has run. A step down undoes one revision and leaves the others:
``downgrade`` to the one below would take its other branches down too, and of a merge cannot be said at all.
"""

from __future__ import annotations

import contextlib
import weakref
from typing import Any, Callable, Dict, Optional

from . import guard
from .place import Place
from .steps import NoWayBack, walk
from .telling import tell

#: Makes the configuration anew for a step, as each start of Alembic does; takes ``upgrade`` or ``downgrade``, and a revision.
Configured = Callable[[str, str], Any]


def rehearse(request: Dict[str, Any], configured: Configured, inside: guard.Inside) -> None:
    """Take the ``steps`` of a request."""
    engines = _watched()

    def take(way: str, revision: str) -> Optional[Place]:
        try:
            return _take(configured, way, revision, inside)
        finally:
            _let_go(engines)

    walk(request, take, inside)


def _take(configured: Configured, way: str, revision: str, inside: guard.Inside) -> Optional[Place]:
    from alembic import command

    if way == "down":
        return _down(configured("downgrade", "-1"), revision, inside)
    target = "heads" if way == "again" else revision
    command.upgrade(configured("upgrade", target), target)
    return None if way == "again" else inside.begun_at


def _down(config: Any, revision: str, inside: guard.Inside) -> Place:
    """As Alembic's own ``downgrade``, but for the steps: the one of this revision. Raises NoWayBack."""
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationStep
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(config)
    script: Any = scripts.get_revision(revision)
    function = getattr(script.module, "downgrade", None)
    line = getattr(getattr(function, "__code__", None), "co_firstlineno", None) or guard.first_line(script) or 1
    place = inside.places.name(script.path), line
    inside.begun, inside.begun_at = script.revision, place
    tell("began", revision=script.revision, file=place[0], line=line)
    if function is None:
        raise NoWayBack("it has no `downgrade`")

    def steps(_heads: Any, _context: Any) -> Any:
        return [MigrationStep.downgrade_from_script(scripts.revision_map, script)]

    below = script.down_revision
    target = (below[0] if isinstance(below, (tuple, list)) else below) or "base"
    with EnvironmentContext(config, scripts, fn=steps, as_sql=False, starting_rev=None, destination_rev=target):
        scripts.run_env()
    return place


def _watched() -> Any:
    """The engines that env.py, or what it imports, connects with."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    engines: Any = weakref.WeakSet()
    event.listen(Engine, "engine_connect", lambda connection, *_: engines.add(connection.engine))
    return engines


def _let_go(engines: Any) -> None:
    """End the sessions that a pool keeps, as the end of Alembic's process does; those of an event loop have ended with it."""
    for engine in list(engines):
        with contextlib.suppress(Exception):
            if getattr(engine.dialect, "is_async", False):
                engine.dispose(close=False)
            else:
                engine.dispose()
