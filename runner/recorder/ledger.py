"""Who made an object: statements in order, what each wrote, and which of it was new.

The server's catalogues know an object by its OID, which outlives renames. Two things need more than that: a constraint or index
that PostgreSQL makes anew under its old name (ALTER COLUMN … TYPE, REINDEX CONCURRENTLY) keeps its maker, and what was dropped
and made again has its second maker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from checks.schema.names import ObjectKind, ObjectReference
from runner.recorder.events import Address, Row

#: What a statement is called by; the ledger does not look into it.
StatementT = TypeVar("StatementT")

_Name = tuple[int, int, str]


@dataclass(frozen=True)
class Candidate(Generic[StatementT]):
    """A statement that wrote an object in a transaction; ``whole`` as in :class:`Row`."""

    statement: StatementT
    xid: int | None
    whole: bool


@dataclass
class Origin(Generic[StatementT]):
    """Everything that may have made one object, in order, the names it went by and the table it belongs to."""

    relation: str
    candidates: list[Candidate[StatementT]] = field(default_factory=list)
    names: set[_Name] = field(default_factory=set)

    def maker(self, aborted: frozenset[int]) -> StatementT | None:
        """The statement that made it: the last CREATE (OR REPLACE) that names it, else the first that wrote its row."""
        held = [candidate for candidate in self.candidates if candidate.xid not in aborted]
        whole = [candidate for candidate in held if candidate.whole]
        return whole[-1].statement if whole else held[0].statement if held else None


class Ledger(Generic[StatementT]):
    """What statements made and dropped, entered one statement at a time."""

    def __init__(self) -> None:
        self.origins: dict[Address, Origin[StatementT]] = {}
        self._names: dict[_Name, Origin[StatementT]] = {}

    def enter(self, statement: StatementT, made: Iterable[Row], dropped: Iterable[Row]) -> None:
        """Enter what a statement dropped and then made."""
        for row in dropped:
            origin = self.origins.pop(row.address, None)
            for name in origin.names if origin else ():
                if self._names.get(name) is origin:
                    del self._names[name]
        for row in made:
            self._make(statement, row)

    def known(self, row: Row) -> Origin[StatementT] | None:
        """What is known of a row's object, by its address or as the successor of one with the same name."""
        return self.origins.get(row.address) or self.find(_name(row))

    def find(self, name: _Name | None) -> Origin[StatementT] | None:
        """The constraint or index (by its catalogue) that a table had under a name when it was last seen."""
        return self._names.get(name) if name else None

    def named(self, row: Row) -> ObjectReference:
        """How to name what was dropped: the server no longer knows which table an index stood on."""
        origin = self.origins.get(row.address)
        if row.reference.kind is ObjectKind.INDEX and origin:
            return replace(row.reference, relation=origin.relation)
        return row.reference

    def _make(self, statement: StatementT, row: Row) -> None:
        origin = self.known(row) or Origin(row.reference.relation)
        origin.candidates.append(Candidate(statement, row.xid, row.whole))
        self.origins[row.address] = origin
        if name := _name(row):
            origin.names.add(name)
            self._names[name] = origin


def _name(row: Row) -> _Name | None:
    """The name of a constraint or index within its table; a column has none, because it is never made anew under its number."""
    return (row.address[0], row.table, row.reference.name) if row.table and row.address[2] == 0 else None
