"""Every index is valid.

Proves that no index is left over from a build that failed. CREATE INDEX CONCURRENTLY that meets a duplicate, a deadlock or a
cancelled session leaves the index behind, marked invalid (PostgreSQL's manual, CREATE INDEX, "Building Indexes Concurrently"):
queries do not use it, each write keeps it up to date all the same, and one that was to be unique may guard only some of the rows.
IF NOT EXISTS then takes it for done. An error, because no migration meant it. The same goes for the index of a partitioned table
that some partition has no part of.

An index that is being built at this moment is not judged, nor is one where the migrations stopped on the way.

**Anti-pattern**

```sql
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_email ON users (email);    -- failed yesterday, and passes today
```

**Best practice**

```sql
DROP INDEX CONCURRENTLY IF EXISTS users_email;
CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);
-- or, once what stood in the way is gone:
REINDEX INDEX CONCURRENTLY users_email;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.model import Index, Table
from checks.sql.indexes import index_subject, qualified
from checks.targets import RelationalTarget

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL})
NEEDS: frozenset[Need] = frozenset()
SUBJECTS = "indexes"
PROVES = "are valid"

#: What a failed REINDEX CONCURRENTLY leaves beside the index itself (REINDEX, "Rebuilding Indexes Concurrently").
_LEFT_BY_REINDEX = re.compile(r"_cc(new|old)\d*$")

# Whoever may not see another session's progress gets its row with nothing in it.
_BEING_BUILT = """
SELECT nsp.nspname::text, rel.relname::text
FROM pg_catalog.pg_stat_progress_create_index AS progress
LEFT JOIN pg_catalog.pg_class AS rel ON rel.oid = progress.index_relid
LEFT JOIN pg_catalog.pg_namespace AS nsp ON nsp.oid = rel.relnamespace
WHERE progress.datname = pg_catalog.current_database()
"""


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every index by what the catalogue says of it, a valid one of a partition with its partitioned table's."""
    listed = [(index, table) for table in target.catalogue.tables for index in table.indexes]
    yield from (Proven(index_subject(index)) for index, _ in listed if index.valid and index.part_of is None)
    invalid = [(index, table) for index, table in listed if not index.valid]
    built = _being_built(target) if invalid else set()
    for index, table in invalid:
        if built & {(index.table.schema, index.name), (None, None)}:
            yield NotProven(index_subject(index), "an index is being built")
        elif target.evidence.incomplete:
            yield NotProven(index_subject(index), "not valid when the migrations failed")
        else:
            yield _finding(index, table, target)


def _being_built(target: RelationalTarget) -> set[tuple[str | None, str | None]]:
    with target.rows() as session:
        return {(schema, name) for schema, name in session.raw(_BEING_BUILT, 1000)}


def _finding(index: Index, table: Table, target: RelationalTarget) -> Finding:
    why = "not every partition has a valid part of it" if table.partitioned else "its build failed, and no query uses it"
    return Finding(
        subject=index_subject(index),
        message=f"index {index.name} of {table.name.label()} is invalid: {why}",
        remedy=_remedy(index, table, target),
        objects=(index.reference, table.reference),
        evidence={"index": index.definition},
    )


def _remedy(index: Index, table: Table, target: RelationalTarget) -> str:
    name = qualified(index, target)
    if table.partitioned:
        return f"Make the index on each partition that lacks it, then ALTER INDEX {name} ATTACH PARTITION each of them."
    if _LEFT_BY_REINDEX.search(index.name):
        return f"DROP INDEX CONCURRENTLY {name};"
    return f"REINDEX INDEX CONCURRENTLY {name};"
