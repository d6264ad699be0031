"""No tenant reads, changes or refers to another's rows.

Proves it by trying: on a copy, in transactions that are undone, as the very role that the application connects as, signed in as
the application signs in (`role` and `sign_in` under `[databases.NAME.tenancy]`). In every table that says whose its rows are, one
tenant reads another's rows, inserts a row in its name, updates and deletes its rows, gives a row of its own away, and lets a row
of its own name a parent of the other's; then the same without signing in at all, when nothing must be there. Views, materialized
views and functions that run as their owner are read too.

A superuser and a role with BYPASSRLS pass every policy, so a run refuses to prove anything as one. Signing in must work, or it is
no proof: the owner of a row, signed in, has to read it. What refuses must be a policy: a row that a CHECK or a key refuses is not
proven. Inserted is the other tenant's own row, taken away before, so that nothing else has a reason to refuse it; updates and
deletes come without a condition, which would ask for the right to read, and where nothing but the other's row is left.

The server's own look for a parent bypasses row security (manual, "Row Security Policies"), so a row may name a parent that its
tenant cannot see. Whether that does harm depends on the application, so it is a warning. What the role has no right to at all
is not tried. An empty table gets a row that is compiled from its rules; where none can be, nothing is proven.

**Anti-pattern**

```sql
-- Read in peace, write for anybody: WITH CHECK is what is asked of a new row.
CREATE POLICY reading ON orders FOR SELECT USING (tenant_id = current_setting('app.tenant')::bigint);
CREATE POLICY writing ON orders FOR INSERT WITH CHECK (true);
CREATE VIEW open_orders AS SELECT * FROM orders WHERE open;    -- reads as its owner, whom no policy holds
```

**Best practice**

```sql
-- One policy for all commands; a view that reads as whoever asks; a key that asks whose the parent is.
CREATE POLICY own_rows ON orders USING (tenant_id = current_setting('app.tenant')::bigint);
CREATE VIEW open_orders WITH (security_invoker = true) AS SELECT * FROM orders WHERE open;
ALTER TABLE orders ADD FOREIGN KEY (tenant_id, buyer_id) REFERENCES buyers (tenant_id, id);
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from checks.declared.subjects import references
from checks.interface import Engine, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Command, Table
from checks.targets import RelationalTarget, Role, StatementFailed
from checks.tenants import exposed
from checks.tenants.application import Application
from checks.tenants.attempts import ATTEMPTS, Case, Leak, Unclear, moves, worst
from checks.tenants.causes import finding, of_reference, of_way
from checks.tenants.circumstances import Circumstances, circumstances
from checks.tenants.crossing import refers
from checks.unanswered import unanswered

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS = frozenset({Need.SANDBOX, Need.APP_ROLE})
SUBJECTS = "ways to rows of declared tenants"
PROVES = "are closed to other tenants"


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Try every way that the application's role has to a tenant's rows."""
    tenancy = target.expect.tenancy
    if tenancy is None or tenancy.sign_in is None:
        return
    with ExitStack() as stack:
        try:
            sandbox = stack.enter_context(target.sandbox(Role.APP))
        except StatementFailed as failure:
            yield unanswered(tenancy.role, failure)
            return
        if not isinstance(sandbox, Application):
            raise TypeError("this database has no application's role")
        yield from _all(circumstances(sandbox, target, tenancy))


def _all(here: Circumstances) -> Iterator[Judgement]:
    for table in here.tables:
        yield from _tried(table, here)
    yield from _referring(here)
    for way in exposed.ways(here.application, here.tenancy.role):
        yield from _read(way, here)


def _tried(table: Table, here: Circumstances) -> Iterator[Judgement]:
    """Each command that the role has the right to, in one table."""
    label = table.name.label()
    may = here.rights.get(table.name)
    if may is None:
        yield NotProven(f"{label}: reads", f"{here.tenancy.role} has no right to it")
        return
    commands = [command for command in ATTEMPTS if command in may.commands]
    if here.is_of_tenants(table):
        commands = [command for command in commands if command is not Command.INSERT]  # a new tenant is nobody else's
    gives = Command.UPDATE in commands and set(here.walls[table.name].values()) <= may.updates
    subjects: dict[Command | None, str] = {command: f"{label}: {ATTEMPTS[command][0]}" for command in commands}
    if gives and not here.is_of_tenants(table):
        subjects[None] = f"{label}: gives away"
    with here.with_rows(table) as lacking:
        cases = lacking or here.cases(table)
        if isinstance(cases, str):
            yield from (NotProven(subject, cases) for subject in subjects.values())
            return
        if reading := subjects.pop(Command.SELECT, ""):  # of all rows there are
            yield _judged(reading, Command.SELECT, cases, here)
        with here.reduced(table, cases):
            for command, subject in subjects.items():
                yield _judged(subject, command, cases, here)


def _judged(subject: str, command: Command | None, cases: Sequence[Case], here: Circumstances) -> Judgement:
    """One command, every case; none stands for giving a row away."""
    attempt = ATTEMPTS[command][1] if command else moves
    result = worst([attempt(here.application, case) for case in cases])
    if isinstance(result, Leak):
        return finding(subject, cases[0], command or Command.UPDATE, result, here.target)
    return NotProven(subject, result.why) if isinstance(result, Unclear) else Proven(subject)


def _referring(here: Circumstances) -> Iterator[Judgement]:
    """Each reference that does not compare the tenant itself, where the role may change it."""
    tried = {table.name for table in here.tables}
    for name, key in references(here.catalogue):
        may = here.rights.get(key.table)
        if not here.crossing(key) or key.table not in tried or may is None or not set(key.columns) <= may.updates:
            continue
        subject, pair = f"{name}: refers", here.parent(key)
        if isinstance(pair, str):
            yield NotProven(subject, pair)
            continue
        case, parent = pair
        result = refers(here.application, case, parent)
        if isinstance(result, Leak):
            yield of_reference(subject, key, case, result, here.target)
        else:
            yield NotProven(subject, result.why) if isinstance(result, Unclear) else Proven(subject)


def _read(way: exposed.Way, here: Circumstances) -> Iterator[Judgement]:
    """What a view or a function shows, where it says whose a row is."""
    subject, wall = f"{way.label}: reads", {name: name for name in here.tenancy.wall}
    if not set(wall) <= set(way.columns):
        if way.as_owner and way.reads & set(here.walls):
            yield NotProven(subject, "it reads with its owner's rights and does not say whose a row is")
        return
    intruder = next(iter((*here.known, *here.invented)), None)
    if intruder is None:
        yield NotProven(subject, "no rows")
        return
    result = exposed.read_by(here.application, way, wall, intruder)
    if isinstance(result, Leak):
        yield of_way(subject, way, here.tenancy.role, result)
    else:
        yield NotProven(subject, result.why) if isinstance(result, Unclear) else Proven(subject)
