"""What a run writes: reports that are valid, findings traced to their lines, and no secret anywhere."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from proving import ALEMBIC, ENV_PY, FIRST, SQL, Ran, alembic, dbproof, project
from repositories import repository

import runner.reports

SCHEMA = json.loads((Path(runner.reports.__file__).parent / "report.schema.json").read_text("utf-8"))
QUERIES = """
[databases.app.expect]
references = ["books.author_id -> authors.id on delete cascade"]
[databases.app.expect.no_rows]
"every author has a book" = "select name from authors where id not in (select author_id from books)"
[databases.app.queries.all_books]
sql = "select * from books where author_id = {authors.id}"
"""
SEEDS = "insert into authors values (1, 'Ursula'), (2, 'Stanislaw');\ninsert into books values (10, 1);\n"
ORPHANED = """\
alter table books drop constraint books_author_id_fkey;
insert into books values (11, 77);

alter table books
  add constraint author_of_book foreign key (author_id) references authors not valid;
"""


@pytest.fixture
def ran(tmp_path: Path) -> Ran:
    """A change with findings of several kinds, on a base with rows."""
    settings = f'{SQL}[databases.app.data]\nload = ["seeds.sql"]\n{QUERIES}'
    root = project(tmp_path / "repo", {"migrations/001_first.sql": FIRST, "seeds.sql": SEEDS}, settings)
    repo = repository(root, {})
    repo.branch("change")
    repo.write({"migrations/002_orphaned.sql": ORPHANED})
    return dbproof("run", root=root)


def test_a_report_is_valid_and_says_where_each_finding_comes_from(ran: Ran) -> None:
    assert ran.code == 1, ran.said
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(ran.report)
    (orphans,) = ran.findings("orphaned-rows")
    assert (orphans["subject"], orphans["state"], orphans["evidence"]["count"]) == ("books.author_id", "new", 1)
    assert orphans["provenance"] == {
        "file": "migrations/002_orphaned.sql",
        "line": 4,
        "statement": orphans["provenance"]["statement"],
        "revision": "002_orphaned",
    }
    assert orphans["provenance"]["statement"].startswith("alter table books")
    (rows,) = ran.findings("no-rows")
    assert (rows["subject"], rows["state"], rows["evidence"]["count"]) == ("every author has a book", "known", 1)
    (rule,) = ran.findings("delete-rule")
    assert rule["state"] == "known"
    assert len({finding["fingerprint"] for finding in ran.findings()}) == len(ran.findings())
    assert "migrations/002_orphaned.sql:4" in ran.out


def test_new_migrations_carry_their_statements(ran: Ran) -> None:
    first, second = ran.database["migrations"]
    assert (first["new"], first["statements"]) == (False, [])
    lines = [statement["place"]["line"] for statement in second["statements"] if statement["place"]]
    assert lines == sorted(lines)
    assert {1, 2, 4} <= set(lines)
    locks = {lock["mode"] for statement in second["statements"] for lock in statement["locks"]}
    assert "AccessExclusiveLock" in locks


def test_values_of_rows_are_shown_only_where_that_is_asked_for(tmp_path: Path) -> None:
    settings = f'{SQL}[databases.app.data]\nload = ["seeds.sql"]\n{QUERIES}'
    root = project(tmp_path / "repo", {"migrations/001_first.sql": FIRST, "seeds.sql": SEEDS}, settings)
    assert "Stanislaw" not in everything(dbproof("run", root=root))
    shown = dbproof("run", "--show-values", root=root)
    assert shown.findings("no-rows")[0]["evidence"]["values"] == ["Stanislaw"]


def everything(ran: Ran) -> str:
    files = [path.read_text("utf-8") for path in ran.reports.iterdir()] if ran.reports.is_dir() else []
    return "\n".join([ran.out, ran.err, *files])


#: Programs of the project's that say their secrets wherever they can.
TELLS = """\
import os, sys
print("on stdout", os.environ.get("APP_SECRET"), os.environ.get("HANDED_ON_TOKEN"), os.environ.get("DATABASE_URL"))
print("on stderr", os.environ.get("APP_SECRET"), os.environ.get("HANDED_ON_TOKEN"), file=sys.stderr)
"""


@pytest.mark.parametrize("where", ["env.py", "revision", "statement"])
def test_no_secret_is_ever_said(tmp_path: Path, where: str) -> None:
    canaries = {name: f"canary-{secrets.token_hex(8)}" for name in ("APP_SECRET", "HANDED_ON_TOKEN", "ELSEWHERE")}
    settings = ALEMBIC.replace('"{url}" }', f'"{{url}}", APP_SECRET = "{canaries["APP_SECRET"]}" }}')
    settings += 'pass_env = ["HANDED_ON_TOKEN"]\n'
    raises = "raise RuntimeError(f\"no use for {os.environ['APP_SECRET']} {os.environ['DATABASE_URL']}\")"
    refused = "op.execute(f\"select '{os.environ['APP_SECRET']}', '{os.environ['HANDED_ON_TOKEN']}', nowhere\")"
    upgrade = {"env.py": "pass", "revision": f"import os\n{raises}", "statement": f"import os\n{refused}"}[where]
    env = TELLS + (raises if where == "env.py" else ENV_PY)
    root = project(tmp_path / "repo", alembic(env, one=upgrade), settings)
    more = {"HANDED_ON_TOKEN": canaries["HANDED_ON_TOKEN"], "SOME_PASSWORD": canaries["ELSEWHERE"]}
    ran = dbproof("run", "--show-values", root=root, more=more)
    assert ran.code == (2 if where == "env.py" else 1), ran.said
    said = everything(ran)
    assert "***" in said
    assert [name for name, canary in canaries.items() if canary in said] == []
    assert "app_owner:" not in said.replace("app_owner:***", "")


def test_reports_of_the_run_before_are_replaced_whole(ran: Ran, tmp_path: Path) -> None:
    names = sorted(path.name for path in ran.reports.iterdir())
    root = project(tmp_path / "empty", {}, None)
    after = dbproof("run", root=root)
    assert after.reports == ran.reports
    report: dict[str, Any] = json.loads((after.reports / "report.json").read_text("utf-8"))
    assert (report["exit_code"], report["databases"]) == (3, [])
    assert sorted(path.name for path in after.reports.iterdir()) == names
    assert "books" not in everything(after)
