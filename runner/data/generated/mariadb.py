"""Fills the empty tables of a MariaDB database with rows that its schema allows.

References are not asked row by row (``foreign_key_checks`` is off): that all of them hold is counted at the end. No session can
switch triggers off, so they are dropped and made again as they were: only for a database of our own, as nothing undoes that where
we are killed in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checks.interface import Engine
from checks.rows import mariadb as dialect
from checks.rows.missing import Read
from checks.rows.sets.characters import encodable
from checks.rows.sets.language import Keys, Statement
from checks.rows.sets.mariadb import MANNER, filling, filling_later, listing, quoted, table_name, trying
from checks.rows.sets.plan import Referred, TablePlan
from checks.rows.sets.retouching import Manner
from checks.rows.sets.wishes import Wishes
from checks.schema.model import Catalogue, Table
from checks.schema.names import TableName
from checks.targets import StatementFailed
from runner.data.generated import running
from runner.data.generated.filled import FilledTable, Say
from runner.data.generated.mariadb_catalogue import catalogue
from runner.servers.interface import Address
from runner.servers.mariadb.sessions import code_of, session, words_of
from runner.servers.mariadb.sessions import rows as rows_of

if TYPE_CHECKING:
    from runner.servers.mariadb.sessions import Driver

#: Rows that one statement makes, so that its temporary tables stay small.
AT_ONCE = 50_000
#: What MariaDB calls a key that is there already.
_KEYS_MET = frozenset({"1062", "1586", "1761", "1859"})
#: What a default takes its next number from.
_SEQUENCE = re.compile(r"nextval\(((?:`(?:[^`]|``)+`\.)?`(?:[^`]|``)+`)\)", re.IGNORECASE)
_MANNER = (
    "SET SESSION foreign_key_checks = 0, check_constraint_checks = 1, time_zone = '+00:00', div_precision_increment = 4,"
    " sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION', group_concat_max_len = 1048576"
)


def generate(
    address: Address, catalogue: Catalogue, wanted: Mapping[TableName, int], seed: int, wishes: Wishes, say: Say
) -> tuple[FilledTable, ...]:
    """Fill every table of ``wanted`` that is empty; ``say`` is told which one is being filled.

    What cannot be filled is left empty, with the reason. Raises ServerFailed where the server is lost.
    """
    with running.lost(Engine.MARIADB), session(address) as driver, reading(address) as read:
        loader = _MariadbLoader(driver)
        loader.execute(Statement(_MANNER))
        loader.as_the_database()
        with _without_triggers(loader):
            return running.filled(running.Filling(catalogue, dialect, loader, read, seed, wishes), wanted, say)


def catalogue_of(address: Address) -> Catalogue:
    """What a database is made of."""
    with session(address) as driver:
        return catalogue(lambda query: rows_of(driver, query))


@contextmanager
def reading(address: Address) -> Iterator[Read]:
    """What asks the server, about rows that are in no table too."""
    from runner.targets.mariadb_sessions import Limit, MariadbReadSession, opened

    with opened(address, read_only=True, limit=Limit(600)) as reader:
        yield MariadbReadSession(reader).rows


def ask(address: Address, sql: str) -> None:
    """Let the server read a statement made of the settings', in a session that only reads. Raises StatementFailed."""
    from runner.targets.mariadb_sessions import Limit, MariadbReadSession, opened

    with opened(address, read_only=True, limit=Limit(600)) as reader:
        MariadbReadSession(reader).raw(sql, 1)


