"""A plan: the commands with what they would meet, as text to paste and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runner.declaring.audit import Audited, Refusal
from runner.declaring.rights import Lacking
from runner.declaring.shell import literal, shell
from runner.declaring.standing import Standing
from runner.gathering import counted
from runner.text import single_line

FORMAT = "dbproof-plan/1"
#: How long a line of the script may be before it is folded.
WIDTH = 110


@dataclass(frozen=True)
class Plan:
    """What would be done to one database. ``there`` is what stood when it was planned, ``left`` what stays, in words.

    ``undoing`` says that it leads back to what was there.
    """

    database: str
    version: str
    audited: tuple[Audited, ...]
    there: Mapping[str, Standing] = field(hash=False)
    left: tuple[str, ...] = ()
    lacking: Lacking | None = None
    undoing: bool = False

    @property
    def refused(self) -> tuple[Audited, ...]:
        """The commands that would be refused."""
        return tuple(one for one in self.audited if one.refusals)


def script(plan: Plan, show_values: bool) -> Iterator[str]:
    """The commands for mongosh, what is to be known of each beside it as a comment."""
    yield f"// {plan.database}: {summary(plan)}"
    if plan.audited:
        yield f"use({literal(plan.database)})"
    for number, one in enumerate(plan.audited, 1):
        yield ""
        yield from _commented(number, one, show_values)
        yield from shell(one.step.command, WIDTH).splitlines()
    if plan.left or plan.lacking:
        yield ""
    for words in plan.left:
        yield from _comment(" ", words)
    if plan.lacking:
        yield from _comment(" ", plan.lacking.message)
        yield from _comment("   Remedy: ", plan.lacking.remedy("dbAdmin"))


def summary(plan: Plan) -> str:
    """``4 commands, 1 would be refused``."""
    if not plan.audited:
        return "nothing to undo" if plan.undoing else "nothing to do: all that is declared is there"
    commands = counted(len(plan.audited), "command")
    return f"{commands}, {len(plan.refused)} would be refused" if plan.refused else f"{commands}, none would be refused"


def _commented(number: int, one: Audited, show_values: bool) -> Iterator[str]:
    place = f"  {one.step.place.file}:{one.step.place.line}" if one.step.place else ""
    yield f"// {number}. {single_line(one.step.label)}: {single_line(one.step.why)}{place}"
    for refusal in one.refusals:
        yield from _comment("   REFUSED  ", refusal.message)
        for value in refusal.values if show_values else ():
            yield from _comment("     ", value)
        if refusal.remedy:
            yield from _comment("   Remedy: ", refusal.remedy)
    for note in one.notes:
        yield from _comment("   ", note)


def _comment(before: str, text: str) -> Sequence[str]:
    """A sentence over as many lines as it needs."""
    folding = textwrap.TextWrapper(
        WIDTH,
        initial_indent=f"//{before}",
        subsequent_indent=f"//{' ' * len(before)}",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return folding.wrap(single_line(text))


def as_json(plan: Plan, show_values: bool, *, applied: int | None = None, undo: str | None = None) -> Mapping[str, Any]:
    """The plan for programs; commands as Extended JSON. ``applied`` is how many went through, ``None`` where none was sent."""
    return {
        "format": FORMAT,
        "database": plan.database,
        "server": plan.version,
        "undoing": plan.undoing,
        "refused": len(plan.refused),
        "applied": applied,
        "undo": undo,
        "steps": [_step(number, one, show_values) for number, one in enumerate(plan.audited, 1)],
        "left": list(plan.left),
        "lacking": [{"action": action, "collection": name} for action, name in plan.lacking.missing] if plan.lacking else [],
    }


def _step(number: int, one: Audited, show_values: bool) -> Mapping[str, Any]:
    place = one.step.place
    return {
        "number": number,
        "kind": str(one.step.kind),
        "collection": one.step.collection,
        "label": one.step.label,
        "why": one.step.why,
        "declared": {"file": place.file, "line": place.line} if place else None,
        "command": dict(one.step.command),
        "shell": shell(one.step.command),
        "refusals": [_refusal(refusal, show_values) for refusal in one.refusals],
        "notes": list(one.notes),
    }


def _refusal(refusal: Refusal, show_values: bool) -> Mapping[str, Any]:
    return {
        "kind": str(refusal.kind),
        "message": refusal.message,
        "remedy": refusal.remedy,
        "documents": refusal.documents,
        "evidence": dict(refusal.evidence),
        "values": list(refusal.values) if show_values else [],
    }
