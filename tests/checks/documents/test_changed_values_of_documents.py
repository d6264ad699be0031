"""changed-values of documents: what weighs how much of values that are not what they were."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from judging import Judged

from checks.evidence import Evidence, Place, Statement
from checks.interface import Finding, Severity
from checks.schema.names import TableName
from checks.survivals import ColumnSurvival, Loss, Survival, Survivals

CHECK = "changed-values"
ORDERS = TableName("", "orders")
UPDATE = Statement("db.orders.update(…)", Place("migrations/002.py", 7))


def judged(judge: JudgeDocuments, *fields: ColumnSurvival, made: bool = False) -> Judged:
    found = Survival(ORDERS, ORDERS, 40, 40, columns=fields, made=made)
    return judge(CHECK, lambda _: None, evidence=Evidence(survivals=Survivals((found,)), statements=(UPDATE,)))


def found_of(judge: JudgeDocuments, was: str, now: str, losses: dict[Loss, int], **more: Any) -> Finding:
    made = more.pop("made", False)
    known = {"retyped": was != now, "changed": sum(losses.values()), "losses": losses, "keys": ("_id=1",), **more}
    name = known.pop("name", "total")
    return judged(judge, ColumnSurvival(name, was, name, now, **known), made=made).finding


def test_a_type_that_cut_values_is_an_error(judge_documents: JudgeDocuments) -> None:
    finding = found_of(judge_documents, "double", "int", {Loss.ROUNDED: 20, Loss.EMPTIED: 2})
    assert (finding.severity, finding.count, finding.place, finding.values) == (Severity.ERROR, 22, UPDATE.place, ("_id=1",))
    said = "orders.total lost values since its type went from double to int, in 22 of 40 documents: 2 emptied, 20 rounded"
    assert finding.message == said
    assert not finding.invented


@pytest.mark.parametrize(
    ("was", "now", "losses", "more", "severity"),
    [
        ("date", "string", {Loss.SHIFTED: 3}, {}, Severity.WARNING),
        ("object", "objectId", {Loss.CUT: 3}, {}, Severity.WARNING),
        ("string", "int", {Loss.OTHER: 3}, {"merged": 2}, Severity.WARNING),
        ("string", "int", {Loss.OTHER: 3}, {}, Severity.NOTICE),
        ("string", "string", {Loss.CUT: 3}, {}, Severity.NOTICE),
        ("string", "null", {Loss.EMPTIED: 3}, {"retyped": False}, Severity.NOTICE),
    ],
)
def test_what_weighs_less(
    judge_documents: JudgeDocuments, was: str, now: str, losses: dict[Loss, int], more: dict[str, Any], severity: Severity
) -> None:
    assert found_of(judge_documents, was, now, losses, **more).severity is severity


def test_a_number_that_is_a_text_now_is_told_though_it_holds_the_same(judge_documents: JudgeDocuments) -> None:
    finding = found_of(judge_documents, "int or double", "string", {})
    assert (finding.severity, finding.count) == (Severity.NOTICE, None)
    assert finding.message == "orders.total is a text now, and was int or double: what it holds is the same, and compares as text"


def test_other_types_that_hold_the_same_are_proven(judge_documents: JudgeDocuments) -> None:
    found = judged(judge_documents, ColumnSurvival("a[].b", "objectId", "a[].b", "string", retyped=True))
    assert (found.proven, found.findings) == (["orders", "orders.a[].b"], [])


def test_of_made_documents_production_is_asked(judge_documents: JudgeDocuments) -> None:
    finding = found_of(judge_documents, "double", "int", {Loss.ROUNDED: 3}, made=True, name="a.b")
    assert (finding.severity, finding.invented) == (Severity.WARNING, True)
    asked = (
        'db.orders.countDocuments({"a.b": {"$type": "double"}, "$expr": {"$ne": ["$a.b", {"$convert": {"input": {"$convert": '
        '{"input": "$a.b", "to": "int", "onError": null, "onNull": null}}, "to": "double", "onError": null, "onNull": null}}]}})'
    )
    assert finding.remedy.startswith(f"Ask production, where this must give 0: {asked}; choose")
    odd = found_of(judge_documents, "double", "int", {Loss.ROUNDED: 3}, made=True, name="lines[].quantity")
    assert "countDocuments" not in odd.remedy
