"""Plans as PostgreSQL's own statements: every row is made in the server from its number and the seed.

Chance is a hash of the row's number (``hashint8extended``), so the same seed gives the same rows, in whatever order the
server works. A statement is layers of subqueries: values that need no other row, then one layer a reference, then what
is computed, then the conditions. ``%`` is doubled for the driver, and lists of values are its parameters.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checks.rows.postgresql import bound, shape
from checks.rows.sets.forms import DIGITS
from checks.rows.sets.plan import Computed, Form, Numbered, Pooled, Referred, Series, TablePlan
from checks.rows.shapes import Kind
from checks.rows.terms import Condition
from checks.schema.model import Column, Table
from checks.schema.names import TableName

#: The row's number, among columns that may be called anything else.
NUMBER = "dbproof_n"
_POSITIVE = 2**63 - 1
#: Kinds whose lists the server reads once. How it reads others depends on the session, so it would read the list for every row:
#: of those each value is read when it is taken.
_LISTED = frozenset({Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN})


@dataclass(frozen=True)
class Statement:
    """A statement with the values of its placeholders."""

    sql: str
    values: Sequence[Any] = ()


@dataclass(frozen=True)
class Keys:
    """The keys of a parent's rows, numbered in a temporary table: how many there are, and by which ``shared`` columns."""

    name: str
    columns: tuple[str, ...]
    rows: int
    shared: tuple[str, ...] = ()


@dataclass
class _Writing:
    """A statement that is being written."""

    table: Table
    seed: int
    values: list[Any] = field(default_factory=list)

    def salt(self, what: str) -> int:
        """A number for each column and purpose, so that they do not go together."""
        return zlib.crc32(f"{self.seed}/{self.table.name.label()}/{what}".encode())

    def chance(self, what: str, number: str = NUMBER) -> str:
        """A whole number from 0 on, by chance."""
        return f"(hashint8extended({number}, {self.salt(what)}) & {_POSITIVE})"

    def parameter(self, value: object) -> str:
        self.values.append(value)
        return "%s"


def listing(name: str, parent: TableName, columns: Sequence[str], shared: Sequence[str], whole: bool) -> str:
    """Numbers a parent's keys in a temporary table; ``whole`` reads partitions too, which ONLY would not."""
    names = ", ".join(map(quoted, dict.fromkeys((*columns, *shared))))
    given = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in dict.fromkeys((*columns, *shared)))
    within = f"PARTITION BY {', '.join(map(quoted, shared))}" if shared else ""
    source = f"{'' if whole else 'ONLY '}{table_name(parent)}"
    return (
        f"CREATE TEMPORARY TABLE {quoted(name)} AS SELECT row_number() OVER ({within}) AS dbproof_k,"
        f" count(*) OVER ({within}) AS dbproof_of, {names} FROM {source} WHERE {given}"
    )


