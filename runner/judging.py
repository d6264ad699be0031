"""One database, from its plan to its part of the report: built at base and head, measured, checked, compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from checks.declared.expectations import Expectations
from checks.interface import Need, Outcome, State
from checks.rulebook.inventory import Inventory, inventory
from checks.schema.model import Catalogue
from checks.targets import StatementFailed, Target
from runner import git, tenancy
from runner.across.gathering import Across, Revision, declared
from runner.allows.allows import allows_in
from runner.auditing import audited
from runner.backends.interface import Backend
from runner.backends.registry import backend_of
from runner.build import built
from runner.invented import weighed
from runner.measured_building import measured
from runner.migrations.registry import ADAPTERS
from runner.output import Output
from runner.plan import Built, Plan
from runner.planning import expectations, wanted
from runner.progress import Stage
from runner.report import ReportedCheck, ReportedDatabase
from runner.report_building import reported_checks, reported_migrations
from runner.report_rows import made_rows
from runner.reported_findings import Standards
from runner.scheduler import Checks, run_checks, with_severities
from runner.selftest.in_a_run import SelfProving
from runner.servers.registry import provision
from runner.settings.declarations import Source
from runner.settings.engines import DOCUMENTS
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings

#: Takes what is to be reported of a database, once.
Keep = Callable[[ReportedDatabase], None]

#: What makes a check dear, so that base is judged by it only where head has something to compare.
_DEAR = frozenset({Need.SANDBOX, Need.QUIET, Need.APP_ROLE, Need.BASE})

#: The checks that judge what was measured, which costs more than what it could add where base is judged.
_MEASURED = frozenset({"query-limit", "collection-scan", "in-memory-sort", "index-gain", "write-cost"})

#: Is shown a database with what the checks said of it.
See = Callable[[Target, Built, Sequence[Outcome]], None]

_STOPPED = "not reached, the run was stopped"


def plan(name: str, settings: DatabaseSettings, base: git.Base | git.NoBase, loaded: Loaded, output: Output) -> Plan:
    """What is to be built for one database of the settings."""
    server = wanted(name, settings, loaded, output.environment)
    return Plan(
        name=name,
        settings=settings,
        root=loaded.root,
        base=base,
        backend=backend_of(settings.engine),
        adapter=ADAPTERS[settings.migrations.tool] if settings.migrations else None,
        provision=lambda: provision(server),
        hide=output.redactor.add,
        progress=output.progress,
        settings_file=loaded.settings_file,
        expect=expectations(settings, loaded.source(name)),
        elsewhere=tuple(one for one in declared(loaded) if one.child.database == name),
    )


def prove(
    name: str,
    settings: DatabaseSettings,
    base: git.Base | git.NoBase,
    loaded: Loaded,
    output: Output,
    keep: Keep,
    across: Across,
) -> None:
    """Build base and head, judge both, and ``keep`` head with what base has too as known.

    ``across`` sees both, for what databases say of each other. Where that stops early, what was found until then is kept.
    Raises DbproofError.
    """
    began = time.monotonic()
    backend = backend_of(settings.engine)
    checks = with_severities(backend.CHECKS, loaded.settings.severity)
    judges = _Judges(backend, expectations(settings, loaded.source(name)), checks)
    planned = replace(plan(name, settings, base, loaded, output), checks=frozenset(checks))
    with (
        built(planned) as pair,
        SelfProving(keep, loaded.settings.selftest, backend, judges.expect, checks, output.progress) as proving,
        output.progress.stage("check") as stage,
    ):
        head, outcomes, on_base = pair.head, list[Outcome](), list[Outcome]()
        before: Catalogue | None = None
        after: Catalogue | None = None
        try:
            before = judges.catalogue(pair.base) if pair.base else None
            head = replace(head, evidence=replace(head.evidence, base=before))
            head = judges.measured(audited(backend, judges.expect, head, pair.base))
            judges.hold_tenancy(head, loaded.source(name))
            head = judges.deleted(planned, head, stage.say)
            seen = together(proving.see, across.seeing(name, Revision.HEAD))
            based = before is not None or (pair.base is not None and settings.engine in DOCUMENTS)
            after = judges.judge(head, outcomes, "" if based else pair.compared, seen)
            if pair.base:
                held = judges.deleted_on_base(planned, pair.base, outcomes)
                judges.judge_base(held, outcomes, on_base, across.seeing(name, Revision.BASE))
        finally:
            by = Standards(loaded.settings, settings.engine, allows_in(loaded), on_base)
            judged = reported_checks(all_outcomes(checks, outcomes), checks, head.evidence, by)
            say_judged(stage, judged)
            proving.hold(
                ReportedDatabase(
                    name=name,
                    engine=settings.engine,
                    version=head.server.version,
                    origin=head.server.origin,
                    compared=pair.compared,
                    seconds=time.monotonic() - began,
                    migrations=reported_migrations(head.evidence),
                    checks=judged,
                    notes=pair.notes,
                    before=inventory_of(before),
                    after=inventory_of(after),
                    measured=measured(head.evidence),
                    made_rows=made_rows(head.evidence),
                )
            )


@dataclass(frozen=True)
class _Judges:
    """The checks of one database, and what they go by."""

    backend: Backend
    expect: Expectations
    checks: Checks

    def measured(self, one: Built) -> Built:
        """With the declared queries measured, what their indexes gain and what writes cost, while nothing else runs."""
        if not self.expect.measured or not _MEASURED & self.checks.keys():
            return one
        with one.server.clone(one.golden) as copy:
            queried = replace(one.evidence, queries=self.backend.measure(copy, self.expect))
            return replace(one, evidence=self.backend.weigh(copy, self.expect, queried))

    def deleted(self, planned: Plan, one: Built, say: Callable[[str], None]) -> Built:
        """With what became of documents that the application's own commands deleted on a copy."""
        from runner import deleting

        return deleting.deleted(planned, self.expect, one, say) if deleting.CHECK in self.checks else one

    def deleted_on_base(self, planned: Plan, base: Built, head: Sequence[Outcome]) -> Built:
        """The same of base, by its own commands, where head's did something wrong."""
        from runner import deleting

        return deleting.deleted_on_base(planned, self.expect, base, head)

    def judge(self, one: Built, outcomes: list[Outcome], alone: str, see: See = lambda *_: None) -> Catalogue | None:
        """Run every check; each outcome is kept as it comes. ``alone`` says why a database without a base has none.

        ``see`` is shown what was judged at the end. Gives what the database holds.
        """
        missing = {Need.BASE: f"no base revision: {alone}"} if alone else {}
        missing = {**missing, **tenancy.without_role(self.expect)}
        as_said: list[Outcome] = []

        def keep(outcome: Outcome) -> None:
            as_said.append(outcome)
            outcomes.append(weighed(outcome, self.checks, one.evidence))

        with self.backend.target(one.server, one.golden, one.golden.database, self.expect, one.evidence) as target:
            run_checks(target, self.checks, missing, keep)
            see(target, one, as_said)
            return catalogue_of(target)

    def hold_tenancy(self, one: Built, source: Source) -> None:
        """Refuse settings by which nothing would be proven of tenants. Raises UsageError."""
        if self.expect.tenancy is not None:
            with self.backend.target(one.server, one.golden, one.golden.database, self.expect, one.evidence) as target:
                tenancy.hold(target, source)

    def catalogue(self, one: Built) -> Catalogue | None:
        """What a database holds."""
        with self.backend.target(one.server, one.golden, one.golden.database, self.expect, one.evidence) as target:
            return catalogue_of(target)

    def judge_base(self, base: Built, head: Sequence[Outcome], outcomes: list[Outcome], see: See = lambda *_: None) -> None:
        """Judge what tells the known from the new, and what is gone: all that only reads, and what found something on head.

        Checks that write, and measuring, cost more than what they could add here: the names of what is gone.
        """
        found = {outcome.check for outcome in head if outcome.findings}
        cheap = {name for name, check in self.checks.items() if not check.NEEDS & _DEAR} - _MEASURED
        asked = replace(self, checks={name: check for name, check in self.checks.items() if name in found | cheap})
        asked.judge(asked.measured(base), outcomes, "it is the base", see)


