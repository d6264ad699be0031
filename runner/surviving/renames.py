"""What tables and columns are called after the new migrations, where only their statements tell: names are followed in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from checks.evidence import Statement
from checks.schema.model import Catalogue
from checks.schema.names import ObjectKind, TableName
from checks.schema.sqlite_tokens import Token, tokens
from runner.recorder.mariadb_text import changes
from runner.surviving.interface import Renames


@dataclass(frozen=True)
class Renamed:
    """A table that was given another name, or with ``column`` one of its columns."""

    table: str
    new: str
    column: str = ""


#: Reads from a statement what it renames.
Read = Callable[[str], Iterable[Renamed]]


def said(before: Catalogue, statements: Sequence[Statement], read: Read) -> Renames:
    """Base's names as they are after the statements. Names know no case here."""
    began = {table.name: _Name(table.name.name, {one.name.lower(): one.name for one in table.columns}) for table in before.tables}
    names = {table.name.lower(): name for table, name in began.items()}
    for statement in statements:
        for one in () if statement.undone else read(statement.text):
            _enter(names, one)
    tables = {table: TableName(table.schema, name.now) for table, name in began.items() if name.now != table.name}
    columns = {table: {was: now for was, now in name.now_of.items() if was != now} for table, name in began.items()}
    return Renames(tables, {table: found for table, found in columns.items() if found})


class _Name:
    """A table by what it is called now, and its columns by what they were called."""

    def __init__(self, now: str, columns: dict[str, str]) -> None:
        self.now = now
        self.columns = columns
        self.now_of = {name: name for name in columns.values()}

    def rename(self, older: str, newer: str) -> None:
        """Give a column another name; one that base did not have is none of ours."""
        was = self.columns.pop(older.lower(), None)
        if was is not None:
            self.columns[newer.lower()] = was
            self.now_of[was] = newer


def _enter(names: dict[str, _Name], one: Renamed) -> None:
    if one.column:
        if one.table.lower() in names:
            names[one.table.lower()].rename(one.column, one.new)
    elif (found := names.pop(one.table.lower(), None)) is not None:
        found.now = one.new
        names[one.new.lower()] = found


def of_mariadb(statement: str) -> Iterator[Renamed]:
    """``RENAME TABLE``, ``ALTER TABLE … RENAME``, ``RENAME COLUMN``, ``CHANGE``."""
    for change in changes(statement):
        if change.older is None or change.made is None:
            continue
        if change.made.kind is ObjectKind.TABLE:
            yield Renamed(change.older.relation, change.made.relation)
        elif change.made.kind is ObjectKind.COLUMN:
            yield Renamed(change.older.relation, change.made.name, change.older.name)


def of_sqlite(statement: str) -> Iterator[Renamed]:
    """``ALTER TABLE … RENAME TO …``, ``ALTER TABLE … RENAME [COLUMN] … TO …`` (lang_altertable.html)."""
    found = tokens(statement) if "rename" in statement.lower() else []
    for number in range(len(found)):
        if [one.keyword for one in found[number : number + 2]] == ["ALTER", "TABLE"]:
            yield from _of_alter(found[number + 2 :])


def _of_alter(found: list[Token]) -> Iterator[Renamed]:
    if len(found) > 2 and found[1].keyword == ".":
        found = found[2:]
    words = [one.keyword for one in found[1:5]]
    if words[:2] == ["RENAME", "TO"] and len(found) > 3:
        yield Renamed(found[0].name, found[3].name)
    elif words[:1] == ["RENAME"]:
        at = 3 if words[1:2] == ["COLUMN"] and words[2:3] != ["TO"] else 2
        if len(found) > at + 2 and found[at + 1].keyword == "TO":
            yield Renamed(found[0].name, found[at + 2].name, found[at].name)
