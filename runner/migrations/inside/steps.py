"""Single steps of a migration tool in one process: after each dbproof looks at the database, and says when to go on."""

from __future__ import annotations

import os
import re
import time
from typing import Any, Callable, Dict, Optional, Set

from . import guard
from .place import Place
from .telling import tell

#: Seconds between two looks for the sign to go on.
_LOOK_AGAIN = 0.002

#: What authors raise where there is no way back and they say so.
SAID_SO = re.compile(
    r"not (be )?(reversible|implemented|supported)|irreversible|can(not|'t| not) be (undone|reversed|reverted|rolled back)"
    r"|no (way back|downgrade|rollback)",
    re.IGNORECASE,
)
#: Where in memory a function lies, which says nothing.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class NoWayBack(Exception):
    """A migration offers nothing to undo it by; the words say why."""


#: Takes one step up, down or again (with nothing pending); gives the place of what it ran.
Take = Callable[[str, str], Optional[Place]]


def walk(request: Dict[str, Any], take: Take, inside: guard.Inside) -> None:
    """Take the ``steps`` of a request (direction and revision each), with a stop after each until ``gate`` has its number."""
    standing: Set[str] = set()
    for number, (direction, revision) in enumerate(request["steps"]):
        place: Optional[Place] = None
        irreversible = ""
        if direction == "up" and revision in standing:
            standing.discard(revision)
        else:
            inside.forgiven = irreversible_by if direction == "down" else None
            if direction == "again":  # no migration is at fault where nothing is pending
                inside.begun_at = None
            try:
                place = take(direction, revision)
            except BaseException as error:
                irreversible = irreversible_by(error) if direction == "down" else ""
                if not irreversible:
                    raise
                place = inside.begun_at
                standing.add(revision)
        _pause(number, place, irreversible, request["gate"])


def irreversible_by(error: BaseException) -> str:
    """Why there is no way back, where that is what an exception says; else nothing."""
    if isinstance(error, NoWayBack) or type(error).__name__ == "IrreversibleError":  # Django's
        return _ADDRESS.sub("", str(error))
    if isinstance(error, NotImplementedError) or (type(error) in (Exception, RuntimeError) and SAID_SO.search(str(error))):
        said = f": {error}" if str(error) else ""
        return f"its way back raises {type(error).__name__}{said}"
    return ""


def _pause(number: int, place: Optional[Place], irreversible: str, gate: str) -> None:
    file, line = place or (None, None)
    tell("paused", number=number, file=file, line=line, irreversible=irreversible)
    sign = os.path.join(gate, str(number))
    while not os.path.exists(sign):
        time.sleep(_LOOK_AGAIN)
