"""What a repair found and did, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from runner.declaring.shell import literal
from runner.fixing.missing_parents import Gap
from runner.gathering import counted

if TYPE_CHECKING:
    from runner.fixing.removing import Removed

FORMAT = "dbproof-fix/1"
_KEY = "(the key)"


@dataclass
class Done:
    """How far a call came: documents made (``None`` where none was begun), refusals in the server's words, and the undo file.

    ``removed`` is what came of undoing.
    """

    made: int | None = None
    refused: Mapping[str, int] = field(default_factory=dict)
    undo: str | None = None
    removed: Removed | None = None


def lines(gap: Gap, show_values: bool) -> Iterator[str]:
    """One reference for people: how many parents are missing, which can be made, and like what."""
    yield f"{gap.reference.label}: {counted(gap.missing, 'parent')} missing"
    if gap.impossible:
        yield f"  none can be made: {gap.impossible}"
        return
    parent = gap.reference.parent.collection
    for name, count in gap.strange.items():
        hint = "write [] where each element refers" if name == "array" else "reference-type-mismatch"
        yield f"  {count} of their keys {_are(count)} of the type {name}, which no key of {parent} has ({hint})"
    if unfit := gap.unfit - sum(gap.strange.values()):
        yield f"  {unfit} of their keys {_are(unfit)} none that a document of {parent} can have"
    if gap.example is not None:
        yield f"  each made like {literal(_example(gap, show_values))}"


def as_json(database: str, version: str, gaps: Sequence[Gap], done: Done, show_values: bool) -> Mapping[str, Any]:
    """A whole call for programs; documents as Extended JSON."""
    return {
        "format": FORMAT,
        "database": database,
        "server": version,
        "missing": sum(gap.missing for gap in gaps),
        "makeable": sum(gap.makeable for gap in gaps),
        "made": done.made,
        "refused": [{"message": said, "documents": count} for said, count in done.refused.items()],
        "removed": asdict(done.removed) if done.removed else None,
        "undo": done.undo,
        "references": [_reference(gap, show_values) for gap in gaps],
    }


def _reference(gap: Gap, show_values: bool) -> Mapping[str, Any]:
    place = gap.reference.place
    return {
        "reference": gap.reference.label,
        "collection": gap.reference.parent.collection,
        "declared": {"file": place.file, "line": place.line} if place else None,
        "missing": gap.missing,
        "makeable": gap.makeable,
        "unfit": gap.unfit,
        "of_another_type": dict(gap.strange),
        "impossible": gap.impossible or None,
        "example": None if gap.example is None else _example(gap, show_values),
    }


def _example(gap: Gap, show_values: bool) -> Mapping[str, Any]:
    """A document as it would be made; its key is a value of documents."""
    keys = {path.dotted.partition(".")[0] for path in gap.reference.parents}
    told = ((name, value) for name, value in (gap.example or {}).items() if name != "_id" or name in keys)
    return {name: _KEY if name in keys and not show_values else value for name, value in told}


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
