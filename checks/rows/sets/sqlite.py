"""SQLite's part of filling tables by set-based statements: its numbers, lists, affinities and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import isqrt

from checks.rows.sets import hashing, rendering
from checks.rows.sets.forms import DIGITS
from checks.rows.sets.language import NUMBER, Keys, Language, Statement, Writing
from checks.rows.sets.plan import Form, Referred, Series, TablePlan
from checks.rows.sets.retouching import Manner
from checks.rows.shapes import TEMPORAL, Kind, Value
from checks.rows.sqlite import bound, shape
from checks.schema.model import Column, Table
from checks.schema.names import TableName
from checks.schema.sqlite import affinity

#: Ends a subquery that SQLite is not to take apart (what has an OFFSET is not flattened, optoverview.html).
_FENCE = "LIMIT -1 OFFSET 0"
#: Names of the rowid; a column may have the name of one.
_ROWIDS = ("rowid", "_rowid_", "oid")


def listing(name: str, parent: TableName, columns: Sequence[str], shared: Sequence[str]) -> tuple[str, ...]:
    """Statements that number a parent's keys in a temporary table."""
    listed = ", ".join((*map(quoted, shared), "dbproof_k"))
    keys = rendering.listed_keys(LANGUAGE, table_name(parent), columns, shared, ordered=True)
    return (
        f"CREATE TEMPORARY TABLE {quoted(name)} AS {keys}",
        f"CREATE UNIQUE INDEX temp.{quoted(f'{name}_k')} ON {quoted(name)} ({listed})",
    )


