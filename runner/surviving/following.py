"""Which table and column of head each of base's is: by the server's numbers or statements, by name, else by what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from checks.schema.model import Catalogue, Column, Table
from checks.schema.names import TableName
from runner.errors import ServerFailed
from runner.surviving.interface import Compared, Content, Followed, Pairing, Renames, Rows


@dataclass(frozen=True)
class Gone:
    """A table of base that head has not, with what it held."""

    table: Table
    content: Content


@dataclass(frozen=True)
class Kept:
    """A table of base with what became of its rows; ``dropped`` are the columns that head has not, with what they held."""

    pairing: Pairing
    compared: Compared
    dropped: tuple[Column, ...]
    content: Content


@dataclass(frozen=True)
class Unread:
    """A table that cannot be compared, and why."""

    table: Table
    reason: str


@dataclass(frozen=True)
class Follower:
    """Base's catalogue beside head's; ``emptied`` are head's tables without rows but those that were made after migrating."""

    before: Catalogue
    after: Catalogue
    rows: Rows
    renames: Renames
    emptied: frozenset[TableName]

    def all(self) -> Iterator[Gone | Kept | Unread]:
        """Every table of base that holds rows of its own, in the order of names; one that the server does not read is that."""
        for table in self.before.tables:
            if table.partition_of is None or table.partition_of not in self.before.table:
                try:
                    yield self._one(table)
                except ServerFailed as failed:
                    yield Unread(table, failed.message)

    def _one(self, table: Table) -> Gone | Kept | Unread:
        if reason := self._unread(table):
            return Unread(table, reason)
        now = self._now(table)
        if now is None:
            content = self.rows.content(table, ())
            copy = self._copied(table) if content.rows else None
            return copy or Gone(table, content)
        return self._kept(table, now)

    def _unread(self, table: Table) -> str:
        parts = self.before.partitions.get(table.name, ())
        alone = [one.name.label() for one in parts if (now := self._now(one)) is not None and now.partition_of is None]
        if alone:
            return f"partitions stand alone since: {', '.join(alone)}"
        return next((self.renames.unread[one.name] for one in (table, *parts) if one.name in self.renames.unread), "")

    def _now(self, table: Table) -> Table | None:
        """The table that it is now: the same one under any name, else one of its name that was made anew."""
        known = self.after.table.get(self.renames.tables.get(table.name, table.name))
        if table.name in self.renames.tables and known is not None:
            return known
        taken = {name for was, name in self.renames.tables.items() if was != table.name}
        return None if table.name in taken else self.after.table.get(table.name)

    def _kept(self, table: Table, now: Table) -> Kept:
        pairing = _paired(table, now, self._columns(table, now))
        dropped = [one for one in stored(table) if one not in [each.was for each in pairing.columns]]
        content = self.rows.content(table, dropped) if dropped else Content(0)
        found = _emptied(self.rows, pairing) if now.name in self.emptied else self.rows.compared(pairing)
        for one in list(dropped):
            moved = self._moved(one, pairing, content) if not found.missing and found.before else None
            if moved is not None:
                dropped.remove(one)
                pairing = replace(pairing, columns=(*pairing.columns, moved))
        return Kept(pairing, found, tuple(dropped), content)

    def _columns(self, table: Table, now: Table) -> Mapping[str, str]:
        """By what the server or the statements say, else by name."""
        said = {was: name for was, name in self.renames.columns.get(table.name, {}).items() if name in now.column}
        rest = {one.name for one in table.columns} - said.keys()
        free = now.column.keys() - set(said.values())
        return {**said, **{name: name for name in rest & free}}

    def _moved(self, one: Column, pairing: Pairing, content: Content) -> Followed | None:
        """A column that is new on head and holds what this one held: renamed, or copied before it was dropped.

        What holds the same in every row is found nowhere: many a new column is full of one default.
        """
        if one.name not in content.varied or not pairing.key:
            return None
        known = {each.now.name for each in pairing.columns}
        for new in stored(pairing.now):
            tried = Followed(one, new)
            if new.name not in known and _all_there(self.rows.compared(replace(pairing, columns=(*pairing.key, tried)))):
                return tried
        return None

    def _copied(self, table: Table) -> Kept | None:
        """A table that is new on head, has all the columns of this one, and the same rows."""
        known = set(self.before.table) | set(self.renames.tables.values())
        for new in self.after.tables:
            if new.name in known or not all(one.name in new.column for one in table.columns):
                continue
            pairing = _paired(table, new, {one.name: one.name for one in table.columns})
            found = self.rows.compared(pairing)
            if _all_there(found):
                return Kept(pairing, found, (), Content(0))
        return None


def _all_there(found: Compared) -> bool:
    return not found.missing and not found.tallies


def stored(table: Table) -> list[Column]:
    """The columns that hold values of their own."""
    return [one for one in table.columns if not one.generated]


def _paired(was: Table, now: Table, names: Mapping[str, str]) -> Pairing:
    columns = tuple(
        Followed(one, now.column[names[one.name]])
        for one in stored(was)
        if one.name in names and not now.column[names[one.name]].generated
    )
    return Pairing(was, now, columns, _key(was, columns))


def _key(table: Table, columns: tuple[Followed, ...]) -> tuple[Followed, ...]:
    """What names a row on both sides: the primary key, else a unique index of columns that must have a value.

    A primary key of SQLite's may hold NULL where no NOT NULL is written; then the engine sees to it.
    """
    by_name = {one.was.name: one for one in columns}
    unique = [
        tuple(name for name in index.columns if name is not None)
        for index in table.indexes
        if index.unique and index.valid and index.predicate is None and None not in index.columns
    ]
    must = [names for names in unique if not any(table.column[name].nullable for name in names)]
    for names in (table.primary_key, *must):
        if names and all(name in by_name for name in names):
            return tuple(by_name[name] for name in names)
    return ()


def _emptied(rows: Rows, pairing: Pairing) -> Compared:
    """Nothing is left, though rows were made for the table since."""
    before = rows.content(pairing.was, ()).rows
    return Compared(before, 0, missing=before, keyed=bool(pairing.key))
