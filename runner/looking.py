"""A look at one database that exists: what its catalogue and its rows show. Nothing is applied, and nothing is written."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from checks.evidence import Evidence
from checks.interface import Engine, Finding, Need, Outcome, State
from checks.registries.every import LIVE
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.targets import StatementFailed, Target
from runner import tenancy
from runner.across.gathering import Across, Revision
from runner.allows.allows import allows_in
from runner.backends.interface import Backend
from runner.backends.registry import BACKENDS, backend_of
from runner.errors import ServerFailed, UsageError
from runner.gathering import counted
from runner.judging import Keep, all_outcomes, catalogue_of, inventory_of, say_judged
from runner.measured_building import measured
from runner.output import Output
from runner.overview import OVERVIEWS, Overview, rounded
from runner.planning import expectations, wanted
from runner.progress import Progress, Stage
from runner.report import ReportedDatabase
from runner.report_building import reported_checks
from runner.reported_findings import Standards
from runner.retracing import retrace
from runner.scheduler import Checks, run_checks, with_severities
from runner.servers.interface import Database, Golden, Server
from runner.servers.postgresql.recorded import RecordedServer
from runner.servers.registry import provision
from runner.servers.schemes import engine_of
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings
from runner.targets.postgresql import PostgresTarget

#: What is said of a database that no revision of the repository's is compared with.
AS_IT_STANDS = "nothing: a database as it stands"

#: What the checks need that judge nothing but how a database came to be.
_HISTORY = frozenset({Need.EVIDENCE})
#: Why a check that judges what is declared has nothing to judge.
NOT_DECLARED = "nothing is declared of it"
#: Checks of what a database has by itself: where it has none of that, there was nothing to declare.
_OF_THE_DATABASE = frozenset(
    {
        "cascade-reach",
        "constraint-violation",
        "damaged-collection",
        "disabled-trigger",
        "document-violates-validator",
        "duplicate-index",
        "duplicate-rows",
        "invalid-index",
        "key-exhaustion",
        "large-document",
        "missing-primary-key",
        "mixed-type-field",
        "no-policy",
        "no-validator",
        "null-passes-check",
        "nullable-unique",
        "policy-always-true",
        "redundant-index",
        "reference-cycle",
        "row-security-off",
        "sequence-behind",
        "unbounded-array",
        "undeclared-reference",
        "unused-field-in-schema",
        "validator-weak",
    }
)
#: So many rows, by the server's estimate, make a table's size worth a word.
_WORTH_SAYING = 10_000
#: Checks whose findings name keys that nobody has.
_NAMES_KEYS = frozenset({"orphaned-rows", "dangling-reference"})
_ONLY_READ = {Need.SANDBOX: "the database was given to be read only"}


def look(
    name: str,
    settings: DatabaseSettings,
    loaded: Loaded,
    output: Output,
    keep: Keep,
    across: Across,
    statement_timeout: float | None = None,
) -> None:
    """Judge a database that was given, in read-only sessions, and ``keep`` what was found, as :func:`runner.judging.prove` does.

    Where the settings call it disposable, the probes are tried there too, in transactions that are undone. ``statement_timeout``
    ends what one statement may take, in seconds. Raises DbproofError.
    """
    began = time.monotonic()
    backend = _backend(name, settings, output)
    want = replace(wanted(name, settings, loaded, output.environment), standing=True, statement_timeout=statement_timeout)
    with provision(want) as server, ExitStack() as stack:
        database = server.database(name)
        output.redactor.add(database.private.password)
        seen = _overview(settings.engine, database)
        for label, text, origin in _notes(settings, server, database, seen):
            output.progress.note(label, text, origin)
        sight = _sight(_Place(backend, server, database, loaded.root, output.progress), stack)
        told = loaded.settings.model_copy(update={"severity": {**LIVE, **loaded.settings.severity}})
        checks = with_severities(_that_apply(backend, sight), told.severity)
        expect = expectations(settings, loaded.source(name))
        with output.progress.stage("check") as stage:
            evidence, outcomes = sight.evidence, list[Outcome]()
            holds: Catalogue | None = None
            try:
                evidence = replace(evidence, queries=backend.measure(sight.database, expect))
                with backend.target(server, sight.golden, sight.database, expect, evidence) as target:
                    _begin(target, seen, stage)
                    tenancy.hold(target, loaded.source(name))
                    missing = {**sight.missing, **tenancy.without_role(expect)}
                    run_checks(target, checks, missing, outcomes.append)
                    holds = catalogue_of(target)
                    across.see(name, Revision.HEAD, target)
            finally:
                ended = [_told(outcome, checks, seen) for outcome in all_outcomes(checks, outcomes)]
                judged = reported_checks(ended, checks, evidence, Standards(told, settings.engine, allows_in(loaded)))
                say_judged(stage, judged)
                keep(
                    ReportedDatabase(
                        name=name,
                        engine=settings.engine,
                        version=server.version,
                        origin=server.origin,
                        compared=AS_IT_STANDS,
                        seconds=time.monotonic() - began,
                        checks=judged,
                        notes=sight.notes,
                        standing=sight.golden is None and not sight.evidence.statements,
                        after=inventory_of(holds),
                        measured=measured(evidence),
                    )
                )


@dataclass(frozen=True)
class _Place:
    """Where is looked: a database on a server, and the repository that may have made it."""

    backend: Backend
    server: Server
    database: Database
    root: Path
    progress: Progress


@dataclass(frozen=True)
class _Sight:
    """What is judged: the database itself, or where it may be tried upon a sealed copy of it (``golden``)."""

    database: Database
    golden: Golden | None = None
    evidence: Evidence = field(default_factory=Evidence)
    missing: Mapping[Need, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def _sight(place: _Place, stack: ExitStack) -> _Sight:
    """The database as it stands; of a service of ours a copy, with what the service recorded."""
    if not isinstance(place.server, RecordedServer):
        return _Sight(place.database, missing={} if place.server.disposable else _ONLY_READ)
    with place.progress.stage("record") as stage:
        retraced = retrace(place.backend, place.server, place.database, place.root)
        evidence = retraced.evidence
        traced = counted(len(evidence.provenance), "object")
        stage.say(f"{counted(len(evidence.statements), 'statement')} of DDL, {traced} traced to files")
    try:
        golden = stack.enter_context(place.server.copied(place.database))
    except ServerFailed as busy:
        return _Sight(place.database, None, retraced.evidence, {Need.SANDBOX: busy.message}, retraced.notes)
    return _Sight(golden.database, golden, retraced.evidence, {}, retraced.notes)


def _overview(engine: Engine, database: Database) -> Overview:
    return OVERVIEWS[engine](database) if engine in OVERVIEWS else Overview()


def _notes(settings: DatabaseSettings, server: Server, database: Database, seen: Overview) -> Iterator[tuple[str, str, str]]:
    """The header's lines about the database: a label, what is known, and where it is from."""
    standby = ", a standby" if seen.standby else ""
    yield "server", f"{server.engine.label} {server.version}{standby}", settings.url_env or ""
    if sentence := seen.sentence():
        yield "holds", sentence, ""
    if isinstance(server, RecordedServer):
        yield "session", "a dbproof service: judged on a copy, with its record", ""
    elif server.disposable:
        yield "session", "it is disposable: what is tried is undone", ""
    elif database.statement_timeout:
        yield "session", f"only reads, no statement for longer than {database.statement_timeout:g} s", ""


