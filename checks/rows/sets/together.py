"""Rows of columns that few values go together in: tried by chance, then mended, each judged by the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from checks.rows.judging import Judge
from checks.rows.search import Search
from checks.rows.shapes import Row, Value
from checks.rows.terms import Condition, Field

#: Rows that are wanted, those that are tried by chance at once, and searches that may fail before it is left at that.
WANTED = 60
TRIED = 1_500
FAILED = 6
#: Rows that are tried where most hold.
FEW = 300

#: Steps through the lists of values, so that any two columns meet with all pairs of values.
_STEPS = (1, 7, 31, 59, 101, 211, 307, 401)


def together(
    fields: Sequence[Field], conditions: Sequence[Condition], judge: Judge, now: Decimal, tried: int = TRIED
) -> Sequence[Row]:
    """Different rows that meet all conditions; none where none was found."""
    starts = list(dict.fromkeys(_starts(fields, tried)))
    rows = [dict(zip((field.name for field in fields), start, strict=True)) for start in starts]
    truths = judge(conditions, rows)
    found = [row for row, said in zip(rows, truths, strict=True) if all(map(Condition.holds, conditions, said))]
    return found[:WANTED] if len(found) >= WANTED else _mended(found, rows, Search(fields, conditions, judge, now))


def _mended(found: Sequence[Row], starts: Sequence[Row], search: Search) -> Sequence[Row]:
    """The rows that were found, and what others become when they are changed until they hold."""
    kept: dict[tuple[Value, ...], Row] = {tuple(row.values()): row for row in found}
    failed = 0
    for start in starts:
        if len(kept) >= WANTED or failed >= FAILED:
            break
        row, missed = search.satisfying(start)
        failed = failed + 1 if missed else 0
        if not missed:
            kept.setdefault(tuple(row[name] for name in start), {name: row[name] for name in start})
    return list(kept.values())


def _starts(fields: Sequence[Field], tried: int) -> Iterator[tuple[Value, ...]]:
    """Combinations of the fields' values, first those with the first ones."""
    for number in range(tried):
        yield tuple(field.pool[_place(number, column) % len(field.pool)] for column, field in enumerate(fields))


def _place(number: int, column: int) -> int:
    return number * _STEPS[column % len(_STEPS)] + number // 13 * column


def clusters(conditions: Sequence[Condition], free: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], list[Condition]]]:
    """Columns among ``free`` that conditions of several columns bind together, with all conditions that speak of them alone."""
    bound: list[set[str]] = []
    for condition in conditions:
        names = set(condition.columns)
        if len(names) > 1 and names <= free.keys():
            touching = [one for one in bound if one & names]
            bound = [one for one in bound if one not in touching] + [names.union(*touching)]
    for cluster in bound:
        own = [condition for condition in conditions if condition.columns and set(condition.columns) <= cluster]
        yield tuple(name for name in free if name in cluster), own
