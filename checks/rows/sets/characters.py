"""Leaves out of a plan for MariaDB the texts that a column has no characters for."""

from __future__ import annotations

from dataclasses import replace

from checks.rows.sets.plan import Pooled, TablePlan
from checks.rows.shapes import Value
from checks.schema.model import Column, Table

#: Python's names of sets of characters that have other ones; of those that are not listed only ASCII is taken.
_CODECS = {
    "latin1": "cp1252",
    "latin2": "iso8859-2",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "utf16": "utf-16",
    "utf32": "utf-32",
}
#: Sets without characters beyond the first 65 536.
_OF_TWO_BYTES = frozenset({"utf8mb3", "utf8", "ucs2"})


def encodable(plan: TablePlan) -> TablePlan:
    """The plan without texts that the server would refuse, turn into question marks, or take for the same."""
    sources = (_encodable(source, plan.table) if isinstance(source, Pooled) else source for source in plan.sources)
    mended = (replace(one, source=_encodable(one.source, plan.table)) for one in plan.mended)
    return replace(plan, sources=tuple(sources), mended=tuple(mended))


def _encodable(source: Pooled, table: Table) -> Pooled:
    columns = [table.column[name] for name in source.columns]
    rows = [row for row in source.rows if all(map(_takes, columns, row))] or source.rows
    once: dict[tuple[Value, ...], tuple[Value, ...]] = {}
    for row in rows:
        once.setdefault(tuple(map(_folded, columns, row)), row)
    certain = sum(row in source.rows[: source.certain] for row in once.values())
    return replace(source, rows=tuple(once.values()), certain=certain)


def _folded(column: Column, value: Value) -> Value:
    """Texts that differ in case alone are the same to most collations: the first is as it is written in a rule."""
    binary = (column.collation or "").endswith(("_bin", "_cs"))
    return value if binary or not isinstance(value, str) else value.casefold()


def _takes(column: Column, value: Value) -> bool:
    characters = (column.collation or "utf8mb4_").partition("_")[0]
    if not isinstance(value, str) or characters in ("utf8mb4", "binary"):
        return True
    if characters in _OF_TWO_BYTES:
        return all(ord(character) < 2**16 for character in value)
    try:
        value.encode(_CODECS.get(characters, "ascii"))
    except UnicodeEncodeError:
        return False
    return True
