"""reference-cycle: which circles let no row be the first, shown by the servers themselves."""

from __future__ import annotations

import psycopg
import pytest
from judging import Judge, Query
from sqlite_judging import ENFORCED, judged

CHECK = "reference-cycle"
TEAMS = """
    CREATE TABLE teams (id int PRIMARY KEY, lead int {null});
    CREATE TABLE people (id int PRIMARY KEY, team int NOT NULL REFERENCES teams);
    ALTER TABLE teams ADD CONSTRAINT "led ""by" FOREIGN KEY (lead) REFERENCES people {waits};
"""


def test_a_circle_is_found_and_its_remedy_breaks_it(judge: Judge, query: Query) -> None:
    finding = judge(CHECK, TEAMS.format(null="NOT NULL", waits="")).finding
    assert finding.subject == "people, teams"
    assert "people.team -> teams, teams.lead -> people" in finding.message
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        query("INSERT INTO teams VALUES (1, 1)")
    query(finding.remedy)
    said = judge(CHECK)
    assert (sorted(said.proven), said.findings) == (["people", "teams"], [])
    query("BEGIN; INSERT INTO people VALUES (1, 1); INSERT INTO teams VALUES (1, 1); COMMIT")


@pytest.mark.parametrize(("null", "waits"), [("", ""), ("NOT NULL", "DEFERRABLE")])
def test_a_circle_with_a_way_in_is_proven(judge: Judge, null: str, waits: str) -> None:
    said = judge(CHECK, TEAMS.format(null=null, waits=waits))
    assert (sorted(said.proven), said.findings) == (["people", "teams"], [])


def test_only_the_tables_of_a_circle_are_named(judge: Judge) -> None:
    """Not what refers to it, and not what refers to itself."""
    said = judge(
        CHECK,
        TEAMS.format(null="NOT NULL", waits="")
        + "CREATE TABLE notes (person int NOT NULL REFERENCES people);"
        + "CREATE TABLE nodes (id int PRIMARY KEY, above int NOT NULL REFERENCES nodes)",
    )
    assert (said.finding.subject, said.proven) == ("people, teams", ["notes"])


def test_match_full_wants_all_columns_open(judge: Judge) -> None:
    pair = """
        CREATE TABLE a (x int, y int NOT NULL, PRIMARY KEY (x, y));
        CREATE TABLE b (x int NOT NULL, y int NOT NULL, p int, q int NOT NULL, UNIQUE (p, q), UNIQUE (x, y),
                        FOREIGN KEY (p, q) REFERENCES a MATCH {});
        ALTER TABLE a ADD FOREIGN KEY (x, y) REFERENCES b (x, y);
    """
    assert judge(CHECK, pair.format("SIMPLE")).findings == []
    assert judge(CHECK, f"DROP TABLE a, b CASCADE; {pair.format('FULL')}").finding.subject == "a, b"


def test_sqlite_alike() -> None:
    circle = """
        CREATE TABLE a (id INTEGER PRIMARY KEY, b INT NOT NULL REFERENCES b {});
        CREATE TABLE b (id INTEGER PRIMARY KEY, a INT NOT NULL REFERENCES A);
    """
    finding = judged(CHECK, circle.format(""), ENFORCED).finding
    assert finding.subject == "a, b"
    assert "DEFERRABLE INITIALLY DEFERRED" in finding.remedy
    assert judged(CHECK, circle.format("DEFERRABLE INITIALLY DEFERRED"), ENFORCED).findings == []