def filling(plan: TablePlan, rows: int, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Inserts at most ``rows`` of the rows with these ``numbers``, as far as they meet the conditions.

    What the table says of conflicts (``ON CONFLICT REPLACE``) does not count: a row that is in the way would be gone.
    """
    writing = Writing(LANGUAGE, plan.table, seed)
    names = ", ".join(map(quoted, rendering.filled_columns(plan)))
    manner = "IGNORE" if plan.guarded else "ABORT"
    chosen = rendering.chosen(plan, rows, numbers, keys, writing)
    return Statement(f"INSERT OR {manner} INTO {table_name(plan.table.name)} ({names}) {chosen}", writing.values)


def trying(plan: TablePlan, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Counts how many of the rows with these numbers meet all conditions, then how many meet each."""
    return rendering.trying(LANGUAGE, plan, numbers, seed, keys)


def filling_later(plan: TablePlan, referred: Referred, seed: int, keys: Keys) -> Statement:
    """Gives rows that are there a parent, where they still meet all conditions with it; an old row is never replaced."""
    writing = Writing(LANGUAGE, plan.table, seed)
    mine = dict(zip(referred.key.columns, referred.key.parent_columns, strict=True))
    by = _told_by(plan.table)
    places = [f"dbproof_p{number}" for number in range(len(by))]
    told = ", ".join(f"{name} AS {place}" for name, place in zip(by, places, strict=True))
    numbered = f"(SELECT row_number() OVER (ORDER BY {', '.join(by)}) AS {NUMBER}, {told}, * FROM {table_name(plan.table.name)})"
    source = f"({hashing.hashed(numbered, seed, '%', _FENCE)})"
    joined = rendering.joined(source, referred, keys, writing, "later")
    kept = [f"base.{quoted(column.name)}" for column in plan.table.columns if column.name not in mine]
    others = [f"parent.{quoted(theirs)} AS {quoted(name)}" for name, theirs in mine.items()]
    changed = f"SELECT {', '.join((*(f'base.{place}' for place in places), *kept, *others))} FROM {joined}"
    source = f"({changed}) AS {writing.alias}{rendering.where(plan.conditions, LANGUAGE)}"
    found = f"SELECT {', '.join((*places, *map(quoted, mine)))} FROM {source}"
    sets = ", ".join(f"{quoted(name)} = found.{quoted(name)}" for name in mine)
    same = " AND ".join(f"child.{name} = found.{place}" for name, place in zip(by, places, strict=True))
    whole = " AND ".join(f"found.{quoted(name)} IS NOT NULL" for name in mine)
    sql = f"UPDATE OR ABORT {table_name(plan.table.name)} AS child SET {sets} FROM ({found}) AS found WHERE {same} AND {whole}"
    return Statement(sql, writing.values)


def _told_by(table: Table) -> Sequence[str]:
    """The columns by which a row is told from others: its primary key, else the rowid."""
    if table.primary_key and not any(table.column[name].nullable for name in table.primary_key):
        return [quoted(name) for name in table.primary_key]
    taken = {name.lower() for name in table.column}
    return [next((name for name in _ROWIDS if name not in taken), "rowid")]


def _numbers(numbers: range, seed: int) -> str:
    counting = (
        f"(WITH RECURSIVE dbproof_counted({NUMBER}) AS (SELECT {numbers.start} WHERE {numbers.start} < {numbers.stop}"
        f" UNION ALL SELECT {NUMBER} + 1 FROM dbproof_counted WHERE {NUMBER} + 1 < {numbers.stop}) SELECT * FROM dbproof_counted)"
    )
    return f"({hashing.hashed(counting, seed, '%', _FENCE)})"


def _chance(salt: int) -> str:
    return hashing.chance(salt, "%")


def _picked(values: Sequence[Value], pick: str, column: Column, writing: Writing) -> str:
    """By CASE within CASE, so that few values are looked at for each row."""
    given = [bound(value, shape(column)) for value in values]
    width = isqrt(len(given) - 1) + 1 if given else 1
    parts = [
        _case(f"{pick} % {width}", [writing.parameter(value) for value in given[start : start + width]])
        for start in range(0, len(given), width)
    ]
    return _cast(_case(f"{pick} / {width}", parts), column)


def _case(place: str, values: Sequence[str]) -> str:
    if len(values) == 1:
        return values[0]
    listed = " ".join(f"WHEN {number} THEN {value}" for number, value in enumerate(values[:-1]))
    return f"CASE {place} {listed} ELSE {values[-1]} END"


def _numbered(form: Form, column: Column, writing: Writing) -> str:
    match form.series:
        case Series.NUMBER:
            first = Decimal(form.start) + Decimal(form.step)  # what lies before it may be no integer of 64 bits
            return f"({first:f} + {form.step} * ({NUMBER} - 1))"
        case Series.TEXT:
            digits = f"printf('%0{form.width}d', {NUMBER})" if form.width else f"CAST({NUMBER} AS TEXT)"
            for digit, letter in zip(DIGITS, form.alphabet, strict=False):
                digits = f"replace({digits}, '{digit}', '{letter}')"
            return f"({writing.parameter(form.before)} || {digits} || {writing.parameter(form.after)})"
        case Series.UUID:
            parts = ", ".join(f"{hashing.chance(writing.salt(f'{column.name}/{part}'), '%')} % 65536" for part in range(3))
            return f"printf('%08x-%04x-4%03x-a%03x-%012x', {NUMBER}, {parts.replace('65536', '4096')}, {NUMBER})"
        case Series.DAY:
            return f"date('{form.start}', {NUMBER} || ' days')"
        case Series.MOMENT:
            function = "time" if shape(column).kind is Kind.TIME else "datetime"
            return f"{function}('{form.start}', ({form.step} * {NUMBER}) || ' seconds')"
        case Series.JSON:
            return f"json_object('number', {NUMBER})"
        case Series.BYTES | Series.SPAN:
            return f"CAST(CAST({NUMBER} AS TEXT) AS BLOB)"


def _fenced(layer: str) -> str:
    return f"(SELECT * FROM {layer} AS base {_FENCE})"


def _cast(expression: str, column: Column) -> str:
    """As the table would hold it. A text in a numeric column stays text, so dates and documents are not cast."""
    kind = affinity(column.type)
    value = expression
    if shape(column).kind not in (*TEMPORAL, Kind.JSON) and column.type.upper() not in ("", "ANY") and kind != "BLOB":
        value = f"CAST({expression} AS {kind})"
    return f"{value} COLLATE {quoted(column.collation)}" if column.collation else value


def _plain(sql: str) -> str:
    return sql


def table_name(name: TableName) -> str:
    """A table of the database's own file."""
    return f"main.{quoted(name.name)}"


def quoted(name: str) -> str:
    """A name as it is written in a statement."""
    return '"' + name.replace('"', '""') + '"'


#: What SQLite's SQL has of its own.
LANGUAGE = Language(
    placeholder="?",
    modulo="%",
    kept=(NUMBER, hashing.FIRST, hashing.SECOND),
    quoted=quoted,
    table_name=table_name,
    plain=_plain,
    numbers=_numbers,
    chance=_chance,
    cast=_cast,
    formula=_cast,
    picked=_picked,
    numbered=_numbered,
    fenced=_fenced,
    keeps_order=True,
)
#: How single rows are changed: what a table says of conflicts does not count.
MANNER = Manner(LANGUAGE, "UPDATE OR ABORT ", ordered=lambda column: quoted(column.name))
