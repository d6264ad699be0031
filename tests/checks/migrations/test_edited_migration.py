"""edited-migration: what an edited or deleted migration of base leads to."""

from __future__ import annotations

import pytest
from judging import Judge

from checks.evidence import Evidence, Migration, MigrationFailure, MigrationState, Place
from checks.histories import EditedMigration
from checks.interface import Severity
from checks.reversals import Difference, DifferenceKind
from checks.schema.names import ObjectKind, ObjectReference

CHECK = "edited-migration"
PLACE = Place("migrations/r2.sql", 1)
COLUMN = ObjectReference(ObjectKind.COLUMN, "public", 'my"ta\nble', "ünder%s")
INDEX = ObjectReference(ObjectKind.INDEX, "other", "books", "ix")
TABLE = ObjectReference(ObjectKind.TABLE, "public", "books")


def history(*edited: EditedMigration, new: int = 1) -> Evidence:
    applied = [
        Migration(f"r{number}", "", Place(f"migrations/r{number}.sql"), MigrationState.APPLIED, new=number > 3 - new)
        for number in range(1, 4)
    ]
    return Evidence(migrations=tuple(applied), edited=edited)


def test_what_nobody_touched_and_what_comes_to_the_same_is_proven(judge: Judge) -> None:
    judged = judge(CHECK, evidence=history(EditedMigration("r2", PLACE), EditedMigration("r0", PLACE, gone=True)))
    assert judged.proven == ["r1", "r2", "r0"]
    assert judged.findings == []


def test_an_edit_that_leads_apart_is_found_with_all_that_differs(judge: Judge) -> None:
    apart = (
        Difference(COLUMN, DifferenceKind.EXTRA),
        Difference(INDEX, DifferenceKind.MISSING),
        Difference(TABLE, DifferenceKind.CHANGED, words="is called volumes"),
    )
    judged = judge(CHECK, evidence=history(EditedMigration("r2", PLACE, differences=apart)))
    finding = judged.finding
    assert judged.proven == ["r1"]
    assert (finding.subject, finding.place, finding.objects) == ("r2", PLACE, (COLUMN, INDEX, TABLE))
    assert finding.message == (
        "migration r2 was edited after base had applied it, and databases that have applied it stay apart from the files: "
        'column my"ta\nble.ünder%s is missing there; index other.books.ix is there only; '
        "by the files table books is called volumes"
    )
    assert "as a new migration" in finding.remedy


@pytest.mark.parametrize(
    ("kind", "rows", "said"), [(DifferenceKind.ROWS_EXTRA, 1, "1 more row"), (DifferenceKind.ROWS_MISSING, 2, "2 fewer rows")]
)
def test_other_rows_alone_are_a_warning(judge: Judge, kind: DifferenceKind, rows: int, said: str) -> None:
    finding = judge(CHECK, evidence=history(EditedMigration("r2", PLACE, differences=(Difference(TABLE, kind, rows),)))).finding
    assert finding.message.endswith(f"stay apart from the files: by the files table books holds {said}")
    assert finding.severity is Severity.WARNING


def test_many_differences_are_counted(judge: Judge) -> None:
    apart = tuple(Difference(ObjectReference(ObjectKind.TABLE, "public", f"t{n}"), DifferenceKind.EXTRA) for n in range(8))
    finding = judge(CHECK, evidence=history(EditedMigration("r2", PLACE, differences=apart))).finding
    assert finding.message.endswith("table t5 is missing there; and 2 more")
    assert len(finding.evidence["differences"]) == 8  # type: ignore[arg-type]


def test_a_deleted_one_has_no_place_and_names_its_file(judge: Judge) -> None:
    one = EditedMigration("r0", PLACE, gone=True, differences=(Difference(TABLE, DifferenceKind.MISSING),))
    finding = judge(CHECK, evidence=history(one)).finding
    assert (finding.subject, finding.place) == ("r0", None)
    assert finding.message.startswith("migration r0 was deleted (migrations/r2.sql) after base had applied it")
    assert "replaces it" in finding.remedy
    refused = MigrationFailure(None, None, "", "", "Can't locate revision identified by 'r0'")
    finding = judge(CHECK, evidence=history(EditedMigration("r0", PLACE, gone=True, refused=refused))).finding
    assert (finding.place, finding.said) == (None, "Can't locate revision identified by 'r0'")
    assert "a stamp" in finding.remedy


def test_a_tool_that_refuses_to_go_on_is_the_finding(judge: Judge) -> None:
    failure = MigrationFailure("r2", None, "", "", "Flyway: migration checksum mismatch for migration version 2", "a row")
    finding = judge(CHECK, evidence=history(EditedMigration("r2", PLACE, refused=failure))).finding
    assert (finding.place, finding.said, finding.detail) == (PLACE, failure.said, "a row")
    assert (
        finding.message
        == "migration r2 was edited after base had applied it, and on a database that has applied it the migrations stop"
    )


@pytest.mark.parametrize("why", ["head's files do not apply from nothing"])
def test_what_could_not_be_compared_is_not_clean(judge: Judge, why: str) -> None:
    judged = judge(CHECK, evidence=history(EditedMigration("r2", PLACE, gap=why)))
    assert judged.gaps == {"r2": why}
    assert judged.proven == ["r1"]
