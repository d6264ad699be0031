"""exclusion-probe: what two rows exclude is refused by that constraint, on the oldest and the newest version."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Judge
from rule_cases import HOSTILE, LONG, quoted
from versions import MAJORS

from checks.interface import Engine
from runner.servers.interface import Server, Wanted
from runner.servers.registry import provision

CHECK = "exclusion-probe"


@pytest.fixture(scope="module", params=sorted({MAJORS[0], MAJORS[-1]}))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


BOOKINGS = """
    CREATE TABLE bookings (id int PRIMARY KEY, rooms int4range, during tsrange, kind int NOT NULL CHECK (kind = 5), name text,
        CONSTRAINT free EXCLUDE USING gist (rooms WITH &&, during WITH &&) WHERE (kind = 3),
        CONSTRAINT sole EXCLUDE (name WITH =) DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT lowered EXCLUDE USING hash (lower(name) WITH =));
    INSERT INTO bookings VALUES (1, '[1,2)', '[2026-01-01,2026-01-02)', 5, 'a');
"""


def test_what_excludes_is_proven(judge: Judge) -> None:
    found = judge(CHECK, BOOKINGS)
    assert (found.findings, found.gaps) == ([], {})
    assert found.proven == ["bookings.free", "bookings.lowered", "bookings.sole"]


def test_an_invalid_index_excludes_nothing(judge: Judge) -> None:
    off = "UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'free'::regclass"
    found = judge(CHECK, f"{BOOKINGS}; {off}")
    assert found.finding.subject == "bookings.free"
    assert found.finding.message.startswith("bookings took the same row twice: the index of free is invalid")
    assert found.finding.remedy.startswith("ALTER TABLE bookings DROP CONSTRAINT free;")
    assert found.finding.objects[0].name == "free"
    assert found.proven == ["bookings.lowered", "bookings.sole"]


def test_what_cannot_be_thought_of_is_not_proven(judge: Judge) -> None:
    found = judge(
        CHECK,
        """
        CREATE TABLE spots (at int, EXCLUDE USING gist (box(point(at, at), point(at + 1, at)) WITH &&), name text);
        CREATE TABLE never (at int, EXCLUDE (at WITH =) WHERE (at <> at));
        """,
    )
    assert found.gaps == {"never.never_at_excl": "no row could be thought of that is in the index"}
    assert found.proven == ["spots.spots_box_excl"]


def test_hostile_names(judge: Judge) -> None:
    schema, column, table = quoted(HOSTILE), quoted("Order %s"), quoted(LONG)
    ddl = f"""
        CREATE SCHEMA {schema};
        CREATE TABLE {schema}.{table} ({column} text,
            CONSTRAINT {schema} EXCLUDE (lower({column}) WITH =) WHERE ({column} <> '%'));
    """
    found = judge(CHECK, ddl)
    assert (found.findings, found.gaps) == ([], {})
    assert found.proven == [f"{HOSTILE}.{LONG}.{HOSTILE}"]
