"""Fills the empty tables of a PostgreSQL database with rows that its schema allows.

Triggers stay out of it and references are not asked row by row (``session_replication_role``): a reference takes its parents from
the table, and that all of them hold is counted at the end, by one join each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from checks.interface import Engine
from checks.rows import postgresql as dialect
from checks.rows.missing import Read
from checks.rows.sets.order import Turn, turns
from checks.rows.sets.plan import Referred, TablePlan
from checks.rows.sets.planner import Planner, Wishes
from checks.rows.sets.postgresql import filling, filling_later, listing, quoted, table_name, trying
from checks.rows.sets.rendering import Keys, Statement
from checks.schema.model import Catalogue, ForeignKey, Table
from checks.schema.names import TableName
from checks.sql.orphans import counted
from checks.targets import StatementFailed
from runner.data.generated.filled import FilledTable
from runner.servers.interface import Address

if TYPE_CHECKING:
    from psycopg import Connection

#: Rows by which it is tried how many of those that are made meet all conditions, and the least share of them.
TRIED = 2_000
LEAST = 0.02
#: So many more rows are made than the share asks for.
SPARE = 1.15
#: How often more rows are made where too few came.
ROUNDS = 5

_MANNER = (
    "-c session_replication_role=replica -c row_security=off -c jit=off"
    " -c log_min_duration_statement=-1 -c log_min_messages=fatal"
)


@dataclass
class _Filling:
    """A database while it is filled."""

    catalogue: Catalogue
    driver: Connection[Any]
    read: Read
    seed: int
    wishes: Wishes
    keys: dict[tuple[object, ...], Keys] = field(default_factory=dict)


def generate(
    address: Address,
    catalogue: Catalogue,
    wanted: Mapping[TableName, int],
    seed: int,
    wishes: Wishes,
    say: Callable[[str], object],
) -> tuple[FilledTable, ...]:
    """Fill every table of ``wanted`` that is empty, as a superuser; ``say`` is told which one is being filled.

    What cannot be filled is left empty, with the reason. Raises psycopg.Error where the server is lost.
    """
    with _opened(address) as (driver, read):
        run = _Filling(catalogue, driver, read, seed, wishes)
        done = list(_filled(run, wanted, say))
        for one in done:
            driver.execute(f"ANALYZE {_sql(table_name(one.table))}".encode())
        return tuple(done)


def catalogue_of(address: Address) -> Catalogue:
    """What a database is made of. Raises StatementFailed."""
    from checks.schema.postgresql import read
    from runner.targets.sessions import Manner, opened, said_plainly, sessions

    with said_plainly(), opened(sessions(address, Manner(read_only=True, ours=True))) as connection:
        return read(connection, frozenset())


@contextmanager
def reading(address: Address) -> Iterator[Read]:
    """What asks the server, about rows that are in no table too."""
    from runner.targets.sessions import Manner, PostgresReadSession, opened, sessions

    with opened(sessions(address, Manner(read_only=True, ours=True))) as connection:
        yield PostgresReadSession(connection).rows


@contextmanager
def _opened(address: Address) -> Iterator[tuple[Connection[Any], Read]]:
    """A session that writes, and one that asks."""
    import psycopg

    from runner.servers.postgresql.sessions import ours

    with (
        psycopg.connect(**ours(address, _MANNER).keywords(), autocommit=True, prepare_threshold=None) as driver,
        reading(address) as read,
    ):
        yield driver, read


def _filled(run: _Filling, wanted: Mapping[TableName, int], say: Callable[[str], object]) -> Iterator[FilledTable]:
    planner = Planner(run.catalogue, dialect, run.read)
    later: list[tuple[TablePlan, Referred]] = []
    for turn in turns(run.catalogue):
        rows = wanted.get(turn.table.name, 0)
        if not rows or not _is_empty(turn.table, run):
            continue
        say(f"{turn.table.name.label()}, {rows} rows")
        try:
            plan, done = _one(turn, planner, rows, run)
        except StatementFailed as failure:
            if not failure.code:
                raise
            plan, done = TablePlan(turn.table), FilledTable(turn.table.name, 0, rows, failure.said)
        if done.rows:
            _advance(turn.table, run)
            later += [(plan, referred) for referred in plan.later]
        yield done
    for plan, referred in later:
        _refer(plan, referred, run)


def _is_empty(table: Table, run: _Filling) -> bool:
    return run.driver.execute(f"SELECT 1 FROM {_sql(table_name(table.name))} LIMIT 1".encode()).fetchone() is None


def _one(turn: Turn, planner: Planner, rows: int, run: _Filling) -> tuple[TablePlan, FilledTable]:
    """Plan one table and fill it."""
    name = turn.table.name
    plan = planner.planned(turn, run.wishes)
    keys = {source: _numbered(source, run) for source in plan.sources if isinstance(source, Referred)}
    if orphan := next((source for source, found in keys.items() if not found.rows and not source.nulls), None):
        plan = replace(plan, reason=f"{orphan.key.parent.label()} is empty, and {orphan.key.label} must refer to it")
    if plan.reason:
        return plan, FilledTable(name, 0, rows, plan.reason)
    kept, worst = _tried(plan, keys, run)
    if kept < LEAST:
        plan = planner.coupled(turn, plan)
        kept, worst = _tried(plan, keys, run)
    if kept < LEAST:
        return plan, FilledTable(name, 0, rows, f"no row that was made meets {worst}")
    bounds = [plan.most, *(found.rows for source, found in keys.items() if source.once)]
    most = min((bound for bound in bounds if bound is not None), default=2**62)
    made = _made(plan, min(rows, most), most, kept, keys, run)
    return plan, FilledTable(name, made, rows, "" if made >= rows else _why(plan, made, most, worst))


def _made(plan: TablePlan, rows: int, most: int, kept: float, keys: Mapping[Referred, Keys], run: _Filling) -> int:
    """Insert until there are so many rows, or no more come; gives how many there are."""
    made, start = 0, 1
    for _ in range(ROUNDS):
        lacking = rows - made
        stop = min(start + (lacking if kept == 1 else int(lacking / kept * SPARE) + 50), most + 1 if plan.most else 2**62)
        came = run.driver.execute(*_sent(filling(plan, lacking, range(start, stop), run.seed, keys))).rowcount
        made, start = made + came, stop
        if made >= rows or not came or start > most >= stop:
            break
    return made


def _why(plan: TablePlan, made: int, most: int, worst: str) -> str:
    if made >= most:
        return plan.limited if plan.most == most else "each has a parent of its own, and there are no more"
    return "keys met by chance" if plan.guarded else f"too few rows that were made meet {worst}"


def _tried(plan: TablePlan, keys: Mapping[Referred, Keys], run: _Filling) -> tuple[float, str]:
    """The share of rows that meet all conditions, and the condition that the fewest meet."""
    if not plan.conditions:
        return 1.0, ""
    tried = min(TRIED, plan.most or TRIED)
    (every, *each) = run.driver.execute(*_sent(trying(plan, range(1, tried + 1), run.seed, keys))).fetchone() or (0,)
    worst = min(zip(each, plan.conditions, strict=True), key=lambda one: one[0])[1]
    return every / tried, worst.name


def _numbered(referred: Referred, run: _Filling) -> Keys:
    """The parent's keys in a temporary table, made once for all references that need the same."""
    key, shared = referred.key, tuple(dict.fromkeys(referred.shared.values()))
    columns = tuple(dict.fromkeys((*key.parent_columns, *referred.carried.values())))
    known = (key.parent, columns, shared)
    if known not in run.keys:
        name = f"dbproof_keys_{len(run.keys) + 1}"
        partitioned = run.catalogue.table[key.parent].partitioned
        made = run.driver.execute(_sql(listing(name, key.parent, columns, shared, partitioned)).encode())
        run.driver.execute(f"ANALYZE {_sql(quoted(name))}".encode())
        run.keys[known] = Keys(name, columns, made.rowcount, shared)
    return run.keys[known]


