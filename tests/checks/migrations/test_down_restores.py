"""down-restores: what undoing a migration left, in words and counts."""

from __future__ import annotations

import pytest
from document_judging import JudgeDocuments
from judging import Judge, Judged

from checks.evidence import Evidence, MigrationFailure, Place
from checks.interface import Severity
from checks.reversals import Difference, DifferenceKind, Reversal, SecondRun
from checks.schema.collections import collection_reference, index_reference, validator_reference
from checks.schema.names import ObjectKind, ObjectReference, TableName, column_reference, table_reference

CHECK = "down-restores"
PLACE = Place("migrations/2_b.py", 6)
COMPANIES = collection_reference("companies")


def judged(judge: JudgeDocuments, *reversals: Reversal, second: SecondRun | None = None) -> Judged:
    return judge(CHECK, lambda _: None, evidence=Evidence(reversals=reversals, second_run=second))


def test_there_and_back_is_proven(judge_documents: JudgeDocuments) -> None:
    assert judged(judge_documents, Reversal("1_a"), Reversal("2_b"), second=SecondRun()).proven == ["1_a", "2_b", "a second run"]


def test_nothing_tried_says_nothing(judge_documents: JudgeDocuments) -> None:
    assert judged(judge_documents).all == ()


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (Difference(index_reference("a.b", "by %s"), DifferenceKind.MISSING), "index a.b.by %s is gone"),
        (Difference(COMPANIES, DifferenceKind.EXTRA, 3), "companies is there, and was not, with 3 documents"),
        (
            Difference(validator_reference("companies"), DifferenceKind.CHANGED, words="is another one"),
            "of companies is another one",
        ),
        (Difference(COMPANIES, DifferenceKind.ROWS_MISSING, 1), "1 document of companies is not brought back"),
        (Difference(COMPANIES, DifferenceKind.ROWS_EXTRA, 2), "2 documents of companies were not there"),
        (Difference(COMPANIES, DifferenceKind.ROWS_CHANGED, 2, "a, b"), "2 documents of companies hold something else in a, b"),
        (Difference(COMPANIES, DifferenceKind.ROWS_CHANGED), "the documents of companies hold something else"),
    ],
)
def test_what_is_not_restored_is_named(judge_documents: JudgeDocuments, difference: Difference, words: str) -> None:
    finding = judged(judge_documents, Reversal("2_b", PLACE, left=(difference,))).finding
    assert (finding.subject, finding.place, finding.severity) == ("2_b", PLACE, None)
    assert finding.message.startswith("undoing migration 2_b does not restore what was there: ")
    assert finding.message.endswith(words)
    assert finding.count == (difference.rows or None)
    assert finding.objects == (difference.of,)


def test_many_differences_are_counted(judge_documents: JudgeDocuments) -> None:
    many = tuple(Difference(index_reference("a", str(number)), DifferenceKind.MISSING) for number in range(9))
    finding = judged(judge_documents, Reversal("2_b", PLACE, left=many)).finding
    assert finding.message.endswith("index a.5 is gone; and 3 more")
    assert len(finding.evidence["differences"]) == 9  # type: ignore[arg-type]  # a list


def test_what_comes_out_differently_the_second_time(judge_documents: JudgeDocuments) -> None:
    again = (Difference(COMPANIES, DifferenceKind.ROWS_EXTRA, 2),)
    finding = judged(judge_documents, Reversal("2_b", PLACE, again=again)).finding
    assert (
        "applied again after it was undone, comes to something else: 2 documents of companies were not there" in finding.message
    )


@pytest.mark.parametrize(("again", "words"), [(False, "cannot be undone: its way back fails"), (True, "cannot be applied again")])
def test_a_way_back_that_fails(judge_documents: JudgeDocuments, again: bool, words: str) -> None:
    failure = MigrationFailure("2_b", Place("migrations/2_b.py", 8), "db.a.dropIndex()", "27", "index not found")
    finding = judged(judge_documents, Reversal("2_b", PLACE, failure=failure, failed_again=again)).finding
    assert words in finding.message
    assert (finding.code, finding.said, finding.place) == ("27", "index not found", Place("migrations/2_b.py", 8))


def test_no_way_back_is_a_notice(judge_documents: JudgeDocuments) -> None:
    finding = judged(judge_documents, Reversal("2_b", PLACE, irreversible="it has no `down`")).finding
    assert (finding.subject, finding.severity, finding.place) == ("2_b", Severity.NOTICE, PLACE)
    assert finding.message == "migration 2_b cannot be undone: it has no `down`"


