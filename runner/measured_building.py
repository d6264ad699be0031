"""From what was measured to what reports show of it."""

from __future__ import annotations

import statistics

from checks.evidence import Evidence
from checks.measured import IndexGain, MemorySort, QueryTiming, WriteCost
from checks.performance.query_limit import p95
from checks.timings import cost, ratio
from runner.report_measured import Measured, ReportedGain, ReportedQuery, ReportedWrite, Sorting, Writing


def measured(evidence: Evidence) -> Measured:
    """The queries in their order, and every kind of write that was measured."""
    gains = {gain.query: gain for gain in evidence.gains if gain.pairs}
    return Measured(
        queries=tuple(_query(timing, gains.get(timing.name)) for timing in evidence.queries),
        writes=tuple(_write(one) for one in evidence.writes if one.rounds),
    )


def _query(timing: QueryTiming, gain: IndexGain | None) -> ReportedQuery:
    looked = timing.examined
    return ReportedQuery(
        name=timing.name,
        category=str(timing.category),
        limit=timing.limit,
        median=statistics.median(timing.seconds) if timing.seconds else None,
        p95=p95(timing.seconds) if timing.seconds else None,
        returned=timing.rows,
        documents=looked.documents if looked else None,
        keys=looked.keys if looked else None,
        scanned=looked.scanned if looked else (),
        indexes=tuple(index.label for index in looked.indexes) if looked else (),
        sorting=_sorting(looked.sort if looked else None),
        gain=_gain(gain) if gain else None,
    )


def _sorting(sort: MemorySort | None) -> Sorting:
    if sort is None:
        return Sorting.NONE
    return Sorting.DISK if sort.disk else Sorting.MEMORY


def _gain(gain: IndexGain) -> ReportedGain:
    within = ratio(gain)
    return ReportedGain(
        indexes=tuple(index.label for index in gain.indexes),
        ratio=within.median,
        low=within.low,
        high=within.high,
        seconds=statistics.median(with_them for with_them, _ in gain.pairs),
        without=statistics.median(without for _, without in gain.pairs),
        at_least=gain.stopped,
    )


def _write(one: WriteCost) -> ReportedWrite:
    found = cost(one)
    return ReportedWrite(
        one.collection, Writing(one.kind), found.write.median, found.bare, found.overhead.median, found.validator, found.indexes
    )
