"""tenant-query on documents: the application's own reads keep to their tenant, and what cannot be seen is not proven."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from document_judging import NOTHING, JudgeDocuments, Prepare
from judging import Judged
from pymongo.database import Database as Documents

from checks.declared.documents import DocumentExpectations, parse_document_reference
from checks.tenants.declared import Tenancy
from checks.tenants.reads import parse_document_read

CHECK = "tenant-query"
#: A name as hostile as a path may have it, and values that look like something else.
ODD = 'it\'s "50 %"\n☃'
OWN = {"tenant_id": "{tenant}"}
OF_THEM: Mapping[str, Any] = {"itself": "{tenant}", "others": {"$gte": "{tenant}"}}


def prepare(db: Documents[dict[str, Any]]) -> None:
    db.tenants.insert_many([{"_id": 1, "plan": "free"}, {"_id": 2, "plan": "paid"}])
    db.plans.insert_many([{"_id": "free"}, {"_id": "paid"}])
    db.orders.insert_many(
        [
            {"_id": "a", "tenant_id": 1, "open": True, "customer": "ann", "org": {ODD: "$x"}},
            {"_id": "b", "tenant_id": 2.0, "open": True, "customer": "bob", "org": {ODD: {"$x": 1}}},
            {"_id": "c", "tenant_id": 2, "open": False, "customer": "ann"},
            {"_id": "nobody's", "tenant_id": None, "open": True},
            {"_id": "both's", "tenant_id": [1, 2], "open": True},
        ]
    )
    db.customers.insert_many([{"_id": "ann", "tenant_id": 1, "plan": "free"}, {"_id": "bob", "tenant_id": 2, "plan": "paid"}])
    db.lines.insert_many([{"order": "a"}, {"order": "b"}])
    db.command({"create": "named", "viewOn": "orders", "pipeline": [{"$project": {"customer": 1}}]})
    db.command({"create": "all of them", "viewOn": "named", "pipeline": []})
    db.command({"create": "with customers", "viewOn": "orders", "pipeline": [lookup("customers")]})
    db.command({"create": "closed", "viewOn": "orders", "pipeline": [{"$match": {"open": False}}]})


def asked(
    judge: JudgeDocuments, *reads: Any, collection: str = "orders", column: str = "tenant_id", how: Prepare = prepare
) -> Judged:
    """What is said of several reads, which are called by their numbers."""
    named = {str(number): parse_document_read(collection, read, [column]) for number, read in enumerate(reads)}
    return judge(CHECK, how, NOTHING, tenancy=Tenancy((column,), document_reads=named))


def lookup(of: str, *pipeline: Any, mine: str = "customer", theirs: str = "_id") -> Mapping[str, Any]:
    """By two fields, or as every version takes it with a pipeline."""
    if not pipeline:
        return {"$lookup": {"from": of, "localField": mine, "foreignField": theirs, "as": "found.there"}}
    equal = {"$match": {"$expr": {"$eq": [f"${theirs}", "$$mine"]}}}
    return {"$lookup": {"from": of, "let": {"mine": f"${mine}"}, "pipeline": [equal, *pipeline], "as": "found.there"}}


MATCH = {"$match": OWN}
COUNT = {"$group": {"_id": "$open", "many": {"$sum": 1}}}


KEEPING: tuple[Any, ...] = (
    OWN,
    {"$or": [{**OWN, "open": True}, {**OWN, "open": False}]},
    {"tenant_id": {"$in": ["{tenant}", None]}},
    [MATCH],
    [MATCH, {"$project": {"_id": 0, "open": 1}}],
    [MATCH, COUNT, {"$match": {"many": {"$gt": 0}}}],
    [{"$project": {"tenant_id": 1}}, MATCH],
    [MATCH, lookup("plans"), COUNT],
    [MATCH, lookup("lines", mine="_id", theirs="order")],
    [MATCH, lookup("customers", {"$match": OWN}, {"$project": {"_id": 0, "plan": 1}})],
    [MATCH, lookup("customers"), {"$unwind": "$found.there"}, {"$match": {"found.there.tenant_id": "{tenant}"}}],
    [MATCH, {"$unionWith": {"coll": "customers", "pipeline": [MATCH, {"$project": {"plan": 1}}]}}, COUNT],
    [MATCH, {"$facet": {"some": [{"$limit": 1}], "many": [COUNT]}}],
    [{"$facet": {"some": [MATCH, {"$limit": 1}], "many": [MATCH, COUNT]}}],
)


def test_reads_that_keep_to_their_tenant(judge_documents: JudgeDocuments) -> None:
    judged = asked(judge_documents, *KEEPING)
    assert (judged.findings, judged.gaps, len(judged.proven)) == ([], {}, len(KEEPING))


LEAKING: tuple[tuple[Any, int, str], ...] = (
    ({"$or": [OWN, {"open": False}]}, 1, "returns 1 document that is not of the tenant that it is asked for, by tenant_id"),
    ([{"$match": {"$or": [OWN, {"open": True}]}}], 1, "returns 1 document that is not of the tenant"),
    ([{"$match": {"$or": [OWN, {"open": True}]}}, {"$project": {"_id": 1}}], 1, "brings together 1 document that is not"),
    ([{"$match": {"$or": [OWN, {"open": True}]}}, {"$sort": {"_id": 1}}, COUNT], 1, "brings together 1 document that is not"),
    ([MATCH, lookup("customers")], 1, "returns 1 document that holds, under found.there, what is another tenant's in customers"),
    ([MATCH, lookup("customers", {"$project": {"_id": 0, "plan": 1}})], 1, "returns 1 document that holds, under found.there,"),
    ([MATCH, lookup("customers"), COUNT], 1, "brings together 1 document that holds, under found.there,"),
    ([MATCH, lookup("customers"), {"$match": {"found.there.plan": "free"}}], 1, "returns 1 document that holds"),
    ([MATCH, {"$unionWith": "customers"}, {"$project": {"plan": 1}}], 1, "brings together 1 document of customers that is not"),
    ([MATCH, {"$facet": {"all": [{"$limit": 9}], "of": [lookup("customers")]}}], 1, "returns 1 document that holds"),
    ([MATCH, {"$facet": {"a": [COUNT]}}, {"$unionWith": "customers"}], 1, "returns 1 document of customers that is not"),
)


def test_reads_that_do_not(judge_documents: JudgeDocuments) -> None:
    judged = asked(judge_documents, *(read for read, _, _ in LEAKING))
    assert (judged.gaps, judged.proven) == ({}, [])
    for (_, count, message), finding in zip(LEAKING, judged.findings, strict=True):
        assert f"“{finding.subject}” {message}" in finding.message
        assert finding.count == count
        assert "orders" in [one.relation for one in finding.objects]
        assert all(value.startswith("_id=") for value in finding.values)


UNSEEN: tuple[tuple[Any, str], ...] = (
    ({**OWN, "open": "perhaps"}, "it returns no document for any tenant"),
    ({**OWN, "$near": 1}, "it could not be read: 2: unknown top level operator: $near"),
    ([MATCH, {"$nonsense": 1}], "it could not be read: 40324: Unrecognized pipeline stage name: '$nonsense'"),
    ([{"$group": {"_id": "$tenant_id"}}, {"$match": {"_id": "{tenant}"}}], "other tenants' documents of orders come into it"),
    ([MATCH, lookup("customers"), {"$unset": "found"}, {"$match": {"open": True}}], "other tenants' documents of customers"),
    ([MATCH, lookup("customers", COUNT, {"$limit": 1})], "what is looked up in customers does not say whose it is"),
    ([MATCH, lookup("with customers", mine="_id")], "whose documents of customers come into what is looked up"),
    ([MATCH, lookup("lines", lookup("customers"))], "whose documents of customers come into what is looked up"),
)


def test_what_proves_nothing(judge_documents: JudgeDocuments) -> None:
    judged = asked(judge_documents, *(read for read, _ in UNSEEN))
    assert (judged.findings, judged.proven) == ([], [])
    for (_, reason), gap in zip(UNSEEN, judged.gaps.values(), strict=True):
        assert gap.startswith(reason)


def test_views_are_looked_through(judge_documents: JudgeDocuments) -> None:
    """A view that hides whose a document is hides neither that it is the tenant's nor that it is not."""
    judged = asked(judge_documents, {"$or": [OWN, {"customer": "bob"}]}, {"$or": [OWN, {"customer": "ann"}]}, collection="closed")
    assert (judged.proven, judged.finding.subject) == (["0"], "1")


