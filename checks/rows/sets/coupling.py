"""Plans whose columns go together: rows that were found together give their values, or mend what would break a rule."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from checks.rows.judging import Judge
from checks.rows.missing import NoValue
from checks.rows.sets.draft import Draft
from checks.rows.sets.forms import example
from checks.rows.sets.plan import Computed, Mended, Numbered, Pooled, Referred, Source, TablePlan, columns_of_source
from checks.rows.sets.together import FEW, clusters, together
from checks.rows.terms import Condition, Field


def coupled(draft: Draft, plan: TablePlan) -> TablePlan:
    """The plan with columns that go together in lists; else with one row that was compiled, or why there is none."""
    free = {name: source for source in plan.sources if _is_free(draft, source) for name in columns_of_source(source)}
    draft.sources = {source.column: source for source in plan.sources if isinstance(source, Numbered)}
    numbered = [source for name in free if (source := _beside_numbers(draft, name)) is not None]
    if numbered:
        return _with(plan, numbered)
    found: list[Pooled] = []
    for names, own in clusters(plan.conditions, free):
        fields = _fields(draft, names)
        rows = together(fields, own, draft.judge, Decimal(0)) if len(fields) == len(names) else ()
        if not rows:
            return _of_one_row(draft, plan)
        forms = {name: one.form for name in names if isinstance(one := free[name], Numbered)}
        found.append(Pooled(names, tuple(tuple(row[name] for name in names) for row in rows), numbered=forms))
    return _with(plan, found) if found else _of_one_row(draft, plan)


def mended(draft: Draft, plan: TablePlan, failing: Sequence[Condition]) -> TablePlan:
    """The plan with lists for rows that break a condition; what rules compute is computed of their values."""
    listed = [name for one in plan.sources if isinstance(one, Pooled) for name in one.columns]  # always in this order
    computed = {one.column: one.expression for one in plan.sources if isinstance(one, Computed)}
    found: list[Mended] = []
    for names, own in clusters(plan.conditions, dict.fromkeys((*listed, *computed))):
        broken = tuple(one for one in failing if one in own)
        if broken:
            found += _mends(draft, [name for name in names if name in listed], own, broken, computed)
    covered = {condition for one in found for condition in one.conditions}
    taken = {name for one in found for name in one.source.columns}
    return replace(plan, mended=tuple(found)) if covered == {*failing} and not _is_needed(draft, taken, plan) else plan


def _mends(
    draft: Draft, names: Sequence[str], own: Sequence[Condition], broken: tuple[Condition, ...], computed: Mapping[str, str]
) -> Iterator[Mended]:
    """Values that go together, judged with what is computed of them as if it were generated."""
    columns = [
        replace(one, generated=True, default=computed[one.name]) if one.name in computed else one for one in draft.table.columns
    ]
    judge = Judge(draft.dialect, draft.read, replace(draft.table, columns=tuple(columns)), columns)
    rest = [_resting_on(one, names, computed) for one in own]
    fields = _fields(draft, names)
    rows = together(fields, rest, judge, Decimal(0), FEW) if fields and len(fields) == len(names) else ()
    if rows:
        yield Mended(Pooled(tuple(names), tuple(tuple(row[name] for name in names) for row in rows)), broken)


def _resting_on(condition: Condition, names: Sequence[str], computed: Collection[str]) -> Condition:
    """A condition that speaks of what is computed of these columns."""
    spoken = tuple(name for name in condition.columns if name in computed)
    return replace(condition, columns=tuple(names), computed=(*condition.computed, *spoken)) if spoken else condition


def _is_needed(draft: Draft, names: set[str], plan: TablePlan) -> bool:
    """Whether keys rest on these columns: a parent was chosen by them, or they keep rows apart."""
    shared = {name for one in plan.sources if isinstance(one, Referred) for name in one.shared}
    kept = {name for index in draft.unique() for name in index.columns if name is not None} if plan.guarded else set()
    return bool(names & (shared | kept))


def _beside_numbers(draft: Draft, name: str) -> Numbered | None:
    """A column that a condition binds to one whose values follow from the row's number: its own may follow, too."""
    for condition in draft.held:
        others = {*condition.columns} - {name}
        if name in condition.columns and others and others <= draft.sources.keys():
            form = draft.form(draft.table.column[name], None)
            return Numbered(name, form) if form is not None else None
    return None


def _is_free(draft: Draft, source: Source) -> bool:
    """Whether a column's values may come from elsewhere: they are listed, or worked out by what a rule says."""
    if isinstance(source, Computed):
        referring = {name for key in draft.table.foreign_keys for name in key.columns}
        given = draft.wishes.given.get(f"{draft.table.name.label()}.{source.column}")
        return source.column not in referring and source.expression != given
    if isinstance(source, Numbered):
        return draft.table.column[source.column].nullable and example(source.form, 1) is not None
    return isinstance(source, Pooled)


def _fields(draft: Draft, names: Sequence[str]) -> list[Field]:
    return [field for name in names if (field := _field(draft, name)) is not None]


def _field(draft: Draft, name: str) -> Field | None:
    """A column of those that go together: of three values one is NULL, so that it is seen what NULL does."""
    column, source = draft.table.column[name], draft.sources.get(name)
    known = [example(source.form, 1), example(source.form, 2)] if isinstance(source, Numbered) else draft.lists.taken(column)
    may_lack = column.nullable and draft.often(name) > 0
    pool = (*known, *([None] * (1 + len(known) // 2) if may_lack else []))
    return Field(name, draft.dialect.shape(column), pool) if pool else None


def _of_one_row(draft: Draft, plan: TablePlan) -> TablePlan:
    names = {name for one in plan.conditions if len(one.columns) > 1 for name in one.columns}
    pooled = [source for source in plan.sources if isinstance(source, Pooled) and names & set(source.columns)]
    columns = tuple(name for source in pooled for name in source.columns)
    try:
        row = draft.compiler.satisfying(draft.table.name).row
    except NoValue as reason:
        return replace(plan, reason=str(reason))
    return _with(plan, [Pooled(columns, (tuple(row.get(name) for name in columns),))] if columns else [])


def _with(plan: TablePlan, sources: Sequence[Source]) -> TablePlan:
    """The plan with these in the place of what gave their columns."""
    names = {name for one in sources for name in columns_of_source(one)}
    kept = tuple(source for source in plan.sources if not names & set(columns_of_source(source)))
    bounds = [source.form.most for source in sources if isinstance(source, Numbered)]
    most = min((bound for bound in (plan.most, *bounds) if bound is not None), default=None)
    return replace(plan, sources=(*sources, *kept), most=most)
