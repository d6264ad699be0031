"""An index that another one begins with is redundant, unless it does more, or holds other documents, or orders them otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.schema.collections import index_reference

NO_CASE = {"locale": "en", "strength": 2}
ACTIVE = {"partialFilterExpression": {"active": True}}
AB: Any = [("a", 1), ("b", -1)]


def built(*indexes: tuple[Any, dict[str, Any]]) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        for number, (keys, options) in enumerate(indexes):
            db.docs.create_index(keys, name=f"i{number}", **options)

    return prepare


@pytest.mark.parametrize(
    ("index", "other"),
    [
        (("a", {}), (AB, {})),
        (([("a", -1)], {}), (AB, {})),
        ((AB, {}), ([*AB, ("c", 1)], {})),
        (([("a", -1), ("b", 1)], {}), ([*AB, ("c", 1)], {})),
        (("a", {"sparse": True}), (AB, {})),
        (("a", {"sparse": True}), (AB, {"sparse": True})),
        (("a", {"hidden": True}), (AB, {})),
        (("a", {}), (AB, {"unique": True})),
        (("a", ACTIVE), (AB, ACTIVE)),
        (("a", {"collation": NO_CASE}), (AB, {"collation": NO_CASE})),
        (([("a", -1)], {}), ("a", {"unique": True})),
        ((AB, {}), ([("a", -1), ("b", 1)], {"unique": True})),
    ],
)
def test_the_beginning_of_another(judge_documents: JudgeDocuments, index: Any, other: Any) -> None:
    finding = judge_documents("redundant-index", built(index, other)).finding
    assert finding.subject == "docs.i0"
    assert finding.remedy.startswith('db.docs.dropIndex("i0"). No document is touched')
    assert finding.objects[:2] == (index_reference("docs", "i0"), index_reference("docs", "i1"))


@pytest.mark.parametrize(
    ("index", "other"),
    [
        (("b", {}), (AB, {})),
        (([("a", 1), ("b", 1)], {}), ([*AB, ("c", 1)], {})),
        (("a", {"unique": True}), (AB, {})),
        (("a", {"expireAfterSeconds": 60}), (AB, {})),
        (("a", {}), (AB, {"sparse": True})),
        (("a", {}), (AB, ACTIVE)),
        (("a", ACTIVE), (AB, {})),
        (("a", {}), (AB, {"hidden": True})),
        (("a", {}), (AB, {"collation": NO_CASE})),
        (("a", {"collation": NO_CASE}), (AB, {})),
        (([("a", "hashed")], {}), (AB, {})),
        (("a", {}), ([("a", "hashed"), ("b", 1)], {})),
        (("a", {}), ([("a", 1), ("b", "2dsphere")], {})),
        (([("a", "text")], {}), (AB, {})),
        (([("$**", 1)], {}), ("a", {})),
        (([("_id", 1), ("a", 1)], {}), ("a", {})),
    ],
)
def test_what_does_more_or_otherwise(judge_documents: JudgeDocuments, index: Any, other: Any) -> None:
    judged = judge_documents("redundant-index", built(index, other))
    assert (judged.proven, judged.findings) == (["docs.i0", "docs.i1"], [])


@pytest.mark.parametrize("turned", [("a", -1), pytest.param(("a", 1), marks=pytest.mark.mongodb_since("5.0"))])
def test_of_twins_one_stays(judge_documents: JudgeDocuments, turned: Any) -> None:
    collation = {"collation": {"locale": "simple"}} if turned == ("a", -1) else {"sparse": True}
    judged = judge_documents("redundant-index", built(([turned], collation), ("a", {})))
    assert len(judged.findings) == 1
    assert "is the same index as" in judged.finding.message
    assert judged.finding.subject == ("docs.i1" if turned == ("a", -1) else "docs.i0")


def test_hostile_names(judge_documents: JudgeDocuments) -> None:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db['wo"rd %s'].create_index("näme'\n%", name='by "näme"')
        db['wo"rd %s'].create_index([("näme'\n%", 1), ("b", 1)], name="longer")

    finding = judge_documents("redundant-index", prepare).finding
    assert finding.remedy.startswith('db.getCollection("wo\\"rd %s").dropIndex("by \\"n')
