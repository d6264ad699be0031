"""What happened in a run, as frozen data: migrations, statements, failures, provenance.

The runner gathers it, checks judge it, reports show it. Nothing here knows a database driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from checks.measured import IndexGain, QueryTiming, WriteCost
from checks.schema.model import Catalogue
from checks.schema.names import ObjectReference, TableName

if TYPE_CHECKING:
    from checks.advice import Advice
    from checks.drift import Drift
    from checks.histories import EditedMigration
    from checks.milder import MilderRows
    from checks.previous import Previous
    from checks.reversals import Reversal, SecondRun
    from checks.survivals import Survivals
    from checks.traffic import Traffic
    from checks.work import Work


@dataclass(frozen=True)
class Place:
    """Where something stands: a file relative to the repository's root, and a line (from 1) where one is known."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class MigrationState(StrEnum):
    """How far a migration came."""

    APPLIED = "applied"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True)
class Migration:
    """One migration of the repository. ``new`` says that the base revision does not have it; ``seconds`` is wall time."""

    revision: str
    title: str
    place: Place
    state: MigrationState
    new: bool
    seconds: float | None = None


@dataclass(frozen=True)
class Lock:
    """A lock taken on a relation that existed before the migration; ``mode`` in PostgreSQL's words (``AccessExclusiveLock``)."""

    relation: str
    mode: str


@dataclass(frozen=True)
class Rewrite:
    """A table that a statement rewrote, with PostgreSQL's reason."""

    relation: str
    reason: str


