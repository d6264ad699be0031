"""Which tables the new migrations touch, and what is watched of them in the copy that they run in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING

from psycopg import sql

from checks.evidence import Statement
from checks.schema.bookkeeping import BOOKKEEPING
from checks.schema.names import TableName

if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

_WATCH = files(__package__).joinpath("watch.sql").read_text(encoding="utf-8")

#: The modes that keep writers out, and the one that keeps readers out too, weakest first (PostgreSQL's manual, 13.3.1).
BLOCKS_WRITES = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
BLOCKS_READS = frozenset({"AccessExclusiveLock"})

#: How many tables are watched.
WATCHED = 200

# Members of extensions are none of the project's. What autovacuum would know of the rows the sealing VACUUM ANALYZE has said.
_TABLES = """
SELECT entry.oid::bigint, nspname, relname, relkind::text, greatest(reltuples, 0)::bigint,
       pg_relation_filenode(entry.oid)::bigint,
       ARRAY(SELECT indexrelid::bigint FROM pg_index WHERE indrelid = entry.oid ORDER BY indexrelid),
       ARRAY(SELECT pg_relation_filenode(indexrelid)::bigint FROM pg_index WHERE indrelid = entry.oid ORDER BY indexrelid),
       (SELECT attname FROM pg_attribute
        WHERE attrelid = entry.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a'
        ORDER BY attnum LIMIT 1)
FROM pg_class AS entry JOIN pg_namespace AS namespace ON namespace.oid = relnamespace
WHERE entry.oid >= 16384 AND relkind IN ('r', 'p', 'm') AND relpersistence <> 't' AND nspname NOT LIKE 'pg\\_%%'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = entry.oid AND deptype = 'e')
ORDER BY entry.oid
"""

_WATCH_WRITES = sql.SQL("""
    CREATE TRIGGER dbproof_before BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT
        EXECUTE FUNCTION pg_catalog.dbproof_wrote();
    CREATE TRIGGER dbproof_after AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT
        EXECUTE FUNCTION pg_catalog.dbproof_wrote();
    ALTER TABLE {table} ENABLE ALWAYS TRIGGER dbproof_before, ENABLE ALWAYS TRIGGER dbproof_after;
""")


@dataclass(frozen=True)
class Table:
    """A table as base has it. ``file`` is what it lies in, and ``indexes`` what each of its indexes (by OID) lies in.

    ``column`` is one that may be written, ``None`` where there is none; ``asked`` the strongest lock that new migrations are
    known to take, ``None`` where that is not known.
    """

    oid: int
    name: TableName
    kind: str
    rows: int
    file: int | None
    indexes: Mapping[int, int | None]
    column: str | None
    asked: str | None = None

    @property
    def label(self) -> str:
        """``orders``, ``sales.orders``."""
        return self.name.label()


def tables(connection: Connection[Any]) -> list[Table]:
    """The project's own tables of the connected database."""
    found = [
        Table(oid, TableName(schema, name), kind, rows, file, dict(zip(indexes, lie, strict=True)), column)
        for oid, schema, name, kind, rows, file, indexes, lie, column in connection.execute(_TABLES.replace("%%", "%"))
    ]
    return [table for table in found if table.name.name not in BOOKKEEPING]


def touched(there: Sequence[Table], statements: Sequence[Statement]) -> list[Table]:
    """Those of base's tables that the statements of the verdict's run locked against others, the strongest lock first.

    Of a statement of which the recorder says nothing (rows written, VACUUM FULL), or that locked what base does not have (a table
    under its new name), the tables that its text names: that is where to look, and says nothing yet.
    """
    known = {one.label for one in there}
    unclear = [one.text for one in statements if not one.locks or any(lock.relation not in known for lock in one.locks)]
    strength = dict.fromkeys(_named(there, unclear), 0)
    for lock in (lock for one in statements for lock in one.locks):
        if lock.mode in BLOCKS_WRITES:
            strength[lock.relation] = max(strength.get(lock.relation, 0), 1 + BLOCKS_WRITES.index(lock.mode))
    found = [replace(one, asked=_mode(strength[one.label])) for one in there if one.label in strength]
    return sorted(found, key=lambda table: -strength[table.label])[:WATCHED]


def _mode(strength: int) -> str | None:
    return BLOCKS_WRITES[strength - 1] if strength else None


def _named(there: Sequence[Table], texts: Sequence[str]) -> frozenset[str]:
    said = {word.lower() for text in texts for word in re.findall(r"[^\W\d][\w$]*", text)}
    return frozenset(table.label for table in there if table.name.name.lower() in said)


def watch(connection: Connection[Any], database: str, watched: Sequence[Table]) -> None:
    """Let the server say in its log what statements hold and do, and each wait for a lock. Needs a superuser; a copy only."""
    connection.execute(_WATCH)
    numbers = ",".join(str(table.oid) for table in watched)
    for name, value in (("dbproof.watched", numbers), ("log_lock_waits", "on"), ("deadlock_timeout", "10ms")):
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                sql.Identifier(database), sql.SQL(".").join(map(sql.Identifier, name.split("."))), sql.Literal(value)
            )
        )
    written = [sql.Identifier(table.name.schema, table.name.name) for table in watched if table.kind != "m"]
    if written:
        connection.execute(sql.SQL("").join(_WATCH_WRITES.format(table=table) for table in written))


def written_anew(connection: Connection[Any], before: Sequence[Table]) -> Mapping[int, bool]:
    """Which tables hold rows and lie in other files than before: true for the table itself, false for an index of it alone."""
    now = {table.oid: table for table in tables(connection)}
    moved = {one.oid: one.file != now[one.oid].file for one in before if one.oid in now and _moved(one, now[one.oid])}
    return {oid: whole for oid, whole in moved.items() if _holds_rows(connection, now[oid])}


def _moved(one: Table, now: Table) -> bool:
    return one.file != now.file or any(now.indexes.get(index, lies) != lies for index, lies in one.indexes.items())


def _holds_rows(connection: Connection[Any], table: Table) -> bool:
    named = sql.Identifier(table.name.schema, table.name.name)
    return connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(named)).fetchone() is not None
