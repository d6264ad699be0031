"""Where something that a database should have was taken away, and whether dbproof itself put it there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.evidence import Evidence, Place
from checks.schema.names import ObjectReference


def where_lost(thing: ObjectReference, evidence: Evidence) -> tuple[Place | None, str]:
    """The place and the text of the last statement that dropped an object that nothing made again; nothing where none did."""
    for statement in reversed(evidence.statements):
        if statement.undone:
            continue
        if thing in statement.made:
            break
        if thing in statement.dropped:
            return statement.place, statement.text
    return None, ""


def where_said(words: re.Pattern[str], names: Iterable[str], evidence: Evidence) -> tuple[Place | None, str]:
    """The place and the text of the last statement that says the words and every name; nothing where none does."""
    wanted = [words, *(re.compile(rf"(?<!\w){re.escape(name)}(?!\w)") for name in names)]
    for said in reversed(evidence.statements):
        if said.place is not None and not said.undone and all(one.search(said.text) for one in wanted):
            return said.place, said.text
    return None, ""


def told_at(objects: Iterable[ObjectReference], declared: Place | None, evidence: Evidence) -> Place | None:
    """Where something is declared, for a finding about objects of which no statement is known to have made any."""
    return None if any(one in evidence.provenance for one in objects) else declared


def applied_by_us(thing: ObjectReference, declared: Place | None, evidence: Evidence) -> bool:
    """Whether an object was made from its very declaration, so that finding it there proves nothing."""
    made = evidence.provenance.get(thing)
    return made is not None and made.place == declared
