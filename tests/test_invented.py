"""What rests on made rows: weighed by whose rule it is, and by whether rows of the repository's own are among them."""

from __future__ import annotations

import pytest

from checks.constraints import no_rows, unvalidated_constraint
from checks.evidence import Counted, Evidence
from checks.interface import Check, Finding, NotProven, Outcome, Severity, State
from checks.performance import query_limit
from checks.references import orphaned_rows
from checks.schema.names import ObjectKind, ObjectReference, TableName, column_reference, table_reference
from checks.targets import RelationalTarget
from runner.invented import AMONG, MADE, weighed

ORDERS, USERS = TableName("public", "orders"), TableName("public", "users")
MADE_ORDERS = Evidence(invented=frozenset({ORDERS}))
KEY = ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "orders_buyer_id_fkey")
CHECKS: dict[str, Check[RelationalTarget]] = {
    "orphaned-rows": orphaned_rows,
    "no-rows": no_rows,
    "query-limit": query_limit,
    "unvalidated-constraint": unvalidated_constraint,
}


def found(check: str, *objects: ObjectReference, severity: Severity = Severity.ERROR, count: int | None = 3) -> Outcome:
    finding = Finding("it", "3 rows do not hold", "List them all with: SELECT 1", severity, objects, count=count)
    return Outcome(check, State.FAILED, findings=(finding,))


def proven(check: str, *objects: ObjectReference) -> Outcome:
    return Outcome(check, State.PASSED, proven=("it",), known_by={"it": objects} if objects else {})


def gap(outcome: Outcome) -> tuple[State, str, tuple[NotProven, ...]]:
    return outcome.state, outcome.reason, outcome.not_proven


def test_without_made_rows_nothing_is_weighed() -> None:
    outcome = found("orphaned-rows", KEY)
    assert weighed(outcome, CHECKS, Evidence()) is outcome
    own = found("orphaned-rows", table_reference(USERS))
    assert weighed(own, CHECKS, MADE_ORDERS) == own


def test_a_broken_rule_of_the_schema_is_a_warning_with_the_query() -> None:
    outcome = weighed(found("orphaned-rows", KEY, table_reference(ORDERS)), CHECKS, MADE_ORDERS)
    (finding,) = outcome.findings
    assert (outcome.state, finding.severity, finding.invented) == (State.FAILED, Severity.WARNING, True)
    assert finding.remedy == "Rows that dbproof made show this, so ask production first. List them all with: SELECT 1"


def test_a_rule_that_new_migrations_add_is_one_of_the_schema() -> None:
    column = column_reference(ORDERS, "buyer_id")
    added = Evidence(invented=MADE_ORDERS.invented, audits={"it": Counted(3)})
    assert weighed(found("no-rows", column), CHECKS, added).findings
    assert weighed(found("no-rows", column), CHECKS, MADE_ORDERS).findings == ()


def test_what_is_no_rule_of_the_schema_is_not_proven() -> None:
    expected = (State.SKIPPED, MADE, (NotProven("it", MADE),))
    assert gap(weighed(found("no-rows", table_reference(ORDERS)), CHECKS, MADE_ORDERS)) == expected
    assert gap(weighed(found("orphaned-rows", KEY, severity=Severity.NOTICE), CHECKS, MADE_ORDERS)) == expected


@pytest.mark.parametrize(
    ("objects", "why"),
    [((ORDERS,), MADE), ((ORDERS, USERS), AMONG), ((USERS,), "")],
)
def test_what_holds_on_made_rows_is_not_proven(objects: tuple[TableName, ...], why: str) -> None:
    outcome = proven("orphaned-rows", *map(table_reference, objects))
    expected = (State.SKIPPED, why, (NotProven("it", why),)) if why else gap(outcome)
    assert gap(weighed(outcome, CHECKS, MADE_ORDERS)) == expected


def test_rows_of_the_repository_among_them_may_be_what_is_wrong() -> None:
    both = found("no-rows", table_reference(ORDERS), table_reference(USERS))
    view = found("no-rows", ObjectReference(ObjectKind.VIEW, "public", "", "sales"))
    for outcome in (both, view):
        (finding,) = weighed(outcome, CHECKS, MADE_ORDERS).findings
        assert (finding.severity, finding.invented) == (Severity.WARNING, True)


def test_what_is_known_without_rows_is_as_it_was() -> None:
    for outcome in (proven("orphaned-rows"), found("unvalidated-constraint", KEY), found("orphaned-rows", KEY, count=None)):
        assert weighed(outcome, CHECKS, MADE_ORDERS) == outcome


def test_what_is_measured_says_on_what() -> None:
    (finding,) = weighed(found("query-limit", table_reference(ORDERS)), CHECKS, MADE_ORDERS).findings
    assert (finding.severity, finding.message) == (Severity.ERROR, "3 rows do not hold, on rows that dbproof made")
    assert weighed(proven("query-limit", table_reference(ORDERS)), CHECKS, MADE_ORDERS).proven == ("it",)


def test_a_check_that_broke_stays_broken() -> None:
    broke = Outcome("orphaned-rows", State.ERRORED, "lost", proven=("it",), known_by={"it": (table_reference(ORDERS),)})
    assert gap(weighed(broke, CHECKS, MADE_ORDERS)) == (State.ERRORED, "lost", (NotProven("it", MADE),))