def _refer(plan: TablePlan, referred: Referred, run: _Filling) -> None:
    """Fill in a reference that had to wait; where the server refuses, it stays NULL."""
    import psycopg

    try:
        run.driver.execute(*_sent(filling_later(plan, referred, run.seed, _numbered(referred, run))))
    except psycopg.Error:
        if run.driver.closed:
            raise


def _advance(table: Table, run: _Filling) -> None:
    """Let sequences go on behind the keys that were made."""
    for one in table.sequences:
        name = f"{_sql(quoted(one.schema))}.{_sql(quoted(one.name))}"
        column = f"{'max' if one.increment > 0 else 'min'}({_sql(quoted(one.column))})"
        text = f"SELECT setval(%s::regclass, {column}) FROM {table_name(table.name)} HAVING {column} IS NOT NULL"
        run.driver.execute(text.encode(), [name])


def orphans(catalogue: Catalogue, read: Read) -> Mapping[ForeignKey, int]:
    """How many rows of each reference have no parent: none, where everything went well."""
    found = {key: int(read(counted(key, catalogue, Engine.POSTGRESQL))[0][0]) for key in catalogue.foreign_keys}
    return {key: rows for key, rows in found.items() if rows}


def _sent(statement: Statement) -> tuple[bytes, Sequence[Any] | None]:
    return (statement.sql.encode(), statement.values) if statement.values else (_sql(statement.sql).encode(), None)


def _sql(text: str) -> str:
    """A text without placeholders, as it is sent."""
    return text.replace("%%", "%")
