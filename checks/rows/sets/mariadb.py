"""MariaDB's part of filling tables by set-based statements: its numbers, lists, types, characters and names.

``%`` is doubled for the driver, which writes values into the statement as literals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from checks.rows.mariadb import bound, shape
from checks.rows.sets import hashing, rendering
from checks.rows.sets.forms import DIGITS
from checks.rows.sets.language import NUMBER, Keys, Language, Statement, Writing
from checks.rows.sets.plan import Form, Referred, Series, TablePlan
from checks.rows.sets.retouching import Manner
from checks.rows.shapes import Kind, Value
from checks.schema.mariadb import plain_type
from checks.schema.model import Column, Table
from checks.schema.names import TableName

#: Ends a subquery that is made before it is read (what has a LIMIT is not merged).
_FENCE = f"LIMIT {2**64 - 1}"
_NAME = re.compile(r"^\w+")
_PARENTHESES = re.compile(r"\([\d, ]+\)")
_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"})
#: Types that CAST knows by their own name.
_CAST = frozenset({"date", "datetime", "time", "uuid", "inet4", "inet6", "float", "double", "decimal"})


def listing(name: str, parent: TableName, columns: Sequence[str], shared: Sequence[str]) -> str:
    """Numbers a parent's keys in a temporary table."""
    index = ", ".join((*map(quoted, shared), "dbproof_k"))
    listed = rendering.listed_keys(LANGUAGE, table_name(parent), columns, shared, ordered=True)
    return f"CREATE TEMPORARY TABLE {quoted(name)} (UNIQUE ({index})) {listed}"


