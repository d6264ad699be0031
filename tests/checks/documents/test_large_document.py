"""Large documents are counted by the server's own sizes, also those that are nearly as large as can be."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments

from checks.declared.documents import DocumentExpectations, DocumentLimits
from checks.documents.large_document import in_words
from checks.interface import Severity
from checks.registries.documents import DOCUMENTS
from checks.registries.every import LIVE

CHECK = "large-document"
MEGABYTE = 1_048_576


def holding(*documents: dict[str, Any]) -> Any:
    return lambda db: [db.invoices.insert_one(dict(one)) for one in documents]


def test_large_ones_and_nearly_as_large_as_can_be(judge_documents: JudgeDocuments) -> None:
    large, near = {"_id": 1, "scan": b"x" * MEGABYTE}, {"_id": 2, "scan": b"x" * 15 * MEGABYTE}
    finding = judge_documents(CHECK, holding({"_id": 0}, large, near)).finding
    assert (finding.subject, finding.count) == ("invoices", 2)
    words = "2 documents of invoices are larger than 1 MB, 15 MB the largest, 1 of them near the 16 MB that the server takes"
    assert finding.message == words
    assert finding.values == ("_id=2 (15 MB)", "_id=1 (1 MB)")


def test_small_ones(judge_documents: JudgeDocuments) -> None:
    judged = judge_documents(CHECK, holding({}, {"scan": "x" * 10_000}))
    assert (judged.proven, judged.findings) == (["invoices"], [])


def test_by_the_settings_size_and_with_a_large_key(judge_documents: JudgeDocuments) -> None:
    expect = DocumentExpectations(limits=DocumentLimits(document_size=2000))
    finding = judge_documents(CHECK, holding({"_id": "x" * 3000}), expect).finding
    assert (finding.message, finding.values) == ("1 document of invoices is larger than 2 KB, 2.9 KB the largest", ())


@pytest.mark.parametrize(("size", "words"), [(17, "17 bytes"), (1024, "1 KB"), (1_572_864, "1.5 MB"), (16_777_216, "16 MB")])
def test_sizes_in_words(size: int, words: str) -> None:
    assert in_words(size) == words


def test_it_is_asked_where_a_database_is_looked_at(judge_documents: JudgeDocuments) -> None:
    assert (DOCUMENTS[CHECK].SEVERITY, LIVE[CHECK]) == (Severity.OFF, Severity.NOTICE)
    assert judge_documents(CHECK, lambda db: db.create_collection("empty")).all == ()
