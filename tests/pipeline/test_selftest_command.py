"""``dbproof selftest`` as a user calls it: what it says, how it ends, and what it leaves."""

from __future__ import annotations

import signal
from glob import glob
from pathlib import Path

from proving import SQL, cancel, dbproof, left, project, started, until

from runner.errors import Exit
from runner.report import FaultState, PlantedFault, ReportedDatabase, SelfProof
from runner.selftest.alone import _code

SQLITE = f'[databases.app]\nengine = "sqlite"\nforeign_keys = true\n{SQL}'
FIRST = """\
create table authors (id integer primary key, name text not null);
create table books (id integer primary key, author_id integer not null references authors (id));
create index ix_books_author_id on books (author_id);
insert into authors values (1, 'a');
insert into books values (1, 1);
"""


def test_it_lists_the_kinds_of_faults_and_ends_well_where_all_were_found(tmp_path: Path) -> None:
    ran = dbproof("selftest", root=project(tmp_path / "repo", {"migrations/001_first.sql": FIRST}, SQLITE))
    assert ran.code == 0, ran.said
    kinds = [line.split() for line in ran.out.splitlines()]
    assert ["1", "of", "1", "unindexed-foreign-key", "dropped-index"] in kinds
    assert ["1", "of", "1", "orphaned-rows", "orphan"] in kinds
    assert "planted faults found in" in ran.out
    assert not ran.reports.exists()


def test_where_there_is_nothing_to_break_nothing_was_checked(tmp_path: Path) -> None:
    empty = {"migrations/001_first.sql": "create view v as select 1 as a;\n"}
    ran = dbproof("selftest", root=project(tmp_path / "repo", empty, SQLITE))
    assert ran.code == int(Exit.NOTHING_CHECKED), ran.said


def test_a_database_that_is_only_read_is_left_alone(tmp_path: Path) -> None:
    settings = '[databases.app]\nurl_env = "SOME_URL"\n'
    ran = dbproof("selftest", root=project(tmp_path / "repo", {}, settings), more={"SOME_URL": "postgresql://u:p@localhost:1/d"})
    assert ran.code == int(Exit.NOTHING_CHECKED), ran.said
    assert "given to be read only: nothing is planted" in ran.out


def test_a_missed_fault_is_what_it_fails_for() -> None:
    found, missed = (PlantedFault("orphan", "orphaned-rows", "a.b", state) for state in (FaultState.FOUND, FaultState.MISSED))
    assert _code(reported(SelfProof((found,)))) is Exit.HELD
    assert _code(reported(SelfProof((found, missed)))) is Exit.FINDINGS
    assert _code(reported(SelfProof())) is _code(reported(None)) is Exit.NOTHING_CHECKED


def reported(proof: SelfProof | None) -> ReportedDatabase:
    return ReportedDatabase("app", "sqlite", "3", "", "", 0.0, selftest=proof)


def _found(pattern: str) -> list[str]:
    return glob(pattern, recursive=True)  # noqa: PTH207 - a folder may go meanwhile, at which Path.glob fails


def test_a_signal_ends_it_soon_and_leaves_nothing(tmp_path: Path, place: Path) -> None:
    tables = "".join(
        f"create table t{number} (id integer primary key, up integer references t0 (id));\n" for number in range(300)
    )
    root = project(tmp_path / "repo", {"migrations/001_first.sql": tables}, SQLITE)
    with started("selftest", root=root, place=place) as process:
        copies = f"**/app_{'[0-9a-f]' * 8}.*"
        until(lambda: _found(str(place / copies)) or process.poll() is not None, lambda: process.poll(), 60)
        assert process.poll() is None
        assert cancel(process, signal.SIGINT, 20) == int(Exit.INTERRUPTED)
    assert left(place) == []
