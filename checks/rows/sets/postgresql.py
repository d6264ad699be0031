"""PostgreSQL's part of filling tables by set-based statements: its numbers, chance, lists, types and names.

Chance is ``hashint8extended`` of the row's number. ``%`` is doubled for the driver, and lists of values are its parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from checks.rows.postgresql import bound, shape
from checks.rows.sets import rendering
from checks.rows.sets.forms import DIGITS
from checks.rows.sets.language import NUMBER, Keys, Language, Statement, Writing
from checks.rows.sets.plan import Form, Referred, Series, TablePlan
from checks.rows.sets.retouching import Manner
from checks.rows.shapes import TEMPORAL, Kind, Value
from checks.schema.model import Column
from checks.schema.names import TableName

_POSITIVE = 2**63 - 1
#: Whole numbers of fewer digits are reckoned with as such, which is quicker.
_DIGITS = 10
#: A list of more values is told in parts, unless all are of one length: the server counts its way to a value from the first.
_PART = 16
#: Types all of whose values are of one length.
_FIXED = re.compile(r"(?:smallint|integer|bigint|real|double precision|boolean|date|time|timestamp|name)\b")
#: Types whose values are a name's as well, where they have no more bytes than it holds.
_TEXTS = re.compile(r"(?:text|character|character varying)\b")
_NAME = 63
#: Kinds whose lists the server reads once, as it binds them. Of others each value is read when it is taken.
_LISTED = TEMPORAL | {Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN}


def suited(referred: Referred, plan: TablePlan) -> str:
    """Which parents the rules of the child take."""
    return rendering.suited(referred, plan.table.name, plan.conditions, LANGUAGE)


def listing(name: str, parent: TableName, columns: Sequence[str], shared: Sequence[str], suiting: str, whole: bool) -> str:
    """Numbers a parent's keys in a temporary table; ``whole`` reads partitions too, which ONLY would not."""
    source = f"{'' if whole else 'ONLY '}{table_name(parent)}"
    listed = rendering.listed_keys(LANGUAGE, source, columns, shared, suiting, ordered=bool(shared))
    return f"CREATE TEMPORARY TABLE {quoted(name)} AS {listed}"


