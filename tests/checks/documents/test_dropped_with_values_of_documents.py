"""dropped-with-values of documents: a collection or field that went with what it held."""

from __future__ import annotations

from document_judging import JudgeDocuments
from judging import Judged

from checks.evidence import Evidence, Migration, MigrationState, Place, Statement
from checks.schema.collections import collection_reference
from checks.schema.names import TableName
from checks.survivals import ColumnSurvival, Survival, Survivals

CHECK = "dropped-with-values"
ORDERS, ODD = TableName("", "orders"), TableName("", 'odd.$"name\n%s ü')
PLACE = Place("migrations/002.py", 4)
NEW = Migration("2", "", Place("migrations/002.py", 1), MigrationState.APPLIED, new=True)


def judged(
    judge: JudgeDocuments,
    *found: Survival,
    statements: tuple[Statement, ...] = (),
    gap: str = "",
    migrations: tuple[Migration, ...] = (),
) -> Judged:
    evidence = Evidence(survivals=Survivals(found, gap), statements=statements, migrations=migrations)
    return judge(CHECK, lambda _: None, evidence=evidence)


def test_a_field_with_values_is_named_at_the_command_that_dropped_it(judge_documents: JudgeDocuments) -> None:
    statements = (Statement("db.orders.update(…)", PLACE), Statement("db.users.update(…)", Place("migrations/003.py")))
    fields = (ColumnSurvival("lines[].sku", "string", None, values=38, keys=("_id=1",)), ColumnSurvival("empty", "int", None))
    finding = judged(judge_documents, Survival(ORDERS, ORDERS, 40, 40, columns=fields), statements=statements).finding
    assert (finding.subject, finding.count, finding.place, finding.severity) == ("orders.lines[].sku", 38, PLACE, None)
    assert finding.message == "field orders.lines[].sku is dropped with a value in 38 of 40 documents"
    assert (finding.objects, finding.values) == ((collection_reference("orders"),), ("_id=1",))
    assert "dbproof: allow dropped-with-values" in finding.remedy


def test_a_collection_with_documents_and_an_odd_name(judge_documents: JudgeDocuments) -> None:
    dropped = Statement("db.getCollection(…).drop()", PLACE, dropped=(collection_reference(ODD.name),))
    finding = judged(judge_documents, Survival(ODD, None, 1, missing=1, made=True), statements=(dropped,)).finding
    assert (finding.subject, finding.place) == (ODD.name, PLACE)
    assert finding.message == f"collection {ODD.name} is dropped with 1 document in it, on documents that dbproof made"


def test_what_held_nothing_may_go_and_what_kept_all_is_proven(judge_documents: JudgeDocuments) -> None:
    kept = Survival(ORDERS, ORDERS, 40, 12, missing=28, columns=(ColumnSurvival("empty", "string", None),))
    users, nothing = TableName("", "users"), TableName("", "nothing")
    found = judged(judge_documents, kept, Survival(users, users), Survival(nothing, None), Survival(ODD, None, gap="why"))
    assert (found.proven, found.findings, found.gaps) == (["orders"], [], {"users": "no documents", ODD.name: "why"})


def test_without_a_recorded_write_it_is_the_one_new_migration(judge_documents: JudgeDocuments) -> None:
    lost = Survival(ORDERS, ORDERS, 1, 1, columns=(ColumnSurvival("code", "string", None, values=1),))
    assert judged(judge_documents, lost, migrations=(NEW,)).finding.place == NEW.place
    assert judged(judge_documents, lost, migrations=(NEW, NEW)).finding.place is None
    assert judged(judge_documents, gap="the new migrations failed").gaps == {"documents of base": "the new migrations failed"}
    assert judge_documents(CHECK, lambda _: None).all == ()
