"""How the settings spell tables and columns: ``orders.buyer_id``, ``sales.orders.(tenant_id, buyer_id)``, ``"User"."e-mail"``."""

from __future__ import annotations

import re

from checks.schema.names import TableName

#: A name: in double quotes whatever it holds, else without blanks and punctuation.
NAME = r'(?:"(?:[^"]|"")+"|[^\s".,()]+)'

#: A table with its columns; ``{0}`` stands before the names of the groups.
SIDE = rf"(?P<{{0}}path>{NAME}(?:\.{NAME})?)\.(?:(?P<{{0}}one>{NAME})|\((?P<{{0}}many>[^()]+)\))"

#: A text or a name in quotes, in SQL.
QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")


def unquoted(name: str) -> str:
    """A name as the catalogue has it, without the quotes that it is written in."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def names_in(text: str) -> tuple[str, ...]:
    """The names of a path or a list, in order."""
    return tuple(unquoted(name) for name in re.findall(NAME, text))


def table_of(path: tuple[str, ...], default_schema: str) -> TableName:
    """The table of a path of one name, or of a schema and a name."""
    return TableName(path[0] if len(path) == 2 else default_schema, path[-1])


def side_of(found: re.Match[str], prefix: str, default_schema: str) -> tuple[TableName, tuple[str, ...]]:
    """The table and the columns of a match of :data:`SIDE`."""
    columns = names_in(found[f"{prefix}one"] or found[f"{prefix}many"])
    return table_of(names_in(found[f"{prefix}path"]), default_schema), columns


def closing(text: str, start: int) -> int:
    """The place behind the parenthesis that closes the one at ``start``; 0 where none does. Quotes hide parentheses."""
    depth, place = 0, start
    while place < len(text):
        if quoted := QUOTED.match(text, place):
            place = quoted.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        place += 1
        if depth == 0:
            return place
    return 0


def without_comments(sql: str) -> str:
    """SQL without its comments, so that it can stand on one line."""
    return _COMMENTS.sub(lambda found: found["kept"] or " ", sql)


_COMMENTS = re.compile(rf"(?P<kept>{QUOTED.pattern}|`[^`]*`)|--[^\n]*|/\*.*?\*/", re.DOTALL)
