"""Shows a check only the tables that a fault is about, so that a large schema is not judged whole for each fault."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from typing import Any

from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.targets import ReadSession, RelationalTarget, Role, Sandbox


class Narrowed:
    """A relational target with some of its tables; everything else is as it is."""

    def __init__(self, target: RelationalTarget, tables: frozenset[TableName]) -> None:
        self._target = target
        self._tables = tables

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tables that are shown."""
        whole = self._target.catalogue
        return replace(whole, tables=tuple(table for table in whole.tables if table.name in self._tables))

    @property
    def engine(self) -> Engine:
        """The target's own."""
        return self._target.engine

    @property
    def expect(self) -> Expectations:
        """The target's own."""
        return self._target.expect

    @property
    def evidence(self) -> Evidence:
        """The target's own."""
        return self._target.evidence

    @property
    def filled(self) -> frozenset[TableName]:
        """The target's own."""
        return self._target.filled

    def rows(self) -> AbstractContextManager[ReadSession]:
        """The target's own."""
        return self._target.rows()

    def sandbox(self, role: Role = Role.ADMIN) -> AbstractContextManager[Sandbox]:
        """The target's own."""
        return self._target.sandbox(role)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a target offers
        return getattr(self._target, name)
