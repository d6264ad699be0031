"""Why a tenant reached another's rows, as far as the catalogue tells, and what to do."""

from __future__ import annotations

from checks.interface import Engine, Finding, Severity
from checks.schema.model import Command, ForeignKey, Policy, Table
from checks.schema.names import column_reference, table_reference
from checks.sql.statements import quoted, quoted_table
from checks.targets import RelationalTarget
from checks.tenants.attempts import Case, Leak
from checks.tenants.exposed import Way
from checks.tenants.roles import declared_application, for_role


def finding(subject: str, case: Case, command: Command, leak: Leak, target: RelationalTarget) -> Finding:
    """A way by a table itself."""
    table = case.table
    policies = _policies(table, command, target)
    cause, remedy = _cause(table, policies, command, target)
    row, names = case.theirs[0].values, case.table.primary_key or tuple(case.wall.values())
    return Finding(
        subject=subject,
        message=f"{_who(case.role, leak)} {leak.how} {'of' if command is Command.SELECT else 'in'} {table.name.label()}"
        f"{_counted(leak)}: {cause}",
        remedy=remedy,
        objects=(*(policy.reference for policy in policies if table.row_security), table.reference),
        count=leak.count or None,
        values=(", ".join(f"{name}={row[name]}" for name in names if name in row),),
        evidence={"table": table.name.label(), "role": case.role, "policies": [policy.name for policy in policies]},
    )


def of_reference(subject: str, key: ForeignKey, case: Case, leak: Leak, target: RelationalTarget) -> Finding:
    """A row that names another tenant's: the server's own look for it asks no policy."""
    engine, schema = target.engine, target.catalogue.default_schema
    columns = [name for name in case.wall.values() if name not in key.columns]
    mine, theirs = quoted(engine, (*columns, *key.columns)), quoted(engine, (*columns, *key.parent_columns))
    child, parent = quoted_table(engine, key.table, schema), quoted_table(engine, key.parent, schema)
    return Finding(
        subject=subject,
        severity=Severity.WARNING,
        message=f"{_who(case.role, leak)} {leak.how}: {key.label} takes any row of {key.parent.label()}, whosever it is:"
        f" {key.name} does not ask, nor does a policy",
        remedy=f"ALTER TABLE {parent} ADD UNIQUE ({theirs}); ALTER TABLE {child} ADD FOREIGN KEY ({mine}) REFERENCES {parent}"
        f" ({theirs}); or let WITH CHECK ask whether the parent is there for the tenant.",
        objects=(key.reference, column_reference(key.table, key.columns[0]), table_reference(key.table)),
        evidence={"constraint": key.name, "parent": key.parent.label(), "role": case.role},
    )


def of_way(subject: str, way: Way, role: str, leak: Leak) -> Finding:
    """A view or a function that shows more than the tables would."""
    name = f"{quoted(Engine.POSTGRESQL, way.name.schema)}.{quoted(Engine.POSTGRESQL, way.name.name)}"
    if way.stored:
        cause, remedy = "a materialized view has no policies", f"REVOKE ALL ON {name} FROM {quoted(Engine.POSTGRESQL, role)};"
    elif way.function:
        cause, remedy = "it runs with its owner's rights (SECURITY DEFINER)", f"ALTER FUNCTION {name}() SECURITY INVOKER;"
    elif way.as_owner:
        cause = "it reads with its owner's rights, whom no policy holds"
        remedy = f"ALTER VIEW {name} SET (security_invoker = true); from PostgreSQL 15 on."
    else:
        cause, remedy = "the tables below let them through", "See what is found of the tables that it reads."
    return Finding(
        subject=subject,
        message=f"{_who(role, leak)} {leak.how} of {way.label}{_counted(leak)}: {cause}",
        remedy=remedy,
        objects=(way.reference,),
        count=leak.count or None,
        evidence={"view": way.label, "role": role},
    )


def _who(role: str, leak: Leak) -> str:
    return f"signed in as one tenant, {role}" if leak.signed_in else f"without signing in, {role}"


def _counted(leak: Leak) -> str:
    return f" ({leak.count} of them)" if leak.count else ""


def _policies(table: Table, command: Command, target: RelationalTarget) -> list[Policy]:
    """The permissive policies that may have let it through."""
    role = declared_application(target)
    found = for_role(table.policies, role.acts_as if role else None)
    return [policy for policy in found if policy.permissive and policy.command in (command, Command.ALL)]


def _cause(table: Table, policies: list[Policy], command: Command, target: RelationalTarget) -> tuple[str, str]:
    where = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    role = declared_application(target)
    if not table.row_security:
        part = f", a partition of {table.partition_of.label()} that is reached by itself" if table.partition_of else ""
        revoke = f" Or: REVOKE ALL ON {where} FROM {quoted(target.engine, role.name)};" if part and role else ""
        return f"its row security is off{part}", f"ALTER TABLE {where} ENABLE ROW LEVEL SECURITY;{revoke}"
    if role and table.owner in role.acts_as and not table.forced:
        return (
            f"no policy holds {role.name}, which has the rights of its owner, and row security is not forced",
            f"ALTER TABLE {where} FORCE ROW LEVEL SECURITY;",
        )
    names = ", ".join(policy.name for policy in policies)
    remedy = f"Let {_clause(command)} of {names or 'a policy'} compare whose a row is with what the session signed in as."
    if not names:
        return "no policy kept it", remedy
    return f"policy {names} lets it through" if len(policies) == 1 else f"policies {names} let it through", remedy


def _clause(command: Command) -> str:
    """What of a policy decides about a command."""
    if command in (Command.SELECT, Command.DELETE):
        return "USING"
    return "WITH CHECK" if command is Command.INSERT else "USING and WITH CHECK"
