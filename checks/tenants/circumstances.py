"""What a database offers for the probe of tenancy: its tables and tenants, what the application's role may do, cases to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Text, cast, select

from checks.schema.model import Catalogue, ForeignKey, Table, TableName
from checks.targets import RelationalTarget
from checks.tenants.application import Application
from checks.tenants.attempts import Case, Parent, row_of
from checks.tenants.declared import Tenancy
from checks.tenants.tables import Wall, tenants_tables, vouched, walls
from checks.tenants.tenants import (
    Rights,
    Tenant,
    alike,
    another,
    completed,
    invented_tenant,
    known_tenants,
    of,
    rights,
    source,
    with_rows,
)


@dataclass(frozen=True)
class Circumstances:
    """All that is the same for every attempt. ``known`` tenants have rows, ``invented`` is one that nobody is."""

    application: Application
    target: RelationalTarget
    tenancy: Tenancy
    tables: Sequence[Table]
    walls: Mapping[TableName, Wall]
    rights: Mapping[TableName, Rights]
    known: Sequence[Tenant]
    invented: Tenant | None

    @property
    def catalogue(self) -> Catalogue:
        """What the database holds."""
        return self.target.catalogue

    def is_of_tenants(self, table: Table) -> bool:
        """Whether a table holds the tenants themselves."""
        return table.name in tenants_tables(self.catalogue, self.tenancy)

    def intruder(self, owner: Tenant, wall: Wall, near: Sequence[Tenant] = ()) -> Tenant | None:
        """Another tenant than the owner: one of those ``near`` at hand, else any that is known, else one that nobody is."""
        invented = [self.invented] if self.invented else []
        return another(owner, wall, near) or another(owner, wall, self.known) or another(owner, wall, invented)

    def case(self, table: Table) -> Case | str:
        """A row of one tenant's in a table, and another tenant; else why there is none. Raises StatementFailed."""
        wall = self.walls[table.name]
        present = [full for one in with_rows(self.application, table, wall) if (full := completed(one, self.known))]
        if not present:
            return "no rows"
        pairs = [(owner, other) for owner in present if (other := self.intruder(owner, wall, present))]
        if not pairs:
            return "no other tenant is known, and none could be invented"
        owner, intruder = max(pairs, key=lambda pair: alike(*pair))
        place, row = row_of(self.application, table, wall, owner)
        own, _ = row_of(self.application, table, wall, intruder)
        columns = tuple(name for name in self.tenancy.columns if name in table.column) or tuple(wall.values())
        may = self.rights[table.name]
        return Case(table, wall, owner, intruder, may, self.tenancy.role, columns, place, own, row)

    def parent(self, key: ForeignKey) -> tuple[Case, Parent] | str:
        """A tenant's row that refers by a key, and another tenant's parent for it; else why there is none."""
        child, parent = self.catalogue.table[key.table], self.catalogue.table[key.parent]
        compared = self.crossing(key)
        below = with_rows(self.application, child, self.walls[key.table])
        above = with_rows(self.application, parent, self.walls[key.parent])
        for one in below:
            intruder = completed(one, self.known)
            owners = [full for other in above if (full := completed(other, self.known))]
            owner = another(intruder, {name: name for name in compared}, owners) if intruder else None
            if intruder and owner:
                return self._pair(key, child, parent, owner, intruder)
        return "no tenant has a row in it while another has a parent for it"

    def _pair(self, key: ForeignKey, child: Table, parent: Table, owner: Tenant, intruder: Tenant) -> tuple[Case, Parent]:
        own, row = row_of(self.application, child, self.walls[child.name], intruder)
        case = Case(child, self.walls[child.name], owner, intruder, self.rights[child.name], self.tenancy.role, (), own, own, row)
        rows = source(parent, "tableoid", "ctid", *key.parent_columns, *self.walls[parent.name].values())
        columns = [rows.c[name] for name in ("tableoid", "ctid", *key.parent_columns)]
        statement = select(*(cast(column, Text) for column in columns)).where(of(rows, self.walls[parent.name], owner)).limit(1)
        ((table_oid, place, *values),) = self.application.seen(statement)
        named = dict(zip(key.columns, values, strict=True))
        return case, Parent(named, {name: row[name] for name in key.columns}, {"tableoid": table_oid, "ctid": place})

    def crossing(self, key: ForeignKey) -> list[str]:
        """The columns that tell tenants apart, which both sides of a key have and the key itself does not compare."""
        child, parent = self.walls.get(key.table, {}), self.walls.get(key.parent, {})
        return [name for name in child if name in parent and name not in vouched(key, self.walls)]


def circumstances(application: Application, target: RelationalTarget, tenancy: Tenancy) -> Circumstances:
    """Look once at what is there. Raises StatementFailed."""
    told = {
        name: {one: column for one, column in wall.items() if one in tenancy.wall}
        for name, wall in walls(target.catalogue, tenancy).items()
    }
    found = {name: wall for name, wall in told.items() if wall}
    may = rights(application, tenancy.role)
    pairs = [(table, found[table.name]) for table in target.catalogue.tables if table.name in found]
    known = known_tenants(application, pairs, tenancy)
    own = tenants_tables(target.catalogue, tenancy)
    tables = [
        table
        for table, _ in pairs
        if (table.row_security or table.name not in own) and (table.partition_of is None or table.name in may)
    ]
    invented = invented_tenant(known, target.catalogue, tenancy)
    return Circumstances(application, target, tenancy, tables, found, may, known, invented)
