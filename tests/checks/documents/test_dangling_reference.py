"""References that name no parent are counted exactly, whatever shape they have."""

from __future__ import annotations

from typing import Any

import pytest
from bson import ObjectId
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.pipelines.references import FEW

BY_NAME = "subscriptions.company_name -> companies.company_name"
LINES = "invoices.lines[].subscription_id -> subscriptions._id"


def expect(*references: str) -> DocumentExpectations:
    return DocumentExpectations(references=tuple(map(parse_document_reference, references)))


def holding(documents: Any) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        for name, several in documents.items():
            db[name].insert_many([dict(one) for one in several])

    return prepare


def test_every_reference_finds_its_parent(judge_documents: JudgeDocuments) -> None:
    held = {
        "companies": [{"company_name": "a"}, {"company_name": "b"}, {"company_name": "b"}, {}],
        "subscriptions": [{"company_name": "a"}, {"company_name": "b"}, {"company_name": None}, {}],
    }
    judged = judge_documents("dangling-reference", holding(held), expect(BY_NAME))
    assert (judged.proven, judged.findings) == ([BY_NAME], [])


def test_missing_parents_are_counted_with_what_names_them(judge_documents: JudgeDocuments) -> None:
    names = ["a", "gone", "gone", "gone", "lost", *(f"x{number}" for number in range(9))]
    held = {"companies": [{"company_name": "a"}], "subscriptions": [{"company_name": name} for name in names]}
    finding = judge_documents("dangling-reference", holding(held), expect(BY_NAME)).finding
    assert finding.subject == BY_NAME
    assert finding.message == (
        "13 documents of subscriptions name a companies.company_name that does not exist, 11 different ones"
    )
    assert (finding.count, finding.evidence["missing"]) == (13, 11)
    assert finding.values[:2] == ('company_name="gone" (3)', 'company_name="lost" (1)')
    assert len(finding.values) == 5


def test_more_missing_parents_than_are_looked_for_one_by_one(judge_documents: JudgeDocuments) -> None:
    names = [name for number in range(FEW + 5) for name in (f"x{number}", f"x{number}")]
    held = {"companies": [{"company_name": "a"}], "subscriptions": [{"company_name": name} for name in [*names, "a", "x7"]]}
    finding = judge_documents("dangling-reference", holding(held), expect(BY_NAME)).finding
    assert (finding.count, finding.evidence["missing"]) == (2 * (FEW + 5) + 1, FEW + 5)
    assert finding.values[:2] == ('company_name="x7" (3)', 'company_name="x0" (2)')


def test_an_index_on_the_key_changes_nothing(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.subscriptions.create_index("company_name")
        db.companies.create_index("company_name")
        db.companies.insert_many([{"company_name": "a"}, {"company_name": 1}])
        db.subscriptions.insert_many([{"company_name": name} for name in ("a", 1.0, "b", "b", None)] + [{}])

    finding = judge_documents("dangling-reference", prepare, expect(BY_NAME)).finding
    assert (finding.count, finding.values) == (2, ('company_name="b" (2)',))


def test_each_element_of_an_array_refers(judge_documents: JudgeDocuments) -> None:
    held = {
        "subscriptions": [{"_id": 1}, {"_id": 2}],
        "invoices": [
            {"lines": [{"subscription_id": 1}, {"subscription_id": 2.0}, {"subscription_id": 3}]},
            {"lines": [{"subscription_id": None}, {}]},
            {"lines": []},
            {},
        ],
    }
    finding = judge_documents("dangling-reference", holding(held), expect(LINES)).finding
    assert finding.message == "1 reference of invoices names a subscriptions._id that does not exist, 1 that is missing"


@pytest.mark.parametrize(
    ("reference", "held", "dangling"),
    [
        ("a.x.y[].z[] -> b._id", {"a": [{"x": {"y": [{"z": [1, 2]}, {"z": [3]}]}}], "b": [{"_id": 1}]}, 2),
        ("a.tags[] -> b.names[]", {"a": [{"tags": ["p", "q"]}], "b": [{"names": ["o", "p"]}]}, 1),
        ("a.parent -> a._id", {"a": [{"_id": 1}, {"_id": 2, "parent": 1}, {"_id": 3, "parent": 9}]}, 1),
        ("a.key -> b._id", {"a": [{"key": {"x": 1}}, {"key": {"x": 2}}], "b": [{"_id": {"x": 1}}]}, 1),
        ("a._id -> b._id", {"a": [{"_id": 1}, {"_id": 2}], "b": [{"_id": 1}]}, 1),
        ("a.key -> gone._id", {"a": [{"key": 1}, {"key": 2}]}, 2),
        ('"a.b".key -> c._id', {"a.b": [{"key": 1}], "c": [{"_id": 2}]}, 1),
    ],
)
def test_shapes(judge_documents: JudgeDocuments, reference: str, held: Any, dangling: int) -> None:
    assert judge_documents("dangling-reference", holding(held), expect(reference)).finding.count == dangling


def test_a_text_is_no_object_id(judge_documents: JudgeDocuments) -> None:
    key = ObjectId()
    held = {"a": [{"key": str(key)}], "b": [{"_id": key}]}
    finding = judge_documents("dangling-reference", holding(held), expect("a.key -> b._id")).finding
    assert finding.values == (f'_id="{key}" (1)',)


def test_an_array_that_is_not_declared_as_one_is_hinted_at(judge_documents: JudgeDocuments) -> None:
    held = {"a": [{"keys": [1, 2]}], "b": [{"_id": 1}, {"_id": 2}]}
    finding = judge_documents("dangling-reference", holding(held), expect("a.keys -> b._id")).finding
    assert "write a.keys[] if each element refers" in finding.remedy


def test_nothing_that_refers_proves_nothing(judge_documents: JudgeDocuments) -> None:
    held = {"a": [{"kye": 1}, {"key": None}], "b": [{"_id": 1}]}
    judged = judge_documents("dangling-reference", holding(held), expect("a.key -> b._id", "none.key -> b._id"))
    assert judged.gaps == {"a.key -> b._id": "no document has key", "none.key -> b._id": "no documents"}
