"""Fills the empty tables of a relational database, whatever its engine: in which order, how many rows, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from checks.interface import Engine
from checks.rows.judging import Dialect
from checks.rows.missing import Read
from checks.rows.sets.language import Keys, MadeKeys, Statement
from checks.rows.sets.order import Turn, turns
from checks.rows.sets.plan import Numbered, Referred, TablePlan
from checks.rows.sets.planner import Planner
from checks.rows.sets.rendering import filled_columns
from checks.rows.sets.retouching import Manner, Retouching
from checks.rows.sets.wishes import Wishes
from checks.rows.terms import Condition
from checks.schema.model import Catalogue, ForeignKey, Table
from checks.schema.names import TableName
from checks.sql.orphans import counted
from checks.targets import StatementFailed
from runner.data.generated.filled import FilledTable, Say
from runner.data.generated.retouched import retouch
from runner.errors import ServerFailed

#: Rows by which it is tried how many of those that are made meet all conditions, the share of them below which values are looked
#: for that go together, and the least share.
TRIED = 2_000
RARE = 0.25
LEAST = 0.02
#: So many more rows are made than the share asks for.
SPARE = 1.15
#: How often more rows are made where too few came, and where keys may meet.
ROUNDS = 5
ROUNDS_OF_KEYS = 16

_ENDLESS = 2**62


class Loader(Protocol):
    """What an engine does to fill a table; each raises StatementFailed for what the server refuses."""

    @property
    def manner(self) -> Manner:
        """How single rows are changed."""
        ...

    def execute(self, statement: Statement) -> int:
        """Execute a statement, which happens as a whole or not at all; gives how many rows it wrote."""
        ...

    def rows(self, statement: Statement) -> Sequence[Sequence[object]]:
        """All rows of a query."""
        ...

    def is_empty(self, table: Table) -> bool:
        """Whether a table holds no rows."""
        ...

    def listed(self, name: str, referred: Referred, columns: Sequence[str], shared: Sequence[str]) -> int:
        """Number the parent's keys in a temporary table of this name; gives how many there are."""
        ...

    def adapted(self, plan: TablePlan) -> TablePlan:
        """The plan without what only the engine knows that a column does not take."""
        ...

    def tried(self, plan: TablePlan, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> Sequence[int]:
        """How many of the rows with these numbers meet all conditions, then how many meet each."""
        ...

    def insert(self, plan: TablePlan, rows: int, numbers: range, seed: int, keys: Mapping[Referred, Keys]) -> int:
        """Insert at most so many of the rows with these numbers, those that meet the conditions; gives how many came."""
        ...

    def undo(self, table: Table) -> None:
        """Leave a table empty again whose rows were refused half-way."""
        ...

    def refer(self, plan: TablePlan, referred: Referred, seed: int, keys: Keys) -> None:
        """Fill in a reference that had to wait."""
        ...

    def advance(self, table: Table) -> None:
        """Let what numbers new rows go on behind the keys that were made."""
        ...

    def keys_met(self, failure: StatementFailed) -> bool:
        """Whether a statement was refused because two rows have the same key."""
        ...


@dataclass
class Filling:
    """A database while it is filled."""

    catalogue: Catalogue
    dialect: Dialect
    loader: Loader
    read: Read
    seed: int
    wishes: Wishes
    keys: dict[tuple[object, ...], Keys] = field(default_factory=dict)
    made: dict[tuple[TableName, str], MadeKeys] = field(default_factory=dict)


@contextmanager
def lost(engine: Engine) -> Iterator[None]:
    """What ends the filling of a database, said plainly: raises ServerFailed."""
    try:
        yield
    except StatementFailed as failure:
        said = f"rows could not be made: {engine.label} says: {failure.said}"
        raise ServerFailed(said, "See whether it still runs, and who else is at work there.") from None


def filled(run: Filling, wanted: Mapping[TableName, int], say: Say) -> tuple[FilledTable, ...]:
    """Fill every table of ``wanted`` that is empty; what cannot be filled is left empty, with the reason.

    At the end each reference is counted. Raises StatementFailed where the server is lost.
    """
    done = list(_filled(run, wanted, say))
    made = {one.table for one in done if one.rows}
    say("references")
    keys = (key for key in run.catalogue.foreign_keys if key.table in made)
    left = {key: rows for key in keys if (rows := _orphans(key, run.catalogue, run.read, run.dialect.ENGINE))}
    return tuple(_told(one, left) for one in done)


def _filled(run: Filling, wanted: Mapping[TableName, int], say: Say) -> Iterator[FilledTable]:
    planner = Planner(run.catalogue, run.dialect, run.read)
    later: list[tuple[TablePlan, Referred]] = []
    for turn in turns(run.catalogue):
        rows = wanted.get(turn.table.name, 0)
        if not rows or not run.loader.is_empty(turn.table):
            continue
        say(f"{turn.table.name.label()}, {rows} rows")
        plan, done = _attempted(turn, planner, rows, run)
        if done.rows:
            run.loader.advance(turn.table)
            _retouch(plan, done.rows, run)
            later += [(plan, referred) for referred in plan.later]
        yield done
    for plan, referred in later:
        _refer(plan, referred, run)


def _retouch(plan: TablePlan, made: int, run: Filling) -> None:
    """Let a few keys be as alike as the schema allows; those that people look at stay as they are."""
    if run.wishes.readable is not None or run.wishes.mild:
        return
    given = [name for name in plan.table.column if f"{plan.table.name.label()}.{name}" in run.wishes.given]
    retouching = Retouching(plan, run.catalogue, (*given, *run.wishes.tenants), run.loader.manner)

    def attempt(statement: Statement) -> bool:
        try:
            return run.loader.execute(statement) > 0
        except StatementFailed as failure:
            if not failure.code:
                raise
            return False

    retouch(retouching, made, run.loader.rows, attempt)


def orphans(catalogue: Catalogue, read: Read, engine: Engine) -> Mapping[ForeignKey, int]:
    """How many rows of each reference have no parent: none, where everything went well."""
    found = {key: _orphans(key, catalogue, read, engine) for key in catalogue.foreign_keys}
    return {key: rows for key, rows in found.items() if rows}


def _orphans(key: ForeignKey, catalogue: Catalogue, read: Read, engine: Engine) -> int:
    return int(read(counted(key, catalogue, engine))[0][0])


def _told(done: FilledTable, left: Mapping[ForeignKey, int]) -> FilledTable:
    """What became of a table, and which of its references do not hold, which none should."""
    wrong = [f"{rows} rows have no parent by {key.label}" for key, rows in left.items() if key.table == done.table]
    return replace(done, reason="; ".join([*([done.reason] if done.reason else []), *wrong]))


def _attempted(turn: Turn, planner: Planner, rows: int, run: Filling) -> tuple[TablePlan, FilledTable]:
    """Plan one table and fill it; where an expression of the schema fails on some value, once more without extreme ones."""
    for ends in (True, False):
        try:
            return _one(turn, planner, rows, run, ends=ends)
        except StatementFailed as failure:
            if not failure.code:
                raise
            run.loader.undo(turn.table)
            reason = f"{run.dialect.ENGINE.label} refuses its rows: {failure.said}"
    return TablePlan(turn.table), FilledTable(turn.table.name, 0, rows, reason)


def _one(turn: Turn, planner: Planner, rows: int, run: Filling, *, ends: bool) -> tuple[TablePlan, FilledTable]:
    """Plan one table and fill it."""
    name = turn.table.name
    plan = run.loader.adapted(planner.planned(turn, run.wishes, ends=ends))
    keys = {source: _keys(source, run) for source in plan.sources if isinstance(source, Referred)}
    if orphan := next((source for source, found in keys.items() if not found.rows and not source.nulls), None):
        plan = replace(plan, reason=f"{orphan.key.parent.label()} is empty, and {orphan.key.label} must refer to it")
    if not plan.reason and not filled_columns(plan):
        plan = replace(plan, reason="no column of it has values that are known")
    if plan.reason:
        return plan, FilledTable(name, 0, rows, plan.reason)
    bounds = [plan.most, *(found.rows for source, found in keys.items() if source.once and not source.nulls)]
    most = min((bound for bound in bounds if bound is not None), default=_ENDLESS)
    plan, kept, worst = _best(turn, plan, planner, most, keys, run)
    if kept < LEAST:
        return plan, FilledTable(name, 0, rows, plan.reason or f"no row that was made meets {worst}")
    try:
        made = _made(plan, min(rows, most), most, kept, keys, run)
    except StatementFailed as failure:
        if plan.guarded or not run.loader.keys_met(failure):
            raise
        run.loader.undo(turn.table)
        plan = replace(plan, guarded=True)  # what was thought to keep keys apart does not: an expression, a collation
        made = _made(plan, min(rows, most), most, kept, keys, run)
    return plan, FilledTable(name, made, rows, "" if made >= rows else _why(plan, made, most, worst))


def _best(
    turn: Turn, plan: TablePlan, planner: Planner, most: int, keys: Mapping[Referred, Keys], run: Filling
) -> tuple[TablePlan, float, str]:
    """The plan, or a better one where rows would not meet all conditions; the share that does, and what the fewest meet."""
    kept, failing = _tried(plan, most, keys, run)
    if kept == 1:
        return plan, kept, ""
    rare = kept < RARE
    other = planner.coupled(turn, plan, run.wishes) if rare else planner.mended(turn, plan, failing, run.wishes)
    other = run.loader.adapted(other)
    try:
        better, left = _tried(other, most, keys, run)
    except StatementFailed as failure:  # SQLite reads statements of so many layers only
        if not failure.code or rare:
            raise
        better, left = 0.0, ()
    if better > kept or kept < LEAST:
        plan, kept, failing = other, better, left
    return plan, kept, failing[0].name if failing else ""


def _made(plan: TablePlan, rows: int, most: int, kept: float, keys: Mapping[Referred, Keys], run: Filling) -> int:
    """Insert until there are so many rows, or no more come; gives how many there are. Notes keys that have no gap."""
    made, start = 0, 1
    for turn in range(ROUNDS_OF_KEYS if plan.guarded else ROUNDS):
        lacking = rows - made
        spare = lacking if kept == 1 and not turn else int(lacking / kept * SPARE * (1 + turn)) + 50
        stop = min(start + spare, most + 1)
        came = run.loader.insert(plan, lacking, range(start, stop), run.seed, keys)
        made, start = made + came, stop
        if made >= rows or not (came or plan.guarded) or start > most:
            break
    if made and made == start - 1:
        sources = (source for source in plan.sources if isinstance(source, Numbered))
        run.made |= {(plan.table.name, source.column): MadeKeys(plan.table, source, made) for source in sources}
    return made


def _why(plan: TablePlan, made: int, most: int, worst: str) -> str:
    if made >= most:
        return plan.limited if plan.most == most else "each has a parent of its own, and there are no more"
    return "keys met by chance" if plan.guarded or not worst else f"too few rows that were made meet {worst}"


def _tried(plan: TablePlan, most: int, keys: Mapping[Referred, Keys], run: Filling) -> tuple[float, Sequence[Condition]]:
    """The share of rows that meet all conditions, and the conditions that some do not, that which the fewest meet first."""
    if plan.reason or not plan.conditions:
        return (0.0 if plan.reason else 1.0), ()
    tried = min(TRIED, most)
    every, *each = run.loader.tried(plan, range(1, tried + 1), run.seed, keys)
    met = sorted(zip(each, plan.conditions, strict=True), key=lambda one: one[0])
    return every / tried, [condition for count, condition in met if count < tried]


def _keys(referred: Referred, run: Filling) -> Keys:
    """The parent's keys: as they were made where that is known, else in a temporary table."""
    key = referred.key
    made = run.made.get((key.parent, key.parent_columns[0]))
    if made is None or len(key.columns) > 1 or referred.shared or referred.carried:
        return _listed(referred, run)
    mine, theirs = run.catalogue.table[key.table].column[key.columns[0]], made.table.column[key.parent_columns[0]]
    return Keys("", key.parent_columns, made.rows, made=made) if mine.type == theirs.type else _listed(referred, run)


def _listed(referred: Referred, run: Filling) -> Keys:
    """The parent's keys in a temporary table, made once for all references that need the same."""
    key, shared = referred.key, tuple(dict.fromkeys(referred.shared.values()))
    columns = tuple(dict.fromkeys((*key.parent_columns, *referred.carried.values())))
    known = (key.parent, columns, shared)
    if known not in run.keys:
        name = f"dbproof_keys_{len(run.keys) + 1}"
        run.keys[known] = Keys(name, columns, run.loader.listed(name, referred, columns, shared), shared)
    return run.keys[known]


def _refer(plan: TablePlan, referred: Referred, run: Filling) -> None:
    """Fill in a reference that had to wait; where the server refuses, it stays NULL."""
    try:
        run.loader.refer(plan, referred, run.seed, _listed(referred, run))
    except StatementFailed as failure:
        if not failure.code:
            raise
