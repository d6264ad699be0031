"""The migrations need no superuser.

Proves that the owner of the database, who is no superuser, may run every statement of the migrations. Where the server refuses
one for want of a right (42501, MongoDB's 13) the run starts again as superuser, and this notice names the statement: on a managed
server, where nobody is superuser, the same migration stops there. The owner of a MongoDB database has `readWrite` and `dbAdmin`
there, and nothing elsewhere.

**Anti-pattern**

```sql
CREATE EXTENSION file_fdw;                      -- not a trusted extension: a superuser's
ALTER ROLE app_user SET work_mem = '64MB';      -- roles belong to the cluster, not to the database
```

**Best practice**

```toml
# What an administrator does once per server stands apart from the history.
[databases.app]
before = ["db/roles.sql"]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.evidence import SuperuserNeeded
from checks.interface import Engine, Finding, Judgement, Need, Proven, Severity
from checks.targets import Target

SEVERITY = Severity.NOTICE
ENGINES = frozenset({Engine.POSTGRESQL, Engine.MARIADB, Engine.MONGODB})
NEEDS = frozenset({Need.EVIDENCE})
SUBJECTS = "migration histories"
PROVES = "ran without a superuser"

_REMEDIES = {Engine.MONGODB: "Let a user who has the privilege do this once per server, outside the migrations."}

#: The subject of a history that needs none, or whose tool has no revisions.
ALL = "migrations"


def run(target: Target) -> Iterator[Judgement]:
    """Judge the history by whether its owner was enough."""
    needed = target.evidence.superuser_needed
    if needed is not None:
        yield _finding(needed, target.engine)
    elif target.evidence.migrations or target.evidence.statements:
        yield Proven(ALL)


def _finding(needed: SuperuserNeeded, engine: Engine) -> Finding:
    return Finding(
        subject=needed.revision or ALL,
        message="the owner of the database was refused, so the migrations ran again as superuser",
        remedy=_REMEDIES.get(
            engine, "Move this statement to `before`, or let a role that has the privilege run it once per server."
        ),
        place=needed.place,
        code=needed.code,
        said=needed.said,
        evidence={"statement": needed.statement},
    )
