"""A look at one database that exists: what its catalogue and its rows show. Nothing is applied, and nothing is written."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from checks.interface import Engine, Outcome
from checks.registries.every import LIVE
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.targets import StatementFailed, Target
from runner import tenancy
from runner.across.gathering import Across, Revision
from runner.allows.allows import allows_in
from runner.backends.interface import Backend
from runner.errors import ServerFailed
from runner.gathering import counted
from runner.judging import Keep, all_outcomes, catalogue_of, inventory_of, say_judged
from runner.looking.addresses import addressed
from runner.looking.sight import Place, Sight, sight_of, that_apply
from runner.looking.telling import as_told
from runner.measured_building import measured
from runner.output import Output
from runner.overview import OVERVIEWS, Overview, rounded
from runner.planning import expectations, wanted
from runner.progress import Stage
from runner.report import ReportedDatabase
from runner.report_building import reported_checks
from runner.reported_findings import Standards
from runner.scheduler import run_checks, with_severities
from runner.servers.interface import Database, Server
from runner.servers.postgresql.recorded import RecordedServer
from runner.servers.registry import provision
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings
from runner.targets.postgresql import PostgresTarget

#: What is said of a database that no revision of the repository's is compared with.
AS_IT_STANDS = "nothing: a database as it stands"


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
    backend = addressed(name, settings, output)
    want = replace(wanted(name, settings, loaded, output.environment), standing=True, statement_timeout=statement_timeout)
    with provision(want) as server, ExitStack() as stack:
        database = server.database(name)
        output.redactor.add(database.private.password)
        seen = _overview(settings.engine, database)
        for label, text, origin in _notes(settings, server, database, seen):
            output.progress.note(label, text, origin)
        sight = sight_of(Place(backend, server, database, loaded.root, output.progress), stack)
        judging = _Judging(name, settings, loaded, backend, server, sight, seen)
        with output.progress.stage("check") as stage:
            try:
                judging.judge(across, stage)
            finally:
                keep(judging.reported(stage, began))


class _Judging:
    """The checks on what is looked at, and what they came to so far: an error and Ctrl-C leave what was found before."""

    def __init__(
        self,
        name: str,
        settings: DatabaseSettings,
        loaded: Loaded,
        backend: Backend,
        server: Server,
        sight: Sight,
        seen: Overview,
    ) -> None:
        self._name = name
        self._settings = settings
        self._loaded = loaded
        self._source = loaded.source(name)
        self._backend = backend
        self._server = server
        self._sight = sight
        self._seen = seen
        self._told = loaded.settings.model_copy(update={"severity": {**LIVE, **loaded.settings.severity}})
        self._checks = with_severities(that_apply(backend, sight), self._told.severity)
        self._expect = expectations(settings, self._source)
        self._evidence = sight.evidence
        self._outcomes: list[Outcome] = []
        self._holds: Catalogue | None = None

    def judge(self, across: Across, stage: Stage) -> None:
        """Measure the queries, and run the checks. Raises DbproofError."""
        sight, expect = self._sight, self._expect
        self._evidence = replace(sight.evidence, queries=self._backend.measure(sight.database, expect))
        with self._backend.target(self._server, sight.golden, sight.database, expect, self._evidence) as target:
            _begin(target, self._seen, stage)
            tenancy.hold(target, self._source)
            missing = {**sight.missing, **tenancy.without_role(expect)}
            run_checks(target, self._checks, missing, self._outcomes.append)
            self._holds = catalogue_of(target)
            across.see(self._name, Revision.HEAD, target)

    def reported(self, stage: Stage, began: float) -> ReportedDatabase:
        """What was found, as reports show it."""
        sight = self._sight
        ended = [as_told(outcome, self._checks, self._seen) for outcome in all_outcomes(self._checks, self._outcomes)]
        standards = Standards(self._told, self._settings.engine, allows_in(self._loaded))
        judged = reported_checks(ended, self._checks, self._evidence, standards)
        say_judged(stage, judged)
        return ReportedDatabase(
            name=self._name,
            engine=self._settings.engine,
            version=self._server.version,
            origin=self._server.origin,
            compared=AS_IT_STANDS,
            seconds=time.monotonic() - began,
            checks=judged,
            notes=sight.notes,
            standing=sight.golden is None and not sight.evidence.statements,
            after=inventory_of(self._holds),
            measured=measured(self._evidence),
        )


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
