"""Plans how tables are filled, by asking the server which values a column takes; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checks.rows.expressions import columns_of
from checks.rows.judging import Dialect
from checks.rows.missing import Read
from checks.rows.sets.coupling import coupled, mended
from checks.rows.sets.draft import Draft, is_whole
from checks.rows.sets.equations import computed_columns
from checks.rows.sets.order import Turn
from checks.rows.sets.plan import Computed, Numbered, Pooled, Referred, Source, TablePlan
from checks.rows.sets.references import refer, refer_to_nothing
from checks.rows.sets.rules import behind_formulas, columns_of_index, kept_length
from checks.rows.sets.wishes import Wishes
from checks.rows.shapes import Value
from checks.rows.terms import Condition
from checks.schema.model import Catalogue, Column, Index
from checks.sql.statements import quoted

_ENDLESS = 2**62


class Planner:
    """Plans one database. ``read`` asks the server; ``dialect`` says how."""

    def __init__(self, catalogue: Catalogue, dialect: Dialect, read: Read) -> None:
        self._catalogue = catalogue
        self._dialect = dialect
        self._read = read

    def planned(self, turn: Turn, wishes: Wishes, *, ends: bool = True) -> TablePlan:
        """How a table is filled, or why it is not; without ``ends`` no value is at the end of its type, which may overflow."""
        return _planned(self._draft(turn, wishes, ends=ends and not wishes.mild))

    def coupled(self, turn: Turn, plan: TablePlan, wishes: Wishes) -> TablePlan:
        """The same plan, with columns that few rows' values go together in taking theirs from rows that were found together.

        Where there are none, from one row that was compiled; else with the reason why there is none.
        """
        return coupled(self._draft(turn, wishes, ends=False), plan)

    def mended(self, turn: Turn, plan: TablePlan, failing: Sequence[Condition], wishes: Wishes) -> TablePlan:
        """The same plan, in which rows that would break one of these conditions take values that were found to go together.

        The plan as it is where there are none, or where something else follows from these values.
        """
        return mended(self._draft(turn, wishes, ends=False), plan, failing)

    def _draft(self, turn: Turn, wishes: Wishes, *, ends: bool) -> Draft:
        return Draft(turn, self._catalogue, self._dialect, self._read, wishes, ends=ends)


def _planned(draft: Draft) -> TablePlan:
    """Keys first, for everything else is free where they are not; then what one rule computes; then all others."""
    _given(draft)
    nowhere = refer_to_nothing(draft)
    later = refer(draft)
    _compute(draft)
    for index in sorted(draft.unique(), key=lambda one: (not one.primary, len(one.columns))):
        _distinguish(draft, index)
    reason = nowhere or _fill(draft)
    sources = list(dict.fromkeys(draft.sources.values()))
    sources.sort(key=lambda one: (isinstance(one, Computed), isinstance(one, Referred) and bool(one.shared)))
    held = [*draft.held, *draft.further, *_given_at_all(draft, sources)]
    return TablePlan(draft.table, tuple(sources), tuple(held), later, draft.most, draft.limited, draft.guarded, reason)


def _given(draft: Draft) -> None:
    """What the settings say of columns."""
    for name in draft.table.column:
        if expression := draft.wishes.given.get(f"{draft.table.name.label()}.{name}"):
            draft.sources[name] = Computed(name, expression)


def _compute(draft: Draft) -> None:
    """Where a rule says that one column equals an expression of others, it is that expression."""
    for condition in draft.held:
        for column, expression in computed_columns(condition, tuple(draft.table.column)):
            needed = set(columns_of(expression, tuple(draft.table.column)))
            free = column not in draft.sources and not draft.table.column[column].generated
            if free and not any(isinstance(draft.sources.get(name), Computed) for name in needed):
                draft.sources[column] = Computed(column, expression.sql(dialect=draft.dialect.DIALECT))
                break


def _distinguish(draft: Draft, index: Index) -> None:
    """Let one column of a unique index follow from the number of the row, unless one of them does already."""
    names = [name for name in index.columns if name is not None] or columns_of_index(index, draft.table)
    known = [draft.sources.get(name) for name in names]
    if any(isinstance(source, Numbered) or _each_once(draft, source, names) for source in known):
        return
    free = [name for name in names if name not in draft.sources and not draft.table.column[name].generated]
    if not free:  # what generated columns are computed from differs, and they may with it
        free = [name for name in behind_formulas(names, draft.table) if name not in draft.sources]
        draft.guarded = draft.guarded or bool(free)
    tried = ((name, draft.form(draft.table.column[name], kept_length(index, name))) for name in free)
    found = {name: form for name, form in tried if form is not None}
    best = max(found, key=lambda name: found[name].most or _ENDLESS, default=None)
    if best is not None:
        draft.sources[best] = Numbered(best, found[best])
        draft.limit(found[best].most, f"{index.name} has no more keys")
        return
    draft.guarded = True


def _each_once(draft: Draft, source: Source | None, names: Sequence[str]) -> bool:
    """Whether a parent comes once, and no other has the same in these columns."""
    if not isinstance(source, Referred) or not source.once:
        return False
    theirs = {parents for mine, parents in zip(source.key.columns, source.key.parent_columns, strict=True) if mine in names}
    parent = draft.catalogue.table[source.key.parent]
    return any(is_whole(index) and None not in index.columns and set(index.columns) <= theirs for index in parent.indexes)


def _fill(draft: Draft) -> str:
    """Every other column: a list of values that it takes, or nothing where it may go without. Gives why that cannot be."""
    for column in draft.table.columns:
        if column.name in draft.sources or column.generated:
            continue
        pool = draft.lists.taken(column)
        if pool:
            draft.sources[column.name] = _of_its_own(draft, column) or _listed(draft, column, pool)
        elif not column.nullable and column.default is None and not column.identity:
            return _nothing_known(draft, column)
    return ""


def _of_its_own(draft: Draft, column: Column) -> Numbered | None:
    """A value that no other row has, where rows are to be mild."""
    form = draft.of_its_own(column)
    if form is None:
        return None
    draft.limit(form.most, f"{column.name} has no more values")
    return Numbered(column.name, form)


def _listed(draft: Draft, column: Column, pool: Sequence[Value]) -> Pooled:
    """A column's values in a list, those first that come up for certain."""
    often = draft.often(column.name)
    nulls = often if column.nullable and draft.lists.may_be_null(column) else 0
    certain = list(draft.lists.awkward(column))
    listed = [*certain, *(value for value in pool if value not in certain)]
    return Pooled((column.name,), tuple((value,) for value in listed), nulls, certain=len(certain))


def _nothing_known(draft: Draft, column: Column) -> str:
    rules = " and ".join(one.name for one in draft.held if one.columns == (column.name,))
    if rules:
        return f"no value of {column.name} ({column.type}) was found that {rules} allows"
    return f"no value of {column.name} is known: its type is {column.type}"


def _given_at_all(draft: Draft, sources: Sequence[Source]) -> Iterator[Condition]:
    """Where a parent of the same tenant may be lacking, or a rule comes to nothing, rows have to be left out."""
    for source in sources:
        if isinstance(source, Computed) or (isinstance(source, Referred) and source.shared):
            for name in (source.column,) if isinstance(source, Computed) else source.columns:
                if not draft.table.column[name].nullable:
                    yield Condition(
                        f"NOT NULL of {name}", f"{quoted(draft.dialect.ENGINE, name)} IS NOT NULL", (name,), strict=True
                    )
