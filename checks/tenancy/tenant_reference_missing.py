"""The column that names the tenant can only name one that exists.

Proves, for each column that names the tenant, that a foreign key leads from it to the table of the tenants: directly, or by way
of another table whose own column is bound so (`FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)`). Without one
a typing error makes a tenant that nobody is, whose rows nobody sees again, and deleting a tenant leaves its rows behind.

A way by another table counts only where each column of the key is NOT NULL: under MATCH SIMPLE a key with any NULL in it is not
compared at all. The table of the tenants is the one that the settings name (`table`), else those to which keys of nothing but
these columns lead. Where there is none (the tenants may be in another database), nothing is proven.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id bigint NOT NULL);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id bigint NOT NULL REFERENCES tenants (id));
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Catalogue, ForeignKey, Match, Table
from checks.schema.names import TableName, column_label, column_reference
from checks.sql.remedies import made_anew
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget
from checks.tenants.declared import Tenancy
from checks.tenants.tables import Wall, tenant_columns, tenants_tables, vouched, walls

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "columns of declared tenants"
PROVES = "name a tenant that exists"

_Bound = frozenset[tuple[TableName, str]]


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge each declared column of every table that has it."""
    tenancy = target.expect.tenancy
    if tenancy is None:
        return
    known = [name for name in tenants_tables(target.catalogue, tenancy) if name in target.catalogue.table]
    bound = _bound(target.catalogue, tenancy)
    for table, name in tenant_columns(target.catalogue, tenancy):
        yield _judged(table, name, known, bound, target)


def _judged(table: Table, name: str, known: list[TableName], bound: _Bound, target: RelationalTarget) -> Judgement:
    subject = column_label(table.name, (name,))
    if (table.name, name) in bound:
        return Proven(subject)
    if not known:
        return NotProven(subject, "no table of the tenants is known: name it under `table`")
    return _finding(subject, table, name, known, target)


def _bound(catalogue: Catalogue, tenancy: Tenancy) -> _Bound:
    """Tables with each declared column that is bound: those of the tenants, and step by step those that lead to a bound one."""
    found = walls(catalogue, tenancy)
    own = [catalogue.table[name] for name in tenants_tables(catalogue, tenancy) if name in catalogue.table]
    keys = ((table, name, column) for table in own for name, column in found.get(table.name, {}).items())
    bound = frozenset((table.name, name) for table, name, column in keys if _is_key(table, name, column))
    while new := frozenset(_next(catalogue, found, bound)) - bound:
        bound |= new
    return bound


def _is_key(table: Table, name: str, column: str) -> bool:
    """Whether the column is what makes a tenant of that name: a table of tenants may have a column of another's, too."""
    return name != column or table.primary_key == (column,)


def _next(catalogue: Catalogue, found: Mapping[TableName, Wall], bound: _Bound) -> Iterator[tuple[TableName, str]]:
    for key in catalogue.foreign_keys:
        for name in vouched(key, found):
            if (key.parent, name) in bound and _always_compared(key, found[key.table][name], catalogue):
                yield key.table, name


def _always_compared(key: ForeignKey, column: str, catalogue: Catalogue) -> bool:
    """Whether the server looks for the parent whenever the column has a value."""
    others = [name for name in key.columns if name != column]
    return key.match is Match.FULL or not any(catalogue.table[key.table].column[name].nullable for name in others)


def _finding(subject: str, table: Table, name: str, known: list[TableName], target: RelationalTarget) -> Finding:
    return Finding(
        subject=subject,
        message=f"{subject} may name a tenant that does not exist: no foreign key leads from it to "
        + " or ".join(one.label() for one in known),
        remedy=_remedy(table, name, known, target),
        objects=(column_reference(table.name, name), table.reference),
        evidence={"table": table.name.label(), "column": name},
    )


def _remedy(table: Table, name: str, known: list[TableName], target: RelationalTarget) -> str:
    engine, schema, tenancy = target.engine, target.catalogue.default_schema, target.expect.tenancy
    found = walls(target.catalogue, tenancy) if tenancy else {}
    parent = next((one for one in known if name in found.get(one, {})), known[0])
    column = found.get(parent, {}).get(name) or next(iter(target.catalogue.table[parent].primary_key), "id")
    clause = f"({quoted(engine, name)}) REFERENCES {quoted_table(engine, parent, schema)} ({quoted(engine, column)})"
    where = quoted_table(engine, table.name, schema)
    if engine is Engine.SQLITE:
        return made_anew(where, f"FOREIGN KEY {clause}")
    return f"ALTER TABLE {where} ADD FOREIGN KEY {clause};"
