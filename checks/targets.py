"""What a check is handed: the capabilities of one relational database at one revision, as protocols.

Statements are SQLAlchemy Core expressions, so that identifiers are quoted and values bound by the engine's own dialect;
the repository's own SQL (a declared query) goes through :meth:`ReadSession.raw`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from checks.declared.candidates import CheckCandidate, UniqueCandidate
from checks.declared.expectations import Expectations
from checks.evidence import Evidence
from checks.interface import Engine
from checks.schema.model import Catalogue, CheckConstraint, Index
from checks.schema.names import ObjectReference, TableName

if TYPE_CHECKING:
    from sqlalchemy import Executable


class Role(StrEnum):
    """Who connects: our superuser, the owner of the database who migrates, or what the application connects as."""

    ADMIN = "admin"
    OWNER = "owner"
    APP = "app"


@dataclass(frozen=True)
class Insert:
    """Insert one row; columns that ``values`` does not name take their default."""

    table: TableName
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Delete:
    """Delete the rows whose columns equal ``key``."""

    table: TableName
    key: Mapping[str, Any]


@dataclass(frozen=True)
class Update:
    """Give the rows whose columns equal ``key`` these values."""

    table: TableName
    key: Mapping[str, Any]
    values: Mapping[str, Any]


Write = Insert | Update | Delete


@dataclass(frozen=True)
class Accepted:
    """The write went through and touched this many rows; 0 means that a trigger or rule swallowed it."""

    rows: int


@dataclass(frozen=True)
class Refused:
    """The server refused: its SQLSTATE, the constraint, table and column it named (empty for none) and its words."""

    code: str
    constraint: str
    said: str
    relation: str = ""
    column: str = ""


Verdict = Accepted | Refused


class ReadSession(Protocol):
    """A session that reads and cannot write."""

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement; raises :class:`StatementFailed` with the server's words."""
        ...

    def stream(self, statement: Executable) -> Iterator[tuple[Any, ...]]:
        """The rows of a SQLAlchemy Core statement one by one, so that any number of them takes no memory.

        Raises StatementFailed, also while they are read; the session is used for nothing else until they are.
        """
        ...

    def raw(self, sql: str, limit: int) -> Sequence[tuple[Any, ...]]:
        """At most ``limit`` rows of the repository's own SQL, sent as it is; raises :class:`StatementFailed`."""
        ...


class Trial(Protocol):
    """Several writes one after the other, each of which sees those before; all are undone when the trial ends."""

    def write(self, write: Write) -> Verdict:
        """Write; a refused one changes nothing, and the trial goes on. Deferred constraints answer at once.

        Raises StatementFailed where the session was lost: that says nothing about the write.
        """
        ...

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement, as the trial left them so far.

        Raises StatementFailed, and the trial goes on.
        """
        ...

    def undone(self) -> AbstractContextManager[None]:
        """A part of the trial: what is written in it is undone when it ends, and what was written before is there again."""
        ...


class Sandbox(Protocol):
    """A copy, or a transaction that is undone, in which anything may be tried; one trial at a time."""

    def trial(
        self, only: Sequence[ObjectReference] | None = None, tables: Sequence[TableName] = ()
    ) -> AbstractContextManager[Trial]:
        """A trial with everything in place: the real rows, constraints, triggers, rules.

        With ``only``, a trial of these alone, on ``tables`` (without any: on those that ``only`` names). Each is empty, and all
        else that could refuse, change or swallow a row of it is taken away, or met where the engine cannot take it away: a
        column that must have a value and that an insert does not name gets one, a row that another reference wants is there.
        ``only`` may name, in any number:

        - a constraint: a foreign key (where its parent is among ``tables`` too, that keeps the key which is referred to), a
          CHECK, a primary key (its columns stay NOT NULL), a UNIQUE or an EXCLUDE constraint;
        - an index: a unique one that no constraint stands on;
        - a column: its NOT NULL, where it has one.

        Or nothing at all (``only=()`` with ``tables``): then there are only columns with their types. A partition among
        ``tables`` is taken out of its table and stands for it; a partitioned table takes any row, into a partition of the
        trial's own where no other is for it. Tables that are not among ``tables`` stay as they are, with their rows.

        Raises StatementFailed where something that ``only`` names is not there, or the server does not let go of something.
        """
        ...

    def attempt(self, write: Write, only: ObjectReference | None = None) -> Verdict:
        """Try a write and undo it: a trial of one write, with everything in place.

        With ``only``, every other constraint and trigger of the table is taken away, so that the named constraint alone can
        answer; unlike in a trial, rows may be there.
        """
        ...

    def rows(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """All rows of a SQLAlchemy Core statement, as the sandbox sees them."""
        ...


class Target(Protocol):
    """A database at one revision, of whatever kind: what is declared of it and what happened to it."""

    @property
    def engine(self) -> Engine: ...
    @property
    def expect(self) -> Expectations: ...
    @property
    def evidence(self) -> Evidence: ...


class RelationalTarget(Target, Protocol):
    """A relational database at one revision, with what is known and what may be done."""

    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def filled(self) -> frozenset[TableName]:
        """The tables that hold at least one row."""
        ...

    def rows(self) -> AbstractContextManager[ReadSession]:
        """A read-only session."""
        ...

    def sandbox(self, role: Role = Role.ADMIN) -> AbstractContextManager[Sandbox]:
        """A sandbox of this database; what happens in it is gone when the context ends."""
        ...

    def read_back(self, declared: Sequence[CheckCandidate | UniqueCandidate]) -> Sequence[ReadBack] | None:
        """Constraints of existing tables in the server's own words, each upon an empty copy of its table that is gone after.

        Locks the tables as a sandbox does, so nothing else may run. ``None`` where nothing may be written.
        """
        ...


#: A declared constraint as the catalogue would have it, or why the server did not take it.
ReadBack: TypeAlias = "CheckConstraint | Index | StatementFailed"


class StatementFailed(Exception):
    """A statement of a check failed: the SQLSTATE (empty where the engine has none) and the server's words.

    ``gap`` is the reason where it was not the statement's fault but could not be answered here ("permission denied", "stopped
    after 60 s"): its subject is then not proven, and the check goes on. It is empty for a statement that is wrong.
    """

    def __init__(self, said: str, code: str = "", gap: str = "") -> None:
        super().__init__(f"{code}: {said}" if code else said)
        self.code = code
        self.said = said
        self.gap = gap
