from __future__ import annotations

from dataclasses import replace

from checks.evidence import Evidence, Lock, Migration, MigrationState, Place, Statement
from checks.work import Log, TableWork, Work, together
from reports.sample import TYPICAL
from runner.report import ReportedStatement
from runner.report_building import reported_migrations
from runner.reports import migrated, wording

MIGRATION = TYPICAL.databases[0].migrations[1]


def test_what_is_known_of_no_statement_has_no_column() -> None:
    statement = ReportedStatement(Place("m.sql", 1), "ALTER TABLE a ADD x int", 0.001, (Lock("a", "AccessExclusiveLock"),))
    shown = migrated.table(replace(MIGRATION, statements=(statement,), work=None, seconds=None), "1")
    assert "at most AccessExclusiveLock on a\n" in shown.opening
    assert shown.opening.endswith("| Line | Statement | Lock | Rewrite | Time |\n| --- | --- | --- | --- | --- |\n")
    assert not any(word in shown.opening + shown.rows[0] for word in ("WAL", "waited", "0 rows"))


def test_an_index_left_invalid_and_work_of_several_are_told() -> None:
    statement = ReportedStatement(Place("m.sql", 1), "CREATE INDEX CONCURRENTLY i ON a (x)", None, invalid=("index a.i",))
    shown = migrated.table(replace(MIGRATION, statements=(statement,), work=Work((), 5000, 2)), "1")
    assert "left invalid: `index a.i`" in shown.rows[0]
    assert "5 kB of WAL" in shown.opening


def test_a_revision_that_is_its_own_title_is_named_once() -> None:
    same = replace(MIGRATION, revision="002", title="002", statements=())
    assert migrated.table(same, "002").opening.startswith("#### New migration `002`\n")
    database = replace(TYPICAL.databases[0], migrations=(same,))
    (said,) = migrated.sentences(replace(TYPICAL, databases=(database,)))
    assert said.startswith("002: ")


def test_a_migration_of_many_statements_is_folded() -> None:
    many = tuple(ReportedStatement(Place("m.sql", line), f"INSERT {line}", 0.001) for line in range(500))
    shown = migrated.table(replace(MIGRATION, statements=many), "1")
    assert "<details><summary>500 statements</summary>" in shown.opening
    assert shown.closing.strip() == "</details>"
    assert len(shown.rows) == 500


def test_bytes_are_said_as_postgresql_says_them() -> None:
    said = [wording.size(count) for count in (0, 1023, 8192, 1_022_976, 1_572_864, 150 * 1024**2)]
    assert said == ["0 B", "1023 B", "8 kB", "999 kB", "1.5 MB", "150 MB"]


def test_work_adds_up_by_table() -> None:
    one = Work((TableWork("a", inserted=2, bytes=8192, grown=8192), TableWork("b", read=5)), 100)
    other = Work((TableWork("a", deleted=1, bytes=4096, grown=-4096),), 20, 3)
    both = together([one, other])
    assert both == Work((TableWork("a", 2, 0, 1, 0, 4096, 4096), TableWork("b", read=5)), 120, 4)
    assert (both.rows if both else 0, together([])) == (3, None)


def test_rows_written_one_by_one_with_values_in_the_text_are_one_line() -> None:
    place = Place("m.sql", 3)
    texts = [
        "INSERT INTO a (`b 2`) VALUES ('it''s', -1)",
        "INSERT INTO a (`b 2`) VALUES (NULL, 2.5)",
        "ALTER TABLE a ADD c INT DEFAULT 1",
    ]
    work = Work((TableWork("a", inserted=1),), 100, log=Log.REDO)
    evidence = Evidence(
        (Migration("1", "", place, MigrationState.APPLIED, new=True),),
        tuple(Statement(text, place, seconds=0.5, work=work) for text in texts),
    )
    (migration,) = reported_migrations(evidence)
    inserted, altered = migration.statements
    assert (inserted.text, inserted.times, inserted.seconds) == ("INSERT INTO a (`b 2`) VALUES (?, ?)", 2, 1.0)
    assert inserted.work == Work((TableWork("a", inserted=2),), 200, 2, Log.REDO)
    assert altered.text == texts[-1]
    shown = migrated.table(migration, "1")
    assert "| Redo log |" in shown.opening
    assert "3 rows changed, 300 B of redo log" in shown.opening
