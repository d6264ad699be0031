"""lost-rows of documents: those of a collection that is still there."""

from __future__ import annotations

from document_judging import JudgeDocuments
from judging import Judged

from checks.evidence import Evidence, Place, Statement
from checks.schema.names import TableName
from checks.survivals import Survival, Survivals

CHECK = "lost-rows"
USERS, ORDERS = TableName("", "users"), TableName("", "orders of %s.ü")
DELETE = Statement("db.users.delete(…)", Place("migrations/002.py", 2))


def judged(judge: JudgeDocuments, *found: Survival) -> Judged:
    return judge(CHECK, lambda _: None, evidence=Evidence(survivals=Survivals(found), statements=(DELETE,)))


def test_documents_that_are_gone_are_counted_with_their_keys_and_the_command(judge_documents: JudgeDocuments) -> None:
    finding = judged(judge_documents, Survival(USERS, USERS, 40, 30, missing=12, extra=2, keys=("_id=4",))).finding
    assert (finding.subject, finding.count, finding.values) == ("users", 12, ("_id=4",))
    assert (finding.place, finding.severity) == (DELETE.place, None)
    assert finding.message == "12 of 40 documents of users are gone, and 2 were added"


def test_made_documents_and_numbers_alone(judge_documents: JudgeDocuments) -> None:
    finding = judged(judge_documents, Survival(ORDERS, USERS, 8, 7, missing=1, keyed=False, made=True)).finding
    assert finding.message == "1 of 8 documents of orders of %s.ü is gone, on documents that dbproof made"
    assert finding.place == DELETE.place, "it is called users by now"


def test_a_collection_that_kept_its_documents_is_proven_and_one_that_is_gone_is_another_checks(
    judge_documents: JudgeDocuments,
) -> None:
    found = judged(judge_documents, Survival(USERS, USERS, 5, 9, extra=4), Survival(ORDERS, None, 8, missing=8))
    assert (found.proven, found.findings, found.gaps) == (["users"], [], {})
