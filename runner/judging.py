"""One database, from its plan to its part of the report: built at base and head, measured, checked, compared."""

from __future__ import annotations

import time
from dataclasses import replace

from checks.evidence import Evidence
from checks.interface import Need, Outcome, State
from checks.relational import RELATIONAL
from runner import git
from runner.build import built
from runner.measure.queries import measure
from runner.migrations.registry import ADAPTERS
from runner.output import Output
from runner.plan import Built, Plan
from runner.planning import expectations, wanted
from runner.progress import Stage
from runner.report import ReportedCheck, ReportedDatabase
from runner.report_building import known_fingerprints, reported_checks, reported_migrations
from runner.scheduler import Checks, run_checks, with_severities
from runner.servers.registry import provision
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings
from runner.targets.postgresql import PostgresTarget

_ONLY_READ = {Need.SANDBOX: "the database was given to be read only"}


def plan(name: str, settings: DatabaseSettings, base: git.Base | git.NoBase, loaded: Loaded, output: Output) -> Plan:
    """What is to be built for one database of the settings."""
    server = wanted(name, settings, loaded, output.environment)
    return Plan(
        name=name,
        settings=settings,
        root=loaded.root,
        base=base,
        adapter=ADAPTERS[settings.migrations.tool] if settings.migrations else None,
        provision=lambda: provision(server),
        hide=output.redactor.add,
        progress=output.progress,
    )


def prove(name: str, settings: DatabaseSettings, base: git.Base | git.NoBase, loaded: Loaded, output: Output) -> ReportedDatabase:
    """Build base and head, judge both, and report head, with what base has too as known. Raises DbproofError."""
    began = time.monotonic()
    checks = with_severities(RELATIONAL, loaded.settings.severity)
    with built(plan(name, settings, base, loaded, output)) as pair:
        with output.progress.stage("check") as stage:
            known = known_fingerprints(_judge(pair.base, settings, checks)[1]) if pair.base else frozenset()
            head, outcomes = _judge(pair.head, settings, checks)
            reported = reported_checks(outcomes, checks, head.evidence, known, loaded.settings)
            _say(stage, reported)
        return ReportedDatabase(
            name=name,
            engine=settings.engine,
            version=head.server.version,
            origin=head.server.origin,
            compared=pair.compared,
            seconds=time.monotonic() - began,
            migrations=reported_migrations(head.evidence),
            checks=reported,
            notes=pair.notes,
        )


def _judge(one: Built, settings: DatabaseSettings, checks: Checks) -> tuple[Built, tuple[Outcome, ...]]:
    """Measure while nothing else runs, then check."""
    expect = expectations(settings)
    if expect.queries:
        with one.server.clone(one.golden) as copy:
            one = replace(one, evidence=replace(one.evidence, queries=measure(copy, expect.queries)))
    with PostgresTarget(one.server, one.golden, one.golden.database, expect, one.evidence) as target:
        return one, run_checks(target, checks, {})


def look(name: str, settings: DatabaseSettings, loaded: Loaded, output: Output) -> ReportedDatabase:
    """Judge a database that was given, in read-only sessions: nothing is applied, nothing tried. Raises DbproofError."""
    began = time.monotonic()
    checks = with_severities(RELATIONAL, loaded.settings.severity)
    expect = expectations(settings)
    with provision(wanted(name, _only_read(settings), loaded, output.environment)) as server:
        database = server.database(name)
        output.redactor.add(database.private.password)
        with output.progress.stage("check") as stage:
            evidence = Evidence(queries=measure(database, expect.queries))
            with PostgresTarget(server, None, database, expect, evidence) as target:
                outcomes = run_checks(target, checks, _ONLY_READ)
            reported = reported_checks(outcomes, checks, evidence, frozenset(), loaded.settings)
            _say(stage, reported)
        return ReportedDatabase(
            name=name,
            engine=settings.engine,
            version=server.version,
            origin=server.origin,
            compared="nothing: a database as it stands",
            seconds=time.monotonic() - began,
            checks=reported,
        )


def _only_read(settings: DatabaseSettings) -> DatabaseSettings:
    """The same database, only read from: looking changes nothing, whatever the settings would allow."""
    return settings.model_copy(update={"disposable": False})


def _say(stage: Stage, checks: tuple[ReportedCheck, ...]) -> None:
    judged = sum(one.outcome in (State.PASSED, State.FAILED) for one in checks)
    errored = sum(one.outcome is State.ERRORED for one in checks)
    failing = any(finding.fails for one in checks for finding in one.findings)
    text = f"{judged} of {len(checks)} checks judged" + (f", {errored} could not run" if errored else "")
    (stage.failed if failing or errored else stage.say)(text)
