"""What is said alike of rows and documents: which are judged, what became of them, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from checks.evidence import Evidence, Place
from checks.interface import Json, Judgement, NotProven, Proven
from checks.schema.names import ObjectReference
from checks.survivals import ColumnSurvival, Loss, Survival

#: What a type that is too narrow does.
_NARROWED = (Loss.ROUNDED, Loss.CUT, Loss.EMPTIED)
_WORDS = {
    Loss.ROUNDED: "rounded",
    Loss.CUT: "cut short",
    Loss.EMPTIED: "emptied",
    Loss.SHIFTED: "moved in time",
    Loss.OTHER: "replaced",
}

#: Why nothing is proven of rows among which what a statement was written for may be lacking.
_MILDER = "milder rows only"

#: What to do where values are changed that are meant to be, and where some are dropped.
MEANT = "Where that is meant, accept it on its line (dbproof: allow changed-values, why)."
EXPAND_FIRST = (
    "Expand, then contract: let a release stop using it first, and drop it in a later one; where it is to go now, accept it on "
    "its line (dbproof: allow dropped-with-values, why)."
)


@dataclass(frozen=True)
class Terms:
    """What an engine calls a row, what of it holds a value, and what holds the rows."""

    row: str
    column: str
    table: str

    def of(self, number: int, all_of_them: int) -> str:
        """``12 of 40 rows``, ``all 40 rows``, ``the only row``."""
        if number == all_of_them:
            return f"the only {self.row}" if number == 1 else f"all {number} {self.row}s"
        return f"{number} of {all_of_them} {self.row}s"

    def held(self, number: int) -> str:
        """``1 row``, ``40 rows``."""
        return f"{number} {self.row}" if number == 1 else f"{number} {self.row}s"

    def made(self, one: Survival) -> str:
        """What is added where the rows were made from the schema."""
        return f", on {'milder ' if one.milder else ''}{self.row}s that dbproof made" if one.made else ""

    def gone(self, one: Survival) -> str:
        """``12 of 40 rows of orders are gone``."""
        return f"{self.of(one.missing, one.before)} of {one.table.label()} {'is' if one.missing == 1 else 'are'} gone"

    @property
    def keep(self) -> str:
        """What to do where a type is too narrow."""
        return f"Choose a type that holds what is there, or keep the old {self.column} until nothing needs it any more."

    @property
    def keep_aside(self) -> str:
        """What to do where rows are deleted."""
        return (
            f"Keep them aside in a {self.table} of their own first, or correct them instead; where they are to go, accept it on "
            "its line (dbproof: allow lost-rows, why)."
        )


ROWS, DOCUMENTS = Terms("row", "column", "table"), Terms("document", "field", "collection")


def judged(evidence: Evidence, terms: Terms) -> Iterator[Survival | NotProven]:
    """Every table of base that held rows, and why nothing is known of the others."""
    survivals = evidence.survivals
    if survivals is None:
        return
    if survivals.gap:
        yield NotProven(f"{terms.row}s of base", survivals.gap)
    for one in survivals.tables:
        if one.gap:
            yield NotProven(one.table.label(), one.gap)
        elif one.before:
            yield one
        elif one.now is not None:
            yield NotProven(one.table.label(), f"no {terms.row}s")


def proven(subject: str, one: Survival, *objects: ObjectReference) -> Judgement:
    """That nothing became of a table's rows; of milder ones, which a condition may have passed over, that proves nothing."""
    return NotProven(subject, _MILDER) if one.milder else Proven(subject, objects)


def added(one: Survival) -> str:
    """``, and 2 were added``."""
    return f", and {one.extra} {'was' if one.extra == 1 else 'were'} added" if one.extra and one.keyed else ""


def only_new(evidence: Evidence) -> Place | None:
    """Where the one new migration stands; nothing where there are several."""
    new = [migration for migration in evidence.migrations if migration.new]
    return new[0].place if len(new) == 1 else None


def narrowed(column: ColumnSurvival) -> bool:
    """Whether values were lost in the way in which a type that is too narrow loses them."""
    return any(column.losses.get(loss) for loss in _NARROWED)


def became(column: ColumnSurvival, *, kinds: bool = True) -> str:
    """``: 3 rounded, 2 values are told apart no more``, losses only where ``kinds`` says so; nothing where no more is known."""
    said = [f"{number} {_WORDS[loss]}" for loss, number in sorted(column.losses.items()) if number and kinds]
    merged = [f"{column.merged} values are told apart no more"] if column.merged else []
    return f": {', '.join([*said, *merged])}" if said or merged else ""


def before_narrowing(column: ColumnSurvival, query: str, terms: Terms) -> str:
    """What to do before a column gets another type; ``query`` is what to ask production, empty where nothing can be asked."""
    if not narrowed(column):
        return MEANT
    if query:
        return f"Ask production, where this must give 0: {query}; {terms.keep[0].lower()}{terms.keep[1:]}"
    return f"{terms.keep} {MEANT}"


def changed_facts(one: Survival, column: ColumnSurvival, statement: str, terms: Terms) -> dict[str, Json]:
    """What became of a column's values, as data."""
    return {
        f"{terms.row}s": one.before - one.missing,
        "type": column.type,
        "now_type": column.now_type,
        "losses": {loss.value: number for loss, number in sorted(column.losses.items())},
        "merged": column.merged,
        "made_rows": one.made,
        **_by(statement),
    }


def dropped_facts(one: Survival, statement: str, terms: Terms) -> dict[str, Json]:
    """What held the values that are dropped, as data."""
    return {f"{terms.row}s": one.before, "made_rows": one.made, **_by(statement)}


def lost_facts(one: Survival, statement: str) -> dict[str, Json]:
    """What became of the number of rows, as data."""
    return {"before": one.before, "after": one.after, "added": one.extra, "made_rows": one.made, **_by(statement)}


def _by(statement: str) -> dict[str, Json]:
    return {"statement": statement} if statement else {}
