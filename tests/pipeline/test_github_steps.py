"""A run as a step of a workflow: what the runner reads in its log and in its files."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from proving import FIRST, Ran, dbproof, project, started, until
from reports import github_commands as oracle
from repositories import Repository, repository

from runner.settings.surface import SURFACE, URL_ENV

BAD = "select 1;\nselect 1;\ninsert into nowhere values (1);\n"
#: GitHub hands over every input of an action, empty where the workflow sets none.
INPUTS = {str(row.input_variable): "" for row in (*SURFACE, URL_ENV) if row.input}


def step(root: Path, *arguments: str, more: dict[str, str] | None = None) -> tuple[Ran, oracle.Step, dict[str, str], str]:
    """How it ended, what the log made the runner do, the outputs, the summary."""
    files = {name: root.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    github = {name: str(file) for name, file in files.items()}
    github |= {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_WORKSPACE": str(root)}
    ran = dbproof(*arguments, root=root, more={**github, **INPUTS, **(more or {})})
    log = oracle.Step().read(ran.out.encode()).read(ran.err.encode())
    values = oracle.values(files["GITHUB_OUTPUT"].read_text("utf-8"))
    assert len(dict(values)) == len(values)
    return ran, log, dict(values), oracle.summary(files["GITHUB_STEP_SUMMARY"].read_bytes()) or ""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A repository whose change adds a migration that fails, in a folder of it."""
    made = repository(tmp_path / "repository")
    project(made.root / "shop", {"migrations/1.sql": FIRST})
    made.commit()
    return made


def merged(repo: Repository, name: str, text: str) -> None:
    """Head as GitHub checks out a pull request: a merge commit of the base branch and the change."""
    repo.branch("change")
    repo.commit({name: text})
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "change")


def test_a_clean_run(repo: Repository) -> None:
    merged(repo, "shop/migrations/2.sql", "create table tags (id int primary key);\n")
    ran, log, values, summary = step(repo.root, more={"INPUT_PATH": "shop", "GITHUB_BASE_REF": "main"})
    assert ran.code == 0, ran.said
    assert (log.issues, log.acted, log.stopped_by) == ([], [], "")
    assert (values["result"], values["findings"]) == ("go", "0")
    assert int(values["checks-run"]) > 3
    assert summary.startswith("## ✅ GO: ")


def test_a_failed_migration_is_annotated_at_its_line(repo: Repository) -> None:
    merged(repo, "shop/migrations/2.sql", BAD)
    more = {"INPUT_PATH": "shop", "GITHUB_BASE_REF": "main", "INPUT_REPORT-DIR": "build/r"}
    ran, log, values, summary = step(repo.root, more=more)
    assert ran.code == 1, ran.said
    (issue,) = log.issues
    assert issue.name == "error"
    assert issue.properties == {"file": "shop/migrations/2.sql", "line": "3", "title": "migration-failed · 2"}
    assert 'relation "nowhere" does not exist' in issue.data
    assert values | {"checks-run": ""} == {
        "result": "no-go",
        "findings": "1",
        "checks-run": "",
        "report-dir": "build/r",
        "junit": "build/r/junit.xml",
        "json": "build/r/report.json",
        "summary": "build/r/summary.md",
        "metrics": "build/r/metrics.prom",
    }
    assert json.loads((repo.root / values["json"]).read_text("utf-8"))["verdict"] == "no-go"
    assert summary == (repo.root / values["summary"]).read_text("utf-8")


def test_without_a_base_every_line_counts(repo: Repository) -> None:
    repo.commit({"shop/migrations/2.sql": BAD})
    _, log, _, _ = step(repo.root, more={"INPUT_PATH": "shop", "INPUT_COMPARE": "nothing"})
    assert [issue.properties.get("line") for issue in log.issues] == ["3"]


def test_what_keeps_a_run_from_beginning_is_shown_too(tmp_path: Path) -> None:
    root = project(tmp_path / "repository", {}, settings="fail_on = 'eror'\n")
    ran, log, values, summary = step(root)
    assert ran.code == 2
    assert [(issue.name, issue.properties) for issue in log.issues] == [("error", {"title": "dbproof"})]
    assert "did you mean 'error'?" in log.issues[0].data
    assert (values["result"], values["junit"]) == ("broken", "")
    assert summary.startswith("## ⚠️ BROKEN: the settings or the address are wrong")


@pytest.mark.parametrize("more", [{"INPUT_FAIL_ON": "error"}, {"GITHUB_EVENT_NAME": "pull_request_target"}])
def test_what_is_refused_touches_nothing(more: dict[str, str], tmp_path: Path) -> None:
    root = project(tmp_path / "repository", {"migrations/1.sql": FIRST})
    ran, log, values, _ = step(root, more=more)
    assert ran.code == 2
    assert "ready" not in ran.said
    assert len(log.issues) == 1
    assert values["result"] == "broken"


def test_an_action_looks_at_the_database_that_it_is_led_to(tmp_path: Path) -> None:
    root = project(tmp_path / "repository", {"migrations/1.sql": FIRST})
    ran, log, _, _ = step(root, more={"INPUT_URL-ENV": "NOWHERE_URL"})
    assert ran.code == 2
    assert "--url-env NOWHERE_URL: that environment variable is not set" in log.issues[0].data
    ran, log, _, _ = step(root, more={"INPUT_URL-ENV": "postgresql://user:canary4711@host/db"})
    assert ran.code == 2
    assert "canary4711" not in ran.said


def test_a_summary_that_cannot_be_written_is_a_problem_of_the_run(tmp_path: Path) -> None:
    root = project(tmp_path / "repository", {"migrations/1.sql": FIRST})
    ran, _, values, _ = step(root, more={"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert ran.code == 4
    assert "GITHUB_STEP_SUMMARY: the file that GitHub reads could not be written" in ran.out
    assert values["result"] == "broken"


def test_in_a_step_with_run_the_inputs_of_others_do_not_count(tmp_path: Path) -> None:
    root = project(tmp_path / "repository", {"migrations/1.sql": FIRST})
    ran, log, values, _ = step(root, "run", more={"INPUT_WHATEVER": "x"})
    assert ran.code == 0, ran.said
    assert log.issues == []
    assert values["result"] == "go"


def test_a_cancelled_run_says_so_and_lets_commands_count_again(tmp_path: Path, place: Path) -> None:
    command = '[databases.app.migrations]\ncommand = "sh migrate.sh"\nenv = { DATABASE_URL = "{url}" }\n'
    root = project(tmp_path / "repository", {"migrate.sh": "touch reached\nsleep 600\n"}, settings=command)
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    more = {**{name: str(file) for name, file in files.items()}, "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(root)}
    with started("run", root=root, place=place, more=more) as process:
        until((root / "reached").exists, (tmp_path / "said").read_text)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    log = oracle.Step().read((tmp_path / "said").read_bytes())
    assert [issue.data for issue in log.issues] == ["cancelled by SIGINT\nRemedy: What was found until then is kept."]
    assert log.stopped_by == ""
    assert dict(oracle.values(files["GITHUB_OUTPUT"].read_text()))["result"] == "cancelled"
    assert (oracle.summary(files["GITHUB_STEP_SUMMARY"].read_bytes()) or "").startswith("## ⚪ CANCELLED: stopped before the end")
