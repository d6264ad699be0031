"""Arrays with a long tail are found with their lengths; short ones and those of one length are none."""

from __future__ import annotations

from typing import Any

import pytest
from document_judging import JudgeDocuments

from checks.declared.documents import DocumentExpectations, DocumentLimits
from checks.interface import Severity
from checks.registries.documents import DOCUMENTS
from checks.registries.every import LIVE

CHECK = "unbounded-array"


def holding(*documents: dict[str, Any]) -> Any:
    return lambda db: db.devices.insert_many([dict(one) for one in documents])


def test_an_array_that_grows(judge_documents: JudgeDocuments) -> None:
    short = [{"readings": [0] * number} for number in range(98)]
    long = [{"readings": [0] * 1001}, {"readings": [0] * 2500}]
    finding = judge_documents(CHECK, holding(*short, *long, {"readings": None}, {})).finding
    assert (finding.subject, finding.count) == ("devices.readings", 2)
    assert finding.message == (
        "devices.readings has more than 1000 elements in 2 documents, 2500 in the longest; "
        "half of 100 have at most 49, 99 % at most 1001"
    )
    assert finding.evidence == {"longest": 2500, "median": 49, "percentile 99": 1001}


def test_short_ones_and_those_of_one_length(judge_documents: JudgeDocuments) -> None:
    documents = [{"embedding": [0.5] * 1536, "tags": ["a"] * number} for number in range(3)]
    judged = judge_documents(CHECK, holding(*documents))
    assert (judged.proven, judged.findings) == (["devices.embedding", "devices.tags"], [])


def test_inside_other_arrays_and_by_the_settings_length(judge_documents: JudgeDocuments) -> None:
    expect = DocumentExpectations(limits=DocumentLimits(array_length=3))
    logs: list[dict[str, Any]] = [{"log": [1]}, {"log": [1, 2, 3, 4]}, {"log": "none"}]
    judged = judge_documents(CHECK, holding({"parts": logs}, {"parts": [{"log": []}]}, {"parts": []}), expect)
    assert (judged.proven, judged.finding.subject) == (["devices.parts"], "devices.parts[].log")
    assert judged.finding.message.startswith("devices.parts[].log has more than 3 elements in 1 document, 4 in the longest; half")


@pytest.mark.mongodb_since("5.0")
def test_one_document_alone_shows_no_fixed_length(judge_documents: JudgeDocuments) -> None:
    assert judge_documents(CHECK, holding({"a.b": {"$x": [0] * 1001}})).finding.subject == 'devices."a.b"."$x"'


def test_it_is_asked_where_a_database_is_looked_at(judge_documents: JudgeDocuments) -> None:
    assert (DOCUMENTS[CHECK].SEVERITY, LIVE[CHECK]) == (Severity.OFF, Severity.NOTICE)
    assert judge_documents(CHECK, lambda db: db.create_collection("empty")).all == ()
