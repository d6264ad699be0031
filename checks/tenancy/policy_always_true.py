"""Policies ask something of a row.

Proves, for every policy that widens what a role may reach, that its condition is not true of every row: PostgreSQL's planner is
given the condition and must have something left to ask (`EXPLAIN`), so `true`, `1 = 1` and `tenant_id = tenant_id` of a column
that is never NULL are found alike. One such policy opens the table, whatever the others say, as permissive policies are joined by
OR (manual, CREATE POLICY). A restrictive policy for the same command that does ask something closes it again.

A policy that lets everybody write everything is a warning: `FOR INSERT WITH CHECK (true)` lets a tenant make rows in another's
name, and so does a policy without WITH CHECK whose USING is true. One that lets everything be read, and no more, or that is for
roles that it names (an administrator's), is often meant, so it is a notice, and a warning where the settings declare the table's
rows to be tenants'. Where they declare the application's role, policies for other roles are not judged; nor are those for roles
that no policy holds anyway, superusers and roles with BYPASSRLS.

**Anti-pattern**

```sql
CREATE POLICY anyone ON orders FOR INSERT WITH CHECK (true);
```

**Best practice**

```sql
CREATE POLICY own_rows ON orders FOR INSERT WITH CHECK (tenant_id = current_setting('app.tenant')::bigint);
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Command, Policy, Table
from checks.sql.statements import dialect, quoted, quoted_table
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.tenants.roles import declared_application, for_role, unheld
from checks.tenants.tables import tenant_columns

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "permissive policies"
PROVES = "ask something of a row"

#: What a plan calls the conditions that are left to ask.
_ASKED = ("Filter", "Cond")


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every permissive policy that is for the application's role, where one is declared."""
    role = declared_application(target)
    with target.rows() as session:
        free = unheld(session)
        for table in target.catalogue.tables:
            policies = for_role(table.policies, role.acts_as if role else None)
            for policy in policies:
                if policy.permissive and not (policy.roles and set(policy.roles) <= free):
                    yield _judged(policy, policies, table, session, target)


def _judged(policy: Policy, policies: list[Policy], table: Table, session: ReadSession, target: RelationalTarget) -> Judgement:
    subject = f"{table.name.label()}.{policy.name}"
    try:
        reads = _open(policy.using, table, session, target) and not _closed(policies, policy, table, session, target, "using")
        written = policy.check if policy.check is not None else policy.using
        writes = _open(written, table, session, target) and not _closed(policies, policy, table, session, target, "check")
    except StatementFailed as failure:
        return NotProven(subject, failure.gap or f"the planner could not be asked: {failure}")
    changes = policy.command is not Command.SELECT and (writes or (reads and policy.command is not Command.INSERT))
    if not changes and not (reads and policy.command in (Command.SELECT, Command.ALL)):
        return Proven(subject)
    return _finding(subject, policy, table, changes, target)


def _closed(
    policies: list[Policy], policy: Policy, table: Table, session: ReadSession, target: RelationalTarget, what: str
) -> bool:
    """Whether a restrictive policy asks something where this one does not."""
    narrow = [one for one in policies if not one.permissive and one.command in (policy.command, Command.ALL)]
    texts = (one.check if what == "check" and one.check is not None else one.using for one in narrow)
    return any(text is not None and not _open(text, table, session, target) for text in texts)


def _open(condition: str | None, table: Table, session: ReadSession, target: RelationalTarget) -> bool:
    """Whether a condition is true of every row. What is not said is no condition and lets nothing through."""
    if condition is None:
        return False
    if condition == "true":
        return True
    # With its schema always: a session's path may lead elsewhere.
    where = f"{quoted(target.engine, table.name.schema)}.{quoted(target.engine, table.name.name)}"
    (row,) = session.raw(f"EXPLAIN (FORMAT JSON) SELECT FROM {where} WHERE {condition}", 1)
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return not _asks(plan)


def _asks(part: object) -> bool:
    """Whether anything is left to ask in a plan."""
    if isinstance(part, dict):
        return any(str(key).endswith(_ASKED) or _asks(value) for key, value in part.items())
    return isinstance(part, list) and any(map(_asks, part))


def _finding(subject: str, policy: Policy, table: Table, changes: bool, target: RelationalTarget) -> Finding:
    tenancy = target.expect.tenancy
    columns = [name for one, name in tenant_columns(target.catalogue, tenancy) if one.name == table.name] if tenancy else []
    whom = ", ".join(policy.roles) or "every role"
    what = _WORDS[policy.command] if changes else "reads every row"
    return Finding(
        subject=subject,
        severity=None if columns or (changes and (tenancy or not policy.roles)) else Severity.NOTICE,
        message=f"policy {policy.name} of {table.name.label()} asks nothing of a row: {whom} {what}",
        remedy=_remedy(policy, table, columns[0] if columns else "tenant_id", target),
        objects=(policy.reference, table.reference),
        evidence={"policy": policy.name, "using": policy.using, "check": policy.check, "command": policy.command.value},
    )


_WORDS = {
    Command.ALL: "may write every row",
    Command.INSERT: "may insert rows in anybody's name",
    Command.UPDATE: "may update every row, or give rows away",
    Command.DELETE: "may delete every row",
}


def _remedy(policy: Policy, table: Table, column: str, target: RelationalTarget) -> str:
    where = quoted_table(target.engine, table.name, target.catalogue.default_schema)
    condition = f"({dialect(target.engine).identifier_preparer.quote(column)} = …)"
    using = "" if policy.command is Command.INSERT else f" USING {condition}"
    check = " WITH CHECK " + condition if policy.command in (Command.ALL, Command.INSERT, Command.UPDATE) else ""
    return f"ALTER POLICY {quoted(target.engine, policy.name)} ON {where}{using}{check};"
