"""What the page on GitHub shows does what it says: each snippet's steps are run, as the runner runs them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from example_repositories import Example
from reports import github_commands as oracle

from image.github_runner import Ended, Job, services
from image.platforms import FAULT, ORDERS, USERS, laid, snippets

SHOP = Example("shop")
SQL = '[databases.app.migrations]\ntool = "sql"\ndirectory = "migrations"\n'
THREE_STEPS, FIRST_MONTH, MIGRATED, WITHOUT_DOCKER = (yaml.safe_load(text) for text in snippets("github.md", "yaml"))


def steps(snippet: dict[str, Any]) -> list[dict[str, Any]]:
    return list(snippet["steps"] if "steps" in snippet else snippet["jobs"]["dbproof"]["steps"])


def action(snippet: dict[str, Any]) -> dict[str, Any]:
    """The one step that uses dbproof."""
    (found,) = (step for step in steps(snippet) if "dbproof@" in step.get("uses", ""))
    return found


def used(image: str, snippet: dict[str, Any], job: Job) -> Ended:
    step = action(snippet)
    return job.step(image, step.get("with"), step.get("env"))


@pytest.mark.docker
def test_three_steps(image: str, tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.workspace.parent.mkdir(parents=True)
    SHOP.lay(tmp_path / "copy").rename(job.workspace)
    ended = used(image, THREE_STEPS, job)
    assert ended.code == 0, ended.said
    upload = steps(THREE_STEPS)[-1]
    assert upload["if"] == "always()"
    assert upload["with"]["path"] == "${{ steps.dbproof.outputs.report-dir }}"
    assert (ended.workspace / ended.outputs["report-dir"] / "junit.xml").is_file()


@pytest.mark.docker
def test_a_first_month_in_which_nothing_fails(image: str, tmp_path: Path) -> None:
    job = Job(tmp_path)
    laid(job.workspace / "services" / "shop", {"dbproof.toml": SQL, "migrations/1.sql": USERS, "migrations/2.sql": FAULT})
    ended = used(image, FIRST_MONTH, job)
    assert ended.code == 0, ended.said
    condition = steps(FIRST_MONTH)[1]["if"]
    assert condition == "steps.dbproof.outputs.findings != '0'"
    assert ended.outputs["findings"] != "0"


@pytest.mark.docker
def test_a_database_that_the_job_has_migrated(image: str, docker_image: str, tmp_path: Path) -> None:
    (alias, service), *others = MIGRATED["jobs"]["dbproof"]["services"].items()
    assert (others, service["image"]) == ([], docker_image)
    laid(Job(tmp_path).workspace, {"README.md": "A shop.\n"})
    with services(docker_image, service["env"], alias, f"{USERS} {ORDERS}") as network:
        ended = used(image, MIGRATED, replace(Job(tmp_path), network=network))
    assert ended.code == 0, ended.said
    assert "reading DATABASE_URL" in ended.said


def test_without_docker(tmp_path: Path) -> None:
    *_, installing, running = (step["run"] for step in steps(WITHOUT_DOCKER) if "run" in step)
    assert installing == "pip install './.dbproof[embedded]'"
    orders = "CREATE TABLE orders (id int PRIMARY KEY,\n  buyer int REFERENCES users ON DELETE CASCADE);\n"
    copy = laid(tmp_path / "shop", {"dbproof.toml": SQL, "migrations/1.sql": USERS, "migrations/2.sql": orders})
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DBPROOF_", "GITHUB_", "INPUT_"))}
    environment |= {name: str(file) for name, file in files.items()}
    environment |= {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(copy), "GITHUB_EVENT_NAME": "pull_request"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    ended = subprocess.run(shlex.split(running), cwd=copy, env=environment, capture_output=True, check=False, timeout=300)
    assert ended.returncode == 1, ended.stderr
    (issue,) = oracle.Step().read(ended.stdout).read(ended.stderr).issues
    assert (issue.name, issue.properties["file"], issue.properties["line"]) == ("warning", "migrations/2.sql", "1")
    assert dict(oracle.values(files["GITHUB_OUTPUT"].read_text("utf-8")))["result"] == "no-go"
    assert oracle.summary(files["GITHUB_STEP_SUMMARY"].read_bytes())
