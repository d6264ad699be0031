"""The rows that are made for the empty tables of a database: on base before the new migrations, on head behind them.

Where its rows are from is kept apart: the repository's own, or made from the schema (and what migrations make of such).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, FilledTable
from checks.rows.document_sets.wishes import DocumentWishes
from checks.rows.sets.wishes import Wishes
from checks.schema.names import TableName
from checks.targets import RelationalTarget
from runner.data.generated.filled import Filled, Say, WantedRows
from runner.data.generated.given import ColumnRefused
from runner.errors import UsageError
from runner.gathering import counted
from runner.plan import Plan
from runner.servers.interface import Database, Server
from runner.settings.amounts import SEED
from runner.settings.engines import DOCUMENTS
from runner.settings.model import DatabaseSettings
from runner.settings.wording import did_you_mean, key_path


@dataclass(frozen=True)
class Rows:
    """Where a database's rows are from: what was ``filled``, the tables that hold rows of the repository's ``own``, those whose
    rows are ``invented``, and those that migrations filled when such were there (``derived``). ``refilled`` were empty behind the
    migrations, and hold nothing but what was made since."""

    filled: tuple[FilledTable, ...] = ()
    own: frozenset[TableName] = frozenset()
    invented: frozenset[TableName] = frozenset()
    derived: frozenset[TableName] = frozenset()
    refilled: frozenset[TableName] = frozenset()

    def told(self, evidence: Evidence) -> Evidence:
        """The evidence with it."""
        return replace(evidence, filled=self.filled, invented=self.invented, derived=self.derived)


#: A database in which no rows were made.
NONE_MADE = Rows()


def wanted_rows(settings: DatabaseSettings, each: int | None = None, seed: int | None = None) -> WantedRows:
    """What the settings ask for; ``each`` and ``seed`` stand above them."""
    data, tenancy = settings.data, settings.tenancy
    column = tenancy.column if tenancy else ()
    wishes = Wishes((column,) if isinstance(column, str) else tuple(column), data.columns)
    given = seed if seed is not None else data.seed
    return WantedRows((data.rows or 0) if each is None else each, data.by_table, SEED if given is None else given, wishes)


def filled_on_base(plan: Plan, server: Server, database: Database, without: Collection[TableName] | None = None) -> Rows:
    """Fill base; what the settings name that base does not have may come with the new migrations. Raises UsageError.

    With ``without`` the rows are milder ones, and these tables get none.
    """
    own = _with_rows(plan, server, database)
    filled = _filled(plan, database) if without is None else _mildly_filled(plan, database, without)
    return Rows(filled.tables, own, frozenset(one.table for one in filled.with_rows))


def filled_on_head(plan: Plan, server: Server, database: Database, base: Rows = NONE_MADE, complete: bool = True) -> Rows:
    """Fill what is empty behind the migrations; ``base`` says what was made before them.

    Raises UsageError for a table or column of the settings that is not there, if the migrations are ``complete``.
    """
    if not plan.settings.data.makes_rows:
        if complete and plan.settings.data.production_rows and plan.settings.engine not in DOCUMENTS:
            refuse_unknown(plan, Filled(known=_known(plan, server, database)))
        return base
    held = _with_rows(plan, server, database) if base.invented else frozenset[TableName]()
    filled = _filled(plan, database)
    if complete:
        refuse_unknown(plan, filled)
    every = {one.table: one for one in (*base.filled, *filled.tables) if one.table in filled.known}
    invented = held & base.invented | {one.table for one in filled.with_rows}
    refilled = frozenset(one.table for one in filled.with_rows)
    return Rows(tuple(every.values()), base.own, invented, held - base.own - base.invented, refilled)


def _filled(plan: Plan, database: Database) -> Filled:
    with plan.progress.stage("rows") as stage:
        filled = made(plan, database, wanted_rows(plan.settings), stage.say)
        stage.say(said(filled))
    return filled


def _mildly_filled(plan: Plan, database: Database, without: Collection[TableName]) -> Filled:
    wanted = wanted_rows(plan.settings)
    most = max(wanted.each, *wanted.tables.values(), 1)
    tables = {**wanted.tables, **{name.label(): 0 for name in without}}
    with plan.progress.stage("milder") as stage:
        mild = replace(wanted, tables=tables, wishes=replace(wanted.wishes, mild=most))
        filled = made(plan, database, mild, stage.say)
        stage.say(said(filled))
    return filled


def made(plan: Plan, database: Database, wanted: WantedRows, say: Say) -> Filled:
    """Let the backend fill a database. Raises UsageError for an expression that the server cannot read."""
    if plan.settings.engine in DOCUMENTS:
        asked = wanted.wishes
        wishes = DocumentWishes(
            asked.tenants, asked.given, mild=asked.mild, expect=plan.expect.documents, elsewhere=plan.elsewhere
        )
        wanted = replace(wanted, wishes=wishes)
    try:
        return plan.backend.fill(database, replace(wanted, references=plan.expect.references), say)
    except ColumnRefused as refused:
        where = place(plan, "columns", refused.column)
        raise UsageError(f"{where}: {refused.said}", f"Correct the expression of {refused.column}.") from None


def said(filled: Filled) -> str:
    """What came of filling, for a stage's line."""
    empty = sum(not one.rows for one in filled.tables)
    left = f", {counted(empty, 'table')} left empty" if empty else ""
    return (
        f"{counted(filled.rows, 'row')} in {counted(len(filled.with_rows), 'table')}{left}" if filled.tables else "none missing"
    )


def reasons(filled: Collection[FilledTable]) -> Iterator[str]:
    """A line for each table that did not get all that was wanted."""
    for one in filled:
        if one.rows < one.wanted:
            yield f"{one.table.label()}: {one.rows} of {one.wanted} rows, {one.reason}"


def refuse_unknown(plan: Plan, filled: Filled) -> None:
    """Raise UsageError for tables and columns of the settings that are not there."""
    data, tables = plan.settings.data, {name.label() for name in filled.known}
    columns = {f"{name.label()}.{column}" for name, columns in filled.known.items() for column in columns}
    named = [(key, name, tables) for key in ("tables", "production_rows") for name in getattr(data, key)]
    named += [("columns", name, columns) for name in data.columns]
    lines = [
        f"{place(plan, key, name)}: there is no such {'column' if key == 'columns' else 'table'}{did_you_mean(name, known)}"
        for key, name, known in named
        if name not in known
    ]
    if lines:
        raise UsageError("\n".join(lines))


def place(plan: Plan, key: str, name: str) -> str:
    """Where a table or column stands in the settings."""
    file = f"{plan.settings_file.as_posix()}: " if plan.settings_file else ""
    return file + key_path(("databases", plan.name, "data", key, name))


def _known(plan: Plan, server: Server, database: Database) -> dict[TableName, list[str]]:
    """All tables with their columns, where no generator told them."""
    with plan.backend.target(server, None, database, Expectations(), Evidence()) as target:
        catalogue = cast("RelationalTarget", target).catalogue
    return {table.name: [column.name for column in table.columns] for table in catalogue.tables}


def _with_rows(plan: Plan, server: Server, database: Database) -> frozenset[TableName]:
    """The tables that hold rows."""
    with plan.backend.target(server, None, database, Expectations(), Evidence()) as target:
        filled = cast("Any", target).filled
    return frozenset(TableName("", name) for name in filled) if server.engine in DOCUMENTS else frozenset(filled)
