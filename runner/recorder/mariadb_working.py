"""From what MariaDB's counters say has moved to the work, the locks and the rewrites of a statement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.evidence import Lock, Rewrite
from checks.work import Log, TableWork, Work, strength
from runner.recorder.mariadb_counters import COPIED, EMPTY, IN_PLACE, Moved

#: A statement that writes into a new table what the old one had; TRUNCATE and DROP do not.
_REWRITES = re.compile(r"(?:alter|optimize|repair|(?:create|drop)\s+(?:\w+\s+){0,2}?index)\b", re.IGNORECASE)
_BEFORE = re.compile(r"(?:\s|/\*(?![!M]).*?\*/|--\s[^\n]*(?:\n|\Z)|#[^\n]*(?:\n|\Z))*", re.DOTALL)
_WORD = re.compile(r"\w*")
_REASONS = {COPIED: "its rows were copied by the server", IN_PLACE: "rebuilt in place", EMPTY: "empty", "": "copied or rebuilt"}
#: Until this version others only read a table while the server copies it; from then on they may write as well.
COPIES_ONLINE = (11, 2)
_KINDS = ("inserted", "updated", "deleted", "changed")
_EXCLUSIVE, _NO_WRITE, _WRITE = "MDL_EXCLUSIVE", "MDL_SHARED_NO_WRITE", "MDL_SHARED_WRITE"


def work(moved: Moved, text: str) -> Work:
    """Rows by table, and bytes of the redo log."""
    return Work(tuple(_tables(moved, text)), moved.redo, moved.statements, Log.REDO)


def _tables(moved: Moved, text: str) -> Iterator[TableWork]:
    kind = _kind(moved, text)
    for name in sorted({*moved.rows, *moved.sizes}):
        changed, read = (max(0, count) for count in moved.rows.get(name, (0, 0)))
        size, grown = moved.sizes.get(name, (None, None))
        inserted, updated, deleted, unknown = (changed if one == kind else 0 for one in _KINDS)
        if changed or read or grown:
            yield TableWork(name, inserted, updated, deleted, read, size, grown, unknown)


def _kind(moved: Moved, text: str) -> str:
    """What became of the rows that changed: the server counts by table, or by kind. Of several kinds only the former is known."""
    changed = sum(rows for rows, _ in moved.rows.values())
    word = first_word(text)
    if not moved.updated and not moved.deleted:
        return "inserted"
    if word == "update" and moved.updated == changed and not moved.deleted:
        return "updated"
    if word == "delete" and moved.deleted == changed and not moved.updated:
        return "deleted"
    return "changed"


def locks(moved: Moved, text: str, version: tuple[int, ...]) -> tuple[Lock, ...]:
    """Locks on tables that none of the watched statements made, the strongest first.

    Besides those that a session still holds there are those that such work cannot do without: for what defines, writes, names or
    drops a table MDL_EXCLUSIVE at its end, for copying it MDL_SHARED_NO_WRITE, for changing rows MDL_SHARED_WRITE.
    """
    known = list(moved.held)
    known += [(_EXCLUSIVE, name) for name in moved.exclusive]
    if version < COPIES_ONLINE and writes_anew(text):
        known += [(_NO_WRITE, name) for name, how in moved.anew.items() if how == COPIED]
    known += [(_WRITE, name) for name, (changed, _) in moved.rows.items() if changed]
    found = {Lock(name, mode) for mode, name in known if name in moved.there}
    return tuple(sorted(found, key=lambda lock: (-strength(lock.mode), lock.relation)))


def rewrites(moved: Moved, text: str) -> tuple[Rewrite, ...]:
    """Tables that were there and whose rows a statement wrote anew, with how it did so."""
    if not writes_anew(text):
        return ()
    return tuple(Rewrite(name, _REASONS[how]) for name, how in moved.anew.items() if name in moved.there)


def writes_anew(text: str) -> bool:
    """Whether a statement's words are of a kind that writes a table anew with the rows that it had."""
    return _REWRITES.match(text, _start(text)) is not None


def first_word(text: str) -> str:
    """The word that a statement begins with, in lower case."""
    found = _WORD.match(text, _start(text))
    return found[0].lower() if found else ""


def _start(text: str) -> int:
    found = _BEFORE.match(text)
    return found.end() if found else 0
