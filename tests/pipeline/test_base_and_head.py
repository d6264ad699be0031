"""What a change adds is told from what was there: base is built from its own files, head grows on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from changes import DOUBTFUL, STRICT, run, states
from proving import FIRST, SQL, project
from repositories import Repository, repository

WITH_ROWS = f'{SQL}[databases.app.data]\nload = ["seeds.sql"]\n'
SEEDS = "insert into authors values (1, 'Ursula'), (2, 'Stanislaw');\ninsert into books values (10, 1), (20, 2);\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A repository whose ``main`` is base: what a test writes on top of it is head."""
    root = project(tmp_path / "repo", {"migrations/001_first.sql": FIRST})
    return repository(root, {})


def base(repo: Repository, files: dict[str, str], settings: str = SQL) -> None:
    project(repo.root, files, settings)
    repo.commit()
    repo.branch("change")


def test_what_base_has_too_is_known_and_does_not_count(repo: Repository) -> None:
    base(repo, {"migrations/002_doubtful.sql": DOUBTFUL}, STRICT + SQL)
    repo.commit({"migrations/003_more.sql": "create table shelves (id int primary key);"})
    ran = run(repo)
    assert ran.code == 0, ran.said
    assert [(one["subject"], one["state"]) for one in ran.findings("unvalidated-constraint")] == [
        ("books.books_id_fkey", "known")
    ]
    assert ran.database["compared"].startswith("main ")
    assert states(ran) == {"001_first": ("applied", False), "002_doubtful": ("applied", False), "003_more": ("applied", True)}
    assert "books.books_id_fkey" not in ran.out
    assert "books.books_id_fkey" in run(repo, "--all").out


def test_what_the_change_adds_counts(repo: Repository) -> None:
    base(repo, {}, STRICT + SQL)
    repo.write({"migrations/002_doubtful.sql": DOUBTFUL})
    ran = run(repo)
    assert ran.code == 1, ran.said
    (finding,) = ran.findings("unvalidated-constraint")
    assert (finding["state"], finding["provenance"]["file"]) == ("new", "migrations/002_doubtful.sql")
    assert run(repo, "--base", "nothing").code == 1
    assert run(repo, "--base", "nothing", "--fail-on", "never").code == 0


def test_a_constraint_that_the_change_takes_away_is_named(repo: Repository) -> None:
    base(repo, {"migrations/002_named.sql": "alter table authors add constraint named check (name <> '');"})
    repo.commit({"migrations/003_import.sql": "select 1;\nalter table authors drop constraint named;"})
    ran = run(repo)
    (finding,) = ran.findings("lost-constraint")
    assert (finding["subject"], finding["severity"], finding["state"]) == ("authors.named", "warning", "new")
    assert (finding["provenance"]["file"], finding["provenance"]["line"]) == ("migrations/003_import.sql", 2)
    assert (ran.database["before"]["checks"], ran.database["after"]["checks"]) == (1, 0)
    assert "foreign keys 1, CHECKs 1 → 0, primary keys 2, NOT NULLs 2" in ran.out


def test_compared_with_nothing_everything_is_judged_and_no_migration_is_new(repo: Repository) -> None:
    base(repo, {"migrations/002_doubtful.sql": DOUBTFUL}, STRICT + SQL)
    ran = run(repo, "--base", "nothing")
    assert ran.code == 1, ran.said
    assert {new for _, new in states(ran).values()} == {False}
    assert ran.check("lost-constraint")["reason"] == "no base revision: compared with nothing, as asked"
    assert (ran.database["before"], ran.database["after"]["foreign_keys"]) == (None, 2)