def filling(plan: TablePlan, rows: int, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Inserts at most ``rows`` of the rows with these ``numbers``, as far as they meet the conditions."""
    writing = _Writing(plan.table, seed)
    columns = _filled(plan)
    made = _made(plan, numbers, keys, writing)
    guard = " ON CONFLICT DO NOTHING" if plan.guarded else ""
    names = ", ".join(map(quoted, columns))
    sql = (
        f"INSERT INTO {table_name(plan.table.name)} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {made}"
        f"{_where(plan.conditions)} LIMIT {rows}{guard}"
    )
    return Statement(sql, writing.values)


def trying(plan: TablePlan, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Counts how many of the rows with these numbers meet all conditions, then how many meet each."""
    writing = _Writing(plan.table, seed)
    made = _made(plan, numbers, keys, writing)
    each = [f"count(*) FILTER (WHERE {_met(condition)})" for condition in plan.conditions]
    every = f"count(*) FILTER (WHERE {' AND '.join(map(_met, plan.conditions)) or 'true'})"
    return Statement(f"SELECT {', '.join((every, *each))} FROM {made}", writing.values)


def filling_later(plan: TablePlan, referred: Referred, seed: int, keys: Keys) -> Statement:
    """Gives rows that are there a parent, where they still meet all conditions with it."""
    writing = _Writing(plan.table, seed)
    mine = dict(zip(referred.key.columns, referred.key.parent_columns, strict=True))
    kept = [quoted(column.name) for column in plan.table.columns if column.name not in mine]
    numbered = (
        f"SELECT tableoid AS dbproof_t, ctid AS dbproof_p, row_number() OVER () AS {NUMBER}, * FROM {table_name(plan.table.name)}"
    )
    joined = _joined(f"({numbered})", referred, keys, writing, "later")
    others = ", ".join(f"parent.{quoted(theirs)} AS {quoted(name)}" for name, theirs in mine.items())
    changed = f"SELECT dbproof_t, dbproof_p, {', '.join((*(f'base.{name}' for name in kept), others))} FROM {joined}"
    sets = ", ".join(f"{quoted(name)} = found.{quoted(name)}" for name in mine)
    source = f"({changed}) AS {_alias(plan.table)}{_where(plan.conditions)}"
    found = f"SELECT dbproof_t, dbproof_p, {', '.join(map(quoted, mine))} FROM {source}"
    return Statement(
        f"UPDATE {table_name(plan.table.name)} AS child SET {sets} FROM ({found}) AS found"
        " WHERE child.tableoid = found.dbproof_t AND child.ctid = found.dbproof_p"
        f" AND num_nulls({', '.join(f'found.{quoted(name)}' for name in mine)}) = 0",
        writing.values,
    )


def _made(plan: TablePlan, numbers: range, keys: Mapping[Referred, Keys], writing: _Writing) -> str:
    """The rows before the conditions are asked, under the table's own name, as the conditions know it."""
    free = [source for source in plan.sources if isinstance(source, Numbered | Pooled)]
    first = [part for source in free for part in _free(source, plan.table, writing)]
    layer = (
        f"(SELECT {', '.join((f'n AS {NUMBER}', *first))} FROM generate_series({numbers.start}::bigint, {numbers.stop - 1}) AS n)"
    )
    for source in plan.sources:
        if isinstance(source, Referred):
            taken = ", ".join(f"parent.{quoted(theirs)} AS {quoted(mine)}" for mine, theirs in source.taken.items())
            layer = f"(SELECT base.*, {taken} FROM {_joined(layer, source, keys[source], writing, ','.join(source.columns))})"
    computed = [source for source in plan.sources if isinstance(source, Computed)]
    if computed:
        listed = ", ".join(
            f"{_cast(f'({_plain(one.expression)})', plan.table.column[one.column])} AS {quoted(one.column)}" for one in computed
        )
        layer = f"(SELECT {_alias(plan.table)}.*, {listed} FROM {layer} AS {_alias(plan.table)})"
    known = {name for source in plan.sources for name in _columns(source)}
    lacking = [column for column in plan.table.columns if column.name not in known and not column.generated]
    if lacking:  # conditions may speak of columns that get their default
        listed = ", ".join(f"{_cast(_plain(column.default or 'NULL'), column)} AS {quoted(column.name)}" for column in lacking)
        layer = f"(SELECT base.*, {listed} FROM {layer} AS base)"
    formulas = [column for column in plan.table.columns if column.generated]
    if formulas:
        listed = ", ".join(f"({_plain(column.default or 'NULL')}) AS {quoted(column.name)}" for column in formulas)
        layer = f"(SELECT {_alias(plan.table)}.*, {listed} FROM {layer} AS {_alias(plan.table)})"
    return f"(SELECT * FROM {layer} AS base OFFSET 0) AS {_alias(plan.table)}"  # else each condition would make its columns anew


def _joined(layer: str, referred: Referred, keys: Keys, writing: _Writing, what: str) -> str:
    """A layer with a parent for each row."""
    if not referred.shared:
        pick = NUMBER if referred.once else f"1 + {_skewed(writing, what, str(max(keys.rows, 1)))}"
        pick = f"CASE WHEN {writing.chance(f'{what}?')} %% 100 >= {referred.nulls} THEN {pick} END" if referred.nulls else pick
        return f"{layer} AS base LEFT JOIN {quoted(keys.name)} AS parent ON parent.dbproof_k = {pick}"
    same = " AND ".join(f"{{}}.{quoted(theirs)} = base.{quoted(mine)}" for mine, theirs in referred.shared.items())
    own, theirs = (same.format(*[side] * len(referred.shared)) for side in ("own", "parent"))
    pick = f"1 + {writing.chance(what)} %% own.dbproof_of"
    counted = f"SELECT DISTINCT dbproof_of, {', '.join(map(quoted, keys.shared))} FROM {quoted(keys.name)}"
    return (
        f"{layer} AS base LEFT JOIN ({counted}) AS own ON {own}"
        f" LEFT JOIN {quoted(keys.name)} AS parent ON {theirs} AND parent.dbproof_k = {pick}"
    )


def _skewed(writing: _Writing, what: str, rows: str) -> str:
    """A number below ``rows``: the first ones come up far more often (each half as many take as much), all come up."""
    halvings = f"({writing.chance(f'{what}/')} %% (1 + floor(log(2.0, {rows}))::bigint))::int"
    often = f"CASE WHEN {writing.chance(f'{what}:')} & 1 = 0 THEN 0 ELSE {halvings} END"
    return f"{writing.chance(what)} %% greatest(1, {rows} >> ({often}))"


def _free(source: Numbered | Pooled, table: Table, writing: _Writing) -> Iterator[str]:
    if isinstance(source, Numbered):
        column = table.column[source.column]
        yield f"{_cast(_numbered(source.form, column, writing), column)} AS {quoted(column.name)}"
        return
    pick = f"1 + ({writing.chance(','.join(source.columns), 'n')} %% {len(source.rows)})::int"
    for place, name in enumerate(source.columns):
        column = table.column[name]
        value = _listed([bound(row[place], shape(column)) for row in source.rows], pick, column, writing)
        if source.nulls:
            value = f"CASE WHEN {writing.chance(f'{name}?', 'n')} %% 100 >= {source.nulls} THEN {value} END"
        yield f"{value} AS {quoted(name)}"


def _listed(values: Sequence[Any], pick: str, column: Column, writing: _Writing) -> str:
    if shape(column).kind in _LISTED and not shape(column).labels:
        return f"(CAST({writing.parameter(values)}::text[] AS {_type(column)}[]))[{pick}]"
    return _cast(f"(CAST({writing.parameter(values)} AS text[]))[{pick}]", column)


def _numbered(form: Form, column: Column, writing: _Writing) -> str:
    match form.series:
        case Series.NUMBER:
            return f"({form.start} + {form.step}::numeric * n)"
        case Series.TEXT:
            digits = f"lpad(n::text, greatest({form.width}, length(n::text)), '0')" if form.width else "n::text"
            digits = f"translate({digits}, '{DIGITS}', '{form.alphabet}')" if form.alphabet else digits
            return f"({writing.parameter(form.before)}::text || {digits} || {writing.parameter(form.after)}::text)"
        case Series.UUID:
            return f"md5('{writing.salt(column.name)}:' || n)::uuid"
        case Series.DAY:
            return f"(DATE '{form.start}' + n::int)"
        case Series.MOMENT:
            return f"(TIMESTAMP '{form.start}' + n * INTERVAL '{form.step} seconds')"
        case Series.BYTES:
            return "convert_to(n::text, 'UTF8')"
        case Series.JSON:
            return "json_build_object('number', n)"
        case Series.SPAN:
            return _span(form.start)


def _span(type_: str) -> str:
    """Ranges that do not overlap."""
    if type_ in ("int4range", "int8range", "numrange"):
        base = {"int4range": "int", "int8range": "bigint", "numrange": "numeric"}[type_]
        return f"{type_}((2 * n)::{base}, (2 * n + 1)::{base})"
    if type_ == "daterange":
        return "daterange(DATE '2020-01-01' + (2 * n)::int, DATE '2020-01-01' + (2 * n + 1)::int)"
    moment = "TIMESTAMP '2020-01-01'" if type_ == "tsrange" else "TIMESTAMPTZ '2020-01-01 00:00:00+00'"
    return f"{type_}({moment} + 2 * n * INTERVAL '1 hour', {moment} + (2 * n + 1) * INTERVAL '1 hour')"


def _filled(plan: TablePlan) -> list[str]:
    """The columns that are inserted, in the table's order."""
    known = {name for source in plan.sources for name in _columns(source)}
    return [column.name for column in plan.table.columns if column.name in known]


def _columns(source: Numbered | Pooled | Referred | Computed) -> tuple[str, ...]:
    return (source.column,) if isinstance(source, Numbered | Computed) else source.columns


def _where(conditions: Sequence[Condition]) -> str:
    return f" WHERE {' AND '.join(map(_met, conditions))}" if conditions else ""


def _met(condition: Condition) -> str:
    return f"(({_plain(condition.expression)}\n) {'IS TRUE' if condition.strict else 'IS NOT FALSE'})"


def _cast(expression: str, column: Column) -> str:
    return f"CAST({expression} AS {_type(column)})"


def _type(column: Column) -> str:
    return column.base or column.type


def _alias(table: Table) -> str:
    return _plain(quoted(table.name.name))


def _plain(sql: str) -> str:
    """SQL of the catalogue's, in which no percent sign is a placeholder."""
    return sql.replace("%", "%%")


def table_name(name: TableName) -> str:
    """A table as it is written in a statement with placeholders."""
    return f"{quoted(name.schema)}.{quoted(name.name)}"


def quoted(name: str) -> str:
    """A name as it is written in a statement with placeholders."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
