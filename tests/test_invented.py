"""What rests on made rows: weighed by whose rule it is, and by whether rows of the repository's own are among them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from checks.constraints import no_rows, unvalidated_constraint
from checks.evidence import Counted, Evidence
from checks.interface import Check, Finding, Need, NotProven, Outcome, Severity, State
from checks.performance import query_limit
from checks.references import orphaned_rows
from checks.registries.between import BETWEEN
from checks.registries.documents import DOCUMENTS
from checks.registries.relational import RELATIONAL
from checks.schema.names import ObjectKind, ObjectReference, TableName, column_reference, table_reference
from checks.targets import RelationalTarget
from checks.tenancy import tenant_query
from runner.invented import AMONG, MADE, weighed

ORDERS, USERS = TableName("public", "orders"), TableName("public", "users")
MADE_ORDERS = Evidence(invented=frozenset({ORDERS}))
KEY = ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "orders_buyer_id_fkey")
#: What is proven without a look at rows, by the module of the check.
WITHOUT_ROWS = {
    "checks.tenancy.cross_tenant_reference": 1,  # by the key itself
    "checks.documents.cross_tenant_reference": 1,  # by the reference itself
    "checks.documents.no_validator": 1,  # by the validator
    "checks.references.cross_database_reference": 1,  # where either side's rows were made it is not judged at all
}
CHECKS: dict[str, Check[RelationalTarget]] = {
    "orphaned-rows": orphaned_rows,
    "no-rows": no_rows,
    "query-limit": query_limit,
    "tenant-query": tenant_query,
    "unvalidated-constraint": unvalidated_constraint,
}


def every_module() -> list[Check[Any]]:
    return [*RELATIONAL.values(), *DOCUMENTS.values(), *BETWEEN.values()]


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


def test_what_migrations_made_of_made_rows_may_be_the_repositorys_too() -> None:
    derived = Evidence(invented=frozenset({USERS}), derived=frozenset({ORDERS}))
    assert gap(weighed(proven("orphaned-rows", table_reference(ORDERS)), CHECKS, derived)) == (
        State.SKIPPED,
        AMONG,
        (NotProven("it", AMONG),),
    )
    (finding,) = weighed(found("no-rows", table_reference(ORDERS)), CHECKS, derived).findings
    assert finding.invented


def test_what_is_known_without_rows_is_as_it_was() -> None:
    for outcome in (proven("orphaned-rows"), found("unvalidated-constraint", KEY), found("orphaned-rows", KEY, count=None)):
        assert weighed(outcome, CHECKS, MADE_ORDERS) == outcome


def test_what_is_measured_says_on_what() -> None:
    (finding,) = weighed(found("query-limit", table_reference(ORDERS)), CHECKS, MADE_ORDERS).findings
    assert (finding.severity, finding.message) == (Severity.ERROR, "3 rows do not hold, on rows that dbproof made")
    (finding,) = weighed(found("tenant-query", table_reference(ORDERS)), CHECKS, MADE_ORDERS).findings
    assert (finding.severity, finding.invented) == (Severity.WARNING, True)
    for check in ("query-limit", "tenant-query"):
        assert weighed(proven(check, table_reference(ORDERS)), CHECKS, MADE_ORDERS).proven == ("it",)


@pytest.mark.parametrize("module", [module for module in every_module() if Need.ROWS in module.NEEDS])
def test_a_check_of_rows_names_those_by_which_it_proves(module: Check[Any]) -> None:
    """Else it would read as proven by the repository's rows what only made ones show."""
    tree = ast.parse(Path(str(getattr(module, "__file__", ""))).read_text("utf-8"))
    called = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Proven"]
    without = sum(len(node.args) + len(node.keywords) < 2 for node in called)
    assert called
    assert without == WITHOUT_ROWS.get(str(getattr(module, "__name__", "")), 0)


def test_a_check_that_broke_stays_broken() -> None:
    broke = Outcome("orphaned-rows", State.ERRORED, "lost", proven=("it",), known_by={"it": (table_reference(ORDERS),)})
    assert gap(weighed(broke, CHECKS, MADE_ORDERS)) == (State.ERRORED, "lost", (NotProven("it", MADE),))
