"""Plans how tables are filled, by asking the server which values a column takes; nothing is written."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from checks.rows.compiler import Compiler
from checks.rows.expressions import columns_of
from checks.rows.judging import Dialect, Judge
from checks.rows.missing import NoValue, Read
from checks.rows.sets.equations import computed_columns
from checks.rows.sets.forms import example, forms
from checks.rows.sets.order import Turn, has_a_parent
from checks.rows.sets.plan import Computed, Form, Numbered, Pooled, Referred, Source, TablePlan
from checks.rows.sets.proposals import PLENTY, alike, as_meant, proposed
from checks.rows.sets.rules import behind_formulas, columns_of_index, feeds_a_formula, kept_length, rules_of
from checks.rows.shapes import Kind, Value
from checks.rows.terms import Condition
from checks.schema.model import Catalogue, Column, ForeignKey, Index
from checks.sql.statements import quoted

#: In so many of a hundred rows a column that may be NULL is.
NULLS = 8
_ENDLESS = 2**62
#: Kinds of which no value is believed before the server has read it.
_EXOTIC = frozenset({Kind.OTHER, Kind.JSON, Kind.ARRAY, Kind.BYTES})
#: How many forms of a key are tried.
FORMS = 120
#: Numbers by which a form is tried: the first ones, and some of ever more digits.
_TRIED = (1, 2, 9, 10, 99, 100, 999, 9_999, 99_999, 999_999, 9_999_999)


@dataclass(frozen=True)
class Wishes:
    """What a plan is to heed beside the catalogue: the columns of tenants, and expressions that are ``given`` for a column, by
    the names of its table and its own (``orders.status``)."""

    tenants: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict, hash=False)


class Planner:
    """Plans one database. ``read`` asks the server; ``dialect`` says how."""

    def __init__(self, catalogue: Catalogue, dialect: Dialect, read: Read) -> None:
        self._catalogue = catalogue
        self._dialect = dialect
        self._read = read

    def planned(self, turn: Turn, wishes: Wishes, *, ends: bool = True) -> TablePlan:
        """How a table is filled, or why it is not; without ``ends`` no value is at the end of its type, which may overflow."""
        return _Table(turn, self._catalogue, self._dialect, self._read, wishes, ends=ends).plan()

    def coupled(self, turn: Turn, plan: TablePlan) -> TablePlan:
        """The same plan, with columns that few rows' values go together in taking theirs from one row that was compiled."""
        names = {name for one in plan.conditions if len(one.columns) > 1 for name in one.columns}
        pooled = [source for source in plan.sources if isinstance(source, Pooled) and names & set(source.columns)]
        columns = tuple(name for source in pooled for name in source.columns)
        try:
            row = Compiler(self._catalogue, self._dialect, self._read).satisfying(turn.table.name).row
        except NoValue as reason:
            return replace(plan, reason=str(reason))
        together = Pooled(columns, (tuple(row.get(name) for name in columns),))
        return replace(plan, sources=(together, *(source for source in plan.sources if source not in pooled)))


