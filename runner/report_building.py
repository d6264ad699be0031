"""From outcomes and evidence to what reports show of a database: its checks, and its migrations with their statements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from checks.evidence import Evidence, Migration, Place, Statement
from checks.interface import Check, Need, Outcome
from checks.schema.names import ObjectKind, ObjectReference, TableName
from checks.traffic import Traffic
from checks.work import together
from runner.report import (
    ReportedCheck,
    ReportedGap,
    ReportedMigration,
    ReportedStatement,
    ReportedWait,
)
from runner.reported_findings import Standards, gone, reported_findings


def reported_checks(
    outcomes: Sequence[Outcome], checks: Mapping[str, Check[Any]], evidence: Evidence, by: Standards
) -> tuple[ReportedCheck, ...]:
    """The checks of one database as reports show them."""
    known = by.known
    return tuple(_reported_check(outcome, checks[outcome.check], evidence, by, known) for outcome in outcomes)


def _reported_check(
    outcome: Outcome, check: Check[Any], evidence: Evidence, by: Standards, known: frozenset[str]
) -> ReportedCheck:
    return ReportedCheck(
        id=outcome.check,
        outcome=outcome.state,
        reason=outcome.reason,
        seconds=outcome.seconds,
        subjects=check.SUBJECTS,
        proves=check.PROVES,
        area=_area(check),
        severity=by.settings.severity.get(outcome.check, check.SEVERITY),
        probe=bool(check.NEEDS & {Need.SANDBOX, Need.APP_ROLE}),
        proven=len(outcome.proven),
        not_proven=tuple(ReportedGap(gap.subject, gap.reason) for gap in outcome.not_proven),
        findings=tuple(reported_findings(outcome, evidence, by, known)),
        gone=tuple(gone(outcome, check.SUBJECTS, by.base, by.settings.severity)),
    )


def _area(check: Check[Any]) -> str:
    """The package that the check's module lies in: ``references``."""
    return str(getattr(check, "__name__", "")).split(".")[-2]


def reported_migrations(evidence: Evidence) -> tuple[ReportedMigration, ...]:
    """The migrations in their order; a new one with its statements."""
    waits = _waits(evidence.traffic)
    return tuple(_reported_migration(migration, evidence.statements, waits) for migration in evidence.migrations)


#: Statements that write rows, and the values that may stand in them.
_WRITES = re.compile(r"\s*(?:insert|update|delete|replace)\b", re.IGNORECASE)
_VALUE = re.compile(
    r"""(?P<name>`[^`]*`|"[^"]*")
    |(?:\b[eEnNxXbB]|\b_\w+)?'(?:[^'\\]|\\.|'')*'
    |(?<![\w$.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b
    |\bNULL\b""",
    re.VERBOSE | re.DOTALL,
)

#: What others waited for behind a statement, by its place and text.
_Waits = Mapping[tuple[Place | None, str], tuple[ReportedWait, ...]]


def _waits(traffic: Traffic | None) -> _Waits:
    found: dict[tuple[Place | None, str], tuple[ReportedWait, ...]] = {}
    for one in traffic.statements if traffic is not None else ():
        told = tuple(ReportedWait(wait.relation, wait.access.value, wait.own) for wait in one.waits if wait.own)
        found[one.place, one.text] = (*found.get((one.place, one.text), ()), *told)
    return found


def _reported_migration(migration: Migration, statements: Sequence[Statement], waits: _Waits) -> ReportedMigration:
    of_it = [said for said in statements if migration.new and _belongs(said, migration)]
    return ReportedMigration(
        revision=migration.revision,
        title=migration.title,
        place=migration.place,
        state=migration.state,
        new=migration.new,
        seconds=migration.seconds,
        statements=tuple(
            _reported_statement(list(same), waits) for _, same in groupby(of_it, key=lambda said: (said.place, shape(said.text)))
        ),
        work=together(said.work for said in of_it if said.work is not None),
    )


def _reported_statement(same: Sequence[Statement], waits: _Waits) -> ReportedStatement:
    """The same statement from the same line, as often as it ran in a row: a migration may insert a row ten thousand times.

    Where its values differ they are left out.
    """
    seconds = [said.seconds for said in same if said.seconds is not None]
    works = [said.work for said in same if said.work is not None]
    return ReportedStatement(
        place=same[0].place,
        text=same[0].text if len({said.text for said in same}) == 1 else shape(same[0].text),
        seconds=sum(seconds) if seconds else None,
        locks=tuple(dict.fromkeys(lock for said in same for lock in said.locks)),
        rewrites=tuple(dict.fromkeys(rewrite for said in same for rewrite in said.rewrites)),
        times=len(same),
        work=together(works) if all(work.statements == 1 for work in works) else None,
        made=_named(one for said in same for one in said.made),
        changed=_named(one for said in same for one in said.changed),
        dropped=_named(one for said in same for one in said.dropped),
        invalid=_named(one for said in same for one in said.invalid),
        waits=tuple(dict.fromkeys(wait for said in same for wait in waits.get((said.place, said.text), ()))),
    )


def shape(text: str) -> str:
    """A statement that writes rows with ``?`` for each value in it; drivers send values within the text. Others as they are."""
    return _VALUE.sub(lambda found: found["name"] or "?", text) if _WRITES.match(text) else text


def _named(objects: Iterable[ObjectReference]) -> tuple[str, ...]:
    """``table orders``, ``column orders.currency``; those of an unknown kind by their name alone."""
    return tuple(dict.fromkeys(_name(one) for one in objects))


def _name(one: ObjectReference) -> str:
    owner = TableName(one.schema, one.relation).label() if one.relation else "" if one.schema == "public" else one.schema
    name = ".".join(part for part in (owner, one.name) if part)
    return name if one.kind is ObjectKind.OTHER else f"{one.kind.value} {name}"


def _belongs(statement: Statement, migration: Migration) -> bool:
    return statement.place is not None and statement.place.file == migration.place.file
