"""Reads the catalogue of a SQLite database, 3.37 or newer.

A file has no schemas: names of tables carry an empty one. Names are compared without regard to case, as SQLite does, and given as
the tables spell them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, text

from checks.schema.bookkeeping import BOOKKEEPING
from checks.schema.model import Action, Catalogue, CheckConstraint, Column, ForeignKey, Index, Table, Trigger
from checks.schema.names import TableName
from checks.schema.sqlite_indexes import INDEXES, indexes
from checks.schema.sqlite_text import ReferenceText, TableText, table_text

#: SQLite's own collation, that of every column that names none.
BINARY = "BINARY"

#: What the index of a rowid is called here, which ``INTEGER PRIMARY KEY`` is: no catalogue names it.
ROWID = "the rowid"

_BOOKKEEPING = frozenset(name.lower() for name in BOOKKEEPING)

Row = Sequence[Any]


def read(connection: Connection, leave_out: frozenset[TableName] = frozenset()) -> Catalogue:
    """The catalogue as ``connection`` sees it.

    Left out: SQLite's own tables, virtual tables and their shadows, temporary and attached ones, :data:`BOOKKEEPING`, Alembic's
    table whatever its name, and the tables that ``leave_out`` names. Raises SQLAlchemy's DBAPIError.
    """
    found = [_table(connection, *row) for row in connection.execute(text(_TABLES)).all()]
    known = {table.name.name.lower(): table for table in found}
    tables = (replace(table, foreign_keys=tuple(_completed(key, known) for key in table.foreign_keys)) for table in found)
    return Catalogue(tuple(table for table in tables if _judged(table, leave_out)), "")


def affinity(type_: str) -> str:
    """What a declared type comes to: INTEGER, TEXT, BLOB, REAL or NUMERIC (datatype3.html, 3.1)."""
    words = type_.upper()
    if "INT" in words:
        return "INTEGER"
    if any(part in words for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in words or not words:
        return "BLOB"
    return "REAL" if any(part in words for part in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def key_name(key: ReferenceText) -> str:
    """The name of a foreign key, or what stands for one: ``FOREIGN KEY (buyer_id) REFERENCES users``."""
    return key.name or f"FOREIGN KEY ({', '.join(key.columns)}) REFERENCES {key.parent}"


def check_names(table: TableText) -> list[str]:
    """The names of a table's CHECKs, in order, or what stands for them: ``CHECK (total > 0)``."""
    return [check.name or f"CHECK ({' '.join(check.expression.split())})" for check in table.checks]


def _judged(table: Table, leave_out: frozenset[TableName]) -> bool:
    name = table.name.name.lower()
    return name not in _BOOKKEEPING and table.name not in leave_out and not _of_alembic(table)


def _of_alembic(table: Table) -> bool:
    """Alembic's own table under a name of the project's (``version_table``): one text column of this name and nothing else."""
    columns = [(column.name, column.nullable, affinity(column.type)) for column in table.columns]
    return columns == [("version_num", False, "TEXT")]


def _table(connection: Connection, name: str, without_rowid: int, sql: str) -> Table:
    table, written = TableName("", name), table_text(sql)
    columns = connection.execute(text(_COLUMNS), {"table": name}).all()
    key = tuple(row[0] for row in sorted((row for row in columns if row[5]), key=lambda row: int(row[5])))
    alias = _rowid_alias(columns, key, bool(without_rowid), connection, name)
    return Table(
        name=table,
        columns=tuple(_columns(columns, key if without_rowid else alias, written)),
        primary_key=key,
        foreign_keys=tuple(_keys(connection, table, written)),
        checks=tuple(CheckConstraint(named, table, check.expression) for named, check in _checks(written)),
        indexes=(*_rowid_index(table, alias), *indexes(connection, table, [row[0] for row in columns])),
        triggers=tuple(Trigger(row[0], table, row[1]) for row in connection.execute(text(_TRIGGERS), {"table": name})),
    )


def _checks(written: TableText) -> Iterator[tuple[str, Any]]:
    return zip(check_names(written), written.checks, strict=True)


def _columns(rows: Sequence[Row], not_null: tuple[str, ...], written: TableText) -> Iterator[Column]:
    collations = {column.name.lower(): column.collation for column in written.columns}
    computed = {column.name.lower(): column.computed for column in written.columns}
    for name, type_, given, default, hidden, _ in rows:
        collation = collations.get(name.lower())
        yield Column(
            name=name,
            type=type_,
            nullable=not given and name not in not_null,
            default=computed.get(name.lower()) if hidden in (2, 3) else default,
            generated=hidden in (2, 3),
            collation=None if collation == BINARY else collation,
        )


