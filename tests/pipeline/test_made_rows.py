"""Rows made from the schema in a run: new migrations meet them, and what only they show weighs less than the repository's own."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from proving import SQL, Ran, dbproof, project
from repositories import Repository, repository

from runner.settings.initial import toml

FIRST = """\
create table authors (id int primary key, name text not null);
create table books (id int primary key, author_id int not null references authors, title text);
create index on books (author_id);
create table nobody (id int primary key check (id > 5 and id < 5));
"""
MADE = f"{SQL}[databases.app.data]\nrows = 60\n"
STRICT = "alter table books alter column title set not null;\n"
SHOP = Path(__file__).parents[2] / "examples" / "shop"


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A repository whose ``main`` is base: what a test writes on top of it is head."""
    return repository(project(tmp_path / "repo", {"migrations/001_first.sql": FIRST}, MADE), {})


def run(repo: Repository, files: dict[str, str], settings: str = MADE) -> Ran:
    """A run in which ``migrations/`` of the files are new, and all else is base's too."""
    project(repo.root, {name: text for name, text in files.items() if not name.startswith("migrations/")}, settings)
    repo.commit()
    repo.branch("change")
    repo.commit({name: text for name, text in files.items() if name.startswith("migrations/")})
    return dbproof("run", root=repo.root)


def test_a_rule_over_made_values_is_a_warning_with_the_query_to_ask_production(repo: Repository) -> None:
    shelves = "create table shelves (id int primary key, book_id int not null references books);\n"
    more = 'tables = { shelves = 40, authors = 3 }\ncolumns = { "authors.name" = "\'author \' || dbproof_n" }\n'
    files = {"migrations/002_strict.up.sql": shelves + STRICT, "migrations/002_strict.down.sql": "drop table shelves;\n"}
    ran = run(repo, files, MADE + more)
    assert (ran.code, ran.failing) == (0, []), ran.said
    (failed,) = ran.findings("migration-failed")
    assert (failed["severity"], failed["evidence"]["code"]) == ("warning", "23502")
    (nulls,) = re.findall(r"\((\d+) rows of books against title NOT NULL\)", failed["message"])
    said = f"failed on rows that dbproof made ({nulls} rows of books against title NOT NULL); without them it passes"
    assert failed["message"] == f"migration 002_strict {said}"
    query = "SELECT * FROM ONLY public.books AS books WHERE title IS NULL;"
    assert failed["remedy"] == f"Ask production, where this must give nothing: {query}"
    (broken,) = ran.findings("constraint-violation")
    assert (broken["severity"], broken["subject"]) == ("warning", "books.title NOT NULL")
    # What wants no rows is tried without them.
    (undone,) = ran.findings("down-restores")
    assert undone["message"].endswith("column books.title has rule on NULL NOT NULL, expected none")
    # What wants rows is tried on milder ones, and that nothing was lost there is no proof.
    assert ran.check("lost-rows")["reason"] == "milder rows only, no rows"
    # Head is judged without what the migration failed on, and what it makes is filled too.
    reason = "no value of id (integer) was found that nobody_id_check allows"
    short = [{"table": "nobody", "rows": 0, "wanted": 60, "reason": reason}]
    milder = {"rows": 63, "tables": 2, "left_out": []}
    assert ran.database["made_rows"] == {"rows": 3 + 60 + 40, "tables": 3, "short": short, "milder": milder}
    assert f"nobody: 0 of 60 rows, {reason}" in ran.out
    keys = [{"subject": subject, "reason": "made rows only"} for subject in ("books.author_id", "shelves.book_id")]
    assert ran.check("orphaned-rows")["not_proven"] == keys


def test_what_is_unique_in_a_tenant_and_by_case_is_found_to_be_no_more_than_that(tmp_path: Path) -> None:
    """Of an index of an expression nothing is counted, and what to ask production is said all the same."""
    first = "create table people (id int primary key, tenant_id int not null, name text not null, unique (tenant_id, name));"
    root = project(tmp_path / "repo", {"migrations/001_first.sql": first}, MADE)
    new = "create unique index one_name on people (lower(name));"
    ran = run(repository(root, {}), {"migrations/002_one.sql": new})
    (failed,) = ran.findings("migration-failed")
    assert (ran.code, failed["severity"], failed["evidence"]["code"]) == (0, "warning", "23505"), ran.said
    query = "SELECT lower(name), count(*) FROM public.people GROUP BY lower(name) HAVING count(*) > 1;"
    assert failed["remedy"] == f"Ask production, where this must give nothing: {query}"


@pytest.mark.parametrize(
    ("seed", "new"),
    [("insert into books values (1, 1, null);", STRICT), ("", "alter table books add column isbn text not null;")],
)
def test_what_the_repositorys_own_rows_or_any_row_stops_is_an_error(seed: str, new: str, repo: Repository) -> None:
    seeds = {"seeds.sql": f"insert into authors values (1, 'Ursula'); {seed}"}
    ran = run(repo, {"migrations/002_strict.sql": new, **seeds}, f'{MADE}load = ["seeds.sql"]\n')
    assert ran.code == 1, ran.said
    (failed,) = ran.findings("migration-failed")
    message = "migration 002_strict failed on rows: green on an empty table, red on " + ("these rows" if seed else "any row")
    assert (failed["severity"], failed["message"]) == ("error", message)
    assert ran.database["made_rows"]["tables"] == (2 if seed else 1), "a head that the migration made takes no such seed"


def test_made_keys_of_two_databases_say_nothing_of_each_other(tmp_path: Path) -> None:
    one = """
        [databases.{name}]
        engine = "sqlite"
        migrations = {{ tool = "sql", directory = "{name}" }}
        data = {data}
    """
    files = {
        "till/1.sql": "create table products (sku text primary key);",
        "seeds.sql": "insert into products values ('a');",
        "shop/1.sql": "create table products (sku text primary key);",
    }
    settings = one.format(name="till", data='{ load = ["seeds.sql"] }') + one.format(name="shop", data="{ rows = 9 }")
    root = project(tmp_path / "repo", files, f'references = ["till:products.sku -> shop:products.sku"]\n{dedent(settings)}')
    ran = dbproof("run", "--compare", "nothing", root=root)
    assert ran.code == 0, ran.said
    checks = {check["id"]: check for database in ran.report["databases"] for check in database["checks"]}
    gap = {"subject": "till:products.sku -> shop:products.sku", "reason": "the rows of shop:products were made"}
    assert checks["cross-database-reference"]["not_proven"] == [gap]


def test_the_shop_runs_on_made_rows_alone(tmp_path: Path) -> None:
    shutil.copytree(SHOP, root := tmp_path / "shop", ignore=shutil.ignore_patterns("faults", "dbproof-report"))
    settings: dict[str, Any] = tomllib.loads((root / "dbproof.toml").read_text("utf-8"))
    shop = {**settings["databases"]["shop"], "data": {"rows": 200}}
    (root / "dbproof.toml").write_text(f"databases = {toml({'shop': shop})}\n", "utf-8")
    ran = dbproof("run", "--compare", "nothing", root=root)
    assert (ran.code, ran.failing) == (0, []), ran.said
    assert ran.database["made_rows"] == {"rows": 1400, "tables": 7, "short": [], "milder": None}
    assert ran.check("query-limit")["outcome"] == "passed"
    assert {gap["reason"] for gap in ran.check("no-rows")["not_proven"]} == {"made rows only"}
