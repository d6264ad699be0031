"""dropped-with-values: a table or column that went with what it held."""

from __future__ import annotations

from judging import Judge, Judged

from checks.evidence import Evidence, Place, Statement
from checks.interface import Severity
from checks.schema.names import TableName, column_reference, table_reference
from checks.survivals import ColumnSurvival, Survival, Survivals

CHECK = "dropped-with-values"
ORDERS = TableName("public", "orders")
ODD = TableName("sales", 'odd "name\n%s')
PLACE = Place("migrations/002.sql", 4)


def judged(judge: Judge, *tables: Survival, statements: tuple[Statement, ...] = (), gap: str = "") -> Judged:
    return judge(CHECK, evidence=Evidence(survivals=Survivals(tables, gap), statements=statements))


def test_a_column_with_values_is_named_at_the_statement_that_dropped_it(judge: Judge) -> None:
    dropped = Statement("ALTER TABLE orders DROP COLUMN code", PLACE, dropped=(column_reference(ORDERS, "code"),))
    columns = (ColumnSurvival("code", "text", None, values=38), ColumnSurvival("empty", "text", None))
    finding = judged(judge, Survival(ORDERS, ORDERS, 40, 40, columns=columns), statements=(dropped,)).finding
    assert (finding.subject, finding.count, finding.place, finding.severity) == ("orders.code", 38, PLACE, None)
    assert finding.message == "column orders.code is dropped with a value in 38 of 40 rows"
    assert finding.objects == (column_reference(ORDERS, "code"),)
    assert "dbproof: allow dropped-with-values" in finding.remedy


def test_a_table_with_rows_and_an_odd_name(judge: Judge) -> None:
    dropped = Statement("DROP TABLE …", PLACE, dropped=(table_reference(ODD),))
    finding = judged(judge, Survival(ODD, None, 1, missing=1, made=True), statements=(dropped,)).finding
    assert (finding.subject, finding.place) == ('sales.odd "name\n%s', PLACE)
    assert finding.message == 'table sales.odd "name\n%s is dropped with 1 row in it, on rows that dbproof made'


def test_what_held_nothing_may_go_and_what_kept_all_is_proven(judge: Judge) -> None:
    empty = ColumnSurvival("empty", "text", None)
    kept = Survival(ORDERS, ORDERS, 40, 12, missing=28, columns=(empty,))
    users, nothing = TableName("public", "users"), TableName("public", "nothing")
    found = judged(judge, kept, Survival(users, users), Survival(nothing, None), Survival(ODD, None, gap="UNLOGGED"))
    assert (found.proven, found.findings) == (["orders"], [])
    assert found.gaps == {"users": "no rows", 'sales.odd "name\n%s': "UNLOGGED"}


def test_what_could_not_be_compared_is_said_and_nothing_new_says_nothing(judge: Judge) -> None:
    assert judged(judge, gap="the new migrations failed").gaps == {"rows of base": "the new migrations failed"}
    assert judge(CHECK).all == ()


def test_without_a_record_the_statement_is_found_by_what_it_names(judge: Judge) -> None:
    column = ColumnSurvival("code", "text", None, values=1)
    statements = (
        Statement("alter table users drop column code", Place("1.sql")),
        Statement("alter table Orders drop column Code", Place("2.sql")),
        Statement("alter table orders add column decode text", Place("3.sql")),
    )
    finding = judged(judge, Survival(ORDERS, ORDERS, 1, 1, columns=(column,)), statements=statements).finding
    assert (finding.place, finding.severity or Severity.WARNING) == (Place("2.sql"), Severity.WARNING)