def _rowid_alias(
    columns: Sequence[Row], key: tuple[str, ...], without_rowid: bool, connection: Connection, table: str
) -> tuple[str, ...]:
    """The column that is another name of the rowid (lang_createtable.html, 5): INTEGER, and no index stands for the key."""
    if without_rowid or len(key) != 1:
        return ()
    types = {row[0]: row[1] for row in columns}
    indexed = any(row[2] == "pk" for row in connection.execute(text(INDEXES), {"table": table}))
    return key if types[key[0]].upper() == "INTEGER" and not indexed else ()


def _rowid_index(table: TableName, alias: tuple[str, ...]) -> Iterator[Index]:
    if alias:
        yield Index(
            ROWID,
            table,
            alias,
            unique=True,
            primary=True,
            collations=(BINARY,),
            keys=(f'"{alias[0]}" {BINARY} asc',),
            constraint="p",
        )


def _keys(connection: Connection, table: TableName, written: TableText) -> Iterator[ForeignKey]:
    """In the order in which they are written; each pragma row is a column of a key."""
    rows = connection.execute(text(_KEYS), {"table": table.name}).all()
    left = list(written.references)
    numbers = sorted({row[0] for row in rows}, reverse=True)  # SQLite counts from the last one written
    for number in numbers:
        mine = [row for row in rows if row[0] == number]
        columns, parent = tuple(row[3] for row in mine), mine[0][2]
        said = next((one for one in left if _same(one, columns, parent)), None)
        if said is not None:
            left.remove(said)
        yield ForeignKey(
            name=key_name(said or ReferenceText("", columns, parent, (), (), False, False)),
            table=table,
            columns=columns,
            parent=TableName("", parent),
            parent_columns=tuple(row[4] for row in mine if row[4] is not None),
            on_delete=Action(mine[0][6].lower()),
            on_update=Action(mine[0][5].lower()),
            deferrable=said.deferrable if said else False,
            initially_deferred=said.initially_deferred if said else False,
        )


def _same(said: ReferenceText, columns: tuple[str, ...], parent: str) -> bool:
    return [name.lower() for name in said.columns] == [name.lower() for name in columns] and said.parent.lower() == parent.lower()


def _completed(key: ForeignKey, known: Mapping[str, Table]) -> ForeignKey:
    """With the names that child and parent have, the parent's primary key where no columns are said, and a mismatch."""
    child, parent = known[key.table.name.lower()], known.get(key.parent.name.lower())
    columns = _spelled(key.columns, child)
    if parent is None:
        named = key.parent_columns or ("?",) * len(columns)
        return replace(key, columns=columns, parent_columns=named, mismatch=f"there is no table {key.parent.name}")
    implicit = not key.parent_columns
    parents = parent.primary_key if implicit else _spelled(key.parent_columns, parent)
    mismatch = _mismatch(columns, parents, parent, implicit)
    if len(parents) != len(columns):
        parents = ("?",) * len(columns)
    return replace(key, columns=columns, parent=parent.name, parent_columns=parents, mismatch=mismatch)


def _spelled(columns: tuple[str, ...], table: Table) -> tuple[str, ...]:
    names = {column.name.lower(): column.name for column in table.columns}
    return tuple(names.get(column.lower(), column) for column in columns)


def _mismatch(columns: tuple[str, ...], parents: tuple[str, ...], parent: Table, implicit: bool) -> str:
    """Why SQLite would say "foreign key mismatch" (foreignkeys.html, 3), or nothing."""
    table = parent.name.name
    if implicit and not parents:
        return f"{table} has no primary key"
    if len(columns) != len(parents):
        return f"the primary key of {table} has {len(parents)} columns, not {len(columns)}"
    lacking = [name for name in parents if name not in parent.column]
    if lacking:
        return f"{table} has no column {', '.join(lacking)}"
    if not any(_serves(index, parents, parent) for index in parent.indexes):
        return f"{', '.join(parents)} of {table} {'is' if len(parents) == 1 else 'are'} not unique"
    return ""


def _serves(index: Index, parents: tuple[str, ...], parent: Table) -> bool:
    """Whether SQLite takes an index for the parent's side: unique, whole, on these columns, in the collations of the columns."""
    named = [(name, (parent.column[name].collation if name in parent.column else None) or BINARY) for name in parents]
    return index.unique and index.predicate is None and sorted(named) == sorted(zip(_plain(index), index.collations, strict=True))


def _plain(index: Index) -> list[str]:
    return [name or "" for name in index.columns]


_TABLES = """
SELECT master.name, listed.wr, master.sql
FROM pragma_table_list AS listed JOIN sqlite_master AS master ON master.type = 'table' AND master.name = listed.name
WHERE listed.schema = 'main' AND listed.type = 'table' AND master.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
ORDER BY master.name
"""

_COLUMNS = 'SELECT name, type, "notnull", dflt_value, hidden, pk FROM pragma_table_xinfo(:table) WHERE hidden <> 1 ORDER BY cid'

_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table COLLATE NOCASE ORDER BY name"

_KEYS = 'SELECT id, seq, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(:table) ORDER BY id, seq'
