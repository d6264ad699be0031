"""A migration that fails on made rows: an error where any row would stop it, else a warning with what to ask production."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from document_judging import JudgeDocuments
from judging import Judge
from pymongo.database import Database as MongoDatabase

from checks.evidence import Counted, Evidence, FilledTable, MigrationFailure
from checks.interface import Severity
from checks.rulebook.made_rows import stops_any_row
from checks.schema.model import Catalogue, Column, Table
from checks.schema.names import TableName

NULLS = 'column "buyer_id" of relation "orders" contains null values'
STRICT = "ALTER TABLE orders ALTER COLUMN buyer_id SET NOT NULL"
FAILURE = MigrationFailure("002", None, STRICT, "23502", NULLS, on_rows=True, invented=True)


@pytest.mark.parametrize(
    ("statement", "said", "any_row"),
    [
        (STRICT, NULLS, False),
        ("alter table orders add column buyer_id int not null", NULLS, True),
        ('ALTER TABLE orders ADD "buyer_id" int NOT NULL', NULLS, True),
        ("ALTER TABLE orders ADD COLUMN note text, ALTER COLUMN buyer_id SET NOT NULL", NULLS, False),
        ("ALTER TABLE orders ADD PRIMARY KEY (buyer_id)", NULLS, False),
        ("ALTER TABLE orders ADD CONSTRAINT given NOT NULL buyer_id", NULLS, False),
        ("ALTER TABLE orders ADD COLUMN buyer_id_2 int, ALTER buyer_id SET NOT NULL", NULLS, False),
        ("ALTER TABLE orders ADD COLUMN IF NOT EXISTS buyer_id int NOT NULL", NULLS, True),
        ("ALTER TABLE address ALTER COLUMN buyer_id SET NOT NULL", NULLS, False),
        ("ALTER TABLE orders ADD CHECK (buyer_id > 0)", "check constraint is violated by some row", False),
        ("ALTER TABLE t ADD COLUMN a int NOT NULL", "Cannot add a NOT NULL column with default value NULL", True),
    ],
)
def test_what_stops_any_row(statement: str, said: str, any_row: bool) -> None:
    assert stops_any_row(replace(FAILURE, statement=statement, said=said)) is any_row


def test_production_is_asked_by_the_rules_that_are_added_and_broken(judge: Judge) -> None:
    before = Catalogue(
        (Table(TableName("public", "orders"), (Column("buyer_id", "integer", True), Column("note", "text", True))),)
    )
    audits = {"orders.buyer_id NOT NULL": Counted(3), "orders.note NOT NULL": Counted(0)}
    made = (FilledTable(TableName("public", "orders"), 70, 70), FilledTable(TableName("public", "others"), 70, 70))
    evidence = Evidence(failure=FAILURE, base=before, audits=audits, filled=made)
    ddl = "CREATE TABLE orders (buyer_id integer NOT NULL, note text NOT NULL)"
    finding = judge("migration-failed", ddl, evidence=evidence).finding
    query = "SELECT * FROM ONLY public.orders AS orders WHERE buyer_id IS NULL;"
    assert finding.remedy == f"Ask production, where this must give nothing: {query}"
    assert (finding.severity, finding.evidence["invented"]) == (Severity.WARNING, True)
    rows = "3 rows of orders against buyer_id NOT NULL"
    assert finding.message == f"migration 002 failed on rows that dbproof made ({rows}); without them it passes"
    no_rule = replace(FAILURE, code="22P02", said='invalid input syntax for type uuid: "a"')
    finding = judge("migration-failed", evidence=replace(evidence, failure=no_rule)).finding
    assert "ask production for what the statement would refuse. Where it has some: Correct them in an" in finding.remedy
    assert finding.message == "migration 002 failed on rows that dbproof made (among 70 rows of orders); without them it passes"
    any_row = replace(FAILURE, statement="ALTER TABLE orders ADD COLUMN buyer_id integer NOT NULL")
    finding = judge("migration-failed", evidence=replace(evidence, failure=any_row)).finding
    assert (finding.severity, finding.message) == (
        None,
        "migration 002 failed on rows: green on an empty table, red on any row",
    )


def test_of_mongodb_the_keys_that_are_there_twice_are_listed(judge_documents: JudgeDocuments) -> None:
    def prepare(database: MongoDatabase[dict[str, Any]]) -> None:
        database["audit log"].create_index(["a.b", ("c", -1)], name="by 'a'", unique=True, partialFilterExpression={"d": 1})

    said = "E11000 duplicate key error collection: app.audit log index: by 'a'"
    failure = replace(FAILURE, statement="", code="11000", said=said)
    finding = judge_documents("migration-failed", prepare, evidence=Evidence(failure=failure)).finding
    group = '{"$group": {"_id": {"k0": "$a.b", "k1": "$c"}, "documents": {"$sum": 1}}}'
    stages = f'[{{"$match": {{"d": 1}}}}, {group}, {{"$match": {{"documents": {{"$gt": 1}}}}}}]'
    assert finding.remedy.endswith(f': db.getCollection("audit log").aggregate({stages});')
    other = replace(failure, said="Document failed validation", code="121")
    finding = judge_documents("migration-failed", lambda _: None, evidence=Evidence(failure=other)).finding
    assert "ask production for what the statement would refuse. Where it has some: Correct the document that is" in finding.remedy
    assert finding.remedy.endswith("Where it never can: let the schema say so, or give the column by `columns` under `data`.")