@dataclass(frozen=True)
class Statement:
    """One statement that the server executed while migrations were applied.

    ``seconds`` is the server's own duration. ``made`` and ``dropped`` are the objects it made and dropped, seen by the
    recorder even where the client's transaction was rolled back later (then ``undone`` is true). Of new migrations alone there
    is more: ``changed`` are objects that it altered, ``invalid`` indexes that it left invalid, and ``work`` its rows and log.
    """

    text: str
    place: Place | None = None
    revision: str | None = None
    seconds: float | None = None
    made: tuple[ObjectReference, ...] = ()
    dropped: tuple[ObjectReference, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    locks: tuple[Lock, ...] = ()
    undone: bool = False
    changed: tuple[ObjectReference, ...] = ()
    invalid: tuple[ObjectReference, ...] = ()
    work: Work | None = None


@dataclass(frozen=True)
class MigrationFailure:
    """Why migrating stopped. ``code`` is the SQLSTATE where the server refused, ``said`` the server's or tool's words.

    ``detail`` may quote rows and is shown only with ``show_values``. ``on_rows`` is true when the same migration passes on
    an empty copy, ``invented`` when it passes on the repository's own rows and only those that were made from the schema stop
    it. ``timed_out`` is true when the tool was ended at its deadline.
    """

    revision: str | None
    place: Place | None
    statement: str
    code: str
    said: str
    detail: str = ""
    on_rows: bool = False
    invented: bool = False
    timed_out: bool = False


@dataclass(frozen=True)
class SuperuserNeeded:
    """The statement that the database's owner had no right to (``code``), so that migrations ran again as superuser."""

    place: Place | None
    revision: str | None
    statement: str
    said: str
    code: str = "42501"


@dataclass(frozen=True)
class LoadedFile:
    """One of the repository's data files, loaded in order; ``refused`` says where and why the server stopped it."""

    file: str
    refused: MigrationFailure | None = None


@dataclass(frozen=True)
class FilledTable:
    """What became of a table or collection that was empty: how many rows were made of those wanted, and why not more."""

    table: TableName
    rows: int
    wanted: int
    reason: str = ""


@dataclass(frozen=True)
class Made:
    """Which statement made an object last: its place, its text and its revision."""

    place: Place
    statement: str
    revision: str | None = None


@dataclass(frozen=True)
class Counted:
    """How many rows break a rule, exactly. ``groups`` is how many different values rows share, where two may not.

    ``values`` are keys of the first rows; ``gap`` says why they could not be counted.
    """

    rows: int
    groups: int = 0
    values: tuple[str, ...] = ()
    gap: str = ""


@dataclass(frozen=True)
class DeleteAttempt:
    """What became of a parent with ``children`` documents that name it, and of those, when the application's command deleted it.

    ``refused`` says that the command failed, with its last words in ``said``; ``changed`` are the collections that differ after.
    Of the children that were followed some are ``gone``, ``named`` name it still, ``emptied`` do not refer any more, ``moved``
    name another. ``dangling`` are references that dangle since, and how many. ``alone`` is why the same parent was not deleted
    without its children either, empty where it was. ``key`` is the parent's; ``gap`` says why nothing can be concluded.
    """

    key: str = ""
    children: int = 0
    refused: bool = False
    said: str = ""
    changed: tuple[str, ...] = ()
    parent_left: bool = True
    gone: int = 0
    named: int = 0
    emptied: int = 0
    moved: int = 0
    dangling: tuple[tuple[str, int], ...] = ()
    alone: str = ""
    gap: str = ""


@dataclass(frozen=True)
class Evidence:
    """All that a run gathered about one database at one revision.

    ``base`` is what the base revision's database held, ``None`` where there is none to compare with (``Need.BASE``).
    ``audits`` is gathered where the new migrations failed on base's rows: by the subjects of ``constraint-violation``, how many
    of those rows break each rule that head has and base has not. ``deletes`` are what came of the application's own commands, by
    the reference that declares a delete rule. ``filled`` are the tables for which rows were made from the schema; ``invented``
    hold no others, and ``derived`` what migrations wrote when made rows were there. ``reversals`` are the new migrations on their
    way back, and ``second_run`` is what came of applying once more. ``drift`` is in what the project's models differ, ``None``
    where it has none, ``previous`` what became of base's release on this schema, and ``advice`` what a linter says.
    ``survivals`` is what became of base's rows, ``None`` where nothing is new or there is no base; ``milder`` are the rows that
    this and ``traffic`` tell of where made rows stopped the new migrations, ``certain`` is what stopped them on those too, and
    would on any row. ``edited`` are base's migrations whose files head has edited or deleted.
    ``traffic`` is what the new migrations did to sessions beside them, ``None`` where that was not looked at. ``base_failed``
    says that base's own migrations fail, so that head was built from nothing, and ``untold`` that the change touches files which
    migrations may be in while their tool tells of no revisions.
    """

    migrations: tuple[Migration, ...] = ()
    statements: tuple[Statement, ...] = ()
    failure: MigrationFailure | None = None
    superuser_needed: SuperuserNeeded | None = None
    queries: tuple[QueryTiming, ...] = ()
    gains: tuple[IndexGain, ...] = ()
    writes: tuple[WriteCost, ...] = ()
    loaded: tuple[LoadedFile, ...] = ()
    filled: tuple[FilledTable, ...] = ()
    invented: frozenset[TableName] = frozenset()
    derived: frozenset[TableName] = frozenset()
    provenance: Mapping[ObjectReference, Made] = field(default_factory=dict)
    base: Catalogue | None = None
    audits: Mapping[str, Counted] = field(default_factory=dict)
    deletes: Mapping[str, DeleteAttempt] = field(default_factory=dict)
    reversals: tuple[Reversal, ...] = ()
    second_run: SecondRun | None = None
    traffic: Traffic | None = None
    drift: Drift | None = None
    previous: Previous | None = None
    advice: Advice | None = None
    survivals: Survivals | None = None
    milder: MilderRows | None = None
    certain: MigrationFailure | None = None
    edited: tuple[EditedMigration, ...] = ()
    base_failed: bool = False
    untold: bool = False

    @property
    def incomplete(self) -> bool:
        """Whether migrating stopped on the way, so that what is not there says nothing about the repository."""
        return self.failure is not None and not self.failure.on_rows
