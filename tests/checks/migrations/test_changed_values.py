"""changed-values: what weighs how much of values that are not what they were."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import Judge
from sqlite_judging import judged as judged_on_sqlite

from checks.evidence import Evidence, Migration, MigrationState, Place, Statement
from checks.interface import Finding, Severity
from checks.schema.names import TableName
from checks.survivals import ColumnSurvival, Loss, Survival, Survivals

CHECK = "changed-values"
ORDERS = TableName("public", "orders")
TOTAL = ColumnSurvival("total", "numeric(12,4)", "total", "numeric(12,2)", retyped=True)
STATEMENT = Statement("ALTER TABLE orders ALTER total TYPE numeric(12,2)", Place("migrations/002.sql", 1))


def evidence(column: ColumnSurvival, **more: object) -> Evidence:
    table = replace(Survival(ORDERS, ORDERS, 40, 38, missing=2, columns=(column,)), **more)  # type: ignore[arg-type] # its own fields
    return Evidence(survivals=Survivals((table,)), statements=(STATEMENT,))


def found(judge: Judge, changed: int, losses: dict[Loss, int], merged: int = 0, **more: object) -> Finding:
    return judge(CHECK, evidence=evidence(replace(TOTAL, changed=changed, losses=losses, merged=merged), **more)).finding


def test_a_type_that_is_too_narrow_is_an_error_on_own_rows(judge: Judge) -> None:
    finding = found(judge, 16, {Loss.ROUNDED: 16})
    assert (finding.subject, finding.count, finding.place) == ("orders.total", 16, STATEMENT.place)
    assert (finding.severity, finding.invented) == (Severity.ERROR, False)
    said = "orders.total lost values since its type went from numeric(12,4) to numeric(12,2), in 16 of 38 rows: 16 rounded"
    assert finding.message == said


def test_on_made_rows_it_is_a_warning_with_what_to_ask_production(judge: Judge) -> None:
    finding = found(judge, 38, {Loss.ROUNDED: 37, Loss.CUT: 1}, made=True)
    assert (finding.severity, finding.invented) == (Severity.WARNING, True)
    assert finding.message.endswith("in all 38 rows: 1 cut short, 37 rounded, on rows that dbproof made")
    query = "SELECT count(*) FROM public.orders AS orders WHERE total <> total::numeric(12,2)::numeric(12,4)"
    assert finding.remedy.startswith(f"Ask production, where this must give 0: {query}; ")


@pytest.mark.parametrize(
    ("losses", "merged", "severity"),
    [
        ({Loss.SHIFTED: 3}, 0, Severity.WARNING),
        ({Loss.OTHER: 3}, 2, Severity.WARNING),
        ({}, 0, Severity.WARNING),
        ({Loss.OTHER: 3}, 0, Severity.NOTICE),
        ({Loss.OTHER: 2, Loss.EMPTIED: 1}, 0, Severity.ERROR),
    ],
)
def test_what_may_be_meant_weighs_less(losses: dict[Loss, int], merged: int, severity: Severity, judge: Judge) -> None:
    assert found(judge, 3, losses, merged).severity is severity


def test_what_a_data_migration_rewrote_is_a_notice_with_its_number(judge: Judge) -> None:
    column = ColumnSurvival("state", "text", "state", "text", changed=12, merged=2, losses={Loss.OTHER: 12})
    update = Statement("update orders set state = 'done'", Place("migrations/003.sql", 7))
    judged = judge(CHECK, evidence=replace(evidence(column), statements=(STATEMENT, update)))
    finding = judged.finding
    assert (finding.severity, finding.place, judged.proven) == (Severity.NOTICE, update.place, [])
    assert finding.message == ("orders.state holds something else than before in 12 of 38 rows: 2 values are told apart no more")


def test_a_wider_type_is_proven_by_the_rows_and_a_filled_null_is_no_loss(judge: Judge) -> None:
    filled = replace(TOTAL, retyped=False, filled=9)
    assert judge(CHECK, evidence=evidence(TOTAL)).proven == ["orders", "orders.total"]
    assert judge(CHECK, evidence=evidence(filled)).proven == ["orders"]


def test_rows_without_a_key_are_counted_at_least_and_the_only_new_migration_is_the_place(judge: Judge) -> None:
    new = Migration("002", "", Place("migrations/002.sql"), MigrationState.APPLIED, new=True)
    column = ColumnSurvival("n", "int", "n", "int", changed=5)
    table = Survival(ORDERS, ORDERS, 20, 20, columns=(column,), keyed=False)
    finding = judge(CHECK, evidence=Evidence(migrations=(new,), survivals=Survivals((table,)))).finding
    assert finding.message == "orders.n holds something else than before in at least 5 of 20 rows"
    assert finding.place == new.place


def test_an_engine_without_such_a_cast_gives_no_query() -> None:
    column = replace(TOTAL, changed=1, losses={Loss.ROUNDED: 1})
    table = Survival(TableName("", "orders"), TableName("", "orders"), 2, 2, columns=(column,), made=True)
    finding = judged_on_sqlite(CHECK, "", evidence=Evidence(survivals=Survivals((table,)))).finding
    assert finding.remedy.startswith("Choose a type that holds what is there")