@dataclass(frozen=True)
class _MariadbLoader:
    """A session that fills tables."""

    driver: Driver
    manner: Manner = MANNER

    def execute(self, statement: Statement) -> int:
        """Execute a statement; gives how many rows it wrote. Raises StatementFailed."""
        return self._sent(statement)[0]

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """All rows of a query. Raises StatementFailed."""
        return self._sent(statement)[1]

    def _sent(self, statement: Statement) -> tuple[int, list[tuple[Any, ...]]]:
        import pymysql

        try:
            with self.driver.cursor() as cursor:
                values = tuple(statement.values)
                cursor.execute(statement.sql if values else statement.sql.replace("%%", "%"), values or None)
                return cursor.rowcount, list(cursor.fetchall())
        except (pymysql.err.Error, OSError) as failure:
            raise StatementFailed(words_of(failure), code_of(failure)) from None

    def as_the_database(self) -> None:
        """Compare texts as the database does; other characters than the driver's are told column by column."""
        ((collation,),) = self.rows(Statement("SELECT @@collation_database"))
        if str(collation).startswith("utf8mb4_"):
            self.execute(Statement(f"SET NAMES utf8mb4 COLLATE {collation}"))

    def is_empty(self, table: Table) -> bool:
        return not self.rows(Statement(f"SELECT 1 FROM {table_name(table.name)} LIMIT 1"))

    def listed(self, name: str, referred: Referred, columns: Sequence[str], shared: Sequence[str]) -> int:
        return self.execute(Statement(listing(name, referred.key.parent, columns, shared)))

    def adapted(self, plan: TablePlan) -> TablePlan:
        return encodable(plan)

    def tried(self, plan: TablePlan, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Sequence[int]:
        (found,) = self.rows(trying(plan, numbers, seed, keys))
        return [int(number) for number in found]

    def insert(self, plan: TablePlan, rows: int, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> int:
        came = 0
        for start in range(numbers.start, numbers.stop, AT_ONCE):
            some = range(start, min(start + AT_ONCE, numbers.stop))
            statement = filling(plan, rows - came, some, seed, keys)
            came += self._grown(plan.table, statement) if plan.guarded else self.execute(statement)
            if came >= rows:
                break
        return came

    def _grown(self, table: Table, statement: Statement) -> int:
        """How many rows more there are: those that were in the way are counted as written."""
        count = Statement(f"SELECT count(*) FROM {table_name(table.name)}")
        ((before,),) = self.rows(count)
        self.execute(statement)
        ((after,),) = self.rows(count)
        return int(after) - int(before)

    def undo(self, table: Table) -> None:
        """Rows of earlier statements, and in tables without transactions those of the one that was refused."""
        self.execute(Statement(f"DELETE FROM {table_name(table.name)}"))

    def refer(self, plan: TablePlan, referred: Referred, seed: int, keys: Keys) -> None:
        statement = filling_later(plan, referred, seed, keys)
        if statement is not None:
            self.execute(statement)

    def advance(self, table: Table) -> None:
        """Let sequences go on behind what was made; AUTO_INCREMENT does by itself."""
        for column in table.columns:
            sequence = _SEQUENCE.search(column.default or "")
            if sequence is not None and not column.generated:
                ((last,),) = self.rows(Statement(f"SELECT max({quoted(column.name)}) FROM {table_name(table.name)}"))
                if last is not None:
                    self.rows(Statement(f"SELECT setval({sequence[1]}, {int(last)})"))

    def keys_met(self, failure: StatementFailed) -> bool:
        return failure.code in _KEYS_MET


@contextmanager
def _without_triggers(loader: _MariadbLoader) -> Iterator[None]:
    """Take all triggers away, and make them again in their order, each in the session that it was made in."""
    names = [name for (name,) in loader.rows(Statement(_TRIGGERS))]
    kept = [loader.rows(Statement(f"SHOW CREATE TRIGGER {quoted(name)}"))[0] for name in names]
    try:
        for name in names:
            loader.execute(Statement(f"DROP TRIGGER {quoted(name)}"))
        yield
    finally:
        there = {name for (name,) in loader.rows(Statement(_TRIGGERS))}
        for name, mode, text, client, connection, database, *_ in kept:
            if name in there:
                continue
            loader.execute(Statement(f"SET SESSION sql_mode = '{mode}', collation_database = '{database}'"))
            loader.execute(Statement(f"SET NAMES {client} COLLATE {connection}"))
            loader.execute(Statement(text.replace("%", "%%")))


_TRIGGERS = (
    "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = database()"
    " ORDER BY event_object_table, action_timing, event_manipulation, action_order"
)
