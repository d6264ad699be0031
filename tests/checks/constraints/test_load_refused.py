"""load-refused: the data file that the schema refused, and those after it."""

from __future__ import annotations

from dataclasses import replace

from judging import Judge

from checks.evidence import Evidence, LoadedFile, MigrationFailure, Place

CHECK = "load-refused"
PLACE = Place("db/orders.sql", 3)
REFUSED = MigrationFailure(None, PLACE, "INSERT INTO orders VALUES (1, 0)", "23514", "violates check constraint", "Failing row")
FILES = (LoadedFile("db/users.sql"), LoadedFile("db/orders.sql", REFUSED), LoadedFile("db/items.sql"))


def test_files_that_load_are_proven(judge: Judge) -> None:
    assert judge(CHECK, evidence=Evidence(loaded=FILES[:1])).proven == ["db/users.sql"]


def test_the_refused_file_is_found_and_those_after_it_are_not_proven(judge: Judge) -> None:
    judged = judge(CHECK, evidence=Evidence(loaded=FILES))
    finding = judged.finding
    assert (finding.subject, finding.place, finding.code) == ("db/orders.sql", PLACE, "23514")
    assert (finding.said, finding.detail) == ("violates check constraint", "Failing row")
    assert finding.evidence == {"statement": "INSERT INTO orders VALUES (1, 0)"}
    assert judged.proven == ["db/users.sql"]
    assert judged.gaps == {"db/items.sql": "not reached, db/orders.sql was refused"}


def test_rows_that_meet_half_a_schema_say_nothing(judge: Judge) -> None:
    failed = replace(REFUSED, place=Place("migrations/2.sql", 1))
    judged = judge(CHECK, evidence=Evidence(loaded=FILES, failure=failed))
    assert (judged.findings, judged.proven) == ([], ["db/users.sql"])
    assert judged.gaps["db/orders.sql"] == "the migrations failed"


def test_no_files_say_nothing(judge: Judge) -> None:
    assert judge(CHECK).all == ()
