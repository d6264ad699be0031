"""Migrations that base has applied and that a change edits or deletes, on files and servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from building_pairs import Said, pair
from judging import Judged
from proving import ALEMBIC, FIRST, SQL, alembic, project
from repositories import Repository, repository

from checks.declared.expectations import Expectations
from checks.interface import Severity
from checks.migrations import edited_migration
from runner.backends.registry import backend_of
from runner.plan import Pair

SQLITE = f'[databases.app]\nengine = "sqlite"\n{SQL}'
FLYWAY = '[databases.app.migrations]\ntool = "flyway"\ndirectory = "sql"\n'


def repo(tmp_path: Path, files: dict[str, str], settings: str) -> Repository:
    made = repository(project(tmp_path / "repo", files, settings), {})
    made.branch("change")
    return made


@contextmanager
def judged(change: Repository) -> Iterator[tuple[Judged, Pair, Said]]:
    """What the check says of a change."""
    with pair(change.root) as (both, said):
        head = both.head
        target = backend_of(head.server.engine).target(
            head.server, head.golden, head.golden.database, Expectations(), head.evidence
        )
        with target as handed:
            yield Judged(list(edited_migration.run(handed))), both, said


@pytest.mark.parametrize("settings", [SQL, SQLITE], ids=["postgresql", "sqlite"])
def test_an_edit_with_another_result_is_found_and_one_without_is_none(tmp_path: Path, settings: str) -> None:
    first, other = FIRST.replace("index on", "index by_author on"), "create table shelves (id int primary key, place text);"
    change = repo(tmp_path, {"migrations/001_first.sql": first, "migrations/002_shelves.sql": other}, settings)
    change.write(
        {"migrations/001_first.sql": f"-- who writes\n{first}", "migrations/003_more.sql": "create table more (id int);"}
    )
    with judged(change) as (found, both, said):
        assert (found.proven, found.findings) == (["002_shelves", "001_first"], [])
        assert said.stages["edited"] == "1 migration of base changed: the same schema, as many rows"
        assert both.notes == (
            "Changed since base, though base has applied it: migrations/001_first.sql. It comes to the same schema.",
        )
        assert [one.new for one in both.head.evidence.migrations] == [False, False, True]

    change.write({"migrations/002_shelves.sql": other.replace("place text", "place text, room int")})
    with judged(change) as (found, _, said):
        finding = found.finding
        assert said.stages["edited"] == "2 migrations of base changed: 1 difference"
        assert (finding.subject, str(finding.place)) == ("002_shelves", "migrations/002_shelves.sql:1")
        assert finding.message.endswith("stay apart from the files: column shelves.room is missing there")
        assert found.proven == ["001_first"], "the comment in the first is none of it"

    change.write({"migrations/002_shelves.sql": f"{other} insert into shelves values (1, 'left'), (2, 'right');"})
    with judged(change) as (found, both, _):
        assert found.finding.message.endswith("stay apart from the files: by the files table shelves holds 2 more rows")
        assert found.finding.severity is Severity.WARNING
        assert both.notes[0].endswith("It comes to the same schema, and to other rows.")
        assert [one.new for one in both.head.evidence.migrations] == [False, False, True], "head was grown on base all the same"


def test_a_deleted_one_is_judged_by_what_it_leaves(tmp_path: Path) -> None:
    files = {f"migrations/00{number}.sql": f"create table t{number} (id int primary key);" for number in (1, 2)}
    change = repo(tmp_path, files, SQLITE)
    (change.root / "migrations/002.sql").unlink()
    with judged(change) as (found, _, _):
        assert found.finding.subject == "002"
        assert "was deleted (migrations/002.sql)" in found.finding.message
        assert "table t2 is there only" in found.finding.message

    change.write({"migrations/001.sql": f"{files['migrations/001.sql']}\n{files['migrations/002.sql']}"})  # a squash
    with judged(change) as (found, _, _):
        assert (found.proven, found.findings) == (["001", "002"], [])


def test_a_history_that_does_not_apply_from_nothing_any_more_is_not_compared(tmp_path: Path) -> None:
    change = repo(tmp_path, {"migrations/001.sql": "create table a (id int primary key);"}, SQLITE)
    change.write({"migrations/001.sql": "create table a (id int, id int);"})
    with judged(change) as (found, both, _):
        assert found.gaps == {"001": "head's files do not apply from nothing"}
        assert both.head.evidence.failure is not None


def test_a_checksum_that_flyway_refuses_is_what_production_would_see(tmp_path: Path) -> None:
    change = repo(tmp_path, {"sql/V1__first.sql": "create table a (id int primary key);"}, FLYWAY)
    change.write({"sql/V1__first.sql": "create table a (id bigint primary key);"})
    with judged(change) as (found, _, _):
        assert found.finding.said == "Flyway: migration checksum mismatch for migration version 1"
        assert str(found.finding.place).startswith("sql/V1__first.sql")


def test_a_revision_that_alembic_does_not_find_any_more_stops_it_in_production(tmp_path: Path) -> None:
    change = repo(tmp_path, alembic(a1='op.execute("create table a (id int primary key)")'), ALEMBIC)
    (change.root / "scripts/versions/a1.py").unlink()
    change.write(alembic(b1='op.execute("create table a (id int primary key)")'))
    with judged(change) as (found, _, _):
        assert found.finding.subject == "a1"
        assert "on a database that has applied it the migrations stop" in found.finding.message
        assert "a1" in found.finding.said


def test_a_second_head_is_said_as_many_a_deploy_knows_but_one(tmp_path: Path) -> None:
    """Two changes that both went on from base's: `upgrade heads` takes them, and `upgrade head` stops."""
    change = repo(tmp_path, alembic(a1="pass"), ALEMBIC)
    change.write(alembic(a1="pass", b1="pass"))
    change.write({"scripts/versions/c1.py": alembic(a1="pass", c1="pass")["scripts/versions/c1.py"]})
    with pair(change.root) as (both, _):
        (note,) = both.notes
        assert "2 heads now (b1, c1), where base has 1 head" in note
        assert [one.new for one in both.head.evidence.migrations] == [False, True, True]


