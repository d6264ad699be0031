"""A new migration that fails on rows which were made from the schema: whether any row would stop it, what production is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from checks.document_targets import DocumentTarget
from checks.evidence import Counted, MigrationFailure
from checks.interface import Engine
from checks.pipelines.shell import on
from checks.rulebook.audited import added
from checks.rulebook.violations import Rule, rows_that_break
from checks.schema.model import Index
from checks.sql.statements import quoted
from checks.targets import RelationalTarget, Target

#: Queries that are shown.
_MOST = 3

#: PostgreSQL's words (ATRewriteTable) where a column that must have a value has none.
_NULLS = re.compile(r'column "(?P<column>.+)" of relation ".+" contains null values')
#: MongoDB's (11000), in which no value stands.
_KEY_TWICE = re.compile(r"collection: [^.\s]+\.(?P<collection>.+?) index: (?P<index>.+?)(?: dup key.*)?$")
#: The codes of the relational engines for a row that a rule refuses; 1265 is MariaDB's for a NULL in what becomes NOT NULL.
_OF_RULES = re.compile(r"23|SQLITE_CONSTRAINT|1048$|1062$|1265$|1364$|1451$|1452$|4025$")
#: PostgreSQL's, where a unique index cannot be built; and what its reader writes behind a key (operator class, collation).
_INDEX = re.compile(r'could not create unique index "(?P<index>.+)"')
_BEHIND = re.compile(r" \d+ \d+ \d+( \{.*\})?$")
#: Where no query is known: what production is asked, and what to do where such rows can never be.
_NO_QUERY = "Made rows may hold what production does not: ask production for what the statement would refuse. Where it has some:"
_NEVER = "Where it never can: let the schema say so, or give the column by `columns` under `data`."
#: SQLite's, whatever the rows hold.
_OF_SQLITE = "Cannot add a NOT NULL column with default value NULL"


def stops_any_row(failure: MigrationFailure) -> bool:
    """Whether the statement fails on any row at all: it adds a column that must have a value and gets none."""
    if _OF_SQLITE in failure.said:
        return True
    found = _NULLS.search(failure.said)
    if found is None:
        return False
    added = rf'\bADD\s+(COLUMN\s+)?(IF\s+NOT\s+EXISTS\s+)?"?{re.escape(found["column"])}(?!\w)'
    return re.search(added, failure.statement, re.IGNORECASE) is not None


def broken_rows(failure: MigrationFailure, target: Target) -> str:
    """How many made rows break which rule that the migrations add; where that was not counted, how many rows were made."""
    counts = [] if target.engine is Engine.MONGODB else list(_counted(failure, target))
    told = [f"{_rows(counted.rows)} of {rule.table.label()} against {rule.words}" for rule, counted in counts]
    filled = [one for one in target.evidence.filled if one.rows]
    named = [one for one in filled if re.search(rf"(?<!\w){re.escape(one.table.name)}(?!\w)", failure.statement)]
    told = told or [f"among {_rows(one.rows)} of {one.table.label()}" for one in named]
    more = f", and {len(told) - _MOST} more" if len(told) > _MOST else ""
    every = f"among {_rows(sum(one.rows for one in filled))} of {len(filled)} tables" if filled else ""
    return f"{', '.join(told[:_MOST])}{more}" or every


def _rows(number: int) -> str:
    return f"{number} {'row' if number == 1 else 'rows'}"


def asking(failure: MigrationFailure, target: Target, otherwise: str) -> str:
    """What to ask production: by each rule that the migrations add and made rows broke, where that is known.

    ``otherwise`` is what to do where production holds such rows too.
    """
    queries = list(_pipelines(failure, target) if target.engine is Engine.MONGODB else _queries(failure, target))
    if not queries:
        return f"{_NO_QUERY} {otherwise} {_NEVER}"
    more = f" (and {len(queries) - _MOST} more, see constraint-violation)" if len(queries) > _MOST else ""
    return f"Ask production, where this must give nothing: {' '.join(f'{query};' for query in queries[:_MOST])}{more}"


def _pipelines(failure: MigrationFailure, target: Target) -> Iterator[str]:
    """What MongoDB's shell takes to list the keys that several documents share under a new unique index."""
    found = _KEY_TWICE.search(failure.said)
    if found is None:
        return
    collection = cast("DocumentTarget", target).collections.collection.get(found["collection"])
    for index in collection.indexes if collection else ():
        if index.name == found["index"]:
            some = [{"$match": index.partial_filter}] if index.partial_filter else []
            key: Any = {f"k{number}": f"${name}" for number, name in enumerate(index.fields)}
            group = {"_id": key if len(key) > 1 else key["k0"], "documents": {"$sum": 1}}
            stages = [*some, {"$group": group}, {"$match": {"documents": {"$gt": 1}}}]
            yield f"{on(found['collection'])}.aggregate({json.dumps(stages, ensure_ascii=False, default=str)})"


def _queries(failure: MigrationFailure, target: Target) -> Iterator[str]:
    """What lists the rows that break the added rules, those of an index of expressions among them."""
    catalogue = cast("RelationalTarget", target).catalogue
    yield from (rows_that_break(rule, catalogue, target.engine) for rule, _ in _counted(failure, target))
    if target.engine is Engine.POSTGRESQL and (found := _INDEX.search(failure.said)):
        named = (index for table in catalogue.tables for index in table.indexes if index.name == found["index"])
        yield from (_keys_twice(index) for index in named if None in index.columns)


def _counted(failure: MigrationFailure, target: Target) -> Iterator[tuple[Rule, Counted]]:
    """The added rules that rows break, with how many do; none where the server refused for something else than a rule."""
    if failure.code and not _OF_RULES.match(failure.code):
        return
    catalogue, base = cast("RelationalTarget", target).catalogue, target.evidence.base
    for rule in added(catalogue, base) if base else ():
        counted = target.evidence.audits.get(rule.subject)
        if counted is not None and counted.rows:
            yield rule, counted


def _keys_twice(index: Index) -> str:
    """The query for keys of an index of expressions that several rows have: rules of this kind are not counted."""
    keys = ", ".join(_BEHIND.sub("", key) for key in index.keys)
    source = ".".join(quoted(Engine.POSTGRESQL, name) for name in (index.table.schema, index.table.name))
    some = f" WHERE {index.predicate}" if index.predicate else ""
    return f"SELECT {keys}, count(*) FROM {source}{some} GROUP BY {keys} HAVING count(*) > 1"  # noqa: S608 - to be copied