def test_what_was_not_tried_is_not_proven(judge_documents: JudgeDocuments) -> None:
    (gap,) = judged(judge_documents, Reversal("2_b", gap="a given server cannot be forked")).all
    assert (gap.subject, gap.reason) == ("2_b", "a given server cannot be forked")  # type: ignore[union-attr]


def test_a_second_run_must_do_nothing(judge_documents: JudgeDocuments) -> None:
    changed = (Difference(COMPANIES, DifferenceKind.ROWS_EXTRA, 1),)
    finding = judged(judge_documents, second=SecondRun(changed)).finding
    assert finding.subject == "a second run"
    assert finding.message.endswith("changes the database: 1 document of companies was not there")
    failure = MigrationFailure(None, PLACE, "", "", "boom")
    assert judged(judge_documents, second=SecondRun(failure=failure)).finding.said == "boom"


ORDERS = TableName("public", "orders")
OTHER = TableName("sales", 'or"d %s\n')


def test_of_a_relational_database_rows_columns_and_schemas_are_said(judge: Judge) -> None:
    column, index = column_reference(ORDERS, "note"), ObjectReference(ObjectKind.INDEX, "sales", OTHER.name, "ix")
    left = (
        Difference(column, DifferenceKind.MISSING, 1),
        Difference(column, DifferenceKind.CHANGED, words="has type text, expected date"),
        Difference(table_reference(OTHER), DifferenceKind.EXTRA, 2),
        Difference(table_reference(ORDERS), DifferenceKind.ROWS_CHANGED, 3, "note"),
        Difference(index, DifferenceKind.MISSING),
        Difference(ObjectReference(ObjectKind.SCHEMA, "sales"), DifferenceKind.MISSING, 4),
    )
    finding = judge(CHECK, evidence=Evidence(reversals=(Reversal("2_b", PLACE, left=left),))).finding
    assert finding.message == (
        "undoing migration 2_b does not restore what was there: column orders.note is gone, with 1 value; "
        "column orders.note has type text, expected date; "
        'table sales.or"d %s\n is there, and was not, with 2 rows; '
        "3 rows of orders hold something else in note; "
        'index sales.or"d %s\n.ix is gone; schema sales is gone, with 4 rows'
    )
    assert (finding.count, finding.objects[0]) == (10, column)
    assert "copy it into a table of its own" in finding.remedy


@pytest.mark.parametrize(
    ("values_only", "kind", "severity"),
    [
        (True, DifferenceKind.ROWS_CHANGED, Severity.NOTICE),
        (True, DifferenceKind.ROWS_MISSING, None),
        (False, DifferenceKind.ROWS_CHANGED, None),
    ],
)
def test_a_correction_of_values_that_stays_is_a_notice(
    judge: Judge, values_only: bool, kind: DifferenceKind, severity: Severity | None
) -> None:
    left = (Difference(table_reference(ORDERS), kind, 3, "note"),)
    finding = judge(CHECK, evidence=Evidence(reversals=(Reversal("2_b", PLACE, left, values_only=values_only),))).finding
    assert finding.severity is severity


def test_what_is_back_under_another_name_is_a_notice(judge: Judge) -> None:
    index = ObjectReference(ObjectKind.INDEX, "public", "orders", "ix")
    called = Difference(index, DifferenceKind.CHANGED, words="is called ix_1", renamed=True)
    more = Difference(column_reference(ORDERS, "note"), DifferenceKind.CHANGED, words="has type text, expected date")
    for left, severity in (((called,), Severity.NOTICE), ((called, more), None)):
        finding = judge(CHECK, evidence=Evidence(reversals=(Reversal("2_b", PLACE, left=left),))).finding
        assert finding.severity is severity


def test_a_relational_difference_of_objects_alone_has_no_count(judge: Judge) -> None:
    left = (Difference(ObjectReference(ObjectKind.OTHER, "", "", "publication all"), DifferenceKind.EXTRA),)
    finding = judge(CHECK, evidence=Evidence(reversals=(Reversal("2_b", PLACE, left=left),))).finding
    assert finding.message.endswith("publication all is there, and was not")
    assert (finding.count, finding.remedy) == (None, "Let the way back undo each step, the last one first.")
