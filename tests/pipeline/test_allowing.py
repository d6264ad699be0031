"""What a repository accepts fails nothing, and stays in every report; what base had and head has not is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from proving import FIRST, SQL, Ran, dbproof, project
from repositories import Repository, repository

STRICT = '[severity]\nunvalidated-constraint = "error"\nunindexed-foreign-key = "error"\n'
SALES = "create table sales (id int primary key, book_id int not null references books);\n"
DOUBTFUL = "alter table books add constraint doubtful foreign key (id) references authors not valid;"
ALLOWS = """
[[allow]]
check = "unindexed-foreign-key"
subject = "sales.*"
reason = "few sales"

[[allow]]
check = "unvalidated-constraint"
subject = "books.late"
reason = "validated by the next release"
until = 2020-01-01

[[allow]]
check = "missing-primary-key"
subject = "carts*"
reason = "old carts"

[[allow]]
check = "orphaned-rows"
subject = "carts.*"
reason = "there are no rows to tell by"
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A repository whose ``main`` has a finding that nobody accepted."""
    root = project(tmp_path / "repo", {"migrations/001_first.sql": FIRST, "migrations/002_old.sql": DOUBTFUL}, STRICT + SQL)
    made = repository(root, {})
    made.branch("change")
    return made


def run(repo: Repository, *arguments: str) -> Ran:
    return dbproof("run", *arguments, root=repo.root)


def test_findings_are_allowed_expired_unused_and_gone(repo: Repository) -> None:
    late = DOUBTFUL.replace("doubtful", "late")
    said = DOUBTFUL.replace("doubtful", "said").replace(";", ";  -- dbproof: allow unvalidated-constraint, validated tonight")
    unsaid = "-- dbproof: allow unvalidated-constraint\nselect 1;"
    text = f"select '-- dbproof: allow unvalidated-constraint, no comment';\n{SALES}alter table books drop constraint doubtful;"
    repo.write({"migrations/003_more.sql": "\n".join([text, late, said, unsaid]), "dbproof.toml": STRICT + SQL + ALLOWS})
    ran = run(repo)
    assert ran.code == 0, ran.said
    told = {finding["subject"]: finding for finding in ran.findings()}
    assert [told[name]["state"] for name in ("sales.book_id", "books.said", "books.late")] == ["allowed", "allowed", "new"]
    assert told["sales.book_id"]["allowed"]["reason"] == "few sales"
    assert told["books.said"]["allowed"]["place"] == {"file": "migrations/003_more.sql", "line": 5}
    assert (told["books.late"]["severity"], told["books.late"]["allowed"]["expired"]) == ("warning", True)
    assert not any(finding["fails"] for finding in ran.findings())
    states = {(allow["check"], allow["subject"], allow["state"]) for allow in ran.report["allows"]}
    assert {("missing-primary-key", "carts*", "unused"), ("orphaned-rows", "carts.*", "not-judged")} < states
    assert ("unvalidated-constraint", "", "not-heeded") in states
    assert len(states) == 6
    (gone,) = ran.check("unvalidated-constraint")["gone"]
    assert (gone["subject"], gone["holds"]) == ("books.doubtful", False)
    for line in (
        "2 findings are allowed, with a reason",
        "ended on 2020-01-01",
        "no finding needs the allow of missing-primary-key carts*",
        "a comment that accepts nothing: it says no reason",
        "is gone: unvalidated-constraint · books.doubtful",
    ):
        assert line in ran.out
    assert "books.said" not in ran.out
    assert "<failure" not in (ran.reports / "junit.xml").read_text()
    held = {one["id"]: one["state"] for one in ran.report["criteria"]}
    assert {held[name] for name in ("completed", "judged", "ran", "migrations", "findings", "rules")} == {"held"}


def test_what_allow_writes_is_accepted_by_the_next_run(repo: Repository) -> None:
    repo.write({"migrations/003_sales.sql": SALES})
    first = run(repo)
    assert (first.code, first.failing) == (1, [("unindexed-foreign-key", "sales.book_id")])
    not_held = {one["id"] for one in first.report["criteria"] if one["state"] == "not-held"}
    assert not_held == {"findings"}
    report = str(first.reports / "report.json")
    wrote = dbproof("allow", "--from", report, "--reason", "few sales", root=repo.root)
    assert wrote.code == 0, wrote.said
    assert "wrote 1 allow to dbproof.toml" in wrote.out
    assert "unindexed-foreign-key · sales.book_id" in wrote.out
    assert dbproof("allow", "--from", report, root=repo.root).out.startswith(
        "nothing to write to dbproof.toml: 1 of the findings"
    )
    assert run(repo).code == 0
    broken = json.loads(Path(report).read_text())
    broken["databases"] = 3
    Path(report).write_text(json.dumps(broken))
    refused = dbproof("allow", "--from", report, root=repo.root)
    assert refused.code == 2
    assert "is no report of dbproof's" in refused.said
