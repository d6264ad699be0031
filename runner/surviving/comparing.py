"""The pass: base's rows are compared with head's, which grew on them, once the new migrations have been applied.

Nothing is applied for it. Each table costs one scan on either side, and more only where something differs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import cast

from checks.declared.expectations import Expectations
from checks.evidence import Evidence, Statement
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.survivals import ColumnSurvival, Survival, Survivals
from checks.targets import RelationalTarget
from runner.errors import ServerFailed
from runner.gathering import counted
from runner.plan import Built
from runner.servers.interface import Database, Server
from runner.steps import Building
from runner.surviving.following import Follower, Gone, Kept, Unread, stored
from runner.surviving.interface import Compared, Followed, Rows, Surviving, SurvivingDocuments

#: The checks that judge what is gathered here.
CHECKS = frozenset({"dropped-with-values", "lost-rows", "changed-values"})

_READS = re.compile(r"\s*(?:select|set|show|begin|commit|rollback|start|savepoint|release|pragma)\b", re.IGNORECASE)


def survived(building: Building, head: Built, base: Built | None, applied: frozenset[str]) -> Built:
    """Head with what became of base's rows; the same where nothing is new or nobody would look. ``applied`` are base's."""
    backend = building.plan.backend.surviving
    if backend is None or not building.plan.checks & CHECKS or not _something_new(head.evidence, applied):
        return head
    if base is None or head.evidence.failure is not None:
        return head
    with building.plan.progress.stage("survive") as stage:
        try:
            found = Survivals(tuple(_compared(building, backend, head, base)))
            stage.say(_said(found, documents=isinstance(backend, SurvivingDocuments)))
        except ServerFailed as failed:
            found = Survivals(gap=failed.message)
            stage.skipped(failed.message)
    return _with(head, found)


def _with(head: Built, found: Survivals) -> Built:
    return replace(head, evidence=replace(head.evidence, survivals=found))


def _something_new(evidence: Evidence, applied: frozenset[str]) -> bool:
    """Whether there are new migrations; of a tool without revisions, whether it did anything but read."""
    if evidence.migrations:
        return any(one.revision not in applied for one in evidence.migrations)
    return any(not _READS.match(one.text) for one in evidence.statements)


def _said(found: Survivals, *, documents: bool) -> str:
    row, table = ("document", "collection") if documents else ("row", "table")
    with_rows = [one for one in found.tables if one.before]
    rows = sum(one.before for one in with_rows)
    return f"{counted(rows, row)} in {counted(len(with_rows), table)} followed" if rows else f"no {row}s to follow"


def _compared(building: Building, backend: Surviving | SurvivingDocuments, head: Built, base: Built) -> Iterator[Survival]:
    grown, refilled = (head.grown, frozenset[TableName]()) if head.grown else ((head.server, head.golden), head.refilled)
    if isinstance(backend, SurvivingDocuments):
        for found in backend.documents(base.golden.database, grown[1].database, refilled):
            yield replace(found, made=found.table in base.evidence.invented)
        return
    with ExitStack() as stack:
        was, now = (
            golden.database if backend.READS_SEALED else stack.enter_context(server.clone(golden))
            for server, golden in ((base.server, base.golden), grown)
        )
        before, after = (_catalogue(building, server, one) for server, one in ((base.server, was), (grown[0], now)))
        rows = stack.enter_context(backend.opened(was, now))
        for found in survivals(rows, before, after, head.evidence.statements, refilled):
            yield replace(found, made=found.table in base.evidence.invented)


def survivals(
    rows: Rows,
    before: Catalogue,
    after: Catalogue,
    statements: Sequence[Statement] = (),
    refilled: frozenset[TableName] = frozenset(),
) -> Iterator[Survival]:
    """What became of the rows of every table. ``statements`` are the new migrations' in their order. Raises ServerFailed."""
    follower = Follower(before, after, rows, rows.renames(before, after, statements), refilled)
    return map(_survival, follower.all())


def _catalogue(building: Building, server: Server, database: Database) -> Catalogue:
    with building.plan.backend.target(server, None, database, Expectations(), Evidence()) as target:
        return cast("RelationalTarget", target).catalogue


def _survival(one: Gone | Kept | Unread) -> Survival:
    match one:
        case Unread():
            return Survival(one.table.name, None, gap=one.reason)
        case Gone():
            return Survival(one.table.name, None, one.content.rows, missing=one.content.rows)
        case Kept():
            return _kept(one)


def _kept(one: Kept) -> Survival:
    pairing, found = one.pairing, one.compared
    columns = [_column(each, found) for each in pairing.columns]
    gone = [
        ColumnSurvival(each.name, each.type, None, values=one.content.values.get(each.name, 0))
        for each in one.dropped
        if each in stored(pairing.was)
    ]
    return Survival(
        table=pairing.was.name,
        now=pairing.now.name,
        before=found.before,
        after=found.after,
        missing=found.missing,
        extra=found.extra,
        columns=(*gone, *(each for each in columns if each.changed or each.filled or each.retyped)),
        keyed=found.keyed,
        keys=tuple(found.keys),
    )


def _column(one: Followed, found: Compared) -> ColumnSurvival:
    tally = found.tallies.get(one.was.name)
    same = ColumnSurvival(one.was.name, one.was.type, one.now.name, one.now.type, retyped=one.retyped)
    if tally is None:
        return same
    return replace(
        same,
        changed=tally.changed,
        filled=tally.filled,
        merged=tally.merged,
        losses=dict(tally.losses),
        keys=tuple(tally.keys),
    )