def filling(plan: TablePlan, rows: int, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Inserts at most ``rows`` of the rows with these ``numbers``, as far as they meet the conditions."""
    writing = Writing(LANGUAGE, plan.table, seed)
    names = ", ".join(map(quoted, rendering.filled_columns(plan)))
    guard = " ON CONFLICT DO NOTHING" if plan.guarded else ""
    chosen = rendering.chosen(plan, rows, numbers, keys, writing)
    sql = f"INSERT INTO {table_name(plan.table.name)} ({names}) OVERRIDING SYSTEM VALUE {chosen}{guard}"
    return Statement(sql, writing.values)


def trying(plan: TablePlan, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Counts how many of the rows with these numbers meet all conditions, then how many meet each."""
    return rendering.trying(LANGUAGE, plan, numbers, seed, keys)


def filling_later(plan: TablePlan, referred: Referred, seed: int, keys: Keys) -> Statement:
    """Gives rows that are there a parent, where they still meet all conditions with it."""
    writing = Writing(LANGUAGE, plan.table, seed)
    mine = dict(zip(referred.key.columns, referred.key.parent_columns, strict=True))
    kept = [quoted(column.name) for column in plan.table.columns if column.name not in mine]
    numbered = (
        f"SELECT tableoid AS dbproof_t, ctid AS dbproof_p, row_number() OVER () AS {NUMBER}, * FROM {table_name(plan.table.name)}"
    )
    joined = rendering.joined(f"({numbered})", referred, keys, writing, "later")
    others = ", ".join(f"parent.{quoted(theirs)} AS {quoted(name)}" for name, theirs in mine.items())
    changed = f"SELECT dbproof_t, dbproof_p, {', '.join((*(f'base.{name}' for name in kept), others))} FROM {joined}"
    sets = ", ".join(f"{quoted(name)} = found.{quoted(name)}" for name in mine)
    source = f"({changed}) AS {writing.alias}{rendering.where(plan.conditions, LANGUAGE)}"
    found = f"SELECT dbproof_t, dbproof_p, {', '.join(map(quoted, mine))} FROM {source}"
    return Statement(
        f"UPDATE {table_name(plan.table.name)} AS child SET {sets} FROM ({found}) AS found"
        " WHERE child.tableoid = found.dbproof_t AND child.ctid = found.dbproof_p"
        f" AND num_nulls({', '.join(f'found.{quoted(name)}' for name in mine)}) = 0",
        writing.values,
    )


def _numbers(numbers: range, seed: int) -> str:  # noqa: ARG001 - chance is made of the seed where it is asked for
    # FROM generate_series(…) would write all numbers down first; without OFFSET what is computed of values would make them anew
    return f"(SELECT generate_series({numbers.start}::bigint, {numbers.stop - 1}) AS {NUMBER}) AS dbproof_numbers OFFSET 0"


def _chance(salt: int) -> str:
    return f"(hashint8extended({NUMBER}, {salt}) & {_POSITIVE})"


def _picked(values: Sequence[Value], pick: str, column: Column, writing: Writing) -> str:
    listed = [bound(value, shape(column)) for value in values]
    type_ = _type_of_list(listed, column)
    if len(listed) <= _PART or _FIXED.match(type_):
        element = f"({_array(listed, type_, writing)})[{pick}::int]"
    else:
        parts = (listed[start : start + _PART] for start in range(0, len(listed), _PART))
        cases = " ".join(f"WHEN {number} THEN {_array(part, type_, writing)}" for number, part in enumerate(parts))
        element = f"(CASE {pick} / {_PART} {cases} END)[({pick} & {_PART - 1})::int]"
    return element if type_ == _type(column) else _cast(element, column)


def _type_of_list(listed: Sequence[Any], column: Column) -> str:
    """The type that the server holds a list in: of many short texts a name, as all names are of one length."""
    if not _is_listed(column):
        return "text"
    many = len(listed) > _PART and _TEXTS.match(_type(column))
    return "name" if many and all(len(str(one).encode()) <= _NAME for one in listed) else _type(column)


def _is_listed(column: Column) -> bool:
    return shape(column).kind in _LISTED and not shape(column).labels


def _array(listed: Sequence[Any], type_: str, writing: Writing) -> str:
    """An array of a type, the first value of it at place 0."""
    escaped = (None if one is None else str(one).replace("\\", "\\\\").replace('"', '\\"') for one in listed)
    values = ",".join("NULL" if one is None else f'"{one}"' for one in escaped)
    return f"CAST({writing.parameter(f'[0:{len(listed) - 1}]={{{values}}}')} AS {type_}[])"


def _numbered(form: Form, column: Column, writing: Writing) -> str:
    n = NUMBER
    match form.series:
        case Series.NUMBER:
            if (form.start, form.step) == ("0", "1"):
                return n
            small = all(text.lstrip("-").isdigit() and len(text) < _DIGITS for text in (form.start, form.step))
            return f"({form.start} + {form.step}{'' if small else '::numeric'} * {n})"
        case Series.TEXT:
            digits = f"lpad({n}::text, greatest({form.width}, length({n}::text)), '0')" if form.width else f"{n}::text"
            digits = f"translate({digits}, '{DIGITS}', '{form.alphabet}')" if form.alphabet else digits
            before = f"{writing.parameter(form.before)}::text || " if form.before else ""
            return f"({before}{digits}{f' || {writing.parameter(form.after)}::text' if form.after else ''})"
        case Series.UUID:
            return f"md5('{writing.salt(column.name)}:' || {n})::uuid"
        case Series.DAY:
            return f"(DATE '{form.start}' + {n}::int)"
        case Series.MOMENT:
            return f"(TIMESTAMP '{form.start}' + {n} * INTERVAL '{form.step} seconds')"
        case Series.BYTES:
            return f"convert_to({n}::text, 'UTF8')"
        case Series.JSON:
            return f"json_build_object('number', {n})"
        case Series.SPAN:
            return _span(form.start)


def _span(type_: str) -> str:
    """Ranges that do not overlap."""
    n = NUMBER
    if type_ in ("int4range", "int8range", "numrange"):
        base = {"int4range": "int", "int8range": "bigint", "numrange": "numeric"}[type_]
        return f"{type_}((2 * {n})::{base}, (2 * {n} + 1)::{base})"
    if type_ == "daterange":
        return f"daterange(DATE '2020-01-01' + (2 * {n})::int, DATE '2020-01-01' + (2 * {n} + 1)::int)"
    moment = "TIMESTAMP '2020-01-01'" if type_ == "tsrange" else "TIMESTAMPTZ '2020-01-01 00:00:00+00'"
    return f"{type_}({moment} + 2 * {n} * INTERVAL '1 hour', {moment} + (2 * {n} + 1) * INTERVAL '1 hour')"


def _fenced(layer: str) -> str:
    return f"(SELECT * FROM {layer} AS base OFFSET 0)"  # else each condition would make its columns anew


def _formula(expression: str, column: Column) -> str:  # noqa: ARG001 - it is of the column's type
    return expression


def _cast(expression: str, column: Column) -> str:
    return f"CAST({expression} AS {_type(column)})"


def _type(column: Column) -> str:
    return column.base or column.type


def _plain(sql: str) -> str:
    """SQL of the catalogue's, in which no percent sign is a placeholder."""
    return sql.replace("%", "%%")


def table_name(name: TableName) -> str:
    """A table as it is written in a statement with placeholders."""
    return f"{quoted(name.schema)}.{quoted(name.name)}"


def quoted(name: str) -> str:
    """A name as it is written in a statement with placeholders."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


#: What PostgreSQL's SQL has of its own.
LANGUAGE = Language(
    placeholder="%s",
    modulo="%%",
    kept=(NUMBER,),
    quoted=quoted,
    table_name=table_name,
    plain=_plain,
    numbers=_numbers,
    chance=_chance,
    cast=_cast,
    formula=_formula,
    picked=_picked,
    numbered=_numbered,
    fenced=_fenced,
)


def _ordered(column: Column) -> str:
    """Texts by their bytes: a collation's order may be another one on the next machine."""
    collated = shape(column).kind is Kind.TEXT and not shape(column).labels
    return quoted(column.name) + (' COLLATE "C"' if collated else "")


def _read(name: str) -> str:
    """A column as text, so that the driver need not know the type; by another name, else its texts would be put in order."""
    return f"{name}::text AS dbproof_text"


#: How single rows are changed.
MANNER = Manner(LANGUAGE, alone="ONLY ", read=_read, ordered=_ordered)