def filling(plan: TablePlan, rows: int, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Inserts at most ``rows`` of the rows with these ``numbers``, as far as they meet the conditions.

    Of rows with the same key the first stays as it is; IGNORE would let other refusals pass too.
    """
    writing = Writing(LANGUAGE, plan.table, seed)
    columns = [quoted(name) for name in rendering.filled_columns(plan)]
    names, table = ", ".join(columns), table_name(plan.table.name)
    chosen = rendering.chosen(plan, rows, numbers, keys, writing)
    if plan.guarded:
        chosen = f"SELECT * FROM ({chosen}) AS dbproof_rows ON DUPLICATE KEY UPDATE {table}.{columns[0]} = {table}.{columns[0]}"
    return Statement(f"INSERT INTO {table} ({names}) {chosen}", writing.values)


def trying(plan: TablePlan, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Statement:
    """Counts how many of the rows with these numbers meet all conditions, then how many meet each."""
    return rendering.trying(LANGUAGE, plan, numbers, seed, keys)


def filling_later(plan: TablePlan, referred: Referred, seed: int, keys: Keys) -> Statement | None:
    """Gives rows that are there a parent, where they still meet all conditions with it; None where rows cannot be told apart.

    Moments are set to what they are: some would else become the present (``ON UPDATE current_timestamp()``).
    """
    by = told_by(plan.table)
    if not by:
        return None
    writing = Writing(LANGUAGE, plan.table, seed)
    mine, table = referred.key.columns, table_name(plan.table.name)
    places = {f"dbproof_p{number}": name for number, name in enumerate(by)}
    found = _with_parents(referred, plan, keys, places, writing)
    unmoved = [name for name in _moments(plan.table) if name not in mine]
    sets = ", ".join(
        (
            *(f"child.{quoted(name)} = found.{quoted(name)}" for name in mine),
            *(f"child.{quoted(name)} = child.{quoted(name)}" for name in unmoved),
        )
    )
    same = " AND ".join(f"child.{quoted(name)} = found.{place}" for place, name in places.items())
    whole = " AND ".join(f"found.{quoted(name)} IS NOT NULL" for name in mine)
    return Statement(f"UPDATE {table} AS child JOIN ({found}) AS found ON {same} SET {sets} WHERE {whole}", writing.values)


def _with_parents(referred: Referred, plan: TablePlan, keys: Keys, places: Mapping[str, str], writing: Writing) -> str:
    """A query of the rows that are there, told by what stands in ``places``, with the parents that they are to have."""
    mine = dict(zip(referred.key.columns, referred.key.parent_columns, strict=True))
    told = ", ".join(f"{quoted(name)} AS {place}" for place, name in places.items())
    order = ", ".join(map(quoted, places.values()))
    table = table_name(plan.table.name)
    numbered = f"(SELECT row_number() OVER (ORDER BY {order}) AS {NUMBER}, {told}, {table}.* FROM {table})"
    source = f"({hashing.hashed(numbered, writing.seed, '%%', _FENCE)})"
    joined = rendering.joined(source, referred, keys, writing, "later")
    kept = [f"base.{quoted(column.name)}" for column in plan.table.columns if column.name not in mine]
    others = [f"parent.{quoted(theirs)} AS {quoted(name)}" for name, theirs in mine.items()]
    changed = f"SELECT {', '.join((*(f'base.{place}' for place in places), *kept, *others))} FROM {joined} {_FENCE}"
    source = f"({changed}) AS {writing.alias}{rendering.where(plan.conditions, LANGUAGE)}"
    return f"SELECT {', '.join((*places, *map(quoted, mine)))} FROM {source} {_FENCE}"


def _moments(table: Table) -> Sequence[str]:
    return [one.name for one in table.columns if shape(one).kind is Kind.MOMENT and not one.generated]


def told_by(table: Table) -> Sequence[str]:
    """The columns by which a row is told from others: those of the primary key, else of a unique index without NULLs."""
    for index in table.indexes:
        names = [name for name in index.columns if name is not None]
        if index.unique and not any(table.column[name].nullable for name in names):
            return names
    return ()


def _numbers(numbers: range, seed: int) -> str:
    counting = f"(SELECT seq AS {NUMBER} FROM seq_{numbers.start}_to_{max(numbers.stop - 1, numbers.start)})"
    return f"({hashing.hashed(counting, seed, '%%', _FENCE)}) AS dbproof_numbers"


def _chance(salt: int) -> str:
    return hashing.chance(salt, "%%")


def _picked(values: Sequence[Value], pick: str, column: Column, writing: Writing) -> str:
    listed = ", ".join(writing.parameter(bound(value, shape(column))) for value in values)
    return _cast(f"ELT(1 + {pick}, {listed})", column)


def _numbered(form: Form, column: Column, writing: Writing) -> str:
    n = NUMBER
    match form.series:
        case Series.NUMBER:
            return f"({form.start} + {form.step} * CAST({n} AS SIGNED))"
        case Series.TEXT:
            digits = f"lpad({n}, greatest({form.width}, length({n})), '0')" if form.width else f"CAST({n} AS CHAR)"
            for digit, letter in zip(DIGITS, form.alphabet, strict=False):
                digits = f"replace({digits}, '{digit}', '{letter}')"
            return f"concat({writing.parameter(form.before)}, {digits}, {writing.parameter(form.after)})"
        case Series.UUID:
            return f"insert(insert(md5(concat('{writing.salt(column.name)}:', {n})), 13, 1, '4'), 17, 1, 'a')"
        case Series.DAY:
            return f"(DATE '{form.start}' + INTERVAL {n} DAY)"
        case Series.MOMENT:
            moment = f"(TIMESTAMP '{form.start}' + INTERVAL ({form.step} * {n}) SECOND)"
            return f"CAST({moment} AS TIME)" if shape(column).kind is Kind.TIME else moment
        case Series.JSON:
            return f"json_object('number', {n})"
        case Series.BYTES | Series.SPAN:
            return f"CAST(CAST({n} AS CHAR) AS BINARY)"


def _fenced(layer: str) -> str:
    return f"(SELECT * FROM {layer} AS base {_FENCE})"


def _cast(expression: str, column: Column) -> str:
    """As a value of the column's type; labels are texts, and a set of them is one."""
    type_ = plain_type(column.type)
    name = (_NAME.match(type_) or [""])[0]
    if name in _INTEGERS:
        signed = name in ("year", "bit") or "unsigned" in type_
        return f"CAST({expression} AS {'UNSIGNED' if signed else 'SIGNED'})"
    if name in _CAST:
        return f"CAST({expression} AS {_bare(type_)})"
    if name == "timestamp":
        return f"CAST({expression} AS {_bare(type_).replace('timestamp', 'datetime')})"
    if shape(column).kind is Kind.BYTES:
        return f"CAST({expression} AS BINARY{_PARENTHESES.search(type_)[0] if name == 'binary' else ''})"  # type: ignore[index]
    if column.collation:
        return f"CAST({expression} AS CHAR CHARACTER SET {column.collation.partition('_')[0]}) COLLATE {column.collation}"
    return f"CAST({expression} AS CHAR)" if shape(column).kind is Kind.TEXT or column.enum_labels else expression


def _bare(type_: str) -> str:
    """A type without ``unsigned`` and ``zerofill``."""
    return type_.partition(" ")[0]


def _plain(sql: str) -> str:
    return sql.replace("%", "%%")


def table_name(name: TableName) -> str:
    """A table of the session's own database, or of another."""
    return f"{quoted(name.schema)}.{quoted(name.name)}" if name.schema else quoted(name.name)


def quoted(name: str) -> str:
    """A name as it is written in a statement with placeholders."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


#: What MariaDB's SQL has of its own.
LANGUAGE = Language(
    placeholder="%s",
    modulo="%%",
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
)
#: How single rows are changed; moments stay what they are.
MANNER = Manner(LANGUAGE, ordered=lambda column: quoted(column.name), unmoved=_moments)