def _begin(target: Target, seen: Overview, stage: Stage) -> None:
    """Read the catalogue, without which no check can say anything, and show from here on what is being read."""
    if not isinstance(target, PostgresTarget):
        return
    try:
        count = len(target.catalogue.foreign_keys)
    except StatementFailed as failure:
        raise ServerFailed(f"the database's catalogue cannot be read: {failure.gap or failure}", "Try again later.") from None
    read = itertools.count(1)

    def reading(tables: Sequence[TableName]) -> None:
        label = ", ".join(table.label() for table in tables)
        rows = seen.rows.get(label)
        stage.say(f"{next(read)} of {count}: {label}" + (f", about {rounded(rows)} rows" if rows else ""))

    stage.say(f"{counted(len(target.catalogue.tables), 'table')}, {counted(count, 'reference')}")
    target.watch = reading


def _told(outcome: Outcome, checks: Checks, seen: Overview) -> Outcome:
    """An outcome as a look tells it: the most telling finding first, and one reason for all that nobody has declared."""
    findings = sorted(outcome.findings, key=lambda finding: (-(finding.count or 0), -_rows(finding, seen)))
    sized = [replace(finding, message=finding.message + _size(finding, seen)) for finding in findings]
    nothing = outcome.state is State.SKIPPED and outcome.reason == f"no {checks[outcome.check].SUBJECTS}"
    undeclared = nothing and outcome.check not in _OF_THE_DATABASE
    return replace(outcome, findings=tuple(sized), reason=NOT_DECLARED if undeclared else outcome.reason)


