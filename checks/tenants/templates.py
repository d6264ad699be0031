"""Statements in which a tenant stands, and the one parser of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: The placeholder of the first column, whatever it is called.
TENANT = "tenant"

_NAME = r'(?:"(?:[^"]|"")+"|[^\s"{}]+)'
# What stands in a string, a quoted name, a comment or dollar quotes is text: a value is quoted where it is put in.
_PARTS = re.compile(
    rf"""(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|(?P<dollar>\$\w*\$).*?(?P=dollar))"""
    rf"""|\{{(?P<name>{_NAME})\}}""",
    re.DOTALL,
)
_ANY_PLACEHOLDER = re.compile(rf"\{{{_NAME}\}}")


@dataclass(frozen=True)
class Template:
    """A statement that speaks of a tenant: ``texts`` with the value of one of ``columns`` between each two."""

    texts: tuple[str, ...]
    columns: tuple[str, ...]


def parse_template(text: str, columns: Sequence[str]) -> Template:
    """Read ``set app.tenant = {tenant}``, or a query; a placeholder is ``{tenant}``, the first column, or the name of any.

    Raises ValueError with what was expected.
    """
    texts, named, place = [""], list[str](), 0
    for found in _PARTS.finditer(text):
        texts[-1] += text[place : found.start()]
        place = found.end()
        if found["name"] is None:
            _refuse_quoted(found["text"])
            texts[-1] += found["text"]
            continue
        named.append(_column(found["name"], columns))
        texts.append("")
    texts[-1] += text[place:]
    if not named:
        raise ValueError(f"names no tenant: expected a placeholder, such as 'set app.tenant = {{{TENANT}}}'")
    return Template(tuple(texts), tuple(named))


def _refuse_quoted(text: str) -> None:
    if text.startswith("'") and (found := _ANY_PLACEHOLDER.search(text)):
        raise ValueError(f"{found[0]} stands in quotes; write it without: the value is quoted where it is put in")


def _column(name: str, columns: Sequence[str]) -> str:
    plain = name[1:-1].replace('""', '"') if name.startswith('"') else name
    if plain in columns:
        return plain
    if plain == TENANT and columns:
        return columns[0]
    known = ", ".join(f"{{{one}}}" for one in (TENANT, *columns) if one)
    raise ValueError(f"{{{plain}}} is not a placeholder; there are: {known}")
