"""What a database offers for the probe of tenancy: its tables and tenants, what the application's role may do, cases to try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import func, literal_column, select

from checks.rows import postgresql
from checks.rows.compiled import Compiled
from checks.rows.compiler import Compiler
from checks.rows.missing import NoValue
from checks.rows.shapes import Row
from checks.schema.model import Catalogue, ForeignKey, Table
from checks.schema.names import TableName
from checks.targets import Insert, Refused, RelationalTarget, Trial
from checks.tenants.application import Application
from checks.tenants.attempts import Case, alone, stored
from checks.tenants.crossing import Parent
from checks.tenants.declared import Tenancy
from checks.tenants.tables import Wall, telling, tenants_tables, vouched
from checks.tenants.tenants import (
    Rights,
    Tenant,
    alike,
    another,
    completed,
    invented_tenants,
    known_tenants,
    rights,
    source,
    with_rows,
)

#: How many rows of a tenant's another tries to insert in its name.
_SAMPLE = 2
#: From how many rows on a table is cut down to those that are tried.
_LARGE = 5_000


@dataclass(frozen=True)
class Circumstances:
    """All that is the same for every attempt. ``known`` tenants have rows, ``invented`` ones are nobody."""

    application: Application
    target: RelationalTarget
    tenancy: Tenancy
    tables: Sequence[Table]
    walls: Mapping[TableName, Wall]
    rights: Mapping[TableName, Rights]
    known: Sequence[Tenant]
    invented: Sequence[Tenant]
    compiler: Compiler

    @property
    def catalogue(self) -> Catalogue:
        """What the database holds."""
        return self.target.catalogue

    def is_of_tenants(self, table: Table) -> bool:
        """Whether a table holds the tenants themselves."""
        return table.name in tenants_tables(self.catalogue, self.tenancy)

    def intruder(self, owner: Tenant, wall: Wall, near: Sequence[Tenant] = ()) -> Tenant | None:
        """Another tenant than the owner: one of those ``near`` at hand, else any that is known, else one that was invented."""
        return another(owner, wall, near) or another(owner, wall, self.known) or another(owner, wall, self.invented)

    def _full(self, tenant: Tenant) -> Tenant | None:
        """A tenant in full, of which a table may tell only a part."""
        return completed(tenant, self.known) or (tenant if set(tenant) == set(self.tenancy.wall) else None)

    def cases(self, table: Table) -> list[Case] | str:
        """Rows of one tenant's in a table with another to try them, and the other way round; else why there are none.

        What lets only some rows through may let none of a single tenant's. Raises StatementFailed.
        """
        wall = self.walls[table.name]
        present = [full for one in with_rows(self.application.seen, table, wall) if (full := self._full(one))]
        if not present:
            return "no rows"
        pairs = [(owner, other) for owner in present if (other := self.intruder(owner, wall, present))]
        if not pairs:
            return "no other tenant is known, and none could be invented"
        owner, intruder = max(pairs, key=lambda pair: alike(*pair))
        ours, theirs = (stored(self.application, table, wall, tenant, _SAMPLE) for tenant in (intruder, owner))
        columns = tuple(name for name in self.tenancy.columns if name in table.column) or tuple(wall.values())
        case = Case(
            table, wall, owner, intruder, self.rights[table.name], self.tenancy.role, columns, theirs, next(iter(ours), None)
        )
        back = replace(case, owner=intruder, intruder=owner, theirs=ours, own=theirs[0])
        return [case, back] if ours else [case]

    @contextmanager
    def with_rows(self, table: Table) -> Iterator[str]:
        """See to it that a table has a row as long as this lasts, if need be one of our own; gives why it has none."""
        if table.name in self.target.filled:
            yield ""
            return
        with self.application.trial() as trial:
            yield self._made(table, trial)

    @contextmanager
    def reduced(self, table: Table, cases: Sequence[Case]) -> Iterator[None]:
        """Leave of a large table only the rows that are tried: each attempt takes the others away."""
        rows = source(table)
        many = self.application.seen(
            select(func.count()).select_from(select(literal_column("1")).select_from(rows).limit(_LARGE + 1).subquery())
        )
        if many[0][0] <= _LARGE:
            yield
            return
        places = [row.place for case in cases for row in (*case.theirs, *([case.own] if case.own else []))]
        with self.application.trial():
            self.application.prepare(alone(cases[0], *places))
            yield

    def _made(self, table: Table, trial: Trial) -> str:
        """Insert a row with everything in place, and the parents that it wants before it."""
        try:
            compiled = self.compiler.satisfying(table.name)
        except NoValue as reason:
            return f"no rows, and none could be made: {reason}"
        unknown = (f"type {column.type}" for column in compiled.unknown)
        if lacking := next(filter(None, (compiled.orphan, *unknown, *(one.name for one in compiled.breaks))), ""):
            return f"no rows, and none could be made: {lacking}"
        for row in (*compiled.rows[:-1], self.compiler.inserted(compiled.table, self._owned(compiled))):
            verdict = trial.write(Insert(row.table, row.values))
            if isinstance(verdict, Refused):
                return f"no rows, and the one that was made was refused: {verdict.code} {verdict.said}"
        return ""

    def _owned(self, compiled: Compiled) -> Row:
        """The row in somebody's name, where it may be without."""
        some = self.known[0] if self.known else self.invented[0] if self.invented else {}
        wall = self.walls[compiled.table.name]
        return {
            **{column: some.get(name) for name, column in wall.items()},
            **{k: v for k, v in compiled.row.items() if v is not None},
        }

    def parent(self, key: ForeignKey) -> tuple[Case, Parent] | str:
        """A tenant's row that refers by a key, and another tenant's parent for it; else why there is none."""
        child, parent = self.catalogue.table[key.table], self.catalogue.table[key.parent]
        compared = self.crossing(key)
        below = with_rows(self.application.seen, child, self.walls[key.table])
        above = with_rows(self.application.seen, parent, self.walls[key.parent])
        for one in below:
            intruder = self._full(one)
            owners = [full for other in above if (full := self._full(other))]
            owner = another(intruder, {name: name for name in compared}, owners) if intruder else None
            if intruder and owner:
                return self._pair(key, child, parent, owner, intruder)
        return "no tenant has a row in it while another has a parent for it"

    def _pair(self, key: ForeignKey, child: Table, parent: Table, owner: Tenant, intruder: Tenant) -> tuple[Case, Parent]:
        (own,) = stored(self.application, child, self.walls[child.name], intruder)
        (row,) = stored(self.application, parent, self.walls[parent.name], owner)
        case = Case(child, self.walls[child.name], owner, intruder, self.rights[child.name], self.tenancy.role, (), (), own)
        named = {mine: row.values.get(theirs) for mine, theirs in zip(key.columns, key.parent_columns, strict=True)}
        return case, Parent(row, named, {name: own.values.get(name) for name in key.columns})

    def crossing(self, key: ForeignKey) -> list[str]:
        """The columns that tell tenants apart, which both sides of a key have and the key itself does not compare."""
        child, parent = self.walls.get(key.table, {}), self.walls.get(key.parent, {})
        return [name for name in child if name in parent and name not in vouched(key, self.walls)]


def circumstances(application: Application, target: RelationalTarget, tenancy: Tenancy) -> Circumstances:
    """Look once at what is there. Raises StatementFailed."""
    found = telling(target.catalogue, tenancy)
    may = rights(application, tenancy.role)
    pairs = [(table, found[table.name]) for table in target.catalogue.tables if table.name in found]
    known = known_tenants(application.seen, pairs, tenancy)
    own = tenants_tables(target.catalogue, tenancy)
    tables = [
        table
        for table, _ in pairs
        if (table.row_security or table.name not in own) and (table.partition_of is None or table.name in may)
    ]
    invented = invented_tenants(known, target.catalogue, tenancy)
    compiler = Compiler(target.catalogue, postgresql, application.seen)
    return Circumstances(application, target, tenancy, tables, found, may, known, invented, compiler)