def _rows(finding: Finding, seen: Overview) -> int:
    """The estimated rows of the table that a finding is about."""
    return seen.rows.get(_table(finding), 0)


def _table(finding: Finding) -> str:
    return TableName(finding.objects[0].schema, finding.objects[0].relation).label() if finding.objects else ""


def _size(finding: Finding, seen: Overview) -> str:
    """What tells an old habit from a burning house: how large the table is."""
    rows = _rows(finding, seen)
    return f" ({_table(finding)}: about {rounded(rows)} rows)" if rows >= _WORTH_SAYING else ""


def next_steps(databases: Sequence[ReportedDatabase], loaded: Loaded) -> tuple[str, ...]:
    """What to do after a look at databases that nothing is declared of."""
    standing = [database for database in databases if database.standing]
    if not standing or len(standing) < len(databases):
        return ()
    found = [finding for database in standing for check in database.checks for finding in check.findings]
    shown = loaded.settings.show_values or not any(finding.check in _NAMES_KEYS for finding in found)
    values = () if shown else ("`--show-values` shows the keys of rows",)
    behind = " and names the migration behind each finding" if found else ""
    prove = f"`dbproof run` in its repository proves the next change{behind}"
    write = () if loaded.file else ("`dbproof init` writes down what must hold here",)
    return ("; ".join((*values, *write, prove)),)


def _that_apply(backend: Backend, sight: _Sight) -> Checks:
    """The checks that ask more than how a database came to be: a record says whether that failed, and no more.

    Nothing is compared with a base here, so what a change took away is not asked either.
    """
    told = {"migration-failed"} if sight.evidence.statements else frozenset[str]()
    asked = {name: check for name, check in backend.CHECKS.items() if Need.BASE not in check.NEEDS}
    return {name: check for name, check in asked.items() if check.NEEDS != _HISTORY or name in told}


def meant(databases: Mapping[str, DatabaseSettings], url_env: str | None, address: str) -> Mapping[str, DatabaseSettings]:
    """The databases to look at: without a variable those of the settings that name one.

    With one, those that name it, else the only one of the settings, else one without declarations, of the engine that ``address``
    is of. Raises UsageError.
    """
    if url_env is None:
        given = {name: one for name, one in databases.items() if one.url_env}
        if not given:
            raise UsageError("no address of a database is given", _SAY_WHICH)
        return given
    named = {name: one for name, one in databases.items() if one.url_env == url_env}
    if named or len(databases) != 1:
        return named or {"app": DatabaseSettings(url_env=url_env, engine=_engine(address))}
    return {name: one.model_copy(update={"url_env": url_env, "disposable": False}) for name, one in databases.items()}


_SAY_WHICH = (
    "Put the address into an environment variable and name it, by `--url-env DATABASE_URL` or `url_env` in the settings;"
    " `dbproof --help` shows what else there is."
)


def _engine(address: str) -> Any:  # noqa: ANN401 - of those that the settings know
    engine = engine_of(address)
    if engine not in BACKENDS:
        raise UsageError(f"{engine.label} databases cannot be judged yet", f"Those of {_known()} can.")
    return engine


def _known() -> str:
    return ", ".join(engine.label for engine in BACKENDS)


def _backend(name: str, settings: DatabaseSettings, output: Output) -> Backend:
    """The backend of the engine that the address is of; raises UsageError where the settings say another."""
    engine = _engine(output.environment.get(settings.url_env or "", ""))
    if engine is not settings.engine:
        raise UsageError(
            f"the address in {settings.url_env} is of {engine.label}, and databases.{name}.engine says {settings.engine.label}",
            "Name the variable of the right database, or correct `engine`.",
        )
    return backend_of(engine)
