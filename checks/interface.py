"""What a check is, and what it says: findings, outcomes, severities, needs.

A check is one module with a docstring, the constants of :class:`Check` and a function ``run``. It judges
*subjects* one at a time (a foreign key, an index, a declared query) and says one of three things of each:
:class:`Proven`, :class:`Finding` or :class:`NotProven`. Silence about a subject is not allowed, so a check that
could not look never reads as clean.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from checks.evidence import Place
from checks.schema.names import ObjectReference

#: What evidence may hold: everything that JSON can say.
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class Engine(StrEnum):
    """The database engines that dbproof knows."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"
    MARIADB = "mariadb"
    MYSQL = "mysql"
    MONGODB = "mongodb"

    @property
    def label(self) -> str:
        """The engine's name as people write it: ``PostgreSQL``."""
        return _LABELS[self]


_LABELS = {
    Engine.POSTGRESQL: "PostgreSQL",
    Engine.SQLITE: "SQLite",
    Engine.MARIADB: "MariaDB",
    Engine.MYSQL: "MySQL",
    Engine.MONGODB: "MongoDB",
}


class Severity(StrEnum):
    """How much a finding weighs; ``OFF`` keeps a check from running at all."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    OFF = "off"

    @property
    def weight(self) -> int:
        """A number to compare severities by: off 0, notice 1, warning 2, error 3."""
        return _WEIGHTS[self]


_WEIGHTS = {Severity.OFF: 0, Severity.NOTICE: 1, Severity.WARNING: 2, Severity.ERROR: 3}


class Need(StrEnum):
    """What a check cannot do without; where a run cannot give it, the check is skipped with that reason.

    ``ROWS`` are the repository's own: on rows that were made from the schema alone nothing is proven, and what is found weighs
    less. ``ANY_ROWS`` may be such rows too. ``BASE`` is what the base revision's database held, ``Evidence.base`` (of documents
    what was gathered beside it).
    """

    ROWS = "rows"
    ANY_ROWS = "any-rows"
    SANDBOX = "sandbox"
    APP_ROLE = "app-role"
    BASE = "base"
    EVIDENCE = "evidence"
    QUIET = "quiet"


class State(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERRORED = "errored"


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold.

    ``subject`` names it within its check and, with the check's id, makes its fingerprint; the message may be
    reworded at any time. ``objects`` are what provenance is looked up by, the most telling first. ``count`` is exact:
    rows, or whatever the check counts. ``values`` are key values of rows, shown only with ``show_values``. ``invented`` says that
    only rows that were made from the schema show it: it is a warning at most, whatever the settings say.
    """

    subject: str
    message: str
    remedy: str = ""
    severity: Severity | None = None
    objects: tuple[ObjectReference, ...] = ()
    place: Place | None = None
    count: int | None = None
    code: str = ""
    said: str = ""
    detail: str = ""
    values: tuple[str, ...] = ()
    evidence: Mapping[str, Json] = field(default_factory=dict)
    invented: bool = False


@dataclass(frozen=True)
class Proven:
    """A subject that was judged and holds. ``objects`` are the tables by whose rows that is known, where rows were asked."""

    subject: str
    objects: tuple[ObjectReference, ...] = ()


@dataclass(frozen=True)
class NotProven:
    """A subject that could not be judged, and why ("no rows", "type vector")."""

    subject: str
    reason: str


Judgement = Finding | Proven | NotProven


class CouldNotRun(Exception):
    """What a check raises where something that the settings ask for could not be done: it errored, for the reason given."""


@dataclass(frozen=True)
class Outcome:
    """How one check ended on one database. ``seconds`` is wall time; ``reason`` says why it was skipped or errored.

    ``known_by`` are the tables by whose rows proven subjects are known.
    """

    check: str
    state: State
    reason: str = ""
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    proven: tuple[str, ...] = ()
    not_proven: tuple[NotProven, ...] = ()
    known_by: Mapping[str, tuple[ObjectReference, ...]] = field(default_factory=dict)


TargetT = TypeVar("TargetT", contravariant=True)


class Check(Protocol[TargetT]):
    """What the module of a check offers; the module itself is the implementation.

    ``SUBJECTS`` says in the plural what is judged one at a time ("declared references"), and ``PROVES`` what is true
    of a proven one ("refuse an orphan"), so that "58 of 58 declared references refuse an orphan" can be said.
    """

    @property
    def SEVERITY(self) -> Severity: ...
    @property
    def ENGINES(self) -> frozenset[Engine]: ...
    @property
    def NEEDS(self) -> frozenset[Need]: ...
    @property
    def SUBJECTS(self) -> str: ...
    @property
    def PROVES(self) -> str: ...
    @property
    def run(self) -> Run[TargetT]: ...


class Run(Protocol[TargetT]):
    """The function of a check: it yields one judgement a subject, and raises when it could not look."""

    def __call__(self, target: TargetT, /) -> Iterator[Judgement]: ...


def fingerprint(check: str, subject: str) -> str:
    """32 hexadecimal characters that stay the same for the same check and subject (never made from the message)."""
    return hashlib.sha256(f"{check}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