def together(*all_of_them: See) -> See:
    """Shows a database to several, one after the other."""

    def see(target: Target, one: Built, outcomes: Sequence[Outcome]) -> None:
        for each in all_of_them:
            each(target, one, outcomes)

    return see


def catalogue_of(target: Target) -> Catalogue | None:
    """What a relational database holds; a document database has no catalogue, and of one that cannot be read the checks tell."""
    try:
        found = getattr(target, "catalogue", None)
    except StatementFailed:
        return None
    return found if isinstance(found, Catalogue) else None


def inventory_of(catalogue: Catalogue | None) -> Inventory | None:
    """The rules of a database, where there is one."""
    return None if catalogue is None else inventory(catalogue)


def all_outcomes(checks: Checks, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """An outcome for every check, in their order, also where the run stopped before it."""
    ended = {outcome.check: outcome for outcome in outcomes}
    return [ended.get(name) or Outcome(name, State.SKIPPED, _STOPPED) for name in checks]


def say_judged(stage: Stage, checks: tuple[ReportedCheck, ...]) -> None:
    """End the stage of checking with how many checks came to a verdict."""
    judged = sum(one.outcome in (State.PASSED, State.FAILED) for one in checks)
    errored = sum(one.outcome is State.ERRORED for one in checks)
    failing = any(finding.fails for one in checks for finding in one.findings)
    text = f"{judged} of {len(checks)} checks judged" + (f", {errored} could not run" if errored else "")
    (stage.failed if failing or errored else stage.say)(text)
