"""What the settings declare of tenancy, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from checks.declared.spelling import names_in, table_of
from checks.schema.names import TableName
from checks.tenants.reads import DocumentRead
from checks.tenants.templates import Template


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


def parse_table(text: str, default_schema: str) -> TableName:
    """Read the name of a table (``plans``, ``billing.plans``, ``"Plans"``); raises ValueError with what was expected."""
    path = names_in(text)
    if not 1 <= len(path) <= 2:
        raise ValueError("expected a table, such as 'plans', or 'billing.plans' with its schema")
    return table_of(path, default_schema)
