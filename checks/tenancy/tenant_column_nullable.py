"""No row can be without its tenant.

Proves, for each column that names the tenant, that the server refuses NULL in it. A row without a tenant is nobody's: a policy
or a condition `tenant_id = …` is NULL for it and hides it from everyone, and one that was written to spare such rows
(`tenant_id = … OR tenant_id IS NULL`) shows it to all. A foreign key does not help, as NULL refers to nothing.

A column that may be NULL is a warning; where rows without a tenant are there already, they are counted, and that is an error.

**Anti-pattern**

```sql
ALTER TABLE documents ADD COLUMN tenant_id bigint REFERENCES tenants (id);
```

**Best practice**

```sql
ALTER TABLE documents ADD COLUMN tenant_id bigint REFERENCES tenants (id);
UPDATE documents SET tenant_id = (SELECT tenant_id FROM folders WHERE folders.id = documents.folder_id);
ALTER TABLE documents ALTER COLUMN tenant_id SET NOT NULL;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Text, cast, func, select

from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.schema.model import Table
from checks.schema.names import column_label, column_reference
from checks.sql.orphans import SAMPLE, shown_row
from checks.sql.remedies import made_anew
from checks.sql.statements import named, only, quoted, quoted_table
from checks.targets import ReadSession, RelationalTarget, StatementFailed
from checks.tenants.tables import tenant_columns
from checks.unanswered import unanswered

SEVERITY = Severity.WARNING
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "columns of declared tenants"
PROVES = "refuse a row without a tenant"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge each declared column of every table that has it."""
    tenancy = target.expect.tenancy
    if tenancy is None:
        return
    with target.rows() as session:
        for table, name in tenant_columns(target.catalogue, tenancy):
            yield _judged(table, name, session, target)


def _judged(table: Table, name: str, session: ReadSession, target: RelationalTarget) -> Judgement:
    subject = column_label(table.name, (name,))
    if not table.column[name].nullable or _refused(table, name):
        return Proven(subject)
    try:
        count, rows = _without(table, name, session) if table.name in target.filled else (0, ())
    except StatementFailed as failure:
        return unanswered(subject, failure)
    return _finding(subject, table, name, count, rows, target)


def _refused(table: Table, name: str) -> bool:
    """Whether a CHECK says what NOT NULL would."""
    alone = re.compile(
        rf'\(*(?:{re.escape(name)}|"{re.escape(name.replace(chr(34), chr(34) * 2))}") IS NOT NULL\)*', re.IGNORECASE
    )
    return any(check.validated and check.enforced and alone.fullmatch(check.expression) for check in table.checks)


def _without(table: Table, name: str, session: ReadSession) -> tuple[int, Sequence[tuple[Any, ...]]]:
    """How many rows have no tenant, and the keys of the first ones."""
    source = named(table.name, (*table.primary_key, name), "child")
    empty = source.c[name].is_(None)
    ((count,),) = session.rows(only(select(func.count()).select_from(source), source, table).where(empty))
    if not count or not table.primary_key:
        return int(count), ()
    keys = [source.c[key] for key in table.primary_key]
    first = only(select(*(cast(key, Text) for key in keys)), source, table).where(empty).order_by(*keys).limit(SAMPLE)
    return int(count), session.rows(first)


def _finding(
    subject: str, table: Table, name: str, count: int, rows: Sequence[tuple[Any, ...]], target: RelationalTarget
) -> Finding:
    where, column = quoted_table(target.engine, table.name, target.catalogue.default_schema), quoted(target.engine, name)
    found = f"{count} row{' has' if count == 1 else 's have'} none already" if count else "no row has made use of it yet"
    first = f"Give every row of {where} its tenant, those WHERE {column} IS NULL, then: " if count else ""
    return Finding(
        subject=subject,
        severity=Severity.ERROR if count else None,
        message=f"{table.name.label()} takes rows without {name}, which nobody's tenant is: {found}",
        remedy=first + _strict(where, column, table.column[name].type, target.engine),
        objects=(column_reference(table.name, name), table.reference),
        count=count or None,
        values=tuple(shown_row(table.primary_key, row) for row in rows),
        evidence={"table": table.name.label(), "column": name},
    )


def _strict(where: str, column: str, kind: str, engine: Engine) -> str:
    if engine is Engine.SQLITE:
        return made_anew(where, f"{column} NOT NULL")
    if engine is Engine.MARIADB:
        return f"ALTER TABLE {where} MODIFY COLUMN {column} {kind} NOT NULL;"
    return f"ALTER TABLE {where} ALTER COLUMN {column} SET NOT NULL;"