def test_a_view_that_hides_whose_a_document_is(judge_documents: JudgeDocuments) -> None:
    judged = asked(judge_documents, {"_id": {"$ne": "{tenant}"}}, collection="all of them")
    assert judged.gaps["0"].startswith("other tenants' documents of orders come into it")


def test_the_tenants_themselves(judge_documents: JudgeDocuments) -> None:
    reads = {name: parse_document_read("tenants", {"_id": how}, ["tenant_id"]) for name, how in OF_THEM.items()}
    references = DocumentExpectations(references=(parse_document_reference("orders.tenant_id -> tenants._id"),))
    judged = judge_documents(CHECK, prepare, references, tenancy=Tenancy(("tenant_id",), document_reads=reads))
    assert (judged.proven, judged.finding.subject) == (["itself"], "others")


def test_documents_that_do_not_say_whose_they_are(judge_documents: JudgeDocuments) -> None:
    judged = asked(judge_documents, {"order": "{tenant}"}, collection="lines")
    assert judged.gaps == {"0": "the documents of lines do not say whose they are"}


def test_names_and_values_of_any_kind(judge_documents: JudgeDocuments) -> None:
    column = f"org.{ODD}"
    judged = asked(
        judge_documents, {column: {"$eq": f"{{{column}}}"}}, {"$or": [{column: "{tenant}"}, {"open": True}]}, column=column
    )
    assert (judged.proven, judged.finding.count) == (["0"], 1)


def test_one_tenant_proves_nothing(judge_documents: JudgeDocuments) -> None:
    def one(db: Documents[dict[str, Any]]) -> None:
        db.orders.insert_many([{"tenant_id": "a", "open": True}, {"open": True}])

    assert asked(judge_documents, OWN, how=one).gaps == {"0": "fewer than two tenants have documents"}