class _Table:
    """One table on its way to a plan."""

    def __init__(self, turn: Turn, catalogue: Catalogue, dialect: Dialect, read: Read, wishes: Wishes, *, ends: bool) -> None:
        self._turn = turn
        self._ends = ends
        self._table = turn.table
        self._catalogue = catalogue
        self._dialect = dialect
        self._wishes = wishes
        self._held = rules_of(turn.table, catalogue, dialect)
        self._judge = Judge(dialect, read, turn.table, turn.table.columns)
        self._compiler = Compiler(catalogue, dialect, read)
        self._sources: dict[str, Source] = {}
        self._pools: dict[str, Sequence[Value]] = {}
        self._most: int | None = None
        self._limited = ""
        self._guarded = False
        self._further: list[Condition] = []

    def plan(self) -> TablePlan:
        """Keys first, for everything else is free where they are not; then what one rule computes; then all others."""
        self._given()
        nowhere = self._refer_to_nothing()
        later = self._refer()
        self._compute()
        for index in sorted(self._unique(), key=lambda one: (not one.primary, len(one.columns))):
            self._distinguish(index)
        reason = nowhere or self._fill()
        sources = list(dict.fromkeys(self._sources.values()))
        sources.sort(key=lambda one: (isinstance(one, Computed), isinstance(one, Referred) and bool(one.shared)))
        held = [*self._held, *self._further, *self._given_at_all(sources)]
        return TablePlan(self._table, tuple(sources), tuple(held), later, self._most, self._limited, self._guarded, reason)

    def _given_at_all(self, sources: Sequence[Source]) -> Iterator[Condition]:
        """Where a parent of the same tenant may be lacking, or a rule comes to nothing, rows have to be left out."""
        for source in sources:
            if isinstance(source, Computed) or (isinstance(source, Referred) and source.shared):
                for name in (source.column,) if isinstance(source, Computed) else source.columns:
                    if not self._table.column[name].nullable:
                        yield Condition(
                            f"NOT NULL of {name}", f"{quoted(self._dialect.ENGINE, name)} IS NOT NULL", (name,), strict=True
                        )

    def _given(self) -> None:
        for name in self._table.column:
            if expression := self._wishes.given.get(f"{self._table.name.label()}.{name}"):
                self._sources[name] = Computed(name, expression)

    def _refer_to_nothing(self) -> str:
        """References whose parents are no table here stay NULL. Gives why that cannot be."""
        for key in self._table.foreign_keys:
            if key.enforced and not has_a_parent(key, self._catalogue):
                free = [name for name in key.columns if name not in self._sources]
                empty = [name for name in free if self._table.column[name].nullable]
                if free and not empty:
                    return f"{key.label} refers to {key.parent.label()}, and no such key is there"
                self._sources.update({name: Computed(name, "NULL") for name in empty})
        return ""

    def _refer(self) -> tuple[Referred, ...]:
        """References, those of the most columns first: what they have in common is taken from one parent.

        A row that refers to its own table takes its parent later, or refers to itself where it must refer to something.
        """
        own = [key for key in self._turn.keys if key.parent == self._table.name]
        others = (key for key in self._turn.keys if key not in own)
        for key in sorted(others, key=lambda key: (not set(key.columns) & set(self._wishes.tenants), -len(key.columns))):
            once = any(_is_whole(index) and set(index.columns) <= set(key.columns) for index in self._table.indexes)
            shared = {mine: theirs for mine, theirs in zip(key.columns, key.parent_columns, strict=True) if mine in self._sources}
            if len(shared) == len(key.columns):
                self._further.append(self._found_in(key))  # another reference or the settings decide
                continue
            tenants = self._of_tenants(key)
            carried = {name: name for name in tenants if name not in self._sources}
            shared |= {name: name for name in tenants if name in self._sources}
            nulls = 0 if carried or (once and self._one_null(key)) else self._share_of_nulls(key)
            referred = Referred(key, once, shared, carried, nulls)
            self._sources.update(dict.fromkeys(referred.columns, referred))
            if once:
                self._limit(None, f"{key.label} has one row for each parent")
        waiting = [*self._turn.later, *(key for key in own if self._may_wait(key))]
        for key in (*self._turn.later, *own):
            for mine, theirs in zip(key.columns, key.parent_columns, strict=True):
                if mine not in self._sources:
                    itself = key in own and key not in waiting
                    self._sources[mine] = Computed(mine, quoted(self._dialect.ENGINE, theirs) if itself else "NULL")
        return tuple(Referred(key, False, self._of_tenants(key)) for key in waiting)

    def _found_in(self, key: ForeignKey) -> Condition:
        """That a parent is there, for a reference whose columns have their values from elsewhere."""
        mine, theirs = (
            ", ".join(quoted(self._dialect.ENGINE, name) for name in names) for names in (key.columns, key.parent_columns)
        )
        parent = ".".join(quoted(self._dialect.ENGINE, name) for name in (key.parent.schema, key.parent.name) if name)
        return Condition(f"the reference {key.label}", f"({mine}) IN (SELECT {theirs} FROM {parent})", key.columns)

    def _may_wait(self, key: ForeignKey) -> bool:
        return all(self._table.column[name].nullable for name in key.columns if name not in self._sources)

    def _of_tenants(self, key: ForeignKey) -> Mapping[str, str]:
        """A parent is of the same tenant, where both say whose they are."""
        parent = self._catalogue.table[key.parent]
        both = (name for name in self._wishes.tenants if name in self._table.column and name in parent.column)
        return {name: name for name in both if name not in key.columns}

    def _one_null(self, key: ForeignKey) -> bool:
        """Whether one row only may have no parent."""
        own = (index for index in self._table.indexes if index.unique and set(index.columns) <= set(key.columns))
        return any("nulls not distinct" in index.traits for index in own)

    def _share_of_nulls(self, key: ForeignKey) -> int:
        return NULLS if all(self._table.column[name].nullable for name in key.columns) else 0

    def _compute(self) -> None:
        """Where a rule says that one column equals an expression of others, it is that expression."""
        for condition in self._held:
            for column, expression in computed_columns(condition, tuple(self._table.column)):
                needed = set(columns_of(expression, tuple(self._table.column)))
                free = column not in self._sources and not self._table.column[column].generated
                if free and not any(isinstance(self._sources.get(name), Computed) for name in needed):
                    self._sources[column] = Computed(column, expression.sql(dialect=self._dialect.DIALECT))
                    break

    def _unique(self) -> Iterator[Index]:
        yield from (index for index in self._table.indexes if index.unique or index.constraint == "x")

    def _distinguish(self, index: Index) -> None:
        """Let one column of a unique index follow from the number of the row, unless one of them does already."""
        names = [name for name in index.columns if name is not None] or columns_of_index(index, self._table)
        known = [self._sources.get(name) for name in names]
        if any(isinstance(source, Numbered) or self._each_once(source, names) for source in known):
            return
        free = [name for name in names if name not in self._sources and not self._table.column[name].generated]
        if not free:  # what generated columns are computed from differs, and they may with it
            free = [name for name in behind_formulas(names, self._table) if name not in self._sources]
            self._guarded = self._guarded or bool(free)
        tried = ((name, self._form(self._table.column[name], kept_length(index, name))) for name in free)
        found = {name: form for name, form in tried if form is not None}
        best = max(found, key=lambda name: found[name].most or _ENDLESS, default=None)
        if best is not None:
            self._sources[best] = Numbered(best, found[best])
            self._limit(found[best].most, f"{index.name} has no more keys")
            return
        self._guarded = True

    def _each_once(self, source: Source | None, names: Sequence[str]) -> bool:
        """Whether a parent comes once, and no other has the same in these columns."""
        if not isinstance(source, Referred) or not source.once:
            return False
        theirs = {parents for mine, parents in zip(source.key.columns, source.key.parent_columns, strict=True) if mine in names}
        parent = self._catalogue.table[source.key.parent]
        return any(_is_whole(index) and None not in index.columns and set(index.columns) <= theirs for index in parent.indexes)

    def _limit(self, most: int | None, why: str) -> None:
        if most is not None and (self._most is None or most < self._most):
            self._most, self._limited = most, why

    def _form(self, column: Column, length: int | None) -> Form | None:
        """The form that goes furthest, the first of those that go on for ever; tried by the server, all at once.

        With ``length`` it is in so many characters that they differ.
        """
        if column.generated:
            return None
        shape = self._dialect.shape(column)
        shape = shape if length is None else replace(shape, length=length)
        alone = [one for one in self._held if one.columns == (column.name,)]
        listed = list(itertools.islice(forms(column, shape, self._taken(column)), FORMS))
        reach = self._all_reach(column, listed, alone) if alone else [form.most for form in listed]
        going = [replace(form, most=most) for form, most in zip(listed, reach, strict=False) if most != 0]
        endless = next((form for form in going if form.most is None or form.most >= _TRIED[-1]), None)
        return endless or max(going, key=lambda form: form.most or 0, default=None)

    def _all_reach(self, column: Column, listed: Sequence[Form], alone: Sequence[Condition]) -> list[int | None]:
        """How far each form goes: the number up to which all that were tried are taken."""
        rows = [(place, number) for place, form in enumerate(listed) for number in _within(form)]
        truths = self._judge(alone, [{column.name: example(listed[place], number)} for place, number in rows])
        wrong: dict[int, int] = {}
        for (place, number), said in zip(rows, truths, strict=True):
            if place not in wrong and not all(map(Condition.holds, alone, said)):
                wrong[place] = number
        return [
            self._between(column, form, alone, wrong[place]) if place in wrong else form.most for place, form in enumerate(listed)
        ]

    def _between(self, column: Column, form: Form, alone: Sequence[Condition], wrong: int) -> int:
        """How far a form goes that was taken with one number tried and not with the next; 0 where that was the first."""
        good = max((number for number in _TRIED if number < wrong), default=0)
        if good < 9:
            return 0
        steps = sorted({good + (wrong - good) * part // 40 for part in range(40)})
        truths = self._judge(alone, [{column.name: example(form, number)} for number in steps])
        held = [all(map(Condition.holds, alone, said)) for said in truths]
        return steps[held.index(False) - 1] if False in held else steps[-1]

    def _fill(self) -> str:
        """Every other column: a list of values that it takes, or nothing where it may go without. Gives why that cannot be."""
        for column in self._table.columns:
            if column.name in self._sources or column.generated:
                continue
            alone = [one for one in self._held if one.columns == (column.name,)]
            pool = self._taken(column)
            if pool:
                nulls = NULLS if column.nullable and self._may_be_null(column, alone) else 0
                self._sources[column.name] = Pooled((column.name,), tuple((value,) for value in pool), nulls)
            elif not column.nullable and column.default is None and not column.identity:
                if alone:
                    return f"no value of {column.name} ({column.type}) was found that {alone[0].name} allows"
                return f"no value of {column.name} is known: its type is {column.type}"
        return ""

    def _taken(self, column: Column) -> Sequence[Value]:
        """Values of a column for which the conditions that speak of it alone hold, by asking for all at once. Remembered."""
        if column.name not in self._pools:
            self._pools[column.name] = self._found(column)
        return self._pools[column.name]

    def _found(self, column: Column) -> Sequence[Value]:
        shape = self._dialect.shape(column)
        spoken = [one for one in self._held if column.name in one.columns]
        alone = [one for one in spoken if len(one.columns) == 1]
        coupled = len(alone) < len(spoken) or feeds_a_formula(column, self._table)
        sought = as_meant(column, shape, alone)
        listed = list(proposed(sought, spoken, tuple(self._table.column), ends=self._ends and not coupled))
        if not listed or shape.kind in (Kind.OTHER, Kind.ARRAY, Kind.BYTES):
            listed += [text for text in self._dialect.candidates(column) if not coupled or shape.labels]
        values = [value for value in dict.fromkeys(listed) if value is not None][: 2 * PLENTY]
        return (self._held_by(column, alone, values) or self._held_by(column, alone, self._searched(column)))[:PLENTY]

    def _held_by(self, column: Column, alone: Sequence[Condition], values: Sequence[Value]) -> Sequence[Value]:
        if not alone and self._dialect.shape(column).kind not in _EXOTIC:
            return values
        alone = alone or [Condition("", f"{quoted(self._dialect.ENGINE, column.name)} IS NOT NULL", (column.name,))]
        truths = self._judge(alone, [{column.name: value} for value in values])
        return [value for value, said in zip(values, truths, strict=True) if all(map(Condition.holds, alone, said))]

    def _searched(self, column: Column) -> Sequence[Value]:
        """What the search for a single row comes to, and texts that look like it."""
        try:
            value = self._compiler.satisfying(self._table.name).row.get(column.name)
        except NoValue:
            return ()
        return () if value is None else tuple(dict.fromkeys((value, *alike(value))))

    def _may_be_null(self, column: Column, alone: Sequence[Condition]) -> bool:
        return not alone or _all_hold(self._judge, alone, [{column.name: None}])


def _is_whole(index: Index) -> bool:
    """Whether an index keeps keys apart in all rows."""
    return index.unique and index.valid and index.predicate is None and bool(index.columns)


def _within(form: Form) -> list[int]:
    return [number for number in _TRIED if form.most is None or number <= form.most]


def _all_hold(judge: Judge, conditions_: Sequence[Condition], rows: Sequence[Mapping[str, Value]]) -> bool:
    return all(all(map(Condition.holds, conditions_, said)) for said in judge(conditions_, rows))
