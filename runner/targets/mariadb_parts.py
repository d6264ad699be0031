"""Tables that have the columns of others and of their constraints only some: the statements that make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from checks.schema.model import Catalogue, Column, ForeignKey, Index, Table
from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.targets import StatementFailed
from runner.servers.mariadb.sessions import quoted

#: A storage engine that takes every row and stores none.
KEEPS_NOTHING = "BLACKHOLE"


class Alone:
    """``tables`` (without any: those that ``only`` names) with the constraints of ``only`` and no others.

    ``own`` is the database that parents outside of the trial are in, and ``engines`` are the tables' storage engines. Raises
    StatementFailed for what is not there.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        own: str,
        only: Sequence[ObjectReference],
        tables: Sequence[TableName],
        engines: Mapping[str, str],
    ) -> None:
        self._engines = engines
        self._own = own
        self._only = frozenset(only)
        self._catalogue = catalogue
        self.tables = tuple(dict.fromkeys(tables or (TableName(one.schema, one.relation) for one in only)))
        known = {one for name in self.tables for one in self._known(name)}
        lacking = sorted(self._only - known)
        if lacking:
            raise StatementFailed(f"there is no {lacking[0].kind} {lacking[0].name} of {lacking[0].relation} to try alone")

    def statements(self) -> list[str]:
        """What makes the tables; with ``foreign_key_checks`` off, as parents may come after their children."""
        return [self._create(self._table(name)) for name in self.tables]

    def _table(self, name: TableName) -> Table:
        found = self._catalogue.table.get(name)
        if found is None:
            raise StatementFailed(f"there is no table {name.label()}")
        return found

    def _known(self, name: TableName) -> Iterator[ObjectReference]:
        table = self._table(name)
        yield from (column_reference(name, column.name) for column in table.columns)
        yield from (key.reference for key in table.foreign_keys)
        yield from (check.reference for check in table.checks)
        for index in table.indexes:
            if index.unique:
                yield index.reference
                yield _constraint(index)

    def _create(self, table: Table) -> str:
        parts = [*(self._column(column, table) for column in table.columns), *self._rules(table)]
        return f"CREATE TABLE {quoted(table.name.name)} ({', '.join(parts)}) ENGINE = {self._engine(table.name.name)}"

    def _engine(self, name: str) -> str:
        """One that undoes what is tried. An engine that keeps no rows stays: it keeps no rule about them either."""
        return KEEPS_NOTHING if self._engines.get(name) == KEEPS_NOTHING else "InnoDB"

    def _column(self, column: Column, table: Table) -> str:
        collation = f" COLLATE {column.collation}" if column.collation else ""
        strict = column_reference(table.name, column.name) in self._only or column.name in self._of_primary_key(table)
        return f"{quoted(column.name)} {column.type}{collation} {'NOT NULL' if strict else 'NULL DEFAULT NULL'}"

    def _of_primary_key(self, table: Table) -> tuple[str, ...]:
        kept = (index for index in table.indexes if index.primary and (self._is_kept(index) or self._is_referred(index)))
        return tuple(name for index in kept for name in index.columns if name is not None)

    def _rules(self, table: Table) -> Iterator[str]:
        for index in table.indexes:
            if self._is_kept(index) or self._is_referred(index):
                yield _index(index)
        for check in table.checks:
            if check.reference in self._only:
                yield f"CONSTRAINT {quoted(check.name)} CHECK ({check.expression}\n)"
        for key in table.foreign_keys:
            if key.reference in self._only:
                yield self._foreign_key(key)

    def _is_kept(self, index: Index) -> bool:
        return index.unique and bool(self._only & {index.reference, _constraint(index)})

    def _is_referred(self, index: Index) -> bool:
        """Whether a key that is tried refers to a table of the trial by this index."""
        keys = (key for key in self._catalogue.foreign_keys if key.reference in self._only and key.parent == index.table)
        return any(index.columns[: len(key.parent_columns)] == key.parent_columns for key in keys)

    def _foreign_key(self, key: ForeignKey) -> str:
        columns, theirs = (", ".join(map(quoted, names)) for names in (key.columns, key.parent_columns))
        if key.parent in self.tables:
            parent = quoted(key.parent.name)
        else:
            parent = f"{quoted(key.parent.schema or self._own)}.{quoted(key.parent.name)}"
        rules = f"ON DELETE {key.on_delete.upper()} ON UPDATE {key.on_update.upper()}"
        return f"CONSTRAINT {quoted(key.name)} FOREIGN KEY ({columns}) REFERENCES {parent} ({theirs}) {rules}"


def column_reference(table: TableName, column: str) -> ObjectReference:
    """What a column is named by."""
    return ObjectReference(ObjectKind.COLUMN, table.schema, table.name, column)


def _constraint(index: Index) -> ObjectReference:
    return ObjectReference(ObjectKind.CONSTRAINT, index.table.schema, index.table.name, index.name)


def _index(index: Index) -> str:
    """As the catalogue has it, prefixes and directions included."""
    columns = ", ".join(index.keys)
    if index.primary:
        return f"PRIMARY KEY ({columns})"
    return f"{'UNIQUE ' if index.unique else ''}KEY {quoted(index.name)} ({columns})"
