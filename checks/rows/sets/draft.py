"""One table on its way to a plan: what is known of it, and what gives its columns their values so far."""

from __future__ import annotations

from collections.abc import Iterator

from checks.rows.compiler import Compiler
from checks.rows.judging import Dialect, Judge
from checks.rows.missing import Read
from checks.rows.sets.lists import Lists
from checks.rows.sets.numbering import Numbering
from checks.rows.sets.order import Turn
from checks.rows.sets.plan import Form, Numbered, Source
from checks.rows.sets.rules import rules_of
from checks.rows.sets.wishes import Wishes
from checks.rows.shapes import Kind
from checks.rows.terms import Condition
from checks.schema.model import Catalogue, Column, Index

#: In so many of a hundred rows a column that may be NULL is, and where a rule binds it to others.
NULLS = 8
_OFTEN = 40


class Draft:
    """What planning one table goes by and changes; without ``ends`` no value is at the end of its type."""

    def __init__(self, turn: Turn, catalogue: Catalogue, dialect: Dialect, read: Read, wishes: Wishes, *, ends: bool) -> None:
        self.turn = turn
        self.table = turn.table
        self.catalogue = catalogue
        self.dialect = dialect
        self.read = read
        self.wishes = wishes
        self.held = rules_of(turn.table, catalogue, dialect)
        self.judge = Judge(dialect, read, turn.table, turn.table.columns)
        self.compiler = Compiler(catalogue, dialect, read)
        self.lists = Lists(turn.table, dialect, self.judge, self.compiler, self.held, wishes.readable, ends=ends)
        self.sources: dict[str, Source] = {}
        self.further: list[Condition] = []
        self.guarded = False
        self.most: int | None = None
        self.limited = ""
        self._numbering = Numbering(dialect, self.judge, self.held)

    def limit(self, most: int | None, why: str) -> None:
        """No more than so many rows have room, and why; the fewest count."""
        if most is not None and (self.most is None or most < self.most):
            self.most, self.limited = most, why

    def form(self, column: Column, length: int | None) -> Form | None:
        """How a column's values follow from the row's number, in so many characters that they differ; None where they cannot."""
        others = {name: source.form for name, source in self.sources.items() if isinstance(source, Numbered)}
        taken, enough = self.lists.taken(column), self.wishes.mild
        return self._numbering.form(column, length, taken, others, enough=enough) if not column.generated else None

    def of_its_own(self, column: Column) -> Form | None:
        """The form by which no two rows have the same in a column that no key asks it of, where rows are to be mild."""
        if not self.wishes.mild or self.is_bound(column.name) or column.name in self.wishes.tenants:
            return None
        if self.dialect.shape(column).kind is Kind.NUMBER and self.lists.awkward(column):  # there are few: a truth
            return None
        form = self.form(column, None)
        return form if form is not None and (form.most is None or form.most >= self.wishes.mild) else None

    def often(self, name: str) -> int:
        """In how many of a hundred rows a column that may be NULL is."""
        if self.wishes.mild:  # a rule that binds it to others and speaks of NULL may ask for it
            bound = any("null" in one.expression.lower() for one in self.held if name in one.columns and len(one.columns) > 1)
            return _OFTEN if bound else 0
        return _OFTEN if self.is_bound(name) else NULLS

    def is_bound(self, name: str) -> bool:
        """Whether a condition binds a column to others: then it matters whether it is NULL."""
        return any(name in one.columns and len(one.columns) > 1 for one in self.held)

    def unique(self) -> Iterator[Index]:
        """The indexes that keep rows apart, those of exclusion constraints among them."""
        yield from (index for index in self.table.indexes if index.unique or index.constraint == "x")


def is_whole(index: Index) -> bool:
    """Whether an index keeps keys apart in all rows."""
    return index.unique and index.valid and index.predicate is None and bool(index.columns)
