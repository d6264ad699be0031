"""The repository's own queries for what must never be return no row.

Proves, for every sentence under `no_rows` in `[databases.NAME.expect]`, that its query returns no row. It says what no
constraint can: rules across tables, across rows, across time. Every row is a violation and the count is exact; where a query
cannot be counted by the server (it is not a plain SELECT) the rows are counted as they come, and past 10 000 the finding says
"more than", never a number that is not true.

A query that fails is an error of the check, not a pass. A query over tables that are all empty proves nothing.

**Anti-pattern**

```toml
[databases.app.expect.no_rows]
"paid orders have a payment" = "select count(*) from orders where paid and payment_id is null"    # a count is always a row
```

**Best practice**

```toml
[databases.app.expect.no_rows]
"paid orders have a payment" = "select id from orders where paid and payment_id is null"
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from checks.interface import Engine, Finding, Judgement, Need, NotProven, Proven, Severity
from checks.schema.names import table_reference
from checks.sql.reading import objects_read, tables_read, without_rows
from checks.targets import RelationalTarget, StatementFailed

SEVERITY = Severity.ERROR
ENGINES = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
NEEDS = frozenset({Need.ROWS})
SUBJECTS = "declared queries"
PROVES = "found no row that must not be"

#: How many rows a finding shows.
SAMPLE = 5

#: How many rows are counted one by one where the server cannot count them.
COUNTED = 10_000


def run(target: RelationalTarget) -> Iterator[Judgement]:
    """Judge every query; the first that failed is raised after all have been tried."""
    failed: StatementFailed | None = None
    for sentence, sql in target.expect.no_rows.items():
        try:
            yield _judge(sentence, sql, target)
        except StatementFailed as failure:
            if failure.gap:
                yield NotProven(sentence, failure.gap)
            else:
                failed = failed or StatementFailed(f"{sentence}: {failure.said}", failure.code)
    if failed is not None:
        raise failed


def _judge(sentence: str, sql: str, target: RelationalTarget) -> Judgement:
    with target.rows() as session:
        rows = session.raw(sql, SAMPLE)
    if rows:
        return _finding(sentence, sql, rows, target)
    if without_rows(sql, target):
        return NotProven(sentence, "no rows")
    read = tables_read(sql, target.engine, target.catalogue) or target.catalogue.table
    return Proven(sentence, tuple(map(table_reference, sorted(read))))


def _finding(sentence: str, sql: str, rows: Sequence[tuple[Any, ...]], target: RelationalTarget) -> Finding:
    count = len(rows) if len(rows) < SAMPLE else _count(sql, target)
    return Finding(
        subject=sentence,
        message=f"{f'more than {COUNTED}' if count is None else count} {'row' if count == 1 else 'rows'} against: {sentence}",
        remedy=f"List them all with: {' '.join(sql.split())}",
        objects=objects_read(sql, target.engine, target.catalogue),
        count=count,
        values=tuple(", ".join("NULL" if value is None else str(value) for value in row) for row in rows),
    )


def _count(sql: str, target: RelationalTarget) -> int | None:
    """How many rows the query returns: counted by the server, else one by one; ``None`` past :data:`COUNTED`."""
    try:
        with target.rows() as session:
            # The line break ends a comment on the query's last line.
            return int(session.raw(f"select count(*) from ({sql.strip().rstrip(';')}\n) as counted", 1)[0][0])  # noqa: S608 - theirs
    except StatementFailed:
        with target.rows() as session:
            rows = len(session.raw(sql, COUNTED + 1))
        return rows if rows <= COUNTED else None
