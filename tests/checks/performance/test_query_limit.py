"""query-limit: median against limit, what was stopped, what failed, what had no rows."""

from __future__ import annotations

import pytest
from judging import Judge, target

from checks.declared.expectations import Expectations
from checks.declared.queries import Category, DeclaredQuery
from checks.evidence import Evidence
from checks.interface import Finding, Judgement
from checks.measured import QueryTiming
from checks.performance.query_limit import p95, run
from checks.targets import StatementFailed
from runner.servers.interface import Database, Server

CHECK = "query-limit"
USERS = "CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1);"
QUERY = DeclaredQuery("open_orders", "select * from users where id = {users.id}", Category.SIMPLE, 0.2)
EXPECT = Expectations(queries=(QUERY,))


def _timed(*seconds: float, name: str = "open_orders", failure: str = "", code: str = "") -> Evidence:
    return Evidence(queries=(QueryTiming(name, Category.SIMPLE, 0.2, seconds, 3, failure, code),))


def test_a_median_within_the_limit_is_proven(judge: Judge) -> None:
    assert judge(CHECK, USERS, EXPECT, _timed(0.1, 0.1, 0.2, 0.3, 9.0)).proven == ["open_orders"]


def test_a_median_over_the_limit_is_found_with_its_numbers(judge: Judge) -> None:
    finding = judge(CHECK, USERS, EXPECT, _timed(0.1, 0.25, 0.25, 0.3, 1.2345)).finding
    assert finding.message == "open_orders: median 250 ms, p95 1234 ms of 5 runs; the limit is 200 ms"
    assert finding.evidence == {
        "limit_ms": 200.0,
        "category": "simple",
        "runs": 5,
        "median_ms": 250.0,
        "p95_ms": 1234.5,
        "rows": 3,
    }
    assert [found.relation for found in finding.objects] == ["users"]


def test_a_query_that_was_stopped_is_a_finding(judge: Judge) -> None:
    finding = judge(CHECK, USERS, EXPECT, _timed(failure="stopped after 2 s", code="57014")).finding
    assert finding.message == "open_orders: did not end: stopped after 2 s; the limit is 200 ms"


@pytest.mark.parametrize("evidence", [_timed(), _timed(0.1)])
def test_without_rows_there_is_no_verdict(judge: Judge, evidence: Evidence) -> None:
    assert judge(CHECK, "CREATE TABLE users (id int)", EXPECT, evidence).gaps == {"open_orders": "no rows"}


def test_a_query_that_nobody_measured_is_not_proven(judge: Judge) -> None:
    assert judge(CHECK, USERS, EXPECT).gaps == {"open_orders": "not measured"}


def test_a_query_that_failed_is_raised_after_the_others(server: Server, database: Database) -> None:
    broken = DeclaredQuery("broken", "selec", Category.SIMPLE, 0.2)
    failed = QueryTiming("broken", Category.SIMPLE, 0.2, (), 0, "syntax error", "42601")
    evidence = Evidence(queries=(failed, *_timed(9.0).queries))
    said: list[Judgement] = []
    with (
        target(server, database, Expectations(queries=(broken, QUERY)), evidence) as made,
        pytest.raises(StatementFailed, match=r"42601: broken: syntax error"),
    ):
        said.extend(run(made))
    assert [(type(judgement), judgement.subject) for judgement in said] == [(Finding, "open_orders")]


def test_p95_is_the_nearest_rank() -> None:
    assert p95([float(number) for number in range(1, 101)]) == 95.0
    assert p95([3.0, 1.0, 2.0]) == 3.0
    assert p95([1.0]) == 1.0


def test_categories_have_the_limits_that_are_documented() -> None:
    limits = {category.value: category.limit for category in Category}
    assert limits == {"simple": 0.5, "join": 1.0, "constraint": 0.1, "batch": 2.0, "aggregation": 0.3}
