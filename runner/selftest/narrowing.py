"""Shows a check only the tables or collections that a fault is about, so that not all is judged for each fault."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from typing import Any

from checks.declared.expectations import Expectations
from checks.document_targets import DocumentSession, DocumentTarget, Scratch
from checks.evidence import Evidence
from checks.interface import Engine
from checks.schema.collections import Collections
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


class NarrowedDocuments:
    """A document target with some of its collections, and what is declared of them; everything else is as it is."""

    def __init__(self, target: DocumentTarget, names: frozenset[str]) -> None:
        self._target = target
        self._names = names

    @cached_property
    def collections(self) -> Collections:
        """The collections that are shown."""
        return Collections(tuple(one for one in self._target.collections.all if one.name in self._names))

    @cached_property
    def expect(self) -> Expectations:
        """The target's own, without the validators and indexes of other collections."""
        whole = self._target.expect
        validators = tuple(one for one in whole.documents.validators if one.collection in self._names)
        indexes = tuple(one for one in whole.documents.indexes if one.collection in self._names)
        return replace(whole, documents=replace(whole.documents, validators=validators, indexes=indexes))

    @property
    def engine(self) -> Engine:
        """The target's own."""
        return self._target.engine

    @property
    def evidence(self) -> Evidence:
        """The target's own."""
        return self._target.evidence

    @property
    def filled(self) -> frozenset[str]:
        """The target's own."""
        return self._target.filled

    def documents(self) -> AbstractContextManager[DocumentSession]:
        """The target's own."""
        return self._target.documents()

    def scratch(self, names: Sequence[str], *, rows: bool = False, indexes: bool = True) -> AbstractContextManager[Scratch]:
        """The target's own."""
        return self._target.scratch(names, rows=rows, indexes=indexes)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a target offers
        return getattr(self._target, name)
