"""The one frozen value that every report is made from.

Text in it is redacted and neutralised already (``runner.report_building``); a reporter only escapes for its own format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from checks.evidence import Place
from checks.interface import Json, Severity, State
from checks.rulebook.inventory import Inventory
from checks.work import Log as Log
from checks.work import TableWork as TableWork
from checks.work import Work as Work
from runner.errors import Exit
from runner.report_measured import Measured as Measured
from runner.report_measured import ReportedGain as ReportedGain
from runner.report_measured import ReportedQuery as ReportedQuery
from runner.report_measured import ReportedWrite as ReportedWrite
from runner.report_measured import Sorting as Sorting
from runner.report_measured import Writing as Writing
from runner.report_migrations import ReportedMigration as ReportedMigration
from runner.report_migrations import ReportedStatement as ReportedStatement
from runner.report_migrations import ReportedWait as ReportedWait
from runner.report_rows import MadeRows as MadeRows
from runner.report_rows import MilderRows as MilderRows
from runner.report_rows import ShortTable as ShortTable
from runner.report_verdict import Coverage as Coverage
from runner.report_verdict import Criterion as Criterion
from runner.report_verdict import Held as Held
from runner.report_verdict import Quality as Quality

#: The version of ``report.json``; its JSON Schema is published with it.
SCHEMA_VERSION = "1.0"


class Standing(StrEnum):
    """Whether a finding counts: it is new, the base revision has it too, or the repository accepts it."""

    NEW = "new"
    KNOWN = "known"
    ALLOWED = "allowed"


class Verdict(StrEnum):
    """What the run comes to, in words for people and pipelines."""

    GO = "go"
    NO_GO = "no-go"
    NOTHING_CHECKED = "nothing-checked"
    BROKEN = "broken"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Provenance:
    """The migration's file and line that made what a finding names; ``statement`` is an excerpt."""

    place: Place
    statement: str = ""
    revision: str | None = None


@dataclass(frozen=True)
class Allowance:
    """Where and why a finding was accepted; ``until`` is the last day in ISO 8601, empty where there is none."""

    place: Place
    reason: str
    until: str = ""
    expired: bool = False


@dataclass(frozen=True)
class ReportedFinding:
    """A finding as reports show it. ``values`` and ``detail`` are empty without ``show_values``.

    ``allowed`` is also there where the allow is past its date: such a finding counts again, as a warning that fails nothing.
    """

    check: str
    subject: str
    severity: Severity
    state: Standing
    message: str
    fingerprint: str
    provenance: Provenance | None = None
    count: int | None = None
    code: str = ""
    said: str = ""
    detail: str = ""
    values: tuple[str, ...] = ()
    evidence: Mapping[str, Json] = field(default_factory=dict)
    remedy: str = ""
    fails: bool = False
    allowed: Allowance | None = None


@dataclass(frozen=True)
class ReportedGap:
    """A subject that was not proven, and why."""

    subject: str
    reason: str


@dataclass(frozen=True)
class ReportedGone:
    """A finding of base that head has not; ``holds`` says that its subject was proven on head, else it is not there any more."""

    subject: str
    severity: Severity
    message: str
    fingerprint: str
    holds: bool


@dataclass(frozen=True)
class ReportedCheck:
    """One check on one database. ``proven`` counts subjects; ``subjects`` and ``proves`` make the sentence.

    ``area`` is the check's package (``references``), by which pipelines group. ``severity`` is what a subject weighs that holds,
    ``probe`` says that it writes to see what happens, ``gone`` is what base has and head has not any more.
    """

    id: str
    outcome: State
    reason: str
    seconds: float
    subjects: str
    proves: str
    proven: int
    not_proven: tuple[ReportedGap, ...] = ()
    findings: tuple[ReportedFinding, ...] = ()
    area: str = ""
    severity: Severity = Severity.ERROR
    probe: bool = False
    gone: tuple[ReportedGone, ...] = ()

    @property
    def judged(self) -> int:
        """How many subjects the check met: proven, with a finding, or not proven."""
        gaps = {gap.subject for gap in self.not_proven} | {finding.subject for finding in self.findings}
        return self.proven + len(gaps)


