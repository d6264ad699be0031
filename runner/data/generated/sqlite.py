"""Fills the empty tables of a SQLite database with rows that its schema allows, in one transaction.

References are not asked row by row (``PRAGMA foreign_keys`` is off): that all of them hold is counted at the end. No session can
switch triggers off, so they are dropped and made again from their own text, in the same transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from checks.interface import Engine
from checks.rows import sqlite as dialect
from checks.rows.missing import Read
from checks.rows.sets.language import Keys, Statement
from checks.rows.sets.plan import Pooled, Referred, TablePlan
from checks.rows.sets.rendering import apart
from checks.rows.sets.retouching import Manner
from checks.rows.sets.sqlite import MANNER, filling, filling_later, listing, quoted, table_name, trying
from checks.rows.sets.wishes import Wishes
from checks.schema.model import Catalogue, Table
from checks.schema.names import TableName
from checks.schema.sqlite import read as read_catalogue
from checks.targets import StatementFailed
from runner.data.generated import running
from runner.data.generated.filled import FilledTable, Say
from runner.errors import ServerFailed
from runner.servers.interface import Address
from runner.targets.sqlite_sessions import Limit, Session, SqliteReadSession, opened

#: What SQLite calls a key that is there already.
_KEYS_MET = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID"})
#: Values of a statement that are left for what columns are numbered with.
SPARED = 1_000
_NO_LIMIT = Limit(float("inf"))


def generate(
    address: Address, catalogue: Catalogue, wanted: Mapping[TableName, int], seed: int, wishes: Wishes, say: Say
) -> tuple[FilledTable, ...]:
    """Fill every table of ``wanted`` that is empty; ``say`` is told which one is being filled.

    What cannot be filled is left empty, with the reason. Raises ServerFailed where the file is lost or in use, or triggers could
    not be made again; nothing is changed then.
    """
    with running.lost(Engine.SQLITE), opened(address, read_only=False, limit=_NO_LIMIT) as session:
        loader, read = _SqliteLoader(session), SqliteReadSession(session).rows
        loader.execute(Statement("PRAGMA foreign_keys = off"))
        with _transaction(loader), _without_triggers(loader):
            return running.filled(running.Filling(catalogue, dialect, loader, read, seed, wishes), wanted, say)


def catalogue_of(address: Address) -> Catalogue:
    """What a database is made of. Raises StatementFailed."""
    with opened(address, read_only=True, limit=_NO_LIMIT) as session, session.limited():
        return read_catalogue(session.connection)


@contextmanager
def reading(address: Address) -> Iterator[Read]:
    """What asks SQLite, about rows that are in no table too."""
    with opened(address, read_only=True, limit=_NO_LIMIT) as session:
        yield SqliteReadSession(session).rows


def ask(address: Address, sql: str) -> None:
    """Let SQLite read a statement made of the settings', in a session that only reads. Raises StatementFailed."""
    with opened(address, read_only=True, limit=_NO_LIMIT) as session:
        SqliteReadSession(session).raw(sql, 1)


@dataclass(frozen=True)
class _SqliteLoader:
    """A session that fills tables."""

    session: Session
    manner: Manner = MANNER

    def execute(self, statement: Statement) -> int:
        """Execute a statement; gives how many rows it wrote. Raises StatementFailed."""
        with self.session.limited(), closing(self.session.driver.cursor()) as cursor:
            return cursor.execute(statement.sql, statement.values).rowcount

    def rows(self, statement: Statement) -> list[tuple[object, ...]]:
        """All rows of a query. Raises StatementFailed."""
        with self.session.limited(), closing(self.session.driver.cursor()) as cursor:
            return cursor.execute(statement.sql, statement.values).fetchall()

    def is_empty(self, table: Table) -> bool:
        return not self.rows(Statement(f"SELECT 1 FROM {table_name(table.name)} LIMIT 1"))

    def listed(self, name: str, referred: Referred, columns: Sequence[str], shared: Sequence[str]) -> int:
        for statement in listing(name, referred.key.parent, columns, shared):
            self.execute(Statement(statement))
        ((found,),) = self.rows(Statement(f"SELECT count(*) FROM temp.{quoted(name)}"))
        return int(str(found))

    def adapted(self, plan: TablePlan) -> TablePlan:
        """A statement holds so many values: of many columns each has fewer different ones."""
        pooled = [source for source in plan.sources if isinstance(source, Pooled)]
        values = sum(len(source.rows) * len(source.columns) for source in pooled)
        room = self.session.driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - SPARED
        if values <= room:
            return plan
        share = max(1, room // sum(len(source.columns) for source in pooled))
        sources = (
            replace(source, rows=source.rows[:share], certain=min(source.certain, share)) if source in pooled else source
            for source in plan.sources
        )
        return replace(plan, sources=tuple(sources))

    def tried(self, plan: TablePlan, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Sequence[int]:
        (found,) = self.rows(trying(plan, numbers, seed, keys))
        return [int(str(number)) for number in found]

    def insert(self, plan: TablePlan, rows: int, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> int:
        came = 0
        for some in apart(plan, numbers):
            came += self.execute(filling(plan, rows - came, some, seed, keys))
        return came

    def undo(self, table: Table) -> None:
        """Rows of earlier rounds; a statement that is refused leaves none."""
        self.execute(Statement(f"DELETE FROM {table_name(table.name)}"))

    def refer(self, plan: TablePlan, referred: Referred, seed: int, keys: Keys) -> None:
        self.execute(filling_later(plan, referred, seed, keys))

    def advance(self, table: Table) -> None:
        """Nothing: SQLite goes on behind the largest rowid, and AUTOINCREMENT notes it by itself."""

    def keys_met(self, failure: StatementFailed) -> bool:
        return failure.code in _KEYS_MET


@contextmanager
def _transaction(loader: _SqliteLoader) -> Iterator[None]:
    loader.execute(Statement("BEGIN IMMEDIATE"))
    try:
        yield
        loader.execute(Statement("COMMIT"))
    finally:
        if loader.session.driver.in_transaction:
            loader.session.driver.rollback()


@contextmanager
def _without_triggers(loader: _SqliteLoader) -> Iterator[None]:
    """Take all triggers of tables away, and make them again in their order."""
    triggers = loader.rows(Statement(_TRIGGERS))
    for name, _ in triggers:
        loader.execute(Statement(f"DROP TRIGGER main.{quoted(str(name))}"))
    yield
    for _, text in triggers:
        loader.execute(Statement(str(text)))
    if loader.rows(Statement(_TRIGGERS)) != triggers:
        raise ServerFailed("triggers of the SQLite database could not be made again as they were", "Leave its tables empty.")


_TRIGGERS = (
    "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'"
    " AND tbl_name COLLATE NOCASE IN (SELECT name FROM main.sqlite_master WHERE type = 'table') ORDER BY rowid"
)
