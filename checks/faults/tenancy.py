"""Faults of the walls between tenants: row security that is off or open, and rows that name no tenant or another's."""

from __future__ import annotations

from collections.abc import Iterator

from checks.declared.subjects import references
from checks.faults import sql
from checks.faults.changes import changes, past_checks
from checks.faults.interface import Fault, Scene, Statement, Way
from checks.faults.neighbours import around, with_children
from checks.faults.references import drop_key
from checks.faults.sqlite_edits import Edit, Part
from checks.interface import Engine
from checks.schema.model import Command, ForeignKey, Policy, Table
from checks.schema.names import column_label
from checks.tenants.attempts import ATTEMPTS
from checks.tenants.declared import Tenancy
from checks.tenants.tables import judged_tables, tenant_columns, vouched, walls


def open_wall(scene: Scene) -> Iterator[Fault]:
    """Another policy lets everybody through, or row security is off where that is not asked for."""
    if scene.engine is not Engine.POSTGRESQL or scene.expect.tenancy is None:
        return
    for table in scene.catalogue.tables:
        where, name = sql.table(scene.engine, table.name), sql.name(scene.engine, f"{sql.PLANTED}_open")
        opened: Way = (f"CREATE POLICY {name} ON {where} USING (true) WITH CHECK (true)",)
        off: Way = (f"ALTER TABLE {where} DISABLE ROW LEVEL SECURITY",)
        for command, (way, _) in ATTEMPTS.items():
            if command is Command.DELETE and len(with_children(scene.catalogue, table.name)) > 1:
                continue  # its children keep the row, whoever comes for it
            yield Fault(
                "open-policy",
                "tenant-isolation-probe",
                f"{table.name.label()}: {way}",
                (opened, off),
                tables=around(scene.catalogue, table.name),
                touches=frozenset({table.name}),
            )


def security_off(scene: Scene) -> Iterator[Fault]:
    """Row security of a table is off."""
    for table in _secured(scene):
        yield _of_table("disabled-row-security", "row-security-off", scene, table, "ALTER TABLE {} DISABLE ROW LEVEL SECURITY")


def not_forced(scene: Scene) -> Iterator[Fault]:
    """The application's role owns a table whose row security is not forced upon its owner."""
    tenancy = scene.expect.tenancy
    for table in _secured(scene) if tenancy and tenancy.role else ():
        owner = f"ALTER TABLE {{}} OWNER TO {sql.name(scene.engine, tenancy.role)}" if tenancy else ""
        forced = "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY"
        yield _of_table("unforced-row-security", "row-security-not-forced", scene, table, forced, owner)


def always_true(scene: Scene) -> Iterator[Fault]:
    """A policy asks nothing of a row."""
    for table in _secured(scene):
        for policy in table.policies:
            subject = f"{table.name.label()}.{policy.name}"
            altered = f"ALTER POLICY {sql.name(scene.engine, policy.name)} ON {sql.table(scene.engine, table.name)}"
            way = (f"{altered}{_true(policy)}",)
            yield Fault("true-policy", "policy-always-true", subject, (way,), touches=frozenset({table.name}))


def _true(policy: Policy) -> str:
    using = "" if policy.command is Command.INSERT else " USING (true)"
    written = policy.command is Command.INSERT or policy.check is not None
    return f"{using}{' WITH CHECK (true)' if written else ''}"


def closed(scene: Scene) -> Iterator[Fault]:
    """A table with row security has no policy any more."""
    for table in _secured(scene):
        dropped = (f"DROP POLICY {sql.name(scene.engine, policy.name)} ON {{}}" for policy in table.policies)
        yield _of_table("dropped-policies", "no-policy", scene, table, *dropped)


def _secured(scene: Scene) -> Iterator[Table]:
    return (table for table in scene.catalogue.tables if table.policies)


def _of_table(kind: str, check: str, scene: Scene, table: Table, *statements: str) -> Fault:
    where = sql.table(scene.engine, table.name)
    way = tuple(statement.replace("{}", where, 1) for statement in statements)
    return Fault(kind, check, table.name.label(), (way,), touches=frozenset({table.name}))


def crossed(scene: Scene) -> Iterator[Fault]:
    """Rows are given to another tenant than the one that their parents belong to."""
    tenancy = scene.expect.tenancy
    found = walls(scene.catalogue, tenancy) if tenancy else {}
    for subject, key in references(scene.catalogue):
        shared = [name for name in found.get(key.table, {}) if name in found.get(key.parent, {})]
        for name in sorted(set(shared) - vouched(key, found)):
            mine, theirs = found[key.table][name], found[key.parent][name]
            table = scene.catalogue.table[key.table]
            ways = tuple((*past_checks(scene, key.table), *change) for change in changes(scene, table, mine))
            yield Fault(
                "crossed-tenants",
                "cross-tenant-reference",
                subject,
                ways,
                shows=_crossing(scene, key, mine, theirs),
                touches=with_children(scene.catalogue, key.table),
            )


def _crossing(scene: Scene, key: ForeignKey, mine: str, theirs: str) -> str:
    """A query for children whose parent is another tenant's."""
    engine = scene.engine
    pairs = [*zip(key.columns, key.parent_columns, strict=True)]
    same = " AND ".join(f"child.{sql.name(engine, one)} = parent.{sql.name(engine, other)}" for one, other in pairs)
    sides = f"{sql.table(engine, key.table)} AS child JOIN {sql.table(engine, key.parent)} AS parent ON {same}"
    return sql.select("1", sides, f"WHERE child.{sql.name(engine, mine)} <> parent.{sql.name(engine, theirs)}")


def no_column(scene: Scene) -> Iterator[Fault]:
    """The column that says whose a row is has another name."""
    tenancy = scene.expect.tenancy
    for table in judged_tables(scene.catalogue, tenancy) if tenancy else ():
        for column in tenancy.columns if tenancy else ():
            old, new = sql.name(scene.engine, column), sql.name(scene.engine, sql.PLANTED)
            way = (f"ALTER TABLE {sql.table(scene.engine, table.name)} RENAME COLUMN {old} TO {new}",)
            subject = table.name.label()
            yield Fault("renamed-tenant", "tenant-column-missing", subject, (way,), touches=frozenset({table.name}))


def nullable_column(scene: Scene) -> Iterator[Fault]:
    """The column that says whose a row is may be NULL."""
    for table, column in _tenant_columns(scene):
        loosened: Statement = sql.nullable(scene.engine, table.name, table.column[column])
        if scene.engine is Engine.SQLITE:
            loosened = Edit(table.name, Part.NOT_NULL, column=column)
        subject = column_label(table.name, (column,))
        yield Fault("nullable-tenant", "tenant-column-nullable", subject, ((loosened,),), touches=frozenset({table.name}))


def unbound_column(scene: Scene) -> Iterator[Fault]:
    """No key leads from a row to its tenant."""
    for table, column in _tenant_columns(scene):
        keys = [key for key in table.foreign_keys if column in key.columns]
        # SQLite's references are counted in the order in which they are written: the last one first, so that none moves.
        way = tuple(statement for key in reversed(keys) for statement in drop_key(scene, key))
        if way:
            subject = column_label(table.name, (column,))
            yield Fault("unbound-tenant", "tenant-reference-missing", subject, (way,), touches=frozenset({table.name}))


def _tenant_columns(scene: Scene) -> Iterator[tuple[Table, str]]:
    tenancy: Tenancy | None = scene.expect.tenancy
    return iter(tenant_columns(scene.catalogue, tenancy)) if tenancy else iter(())
