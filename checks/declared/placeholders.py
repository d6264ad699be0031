"""Placeholders of declared queries: ``{users.id}`` stands for a value of that column, ``{sales.users.id}`` with a schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from checks.schema.names import TableName

_NAME = r'(?:"(?:[^"]|"")+"|[^\s"\'.,:{}()]+)'
# What stands in a string, a quoted name, a comment or dollar quotes is text, not a placeholder.
_PARTS = re.compile(
    rf"""(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|(?P<dollar>\$\w*\$).*?(?P=dollar))"""
    rf"""|\{{(?P<path>{_NAME}(?:\.{_NAME}){{1,2}})\}}""",
    re.DOTALL,
)


@dataclass(frozen=True)
class Placeholder:
    """A column whose values a query is run with."""

    table: TableName
    column: str


def placeholders(sql: str, default_schema: str = "public") -> Iterator[Placeholder]:
    """The placeholders of a query in their order, repeated ones as often as they stand."""
    return (_read(found["path"], default_schema) for found in _PARTS.finditer(sql) if found["path"])


def replaced(sql: str, put: Callable[[Placeholder], str], default_schema: str = "public") -> str:
    """The query with each placeholder replaced by what ``put`` gives for it."""
    return _PARTS.sub(lambda found: put(_read(found["path"], default_schema)) if found["path"] else found[0], sql)


def _read(path: str, default_schema: str) -> Placeholder:
    *schema, table, column = (_unquoted(name) for name in re.findall(_NAME, path))
    return Placeholder(TableName(schema[0] if schema else default_schema, table), column)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
