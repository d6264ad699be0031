"""What the settings declare of tenancy, as frozen data, and the one parser of statements in which a tenant stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from checks.declared.spelling import names_in, table_of
from checks.schema.names import TableName

if TYPE_CHECKING:
    from checks.tenants.reads import DocumentRead

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


@dataclass(frozen=True)
class Tenancy:
    """Whose a row is. ``columns`` name the tenant, the first before all; ``tables`` hold the tenants themselves.

    ``shared`` tables belong to nobody. ``role`` is what the application connects as and ``sign_in`` how its sessions say whose
    they are; both are absent where the application itself asks for its tenant's rows, without row security: ``reads`` are
    queries by which it does, each under a name, ``document_reads`` those of a document database.
    """

    columns: tuple[str, ...]
    tables: tuple[TableName, ...] = ()
    shared: frozenset[TableName] = frozenset()
    role: str = ""
    sign_in: Template | None = None
    reads: Mapping[str, Template] = field(default_factory=dict)
    document_reads: Mapping[str, DocumentRead] = field(default_factory=dict)

    @property
    def wall(self) -> tuple[str, ...]:
        """The columns that tell two tenants apart: those that a session signs in with, else all."""
        if self.sign_in is None:
            return self.columns
        return tuple(name for name in self.columns if name in self.sign_in.columns)


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


def parse_table(text: str, default_schema: str) -> TableName:
    """Read the name of a table (``plans``, ``billing.plans``, ``"Plans"``); raises ValueError with what was expected."""
    path = names_in(text)
    if not 1 <= len(path) <= 2:
        raise ValueError("expected a table, such as 'plans', or 'billing.plans' with its schema")
    return table_of(path, default_schema)
