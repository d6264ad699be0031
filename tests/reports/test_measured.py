"""What was measured, from evidence to the words of each report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.evidence import Evidence
from checks.measured import Examined, IndexGain, MemorySort, QueryTiming, UsedIndex, WriteCost
from reports.sample import APP, TYPICAL
from runner.measured_building import measured
from runner.report import Measured, Sorting, Writing
from runner.reports import measured as words

INDEX = UsedIndex("subscriptions", "company_name_idx")
TIMED = QueryTiming(
    "of_a_company",
    "simple",
    0.1,
    (0.001, 0.002, 0.009),
    3,
    examined=Examined(3, 4, ("companies",), (INDEX,), MemorySort(("at",), 70), 1.3),
)
PAIRS = ((0.002, 0.045), (0.002, 0.044), (0.002, 0.046))
ROUNDS = ((0.004, 0.003, 0.002, 0.001),) * 5
EVIDENCE = Evidence(
    queries=(TIMED, QueryTiming("slow", "batch", 2.0, (), 0, "stopped after 10 s", "50")),
    gains=(IndexGain("of_a_company", (INDEX,), PAIRS), IndexGain("slow", (INDEX,), failure="no")),
    writes=(WriteCost("subscriptions", "insert", ROUNDS), WriteCost("log", "update", gap="capped")),
)


def test_everything_that_was_measured_is_reported() -> None:
    found = measured(EVIDENCE)
    query, slow = found.queries
    assert (query.median, query.p95, query.returned, query.documents, query.keys) == (0.002, 0.009, 3, 3, 4)
    assert (query.scanned, query.indexes, query.sorting) == (("companies",), (INDEX.label,), Sorting.MEMORY)
    assert query.gain is not None
    assert (query.gain.ratio, query.gain.seconds, query.gain.without) == (22.5, 0.002, 0.045)
    assert (slow.median, slow.documents, slow.gain) == (None, None, None)
    (write,) = found.writes
    assert (write.collection, write.kind, write.median, write.without) == ("subscriptions", Writing.INSERT, 0.004, 0.001)
    assert (write.overhead, write.validator, write.indexes) == pytest.approx((0.003, 0.001, 0.002))


def test_the_console_says_it_in_few_lines() -> None:
    report = replace(TYPICAL, databases=(replace(APP, measured=measured(EVIDENCE)),))
    assert words.sentences(report) == [
        "1 query of_a_company: 2 ms of 100 ms",
        "index subscriptions.company_name_idx: 22.5x, 45 ms to 2 ms",
        "insert subscriptions: 4 ms, 3 ms of it for validator and indexes",
    ]
    assert words.sentences(replace(TYPICAL, databases=(replace(APP, measured=Measured()),))) == []


def test_of_the_same_index_the_console_says_the_largest_gain() -> None:
    other = replace(TIMED, name="other")
    less = IndexGain("other", (INDEX,), ((0.002, 0.004),))
    found = measured(replace(EVIDENCE, queries=(TIMED, other), gains=(*EVIDENCE.gains, less)))
    said = words.sentences(replace(TYPICAL, databases=(replace(APP, measured=found),)))
    assert [line for line in said if line.startswith("index")] == ["index subscriptions.company_name_idx: 22.5x, 45 ms to 2 ms"]


def test_an_engine_that_says_only_times_takes_no_lines() -> None:
    found = measured(Evidence(queries=(replace(TIMED, examined=None),)))
    assert words.sentences(replace(TYPICAL, databases=(replace(APP, measured=found),))) == []
    assert list(words.query_rows(replace(TYPICAL, databases=(replace(APP, measured=found),)))) == []
    assert words.properties(replace(APP, measured=found)) == {"query.of_a_company": "median 2 ms of 100 ms, returned 3"}


def test_a_query_that_was_stopped_without_its_index_gains_at_least_that() -> None:
    found = measured(replace(EVIDENCE, gains=(IndexGain("of_a_company", (INDEX,), ((0.002, 2.0),), stopped=True),)))
    gain = found.queries[0].gain
    assert gain is not None
    assert words.gain_in_words(gain) == "index subscriptions.company_name_idx: at least 1 000x, more than 2 000 ms to 2 ms"
