"""Faults are planted and found; a check that cannot fail is listed; nothing is found where nothing was planted."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faulty import EXPECT, ON_POSTGRESQL, ON_SQLITE, self_test
from judging import Query
from sqlite_judging import made

from checks.declared.expectations import Expectations
from checks.declared.expected import parse_expected
from checks.declared.references import Kind, PolymorphicReference, parse_reference
from checks.faults.registry import FAULTS, NO_FAULT
from checks.interface import Check, Judgement, Proven
from checks.registries.documents import DOCUMENTS
from checks.registries.every import CHECKS
from checks.registries.relational import RELATIONAL
from checks.schema.names import TableName
from checks.targets import RelationalTarget, Role
from runner.report import FaultState, SelfProof
from runner.selftest.in_a_run import LEAST, MOST, SHARE
from runner.selftest.planters import NotPlanted, _on_postgresql
from runner.selftest.proving import Extent, SelfTest
from runner.servers.interface import Database, Server

NOTES, TREE = TableName("public", "notes"), TableName("public", "Tree")
PG_EXPECT = Expectations(
    constraints=(parse_expected('"it\'s %s"'), parse_expected("users.name: not null")),
    references=(parse_reference(EXPECT), replace(parse_reference("events.user_id -> users.id"), where="deleted_at is null")),
    polymorphic=(PolymorphicReference(NOTES, "kind", "target", (Kind("Tree", TREE, "id"),)),),
    no_rows={"a total says something": 'select 1 from "Sales ""x"" y"."50%_select" where total = 0'},
)
SQLITE_EXPECT = Expectations(
    references=(parse_reference('"50%_select"."user" -> users.id on delete cascade', ""),),
    no_rows={"every user has a row": 'select id from users where id not in (select "user" from "50%_select")'},
    foreign_keys=True,
)


@pytest.fixture
def on_postgresql(server: Server, database: Database, query: Query) -> Iterator[SelfTest]:
    query(ON_POSTGRESQL)
    with self_test(server, database, PG_EXPECT) as test:
        yield test


@pytest.fixture
def on_sqlite() -> Iterator[SelfTest]:
    with made(ON_SQLITE) as (server, database), self_test(server, database, SQLITE_EXPECT) as test:
        yield test


def said(proof: SelfProof, *states: FaultState) -> list[str]:
    return [f"{one.check}: {one.kind} of {one.place}: {one.reason}" for one in proof.faults if one.state in states]


def test_every_fault_is_found_on_postgresql(on_postgresql: SelfTest) -> None:
    proof = on_postgresql.run()
    assert said(proof, FaultState.MISSED) == []
    assert proof.score == 1
    assert proof.vacuous == ()


def test_every_fault_is_found_on_sqlite(on_sqlite: SelfTest) -> None:
    proof = on_sqlite.run()
    assert said(proof, FaultState.MISSED) == []
    assert proof.score == 1


@pytest.mark.parametrize("on", ["on_postgresql", "on_sqlite"])
def test_nothing_is_found_where_nothing_is_planted(
    on: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check sees a part of the catalogue: that alone must turn nothing red."""
    test: SelfTest = request.getfixturevalue(on)
    idle = {name: tuple(map(_idle, makers)) for name, makers in FAULTS.items()}
    monkeypatch.setattr("runner.selftest.proving.FAULTS", idle)
    test.extent = Extent(allowance=600)
    proof = test.run()
    assert said(proof, FaultState.FOUND) == []
    assert proof.planted > 8


def _idle(maker: Any) -> Any:
    return lambda scene: (replace(fault, ways=((),), shows="") for fault in maker(scene))


def test_a_check_that_always_passes_is_listed_with_what_it_missed(server: Server, database: Database, query: Query) -> None:
    query(ON_POSTGRESQL)
    checks = {"unindexed-foreign-key": broken(RELATIONAL["unindexed-foreign-key"]), "invalid-index": RELATIONAL["invalid-index"]}
    with self_test(server, database, PG_EXPECT, checks) as test:
        proof = test.run()
    missed = proof.of(FaultState.MISSED)
    assert {fault.check for fault in missed} == {"unindexed-foreign-key"}
    assert {fault.place for fault in missed} == {'Sales "x" y.50%_select.user', "Tree.up", "events.user_id"}
    assert {fault.check for fault in proof.of(FaultState.FOUND)} == {"invalid-index"}
    assert [(gap.subject, gap.reason) for gap in proof.vacuous] == [("unindexed-foreign-key", "missed")]
    assert proof.score is not None
    assert proof.score < 1


def broken(check: Check[RelationalTarget]) -> Any:
    """The same check, which finds everything well."""

    def run(target: RelationalTarget) -> Iterator[Judgement]:
        for said in check.run(target):
            yield Proven(said.subject)

    constants = {name: getattr(check, name) for name in ("SEVERITY", "ENGINES", "NEEDS", "SUBJECTS", "PROVES")}
    return types.SimpleNamespace(**constants, run=run)


def test_who_may_not_switch_triggers_off_plants_less(database: Database, query: Query) -> None:
    query("CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p)")
    query("CREATE INDEX i ON c (p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)")
    query(f"ALTER TABLE p OWNER TO {database.name}_owner; ALTER TABLE c OWNER TO {database.name}_owner")
    with _on_postgresql(replace(database, private=database.addresses[Role.OWNER])) as attempt:
        attempt(("DROP INDEX i",), "")
        with pytest.raises(NotPlanted, match="foreign key"):
            attempt(("DELETE FROM p",), "")
    assert query("SELECT count(*) FROM p, pg_indexes WHERE indexname = 'i'") == [(0,)]


def test_a_sample_plants_one_of_each_kind_and_stops_at_its_allowance(on_sqlite: SelfTest) -> None:
    on_sqlite.extent = Extent(allowance=600)
    whole = on_sqlite.run()
    kinds = [(fault.check, fault.kind) for fault in whole.faults]
    assert len(kinds) == len(set(kinds))
    assert whole.left_out == 0
    on_sqlite.faults.clear()
    on_sqlite.extent = Extent(allowance=0)
    short = on_sqlite.run()
    assert short.left_out + short.planted == whole.planted
    assert short.left_out > 0


def test_a_sentence_that_no_row_can_break_is_said_to_be_vacuous() -> None:
    never = Expectations(no_rows={"never": "select 1 from users where id <> id"}, foreign_keys=True)
    with made(ON_SQLITE) as (server, database), self_test(server, database, never, {"no-rows": RELATIONAL["no-rows"]}) as test:
        proof = test.run()
    assert said(proof, FaultState.NOT_PLANTED) == [
        "no-rows: broken-sentence of never: no change to the rows that was tried breaks it"
    ]
    assert [gap.subject for gap in proof.vacuous] == ["no-rows"]


def test_the_page_names_every_check() -> None:
    page = (Path(__file__).parents[2] / "docs" / "selftest.md").read_text("utf-8")
    named = set(re.findall(r"[a-z]+(?:-[a-z0-9]+)+", page))
    assert FAULTS.keys() | NO_FAULT.keys() <= named
    assert f"{SHARE:.0%}".replace("%", " %") in page
    assert f"at least {LEAST:g} s, at most {MOST:g} s" in page


def test_every_check_has_a_fault_or_a_reason_why_there_is_none() -> None:
    assert FAULTS.keys() | NO_FAULT.keys() == CHECKS.keys(), "add a maker to checks/faults/registry.py, or the reason"
    assert FAULTS.keys() & NO_FAULT.keys() == set()
    assert DOCUMENTS.keys() <= FAULTS.keys() | NO_FAULT.keys()