class FaultState(StrEnum):
    """What became of a fault that was to be planted: the responsible check found it, missed it, or it could not be planted."""

    FOUND = "found"
    MISSED = "missed"
    NOT_PLANTED = "not-planted"


@dataclass(frozen=True)
class PlantedFault:
    """One fault of the self-proof: its ``kind`` and ``place``, and the check that has to find it.

    ``reason`` says why it was missed or could not be planted.
    """

    kind: str
    check: str
    place: str
    state: FaultState
    reason: str = ""


@dataclass(frozen=True)
class SelfProof:
    """Whether the checks can fail: faults were planted on copies, one at a time.

    ``vacuous`` are the checks that no fault could turn red on this schema. ``allowance`` is how many seconds there were for a
    sample, ``None`` where every fault was planted; ``left_out`` counts the kinds of faults that there was no time for.
    """

    faults: tuple[PlantedFault, ...] = ()
    vacuous: tuple[ReportedGap, ...] = ()
    seconds: float = 0.0
    allowance: float | None = None
    left_out: int = 0

    def of(self, state: FaultState) -> tuple[PlantedFault, ...]:
        """The faults that this became of."""
        return tuple(fault for fault in self.faults if fault.state is state)

    @property
    def found(self) -> int:
        """How many planted faults were found."""
        return len(self.of(FaultState.FOUND))

    @property
    def planted(self) -> int:
        """How many faults were planted."""
        return self.found + len(self.of(FaultState.MISSED))

    @property
    def score(self) -> float | None:
        """The share of planted faults that were found, ``None`` where none was planted."""
        return self.found / self.planted if self.planted else None


@dataclass(frozen=True)
class ReportedDatabase:
    """One database: what served it, what was compared, what was applied, what was checked.

    ``compared`` says against what ("main 3f9c2ab") or why against nothing; ``notes`` are sentences for people (the version was
    not set, the owner was refused and the migrations ran as superuser, the seeds did not fit). ``standing`` says that it was
    looked at as it stands, so that no change is judged. ``before`` and ``after`` count the rules of base and head, ``None`` where
    there is no base, or where what is judged has no such rules (a document database). ``made_rows`` is ``None`` where none were
    asked for, or every table has rows of its own.
    """

    name: str
    engine: str
    version: str
    origin: str
    compared: str
    seconds: float
    migrations: tuple[ReportedMigration, ...] = ()
    checks: tuple[ReportedCheck, ...] = ()
    notes: tuple[str, ...] = ()
    standing: bool = False
    before: Inventory | None = None
    after: Inventory | None = None
    selftest: SelfProof | None = None
    measured: Measured = field(default_factory=Measured)
    made_rows: MadeRows | None = None


class AllowState(StrEnum):
    """What became of an allow."""

    USED = "used"
    EXPIRED = "expired"
    UNUSED = "unused"
    NOT_JUDGED = "not-judged"
    NOT_HEEDED = "not-heeded"


@dataclass(frozen=True)
class ReportedAllow:
    """One allow of the settings (``subject`` is its pattern) or of a comment (``subject`` is empty).

    ``findings`` counts what it is of. ``fault`` says why it was not heeded.
    """

    check: str
    subject: str
    reason: str
    place: Place
    state: AllowState
    until: str = ""
    findings: int = 0
    fault: str = ""


@dataclass(frozen=True)
class Problem:
    """An error of the run itself (settings, server, tool), with its remedy and the exit code it asks for."""

    message: str
    remedy: str
    exit_code: Exit


@dataclass(frozen=True)
class Report:
    """The whole run. ``started`` is UTC in ISO 8601 without a zone; ``seconds`` is wall time; ``fail_on`` is the setting.

    ``next`` are sentences on what to do with dbproof from here.
    """

    version: str
    started: str
    seconds: float
    verdict: Verdict
    exit_code: Exit
    fail_on: str
    databases: tuple[ReportedDatabase, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    allows: tuple[ReportedAllow, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    quality: Quality = field(default_factory=Quality)
    coverage: tuple[Coverage, ...] = ()

    @property
    def findings(self) -> tuple[ReportedFinding, ...]:
        """Every finding of every database, in order."""
        return tuple(f for database in self.databases for check in database.checks for f in check.findings)
