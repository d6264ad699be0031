"""Keys that several documents share are counted, as a unique index would have them; an index that stands is believed."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments
from pymongo.database import Database as Documents

from checks.declared.documents import DeclaredIndex, DocumentExpectations, parse_document_reference
from checks.pipelines import shared
from checks.schema.collections import CollectionIndex

NAME = "companies.name"
NO_CASE = {"locale": "en", "strength": 2}


def refer(*parents: str) -> DocumentExpectations:
    return DocumentExpectations(
        references=tuple(parse_document_reference(f"a.x -> {one}" if "(" not in one else one) for one in parents)
    )


def unique(*fields: str, **options: Any) -> DocumentExpectations:
    index = CollectionIndex("key", tuple((name, 1) for name in fields), unique=True, **options)
    return DocumentExpectations(indexes=(DeclaredIndex("companies", index),))


def holding(*documents: Any, index: Any = None, **options: Any) -> Any:
    def prepare(db: Documents[dict[str, Any]]) -> None:
        db.create_collection("companies", **options)
        db.companies.insert_many([dict(one) for one in documents])
        if index:
            keys, said = index
            db.companies.create_index(keys, **said)

    return prepare


@pytest.fixture(params=[False, True], ids=["grouped", "in order"])
def _ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        monkeypatch.setattr(shared, "MANY", 0)


@pytest.mark.usefixtures("_ways")
def test_a_key_that_is_referred_to(judge_documents: JudgeDocuments) -> None:
    names = ["a", "a", "a", "b", "b", "c", None, None, 1, 1.0]
    held = holding(*({"name": name} for name in names), {}, {})
    finding = judge_documents("duplicate-keys", held, refer(NAME)).finding
    assert finding.message == "3 different name are had by 7 documents of companies, and a reference is to mean one of them"
    assert (finding.subject, finding.count, finding.values[0], len(finding.values)) == (NAME, 7, 'name="a" (3)', 3)
    assert finding.remedy.endswith('db.companies.createIndex({name: 1}, {name: "name_unique", unique: true})')


@pytest.mark.usefixtures("_ways")
def test_keys_of_one_document_each(judge_documents: JudgeDocuments) -> None:
    held = holding({"name": "a", "t": 1}, {"name": "a", "t": 2}, {"name": "A", "t": 1}, {"t": 1}, {"t": 1})
    both = "a.(t, x) -> companies.(t, name)"
    assert judge_documents("duplicate-keys", held, refer(both)).proven == ["companies.(t, name)"]


@pytest.mark.usefixtures("_ways")
def test_a_key_of_two_fields(judge_documents: JudgeDocuments) -> None:
    held = holding({"name": "a", "t": 1}, {"name": "a", "t": 1}, {"name": "a", "t": 2})
    finding = judge_documents("duplicate-keys", held, refer("a.(t, x) -> companies.(t, name)")).finding
    assert (finding.count, finding.values) == (2, ('t=1, name="a" (2)',))


def test_each_element_of_an_array_once_for_a_document(judge_documents: JudgeDocuments) -> None:
    held = holding({"names": ["a", "a", "b"]}, {"names": ["b", "c"]}, {"names": "d"})
    finding = judge_documents("duplicate-keys", held, refer("companies.names[]")).finding
    assert finding.values == ('names="b" (2)',)


@pytest.mark.parametrize(
    ("index", "believed"),
    [
        (("name", {"unique": True}), True),
        (("name", {"unique": True, "sparse": True}), True),
        (("name", {}), False),
        (("name", {"unique": True, "partialFilterExpression": {"name": "z"}}), False),
        (([("name", 1), ("t", 1)], {"unique": True}), False),
        (("name", {"unique": True, "collation": NO_CASE}), False),
    ],
)
def test_a_unique_index_is_believed_where_it_holds_every_document(
    judge_documents: JudgeDocuments, index: Any, believed: bool
) -> None:
    documents = [{"name": "a", "t": 1}] if believed else [{"name": "a", "t": 1}, {"name": "b", "t": 2}]
    judged = judge_documents("duplicate-keys", holding(*documents, index=index), refer(NAME, "companies._id"))
    assert judged.proven == [NAME, "companies._id"]


def test_texts_by_the_collections_collation(judge_documents: JudgeDocuments) -> None:
    held = holding({"name": "a"}, {"name": "A"}, collation=NO_CASE)
    assert judge_documents("duplicate-keys", held, refer(NAME)).finding.count == 2


@pytest.mark.parametrize(
    ("documents", "expected", "count"),
    [
        ([{"n": 1}, {"n": 1}, {"n": 2}], unique("n"), 2),
        ([{}, {"n": None}, {"n": 2}], unique("n"), 2),
        ([{"n": [1, 1]}, {"n": [1, 2]}, {"n": []}], unique("n"), 2),
        ([{"n": [{"m": 1}]}, {"n": {"m": 1}}], unique("n.m"), 2),
        ([{"n": 1, "open": True}] * 2 + [{"n": 1}], unique("n", partial_filter={"open": True}), 2),
        ([{"n": "a"}, {"n": "A"}], unique("n", collation=NO_CASE), 2),
        ([{"n": 1, "m": None}, {"n": 1}], unique("n", "m"), 2),
    ],
)
def test_a_declared_unique_index_that_is_not_there(
    judge_documents: JudgeDocuments, documents: Any, expected: DocumentExpectations, count: int
) -> None:
    finding = judge_documents("duplicate-keys", holding(*documents), expected).finding
    assert (finding.subject, finding.count) == ("companies.key", count)
    assert finding.message.endswith("and one of them is to be unique")


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([{}, {}, {"n": 1}], unique("n", sparse=True)),
        ([{"n": [1, 1]}, {"n": [2]}], unique("n")),
        ([{"n": 1, "open": True}, {"n": 1}], unique("n", partial_filter={"open": True})),
        ([{"n": "a"}, {"n": "A"}], unique("n")),
    ],
)
def test_what_a_unique_index_would_take(judge_documents: JudgeDocuments, documents: Any, expected: DocumentExpectations) -> None:
    assert judge_documents("duplicate-keys", holding(*documents), expected).proven == ["companies.key"]


def test_nothing_to_look_at(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents("duplicate-keys", lambda db: db.create_collection("companies"), refer(NAME, "none.x"))
    assert judged.gaps == {NAME: "no documents", "none.x": "there is no collection none"}
