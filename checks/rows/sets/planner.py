"""Plans how tables are filled, by asking the server which values a column takes; nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from checks.rows.compiler import Compiler
from checks.rows.expressions import columns_of
from checks.rows.judging import Dialect, Judge
from checks.rows.missing import NoValue, Read
from checks.rows.sets.equations import computed_columns
from checks.rows.sets.forms import example
from checks.rows.sets.lists import Lists
from checks.rows.sets.numbering import Numbering
from checks.rows.sets.order import Turn, has_a_parent
from checks.rows.sets.plan import Computed, Form, Mended, Numbered, Pooled, Referred, Source, TablePlan, columns_of_source
from checks.rows.sets.rules import behind_formulas, columns_of_index, kept_length, rules_of
from checks.rows.sets.together import FEW, clusters, together
from checks.rows.sets.wishes import Wishes
from checks.rows.terms import Condition, Field
from checks.schema.model import Catalogue, Column, ForeignKey, Index
from checks.sql.statements import quoted

#: In so many of a hundred rows a column that may be NULL is, and where a rule binds it to others.
NULLS = 8
_OFTEN = 40
_ENDLESS = 2**62


class Planner:
    """Plans one database. ``read`` asks the server; ``dialect`` says how."""

    def __init__(self, catalogue: Catalogue, dialect: Dialect, read: Read) -> None:
        self._catalogue = catalogue
        self._dialect = dialect
        self._read = read

    def planned(self, turn: Turn, wishes: Wishes, *, ends: bool = True) -> TablePlan:
        """How a table is filled, or why it is not; without ``ends`` no value is at the end of its type, which may overflow."""
        return _Table(turn, self._catalogue, self._dialect, self._read, wishes, ends=ends and not wishes.mild).plan()

    def coupled(self, turn: Turn, plan: TablePlan, wishes: Wishes) -> TablePlan:
        """The same plan, with columns that few rows' values go together in taking theirs from rows that were found together.

        Where there are none, from one row that was compiled; else with the reason why there is none.
        """
        return _Table(turn, self._catalogue, self._dialect, self._read, wishes, ends=False).coupled(plan)

    def mended(self, turn: Turn, plan: TablePlan, failing: Sequence[Condition], wishes: Wishes) -> TablePlan:
        """The same plan, in which rows that would break one of these conditions take values that were found to go together.

        The plan as it is where there are none, or where something else follows from these values.
        """
        return _Table(turn, self._catalogue, self._dialect, self._read, wishes, ends=False).mended(plan, failing)


class _Table:
    """One table on its way to a plan."""

    def __init__(self, turn: Turn, catalogue: Catalogue, dialect: Dialect, read: Read, wishes: Wishes, *, ends: bool) -> None:
        self._turn = turn
        self._table = turn.table
        self._catalogue = catalogue
        self._dialect = dialect
        self._read = read
        self._wishes = wishes
        self._held = rules_of(turn.table, catalogue, dialect)
        self._judge = Judge(dialect, read, turn.table, turn.table.columns)
        self._compiler = Compiler(catalogue, dialect, read)
        self._lists = Lists(turn.table, dialect, self._judge, self._compiler, self._held, wishes.readable, ends=ends)
        self._numbering = Numbering(dialect, self._judge, self._held)
        self._sources: dict[str, Source] = {}
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

    def coupled(self, plan: TablePlan) -> TablePlan:
        """The plan with columns that go together in lists."""
        free = {name: source for source in plan.sources if self._is_free(source) for name in columns_of_source(source)}
        self._sources = {source.column: source for source in plan.sources if isinstance(source, Numbered)}
        numbered = [source for name in free if (source := self._beside_numbers(name)) is not None]
        if numbered:
            return _with(plan, numbered)
        found: list[Pooled] = []
        for names, own in clusters(plan.conditions, free):
            fields = [field for field in map(self._field, names) if field is not None]
            rows = together(fields, own, self._judge, Decimal(0)) if len(fields) == len(names) else ()
            if not rows:
                return self._of_one_row(plan)
            forms = {name: one.form for name in names if isinstance(one := free[name], Numbered)}
            found.append(Pooled(names, tuple(tuple(row[name] for name in names) for row in rows), numbered=forms))
        return _with(plan, found) if found else self._of_one_row(plan)

    def mended(self, plan: TablePlan, failing: Sequence[Condition]) -> TablePlan:
        """The plan with lists for rows that break a condition; what rules compute is computed of their values."""
        listed = [name for one in plan.sources if isinstance(one, Pooled) for name in one.columns]  # always in this order
        computed = {one.column: one.expression for one in plan.sources if isinstance(one, Computed)}
        found: list[Mended] = []
        for names, own in clusters(plan.conditions, dict.fromkeys((*listed, *computed))):
            broken = tuple(one for one in failing if one in own)
            if broken:
                found += self._mended([name for name in names if name in listed], own, broken, computed)
        covered = {condition for one in found for condition in one.conditions}
        taken = {name for one in found for name in one.source.columns}
        return replace(plan, mended=tuple(found)) if covered == {*failing} and not self._is_needed(taken, plan) else plan

    def _mended(
        self, names: Sequence[str], own: Sequence[Condition], broken: tuple[Condition, ...], computed: Mapping[str, str]
    ) -> Iterator[Mended]:
        """Values that go together, judged with what is computed of them as if it were generated."""
        columns = [
            replace(one, generated=True, default=computed[one.name]) if one.name in computed else one
            for one in self._table.columns
        ]
        judge = Judge(self._dialect, self._read, replace(self._table, columns=tuple(columns)), columns)
        rest = [self._resting_on(one, names, computed) for one in own]
        fields = [field for field in map(self._field, names) if field is not None]
        rows = together(fields, rest, judge, Decimal(0), FEW) if fields and len(fields) == len(names) else ()
        if rows:
            yield Mended(Pooled(tuple(names), tuple(tuple(row[name] for name in names) for row in rows)), broken)

    def _resting_on(self, condition: Condition, names: Sequence[str], computed: Collection[str]) -> Condition:
        """A condition that speaks of what is computed of these columns."""
        spoken = tuple(name for name in condition.columns if name in computed)
        return replace(condition, columns=tuple(names), computed=(*condition.computed, *spoken)) if spoken else condition

    def _is_needed(self, names: set[str], plan: TablePlan) -> bool:
        """Whether keys rest on these columns: a parent was chosen by them, or they keep rows apart."""
        shared = {name for one in plan.sources if isinstance(one, Referred) for name in one.shared}
        kept = {name for index in self._unique() for name in index.columns if name is not None} if plan.guarded else set()
        return bool(names & (shared | kept))

    def _beside_numbers(self, name: str) -> Numbered | None:
        """A column that a condition binds to one whose values follow from the row's number: its own may follow, too."""
        for condition in self._held:
            others = {*condition.columns} - {name}
            if name in condition.columns and others and others <= self._sources.keys():
                form = self._form(self._table.column[name], None)
                return Numbered(name, form) if form is not None else None
        return None

    def _is_free(self, source: Source) -> bool:
        """Whether a column's values may come from elsewhere: they are listed, or worked out by what a rule says."""
        if isinstance(source, Computed):
            referring = {name for key in self._table.foreign_keys for name in key.columns}
            given = self._wishes.given.get(f"{self._table.name.label()}.{source.column}")
            return source.column not in referring and source.expression != given
        if isinstance(source, Numbered):
            return self._table.column[source.column].nullable and example(source.form, 1) is not None
        return isinstance(source, Pooled)

    def _field(self, name: str) -> Field | None:
        """A column of those that go together: of three values one is NULL, so that it is seen what NULL does."""
        column, source = self._table.column[name], self._sources.get(name)
        known = [example(source.form, 1), example(source.form, 2)] if isinstance(source, Numbered) else self._lists.taken(column)
        may_lack = column.nullable and self._often(name) > 0
        pool = (*known, *([None] * (1 + len(known) // 2) if may_lack else []))
        return Field(name, self._dialect.shape(column), pool) if pool else None

    def _of_one_row(self, plan: TablePlan) -> TablePlan:
        names = {name for one in plan.conditions if len(one.columns) > 1 for name in one.columns}
        pooled = [source for source in plan.sources if isinstance(source, Pooled) and names & set(source.columns)]
        columns = tuple(name for source in pooled for name in source.columns)
        try:
            row = self._compiler.satisfying(self._table.name).row
        except NoValue as reason:
            return replace(plan, reason=str(reason))
        return _with(plan, [Pooled(columns, (tuple(row.get(name) for name in columns),))] if columns else [])

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
            once = self._is_once(key)
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
                    self._sources[mine] = self._as(mine, theirs) if itself else self._for_now(mine)
        return tuple(self._later(key) for key in waiting)

    def _later(self, key: ForeignKey) -> Referred:
        once = self._is_once(key)
        nulls = 0 if once and self._one_null(key) else self._share_of_nulls(key)
        return Referred(key, once, self._of_tenants(key), nulls=nulls)

    def _is_once(self, key: ForeignKey) -> bool:
        """Whether a parent may have one row only."""
        return any(_is_whole(index) and set(index.columns) <= set(key.columns) for index in self._table.indexes)

    def _as(self, mine: str, theirs: str) -> Computed:
        """A column that is what another of the row is."""
        other = self._sources.get(theirs)
        return Computed(mine, other.expression if isinstance(other, Computed) else quoted(self._dialect.ENGINE, theirs))

    def _for_now(self, name: str) -> Source:
        """What a column has until its parent is there: nothing, or what will not do but is no NULL."""
        column = self._table.column[name]
        form = None if column.nullable else self._form(column, None)
        return Numbered(name, form) if form is not None else Computed(name, "NULL")

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
        if not all(self._table.column[name].nullable for name in key.columns):
            return 0
        return max(map(self._often, key.columns))

    def _often(self, name: str) -> int:
        """In how many of a hundred rows a column that may be NULL is."""
        if self._wishes.mild:  # a rule that binds it to others and speaks of NULL may ask for it
            bound = any("null" in one.expression.lower() for one in self._held if name in one.columns and len(one.columns) > 1)
            return _OFTEN if bound else 0
        return _OFTEN if self._is_bound(name) else NULLS

    def _is_bound(self, name: str) -> bool:
        """Whether a condition binds a column to others: then it matters whether it is NULL."""
        return any(name in one.columns and len(one.columns) > 1 for one in self._held)

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
        others = {name: source.form for name, source in self._sources.items() if isinstance(source, Numbered)}
        taken, enough = self._lists.taken(column), self._wishes.mild
        return self._numbering.form(column, length, taken, others, enough=enough) if not column.generated else None

    def _of_its_own(self, column: Column) -> Form | None:
        """The form by which no two rows have the same in a column that no key asks it of, where rows are to be mild."""
        if not self._wishes.mild or self._is_bound(column.name) or column.name in self._wishes.tenants:
            return None
        if self._lists.awkward(column):  # a truth, a state: there are few
            return None
        form = self._form(column, None)
        return form if form is not None and (form.most is None or form.most >= self._wishes.mild) else None

    def _fill(self) -> str:
        """Every other column: a list of values that it takes, or nothing where it may go without. Gives why that cannot be."""
        for column in self._table.columns:
            if column.name in self._sources or column.generated:
                continue
            alone = [one for one in self._held if one.columns == (column.name,)]
            pool = self._lists.taken(column)
            if pool:
                if (form := self._of_its_own(column)) is not None:
                    self._sources[column.name] = Numbered(column.name, form)
                    self._limit(form.most, f"{column.name} has no more values")
                    continue
                often = self._often(column.name)
                nulls = often if column.nullable and self._lists.may_be_null(column) else 0
                certain = list(self._lists.awkward(column))
                listed = [*certain, *(value for value in pool if value not in certain)]
                values = tuple((value,) for value in listed)
                self._sources[column.name] = Pooled((column.name,), values, nulls, certain=len(certain))
            elif not column.nullable and column.default is None and not column.identity:
                if alone:
                    rules = " and ".join(one.name for one in alone)
                    return f"no value of {column.name} ({column.type}) was found that {rules} allows"
                return f"no value of {column.name} is known: its type is {column.type}"
        return ""


def _with(plan: TablePlan, sources: Sequence[Source]) -> TablePlan:
    """The plan with these in the place of what gave their columns."""
    names = {name for one in sources for name in columns_of_source(one)}
    kept = tuple(source for source in plan.sources if not names & set(columns_of_source(source)))
    bounds = [source.form.most for source in sources if isinstance(source, Numbered)]
    most = min((bound for bound in (plan.most, *bounds) if bound is not None), default=None)
    return replace(plan, sources=(*sources, *kept), most=most)


def _is_whole(index: Index) -> bool:
    """Whether an index keeps keys apart in all rows."""
    return index.unique and index.valid and index.predicate is None and bool(index.columns)