DUMP = "create table authors (id int primary key, name text);\n"
#: Where a history starts from a dump.
DUMPED = 'start_from = "db/structure.sql"\n'


def test_a_dump_that_was_edited_is_compared_with_what_base_and_the_new_ones_come_to(tmp_path: Path) -> None:
    """Production never loads it again, so it says nothing of head: that is built on base as ever."""
    files = {"db/structure.sql": DUMP, "migrations/001.sql": "create table books (id int primary key);"}
    change = repo(tmp_path, files, SQLITE.replace("engine", f"{DUMPED}engine"))
    change.write({"migrations/002.sql": "create table more (id int primary key);", "db/structure.sql": f"-- again\n{DUMP}"})
    with judged(change) as (found, both, said):
        assert (found.proven, found.findings) == (["001", "db/structure.sql"], [])
        assert said.stages["edited"] == "the dump changed: the same schema"
        assert both.notes == ("The dump db/structure.sql is another one than base's, and comes to the same schema.",)
    change.write({"db/structure.sql": DUMP.replace("name text", "name text, nick text")})
    with judged(change) as (found, both, _):
        finding = found.finding
        assert (finding.subject, str(finding.place), finding.severity) == ("db/structure.sql", "db/structure.sql", "warning")
        assert finding.message.endswith("stay apart from it: column authors.nick is missing there")
        assert [one.new for one in both.head.evidence.migrations] == [False, True]
    change.write({"db/structure.sql": DUMP + "create table books (id int);"})
    with judged(change) as (found, _, _):
        assert found.finding.message.endswith("a new database does not come to be from it any more")
        assert "already exists" in found.finding.said
    change.write({"db/structure.sql": "create tabel authors (id int);"})
    with judged(change) as (found, _, _):
        assert "db/structure.sql:1" in found.finding.said


def test_what_dumps_leave_out_or_write_otherwise_is_no_difference_of_one(tmp_path: Path) -> None:
    """As pg_dump writes a list of values, and loading that makes of it again."""
    dump = "create table authors (id int primary key, state varchar(9), constraint known check (state in ('new', 'old')));\n"
    again = dump.replace(
        "state in ('new', 'old')", "((state)::text = ANY ((ARRAY['new'::character varying, 'old'::character varying])::text[]))"
    )
    change = repo(tmp_path, {"db/structure.sql": dump}, f"[databases.app]\n{DUMPED}{SQL}")
    change.write({"migrations/001.sql": "grant select on authors to public;"})
    change.write({"db/structure.sql": f"{again}alter default privileges grant select on tables to public;\n"})
    with judged(change) as (found, _, _):
        assert found.proven == ["db/structure.sql"]
