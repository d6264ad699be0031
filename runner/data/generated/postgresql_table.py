"""Fills one table of a PostgreSQL database: plans it, tries the plan on some rows, and inserts them in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checks.rows.sets.language import Keys, Statement
from checks.rows.sets.order import Turn
from checks.rows.sets.plan import Referred, TablePlan
from checks.rows.sets.postgresql import MANNER, filling, quoted, table_name, trying
from checks.rows.sets.rendering import apart
from checks.rows.sets.retouching import Retouching
from checks.rows.terms import Condition
from checks.schema.model import Table
from checks.targets import StatementFailed
from runner.data.generated import indexes
from runner.data.generated.filled import FilledTable
from runner.data.generated.postgresql_references import keys_of
from runner.data.generated.postgresql_worker import Worker, sent, sql
from runner.data.generated.promises import forgotten, heed, promised
from runner.data.generated.retouched import retouch

if TYPE_CHECKING:
    from psycopg import Error

#: Rows by which it is tried how many of those that are made meet all conditions, the share of them below which values are looked
#: for that go together, and the least share.
TRIED = 2_000
RARE = 0.25
LEAST = 0.02
#: So many more rows are made than the share asks for.
SPARE = 1.15
#: How often more rows are made where too few came.
ROUNDS = 5
ROUNDS_OF_KEYS = 16

#: Before what the server said of rows that turned out to break a rule which is not known of.
REFUSED = "PostgreSQL refuses its rows: "

_ENDLESS = 2**62


@dataclass(frozen=True)
class Came:
    """What came of a table, and how it was planned."""

    plan: TablePlan
    filled: FilledTable


@dataclass(frozen=True)
class _Insert:
    """What is to be inserted: at most ``most`` rows, of which ``kept`` (a share) meet all conditions."""

    plan: TablePlan
    rows: int
    most: int
    kept: float
    keys: Mapping[Referred, Keys]


def is_empty(table: Table, worker: Worker) -> bool:
    """Whether a table holds no row."""
    return worker.driver.execute(f"SELECT 1 FROM {sql(table_name(table.name))} LIMIT 1".encode()).fetchone() is None


def worked(turn: Turn, rows: int, worker: Worker) -> Came:
    """Plan one table and fill it; what the server refuses is the reason why it stays empty.

    Raises StatementFailed or psycopg.Error where the server is lost.
    """
    import psycopg

    name = turn.table.name
    try:
        return _worked(turn, rows, worker)
    except StatementFailed as failure:
        if not failure.code:
            raise
        said = f"{REFUSED}{failure.said}"
    except psycopg.Error as failure:
        if worker.driver.closed or failure.sqlstate is None or isinstance(failure, psycopg.errors.QueryCanceled):
            raise
        said = _said(failure)
    forgotten(worker.made, turn.table)
    return Came(TablePlan(turn.table), FilledTable(name, 0, rows, said))


def _said(failure: Error) -> str:
    return f"{REFUSED}{failure.diag.message_primary or failure}"


def _worked(turn: Turn, rows: int, worker: Worker, *, ends: bool = True) -> Came:
    """Where an expression of the schema fails on some value (of an index, an overflow), once more without extreme values."""
    import psycopg

    plan = worker.planner.planned(turn, worker.wishes, ends=ends)
    try:
        return _filled(turn, rows, plan, worker)
    except psycopg.DataError:
        if not ends:
            raise
    return _worked(turn, rows, worker, ends=False)


def _filled(turn: Turn, rows: int, plan: TablePlan, worker: Worker) -> Came:
    name = turn.table.name
    keys = {source: keys_of(source, plan, worker) for source in plan.sources if isinstance(source, Referred)}
    if orphan := next((source for source, found in keys.items() if not found.rows and not source.nulls), None):
        plan = replace(plan, reason=f"{orphan.key.parent.label()} is empty, and {orphan.key.label} must refer to it")
    if plan.reason:
        return Came(plan, FilledTable(name, 0, rows, plan.reason))
    bounds = [plan.most, *(found.rows for source, found in keys.items() if source.once and not source.nulls)]
    most = min((bound for bound in bounds if bound is not None), default=_ENDLESS)
    plan, kept, worst = _best(turn, plan, most, keys, worker)
    if kept < LEAST:
        heed(worker.made, keys.values(), worker.wait)
        return Came(plan, FilledTable(name, 0, rows, plan.reason or f"no row that was made meets {worst}"))
    made = _inserted(_Insert(plan, min(rows, most), most, kept, keys), worker)
    return Came(plan, FilledTable(name, made, rows, "" if made >= rows else _why(plan, made, most, worst)))


def _best(turn: Turn, plan: TablePlan, most: int, keys: Mapping[Referred, Keys], worker: Worker) -> tuple[TablePlan, float, str]:
    """The plan, or a better one where rows would not meet all conditions; the share that does, and what the fewest meet."""
    kept, failing = _tried(plan, most, keys, worker)
    if kept == 1:
        return plan, kept, ""
    planner, wishes = worker.planner, worker.wishes
    other = planner.coupled(turn, plan, wishes) if kept < RARE else planner.mended(turn, plan, failing, wishes)
    better, left = _tried(other, most, keys, worker)
    if better > kept or kept < LEAST:
        plan, kept, failing = other, better, left
    return plan, kept, failing[0].name if failing else ""


def _inserted(insert: _Insert, worker: Worker) -> int:
    """Insert the rows and let sequences go on behind them; gives how many there are.

    The quick way, without indexes and conditions, is undone where a row turns out not to meet one; then each row is asked, and
    those are left out whose keys are taken.
    """
    import psycopg

    if insert.kept == 1 and not insert.plan.guarded:
        promised(worker.made, insert.plan, insert.rows)
        worker.promise()
    try:
        return _transacted(insert, worker, quick=True)
    except psycopg.errors.QueryCanceled:
        raise
    except psycopg.Error:
        if worker.driver.closed:
            raise
    try:
        return _transacted(insert, worker, quick=False)
    except (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation):
        return _transacted(replace(insert, plan=replace(insert.plan, guarded=True)), worker, quick=False)


def _transacted(insert: _Insert, worker: Worker, *, quick: bool) -> int:
    plan, table = insert.plan, insert.plan.table
    meant = replace(insert, plan=replace(plan, conditions=())) if quick and insert.kept == 1 else insert
    rest = quick and insert.rows >= indexes.WORTH
    with worker.driver.transaction():
        at_work = (
            indexes.resting(worker.driver, table.name, keep_unique=plan.guarded)
            if rest
            else indexes.asked_at_once(worker.driver, table.name)
        )
        with at_work:
            made, numbers = _made(meant, worker)
        if made:
            _advance(table, worker)
            _retouch(plan, made, worker)
        heed(worker.made, insert.keys.values(), worker.wait)
    if made and made == numbers:
        promised(worker.made, plan, made)
    else:
        forgotten(worker.made, table)
    return made


def _retouch(plan: TablePlan, made: int, worker: Worker) -> None:
    """Let a few keys be as alike as the schema allows; those that people look at stay as they are."""
    if worker.wishes.readable is not None or worker.wishes.mild:
        return
    given = [name for name in plan.table.column if f"{plan.table.name.label()}.{name}" in worker.wishes.given]
    retouching = Retouching(plan, worker.catalogue, (*given, *worker.wishes.tenants), MANNER)
    retouch(retouching, made, lambda one: worker.driver.execute(*sent(one)).fetchall(), lambda one: _attempted(one, worker))


def _attempted(statement: Statement, worker: Worker) -> bool:
    """Whether the server takes a statement; if not, nothing has happened."""
    import psycopg

    try:
        with worker.driver.transaction():
            return worker.driver.execute(*sent(statement)).rowcount > 0
    except psycopg.errors.QueryCanceled:
        raise
    except psycopg.Error:
        if worker.driver.closed:
            raise
    return False


def _made(insert: _Insert, worker: Worker) -> tuple[int, int]:
    """Insert until there are so many rows, or no more come; gives how many there are, and of how many numbers."""
    plan, most, kept = insert.plan, insert.most, insert.kept
    made, start = 0, 1
    for turn in range(ROUNDS_OF_KEYS if plan.guarded else ROUNDS):
        lacking = insert.rows - made
        spare = lacking if kept == 1 and not turn else int(lacking / kept * SPARE * (1 + turn)) + 50
        stop = min(start + spare, most + 1)
        came = 0
        for numbers in apart(plan, range(start, stop)):
            statement = filling(plan, lacking - came, numbers, worker.seed, insert.keys)
            came += worker.driver.execute(*sent(statement)).rowcount
        made, start = made + came, stop
        if made >= insert.rows or not came or start > most >= stop:
            break
    return made, start - 1


def _why(plan: TablePlan, made: int, most: int, worst: str) -> str:
    if made >= most:
        return plan.limited if plan.most == most else "each has a parent of its own, and there are no more"
    return "keys met by chance" if plan.guarded or not worst else f"too few rows that were made meet {worst}"


def _tried(plan: TablePlan, most: int, keys: Mapping[Referred, Keys], worker: Worker) -> tuple[float, Sequence[Condition]]:
    """The share of rows that meet all conditions, and the conditions that some do not, that which the fewest meet first."""
    if plan.reason or not plan.conditions:
        return (0.0 if plan.reason else 1.0), ()
    tried = min(TRIED, most)
    found = worker.driver.execute(*sent(trying(plan, range(1, tried + 1), worker.seed, keys))).fetchone()
    (every, *each) = found or (0,)
    met = sorted(zip(each, plan.conditions, strict=True), key=lambda one: one[0])
    return every / tried, [condition for count, condition in met if count < tried]


def _advance(table: Table, worker: Worker) -> None:
    """Let sequences go on behind the keys that were made."""
    for one in table.sequences:
        name = f"{sql(quoted(one.schema))}.{sql(quoted(one.name))}"
        column = f"{'max' if one.increment > 0 else 'min'}({sql(quoted(one.column))})"
        within = f"{column} BETWEEN {one.minimum} AND {one.maximum}"  # others it never comes to
        text = f"SELECT setval(%s::regclass, {column}) FROM {table_name(table.name)} HAVING {within}"
        worker.driver.execute(text.encode(), [name])
