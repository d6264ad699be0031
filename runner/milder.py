"""The pass: where only rows that dbproof made stop the new migrations, what wants rows is tried on milder ones.

Base without made rows is filled once more on a fork, with rows that are not awkward, and the new migrations are applied to a
fork of that. Where they stop on these too, the tables that the refused statement names get none. The verdict on migrating is not
touched by it; nothing runs where no made row stopped them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from checks.evidence import Evidence, MigrationFailure
from checks.milder import MilderRows
from checks.rulebook.made_rows import stops_any_row
from checks.schema.names import TableName
from checks.survivals import Survivals
from checks.traffic import Traffic
from runner.applying import Applied, SuperuserRefused
from runner.errors import DbproofError
from runner.filling import Rows, filled_on_base
from runner.plan import Built
from runner.servers.interface import Database, Golden, Server
from runner.steps import Building, migrate, project_in
from runner.surviving import comparing
from runner.traffic import passing

#: How often it is tried, each time without the rows of further tables.
ATTEMPTS = 3
_NOT_EITHER = "the new migrations failed on rows, and on milder ones too"


@dataclass(frozen=True)
class _Attempt:
    """Base with milder ``rows``, and ``head`` grown on it, or why the new migrations stopped on these too."""

    rows: Rows
    base: Built
    head: Built | MigrationFailure


def on_milder_rows(building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:
    """Head with what its new migrations do to milder rows, and to others meanwhile, in its evidence.

    The same where it is not made rows alone that stopped them, where any row at all would, or where they did not end.
    ``base`` is what has no made rows, ``applied`` are its revisions.
    """
    failure = head.evidence.failure
    if base is None or failure is None or not failure.invented or not _wanted(building):
        return head
    if failure.timed_out or stops_any_row(failure):
        return head
    try:
        return replace(head, evidence=_told(building, head, base, applied))
    except (DbproofError, SuperuserRefused) as failed:
        return replace(head, evidence=_untold(head.evidence, failed.message if isinstance(failed, DbproofError) else str(failed)))


def _wanted(building: Building) -> bool:
    """Whether anybody looks at what comes of it."""
    backend, checks = building.plan.backend, building.plan.checks
    survival = backend.surviving is not None and bool(comparing.CHECKS & checks)
    return survival or (backend.traffic is not None and bool(passing.CHECKS & checks))


def _told(building: Building, head: Built, base: Built, applied: frozenset[str]) -> Evidence:
    """Head's evidence with what the passes see where the new migrations pass, else with why they saw nothing."""
    evidence, left_out = head.evidence, frozenset[TableName]()
    for _ in range(ATTEMPTS):
        with _attempted(building, head, base, applied, left_out) as attempt:
            if isinstance(attempt.head, Built):
                return _seen(building, evidence, attempt, attempt.head, applied, left_out)
            evidence = _certain(evidence, attempt.head)
            more, rows = _named(attempt.head, attempt.rows.invented), attempt.rows
            stuck = attempt.head.timed_out or not more
        if stuck or not (rows.own or rows.invented - more):
            break
        left_out |= more
    return _untold(evidence, _NOT_EITHER)


def _certain(evidence: Evidence, failure: MigrationFailure) -> Evidence:
    """With what any row at all would stop behind what some rows did: that production meets, whatever its rows are."""
    if evidence.certain is not None or not stops_any_row(failure):
        return evidence
    return replace(evidence, certain=replace(failure, on_rows=True, invented=False))


def _named(failure: MigrationFailure, made: Collection[TableName]) -> frozenset[TableName]:
    """The tables with made rows that the refused statement names, or the words of who refused it."""
    for text in (failure.statement, failure.said):
        found = frozenset(one for one in made if re.search(rf"(?<!\w){re.escape(one.name)}(?!\w)", text, re.IGNORECASE))
        if found:
            return found
    return frozenset()


@contextmanager
def _attempted(
    building: Building, head: Built, base: Built, applied: frozenset[str], left_out: Collection[TableName]
) -> Iterator[_Attempt]:
    with base.server.fork() as server:
        database = _opened(server, base)
        rows = filled_on_base(building.plan, server, database, left_out)
        filled = Built(server, server.seal(database), rows.told(base.evidence))
        with server.fork() as beside:
            grown = _opened(beside, filled)
            done = migrate(building, project_in(building, building.plan.root, applied), beside, grown, (), "again")
            if done.failure is not None:
                yield _Attempt(rows, filled, done.failure)
            else:
                yield _Attempt(rows, filled, Built(beside, beside.seal(grown), _alone(head.evidence, done)))


def _opened(server: Server, of: Built) -> Database:
    return server.open(Golden(server.database(of.golden.database.name)))


def _alone(evidence: Evidence, done: Applied) -> Evidence:
    """The evidence of migrations that passed, with how long these took."""
    timed = tuple(replace(one, seconds=done.seconds.get(one.revision)) if one.new else one for one in evidence.migrations)
    return replace(evidence, migrations=timed, statements=done.recording.statements, failure=None, traffic=None, survivals=None)


def _seen(
    building: Building,
    evidence: Evidence,
    attempt: _Attempt,
    head: Built,
    applied: frozenset[str],
    left_out: Collection[TableName],
) -> Evidence:
    survivals = comparing.survived(building, head, attempt.base, applied).evidence.survivals
    traffic = passing.under_traffic(building, head, attempt.base, applied).evidence.traffic
    made = [one for one in attempt.rows.filled if one.rows]
    return replace(
        evidence,
        survivals=_mildly(survivals) if survivals is not None else None,
        traffic=replace(traffic, alone=head.evidence) if traffic is not None else None,
        milder=MilderRows(sum(one.rows for one in made), len(made), tuple(sorted(one.label() for one in left_out))),
    )


def _mildly(survivals: Survivals) -> Survivals:
    """Of tables with rows of the repository's own nothing is milder."""
    return replace(survivals, tables=tuple(replace(one, milder=one.made) for one in survivals.tables))


def _untold(evidence: Evidence, why: str) -> Evidence:
    """Why nothing is told, in the place of what was said before."""
    return replace(
        evidence,
        survivals=Survivals(gap=why) if evidence.survivals is not None else None,
        traffic=Traffic(gap=why) if evidence.traffic is not None else None,
    )
