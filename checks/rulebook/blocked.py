"""In words: what a migration does to the rows of a table while others are kept out of it, under which locks, and who waited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checks.evidence import Lock
from checks.interface import Json
from checks.timings import lapse
from checks.traffic import Access, Blocking, Wait, WorkKind, WorkOnRows

#: Modes that keep out readers as well: PostgreSQL's, MariaDB's.
_READERS_TOO = frozenset({"AccessExclusiveLock", "MDL_EXCLUSIVE", "MDL_SHARED_NO_READ_WRITE"})


@dataclass(frozen=True)
class Case:
    """What one revision does to the rows of one table while others are kept out."""

    revision: str
    relation: str
    statements: tuple[Blocking, ...]
    work: WorkOnRows


def what(case: Case) -> str:
    """``ALTER TABLE reads 1 000 rows of orders under AccessExclusiveLock on orders (keeps out readers and writers)``."""
    one = case.statements[0]
    taken = {lock.relation for lock in one.taken}
    own = _held_by(one.taken, case.relation)
    earlier = _held_by([lock for lock, _ in one.earlier if lock.relation not in taken], case.relation)
    held = [*([own] if own else []), *([f"{earlier}, held since {_lines(one)}"] if earlier else [])]
    return f"{_tag(one)}{_more(case)} {_does(case.work)} under {', and '.join(held)}"


def _more(case: Case) -> str:
    """``(and 2 more, at lines 3 and 4)``."""
    one, *others = case.statements
    places = [other.place for other in others if other.place and one.place and other.place.file == one.place.file]
    lines = sorted({place.line for place in places if place.line})
    at = f", at line{'s' if len(lines) > 1 else ''} {_and([str(line) for line in lines])}" if lines else ""
    return f" (and {len(others)} more{at})" if others else ""


def _tag(one: Blocking) -> str:
    return one.commands[0] if one.commands else " ".join(one.text.split()[:2]).rstrip(";").upper()


def _lines(one: Blocking) -> str:
    """``line 49``, ``lines 49, 110 and 171``: of its own file the lines alone."""
    places = {place for _, place in one.earlier if place is not None}
    if places == {one.place}:
        return "an earlier statement of the same line"
    own = sorted(place.line for place in places if one.place is not None and place.file == one.place.file and place.line)
    others = sorted(str(place) for place in places if one.place is None or place.file != one.place.file or not place.line)
    lines = [f"line{'s' if len(own) > 1 else ''} {_and([str(line) for line in own])}"] if own else []
    return _and([*lines, *others]) or "an earlier statement of its transaction"


def _and(listed: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:])))


def _does(work: WorkOnRows) -> str:
    rows = count(work.rows)
    match work.kind:
        case WorkKind.REWRITE:
            return f"writes {work.relation} anew ({f'{work.reason}, ' if work.reason else ''}{rows})"
        case WorkKind.INDEX:
            return f"indexes {rows} of {work.relation}"
        case WorkKind.SCAN:
            return f"reads {rows} of {work.relation}"
        case WorkKind.WRITE:
            return f"writes {rows} of {work.relation}"


def _held_by(locks: Sequence[Lock], relation: str) -> str:
    """``AccessExclusiveLock on orders (keeps out readers and writers)``, the strongest first, of each the case's own table."""
    modes: dict[str, list[str]] = {}
    for lock in sorted(locks, key=lambda lock: lock.relation != relation):
        modes.setdefault(lock.mode, []).append(lock.relation)
    return " and ".join(
        f"{mode} on {', '.join(relations)} (keeps out {'readers and writers' if mode in _READERS_TOO else 'writers'})"
        for mode, relations in sorted(modes.items(), key=lambda one: one[0] not in _READERS_TOO)
    )


def waited(behind: Sequence[Blocking], first: Blocking, relation: str = "") -> str:
    """``writes to orders waited 2.7 s for RowExclusiveLock behind ALTER TABLE at line 14``, the longest of each access.

    ``first`` is the statement that the finding is placed at.
    """
    longest: Mapping[Access, tuple[Wait, Blocking]] = {}
    for one in behind:
        for wait in one.waits:
            held = longest.get(wait.access)
            if wait.relation == (relation or wait.relation) and (held is None or wait.own > held[0].own):
                longest = {**longest, wait.access: (wait, one)}
    return ", ".join(
        f"{_access(wait)} {wait.relation} waited {lapse(wait.own)} for {wait.mode} behind {_where(one, first)}"
        for wait, one in longest.values()
    )


def _access(wait: Wait) -> str:
    return "reads of" if wait.access is Access.READS else "writes to"


def _where(one: Blocking, first: Blocking) -> str:
    if one.place is None:
        return _tag(one)
    same = first.place is not None and first.place.file == one.place.file and one.place.line
    return f"{_tag(one)} at {f'line {one.place.line}' if same else one.place}"


def count(rows: int) -> str:
    """``1 000 rows``, ``1 row``."""
    return "1 row" if rows == 1 else f"{rows:,} rows".replace(",", " ")


def facts(statements: Sequence[Blocking]) -> dict[str, Json]:
    """The same as data, for reports that programs read."""
    listed: list[Json] = [
        {
            "statement": one.text,
            "place": str(one.place) if one.place else "",
            "locks": [f"{lock.relation}: {lock.mode}" for lock in one.taken],
            "earlier_locks": [f"{lock.relation}: {lock.mode}" for lock, _ in one.earlier],
            "work": [f"{work.relation}: {work.kind.value}, {work.rows} rows" for work in one.work],
            "held_seconds": round(one.held, 4),
            "waits": [
                {
                    "table": wait.relation,
                    "access": wait.access.value,
                    "mode": wait.mode,
                    "seconds": round(wait.own, 4),
                    "queued_seconds": round(wait.queued, 4),
                }
                for wait in one.waits
            ],
        }
        for one in statements
    ]
    return {"statements": listed}
