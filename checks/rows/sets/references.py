"""Which parents the rows of a table take: what gives the columns of its references their values."""

from __future__ import annotations

from collections.abc import Mapping

from checks.rows.sets.draft import Draft, is_whole
from checks.rows.sets.order import has_a_parent
from checks.rows.sets.plan import Computed, Numbered, Referred, Source
from checks.rows.terms import Condition
from checks.schema.model import ForeignKey
from checks.sql.statements import quoted


def refer_to_nothing(draft: Draft) -> str:
    """References whose parents are no table here stay NULL. Gives why that cannot be."""
    for key in draft.table.foreign_keys:
        if key.enforced and not has_a_parent(key, draft.catalogue):
            free = [name for name in key.columns if name not in draft.sources]
            empty = [name for name in free if draft.table.column[name].nullable]
            if free and not empty:
                return f"{key.label} refers to {key.parent.label()}, and no such key is there"
            draft.sources.update({name: Computed(name, "NULL") for name in empty})
    return ""


def refer(draft: Draft) -> tuple[Referred, ...]:
    """References, those of the most columns first: what they have in common is taken from one parent.

    A row that refers to its own table takes its parent later, or refers to itself where it must refer to something.
    """
    own = [key for key in draft.turn.keys if key.parent == draft.table.name]
    others = (key for key in draft.turn.keys if key not in own)
    for key in sorted(others, key=lambda key: (not set(key.columns) & set(draft.wishes.tenants), -len(key.columns))):
        _refer_to(draft, key)
    waiting = [*draft.turn.later, *(key for key in own if _may_wait(draft, key))]
    for key in (*draft.turn.later, *own):
        itself = key in own and key not in waiting
        for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
            if mine not in draft.sources:
                draft.sources[mine] = _as(draft, mine, theirs) if itself else _for_now(draft, mine)
    return tuple(_later(draft, key) for key in waiting)


def _refer_to(draft: Draft, key: ForeignKey) -> None:
    """Take the columns of a reference from a parent, as far as nothing gives them values yet."""
    shared = {mine: theirs for mine, theirs in zip(key.columns, key.parent_columns, strict=True) if mine in draft.sources}
    if len(shared) == len(key.columns):
        draft.further.append(_found_in(draft, key))  # another reference or the settings decide
        return
    once, tenants = _is_once(draft, key), _of_tenants(draft, key)
    carried = {name: name for name in tenants if name not in draft.sources}
    shared |= {name: name for name in tenants if name in draft.sources}
    nulls = 0 if carried or (once and _one_null(draft, key)) else _share_of_nulls(draft, key)
    referred = Referred(key, once, shared, carried, nulls)
    draft.sources.update(dict.fromkeys(referred.columns, referred))
    if once:
        draft.limit(None, f"{key.label} has one row for each parent")


def _later(draft: Draft, key: ForeignKey) -> Referred:
    """A reference whose parent is chosen when all rows are there."""
    once = _is_once(draft, key)
    nulls = 0 if once and _one_null(draft, key) else _share_of_nulls(draft, key)
    return Referred(key, once, _of_tenants(draft, key), nulls=nulls)


def _is_once(draft: Draft, key: ForeignKey) -> bool:
    """Whether a parent may have one row only."""
    return any(is_whole(index) and set(index.columns) <= set(key.columns) for index in draft.table.indexes)


def _as(draft: Draft, mine: str, theirs: str) -> Computed:
    """A column that is what another of the row is."""
    other = draft.sources.get(theirs)
    return Computed(mine, other.expression if isinstance(other, Computed) else quoted(draft.dialect.ENGINE, theirs))


def _for_now(draft: Draft, name: str) -> Source:
    """What a column has until its parent is there: nothing, or what will not do but is no NULL."""
    column = draft.table.column[name]
    form = None if column.nullable else draft.form(column, None)
    return Numbered(name, form) if form is not None else Computed(name, "NULL")


def _found_in(draft: Draft, key: ForeignKey) -> Condition:
    """That a parent is there, for a reference whose columns have their values from elsewhere."""
    mine, theirs = (
        ", ".join(quoted(draft.dialect.ENGINE, name) for name in names) for names in (key.columns, key.parent_columns)
    )
    parent = ".".join(quoted(draft.dialect.ENGINE, name) for name in (key.parent.schema, key.parent.name) if name)
    return Condition(f"the reference {key.label}", f"({mine}) IN (SELECT {theirs} FROM {parent})", key.columns)


def _may_wait(draft: Draft, key: ForeignKey) -> bool:
    """Whether a row can be there without its parent."""
    return all(draft.table.column[name].nullable for name in key.columns if name not in draft.sources)


def _of_tenants(draft: Draft, key: ForeignKey) -> Mapping[str, str]:
    """A parent is of the same tenant, where both say whose they are."""
    parent = draft.catalogue.table[key.parent]
    both = (name for name in draft.wishes.tenants if name in draft.table.column and name in parent.column)
    return {name: name for name in both if name not in key.columns}


def _one_null(draft: Draft, key: ForeignKey) -> bool:
    """Whether one row only may have no parent."""
    own = (index for index in draft.table.indexes if index.unique and set(index.columns) <= set(key.columns))
    return any("nulls not distinct" in index.traits for index in own)


def _share_of_nulls(draft: Draft, key: ForeignKey) -> int:
    """In how many of a hundred rows there is no parent."""
    if not all(draft.table.column[name].nullable for name in key.columns):
        return 0
    return max(map(draft.often, key.columns))
