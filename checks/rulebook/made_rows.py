"""A new migration that fails on rows which were made from the schema: whether any row would stop it, what production is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from checks.evidence import MigrationFailure
from checks.interface import Engine
from checks.rulebook.audited import added
from checks.rulebook.violations import rows_that_break
from checks.targets import RelationalTarget, Target

#: Queries that are shown.
_MOST = 3

#: PostgreSQL's words (ATRewriteTable) where a column that must have a value has none.
_NULLS = re.compile(r'column "(?P<column>.+)" of relation ".+" contains null values')
#: SQLite's, whatever the rows hold.
_OF_SQLITE = "Cannot add a NOT NULL column with default value NULL"


def stops_any_row(failure: MigrationFailure) -> bool:
    """Whether the statement fails on any row at all: it adds a column that must have a value and gets none."""
    if _OF_SQLITE in failure.said:
        return True
    found = _NULLS.search(failure.said)
    return found is not None and bool(re.search(rf"\bADD\b[^,;]*{re.escape(found['column'])}", failure.statement, re.IGNORECASE))


def asking(target: Target) -> str:
    """What to ask production: by each rule that the migrations add and made rows broke, where that is known."""
    queries = list(_queries(target)) if target.engine is not Engine.MONGODB else []
    if not queries:
        return "Made rows may hold what production does not: ask production for rows that the statement would refuse."
    more = f" (and {len(queries) - _MOST} more, see constraint-violation)" if len(queries) > _MOST else ""
    return f"Ask production, where this must give nothing: {' '.join(f'{query};' for query in queries[:_MOST])}{more}"


def _queries(target: Target) -> Iterator[str]:
    catalogue, base = cast("RelationalTarget", target).catalogue, target.evidence.base
    for rule in added(catalogue, base) if base else ():
        counted = target.evidence.audits.get(rule.subject)
        if counted is not None and counted.rows:
            yield rows_that_break(rule, catalogue, target.engine)
