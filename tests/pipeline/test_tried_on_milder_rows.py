"""New migrations that made rows stop are tried on milder ones: when, how often, and not where the repository's own stop them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from building_pairs import Said, pair
from proving import project
from repositories import repository

from checks.evidence import Evidence, Place
from checks.interface import Finding
from checks.migrations import migration_failed
from checks.milder import MilderRows
from checks.survivals import Survival

SETTINGS = 'databases.app = { engine = "sqlite", migrations = { tool = "sql", directory = "migrations" }, data = DATA }\n'
FIRST = """
create table "a.b" (id integer primary key, note text);
create table c (id integer primary key, note text);
create table d (id integer primary key, note text);
create table own (id integer primary key, note text);
create table strict (id integer not null, note text not null check (note like 'never%' or note like '%1%'));
"""
SEEDS = "insert into own values (1, 'kept'), (2, null);"
#: Only made rows stop it: NULL, and a value twice.
STOPS = (
    "create unique index one on c (note); insert into strict select id, note || 'never 1' from c; delete from own where id = 1;"
)


def built(root: Path, new: str, *checks: str, data: str = '{ rows = 30, load = ["seeds.sql"] }') -> tuple[Evidence, Said]:
    """The evidence of head where ``migrations/2.sql`` is new, and what was said on the way."""
    base = {"migrations/1.sql": FIRST, "seeds.sql": SEEDS}
    repo = repository(project(root / "repo", base, SETTINGS.replace("DATA", data)), {})
    repo.branch("change")
    repo.commit({"migrations/2.sql": new})
    with pair(repo.root, "main", *(checks or ("lost-rows",))) as (both, said):
        return both.head.evidence, said


def gap(evidence: Evidence) -> str:
    return evidence.survivals.gap if evidence.survivals is not None else ""


def test_what_becomes_of_rows_is_told_of_milder_ones_and_the_verdict_stays(tmp_path: Path) -> None:
    evidence, said = built(tmp_path, STOPS)
    assert evidence.failure is not None
    assert evidence.failure.invented
    assert said.stages["again"] == "1 new revision"
    assert evidence.milder == MilderRows(120, 4)
    assert evidence.survivals is not None
    told: dict[str, Survival] = {one.table.name: one for one in evidence.survivals.tables}
    assert {name: (one.before, one.made, one.milder) for name, one in told.items()} == {
        **dict.fromkeys(("a.b", "c", "d", "strict"), (30, True, True)),
        "own": (2, False, False),
    }
    assert told["own"].missing == 1


def test_tables_whose_rows_stop_it_all_the_same_are_left_out(tmp_path: Path) -> None:
    """By the name in the statement, whatever it is; more than that is not tried for long."""
    refused = "insert into strict select id, null from "
    evidence, said = built(tmp_path, f'{STOPS}{refused}"a.b"; {refused}d;')
    assert evidence.milder is not None
    assert evidence.milder.left_out == ("a.b", "d", "strict")
    assert (gap(evidence), said.stages["again"]) == ("", "1 new revision")


def test_that_milder_rows_stop_it_too_is_said(tmp_path: Path) -> None:
    every = "".join(f"insert into strict select id, null from {table};" for table in ('"a.b"', "c", "d"))
    evidence, said = built(tmp_path, every)
    assert evidence.milder is None
    assert gap(evidence) == "the new migrations failed on rows, and on milder ones too"
    assert said.stages["again"].startswith("1 new revision, stopped at migrations/2.sql:1")


def test_without_any_made_row_it_is_told_of_the_repositorys_own(tmp_path: Path) -> None:
    """Where there are none of those either, there is nothing to tell of."""
    new = "insert into strict select id, null from c; delete from own;"
    evidence, _ = built(tmp_path / "own", new, data='{ tables = { c = 30 }, load = ["seeds.sql"] }')
    assert evidence.milder == MilderRows(0, 0, ("c",))
    assert evidence.survivals is not None
    assert [(one.table.name, one.missing, one.milder) for one in evidence.survivals.tables if one.before] == [("own", 2, False)]
    evidence, _ = built(tmp_path / "none", new, data="{ tables = { c = 30 } }")
    assert (evidence.milder, gap(evidence)) == (None, "the new migrations failed on rows, and on milder ones too")


def test_nothing_is_tried_where_it_would_tell_nothing(tmp_path: Path) -> None:
    """Where nothing stopped, where the repository's own rows or any row did, and where nobody would look."""
    on_rows = "the new migrations failed on rows"
    for number, (new, checks, why) in enumerate([
        ("delete from own;", (), ""),
        ("insert into strict select id, note from own;", (), on_rows),
        ("alter table c add column more text not null;", (), on_rows),
        (STOPS, ("orphaned-rows",), on_rows),
    ]):  # fmt: skip
        evidence, said = built(tmp_path / str(number), new, *checks)
        assert ("milder" in said.stages, evidence.milder, gap(evidence)) == (False, None, why), new


def test_what_any_row_stops_behind_it_is_an_error(tmp_path: Path) -> None:
    """In the same migration it stands in the place of what only some rows stop, which constraint-violation tells."""
    evidence, _ = built(tmp_path, f"{STOPS}\nalter table d add column must text not null;")
    assert evidence.failure is not None
    assert evidence.failure.place == Place("migrations/2.sql", 1)
    judged = migration_failed.run(Target(evidence))  # type: ignore[arg-type]  # reads evidence alone
    (certain,) = (one for one in judged if isinstance(one, Finding))
    assert (certain.subject, certain.severity, certain.place) == ("2", None, Place("migrations/2.sql", 2))
    assert certain.message == "migration 2 failed on rows: green on an empty table, red on any row"


@dataclass(frozen=True)
class Target:
    """What a check is handed that reads evidence alone."""

    evidence: Evidence