def test_a_base_without_the_folder_makes_everything_new(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo")
    repo.branch("change")
    project(repo.root, {"migrations/001_first.sql": FIRST, "migrations/002_doubtful.sql": DOUBTFUL}, STRICT + SQL)
    ran = run(repo)
    assert ran.code == 1, ran.said
    assert {new for _, new in states(ran).values()} == {True}
    assert ran.failing == [("unvalidated-constraint", "books.books_id_fkey")]


def test_a_migration_that_fails_on_rows_is_that_and_the_checks_go_on(repo: Repository) -> None:
    base(repo, {"seeds.sql": SEEDS}, STRICT + WITH_ROWS)
    repo.commit(
        {
            "migrations/002_isbn.sql": "alter table books\n  add column isbn text not null;\n",
            "migrations/003_doubtful.sql": DOUBTFUL,
            "seeds.sql": SEEDS.replace("(10, 1), (20, 2)", "(1, 1, 'a'), (2, 2, 'b')"),
        }
    )
    ran = run(repo)
    assert ran.code == 1, ran.said
    (finding,) = ran.findings("migration-failed")
    assert (finding["subject"], finding["evidence"]["code"]) == ("002_isbn", "23502")
    assert (finding["provenance"]["file"], finding["provenance"]["line"]) == ("migrations/002_isbn.sql", 1)
    assert "on rows" in finding["message"]
    assert states(ran)["002_isbn"] == ("failed", True)
    assert states(ran)["003_doubtful"] == ("applied", True)
    assert ("unvalidated-constraint", "books.books_id_fkey") in ran.failing
    assert ran.check("load-refused")["outcome"] == "passed"
    assert ran.check("orphaned-rows")["proven"] > 0
    (violated,) = ran.findings("constraint-violation")
    assert (violated["subject"], violated["evidence"]["count"]) == ("books.books_id_fkey", 2)
    assert (violated["state"], violated["provenance"]["file"]) == ("new", "migrations/003_doubtful.sql")
    assert violated["message"].endswith("FOREIGN KEY (id) REFERENCES authors (id), which the new migrations add")
    gaps = {gap["subject"]: gap["reason"] for gap in ran.check("constraint-violation")["not_proven"]}
    assert gaps == {"books.isbn NOT NULL": "column books.isbn is not there yet"}


def test_new_migrations_that_pass_on_rows_leave_base_s_rows_to_be_judged(repo: Repository) -> None:
    base(repo, {"seeds.sql": SEEDS}, WITH_ROWS)
    repo.commit({"migrations/002_isbn.sql": "alter table books add column isbn text not null default '';"})
    ran = run(repo)
    assert ran.code == 0, ran.said
    assert ran.check("orphaned-rows")["proven"] == 1
    assert ran.check("load-refused")["outcome"] == "passed"


def test_seeds_that_changed_are_judged_as_they_are_now(repo: Repository) -> None:
    base(repo, {"seeds.sql": SEEDS}, WITH_ROWS)
    repo.commit({"seeds.sql": SEEDS.replace("(20, 2)", "(20, 9)")})
    ran = run(repo)
    assert ran.code == 1, ran.said
    (finding,) = ran.findings("load-refused")
    assert (finding["provenance"]["file"], finding["provenance"]["line"], finding["evidence"]["code"]) == (
        "seeds.sql",
        2,
        "23503",
    )


def test_seeds_that_come_with_the_change_are_loaded(repo: Repository) -> None:
    base(repo, {})
    project(repo.root, {"seeds.sql": SEEDS}, WITH_ROWS)
    ran = run(repo)
    assert ran.code == 0, ran.said
    assert ran.check("load-refused")["proven"] == 1


def test_seeds_that_base_refuses_already_are_known(repo: Repository) -> None:
    base(repo, {"seeds.sql": SEEDS.replace("(20, 2)", "(20, 9)")}, WITH_ROWS)
    repo.commit({"migrations/002_more.sql": "create table shelves (id int primary key);"})
    ran = run(repo)
    assert ran.code == 0, ran.said
    assert [one["state"] for one in ran.findings("load-refused")] == ["known"]


def test_an_old_migration_that_was_edited_is_found_and_head_is_built_from_nothing(repo: Repository) -> None:
    base(repo, {})
    repo.commit({"migrations/001_first.sql": FIRST.replace("name text", "called text"), "migrations/002_more.sql": DOUBTFUL})
    ran = run(repo)
    assert ran.failing == [("edited-migration", "001_first")], ran.said
    assert any("migrations/001_first.sql" in note and "built from nothing" in note for note in ran.database["notes"])
    assert states(ran) == {"001_first": ("applied", False), "002_more": ("applied", True)}


def test_a_base_that_cannot_be_built_is_said_and_everything_is_judged(repo: Repository) -> None:
    base(repo, {"migrations/001_first.sql": FIRST + "\\restrict x\n\\i other.sql\n"}, STRICT + SQL)
    repo.commit({"migrations/001_first.sql": FIRST, "migrations/002_doubtful.sql": DOUBTFUL})
    ran = run(repo)
    assert ran.code == 1, ran.said
    assert any("could not be built" in note for note in ran.database["notes"])
    assert ran.database["compared"] == "base could not be built"
    assert ran.failing == [("unvalidated-constraint", "books.books_id_fkey")]


def test_a_base_whose_migrations_fail_is_known_to_fail(repo: Repository) -> None:
    base(repo, {"migrations/002_wrong.sql": "create table more (id int, id int);"})
    repo.commit({"README": "changed"})
    ran = run(repo)
    assert ran.code == 0, ran.said
    assert [one["state"] for one in ran.findings("migration-failed")] == ["known"]


def test_a_new_migration_behind_one_that_fails_on_base_is_not_clean(repo: Repository) -> None:
    """Known failures fail no run, and this one keeps all that is new from being tried."""
    base(repo, {"migrations/002_wrong.sql": "create table more (id int, id int);"})
    repo.commit(
        {"migrations/001_first.sql": FIRST + "-- edited", "migrations/003_new.sql": "alter table books add column x int;"}
    )
    ran = run(repo)
    assert ran.code == 1, ran.said
    assert ran.failing == [("migration-failed", "003_new")], ran.said
    assert states(ran)["003_new"] == ("pending", True)
    untried = {check["id"]: check["not_proven"] for check in ran.database["checks"] if check.get("not_proven")}
    for check in ("edited-migration", "blocking-migration", "lost-rows"):
        assert "base's own migrations fail" in json.dumps(untried[check]), untried.keys()


def test_a_change_that_mends_a_migration_that_failed_on_base_is_judged(repo: Repository) -> None:
    base(repo, {"migrations/002_wrong.sql": "create table more (id int, id int);"}, STRICT + SQL)
    repo.commit({"migrations/002_wrong.sql": "create table more (id int primary key);", "migrations/003_doubtful.sql": DOUBTFUL})
    ran = run(repo)
    assert ran.code == 1, ran.said
    assert ran.failing == [("unvalidated-constraint", "books.books_id_fkey")]
    assert states(ran)["002_wrong"][0] == "applied"


def test_a_migration_that_came_before_those_of_base_is_applied_too(repo: Repository) -> None:
    """Two branches that were merged: the new file sorts before one that base has."""
    base(repo, {"migrations/003_more.sql": "create table shelves (id int primary key);"})
    repo.commit({"migrations/002_between.sql": "alter table books add column isbn text;"})
    ran = run(repo)
    assert ran.code == 0, ran.said
    assert states(ran) == {"001_first": ("applied", False), "002_between": ("applied", True), "003_more": ("applied", False)}


def test_a_migration_that_is_gone_is_said_and_head_is_built_from_nothing(repo: Repository) -> None:
    """Databases that hold the table already refuse the file that makes it again."""
    base(repo, {"migrations/002_more.sql": "create table shelves (id int primary key);"})
    (repo.root / "migrations" / "002_more.sql").unlink()
    repo.write({"migrations/002_other.sql": "create table shelves (id int primary key);"})
    ran = run(repo)
    assert ran.code == 1, ran.said
    assert ran.failing == [("edited-migration", "002_more")]
    assert any("Gone since base" in note and "migrations/002_more.sql" in note for note in ran.database["notes"])
    assert states(ran) == {"001_first": ("applied", False), "002_other": ("applied", True)}


def test_a_role_of_the_new_migration_stands_in_nobodys_way(repo: Repository) -> None:
    """Roles are the whole server's: base, head on rows and head on an empty copy must not meet."""
    base(repo, {"seeds.sql": SEEDS}, WITH_ROWS)
    role = "create role reader_of_books;\ngrant select on books to reader_of_books;\n"
    repo.commit({"migrations/002_role.sql": role, "seeds.sql": f"{SEEDS}\n-- changed"})
    ran = run(repo)
    assert ran.code == 0, ran.said
    (notice,) = ran.findings("superuser-migration")
    assert (notice["severity"], notice["provenance"]["file"], notice["provenance"]["line"]) == (
        "notice",
        "migrations/002_role.sql",
        1,
    )
    assert "create role reader_of_books" in json.dumps(notice)
