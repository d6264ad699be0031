"""The action on a pull request, run as GitHub's runner runs it: annotations, outputs and summary as the golden files say."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from example_repositories import Example
from reports.golden_files import assert_golden
from repositories import Repository, repository

from checks.registries.every import CHECKS
from image.github_runner import ACTION, RUNNER_UID, Ended, Job, services
from image.platforms import FAULT, ORDERS, USERS, laid

pytestmark = pytest.mark.docker

SHOP = Example("shop")
#: Times, and what changes with the server's minor version and with each commit.
TIMES = re.compile(r"\b[\d  ]*\d(?:\.\d+)? m?s\b")
MINOR, COMMIT = re.compile(r"(PostgreSQL 17|SQLite 3|dbproof 0)\.[\d.]+"), re.compile(r"main `?[0-9a-f]{7}`?")
#: Alembic copies a table of SQLite's with its CHECKs in any order.
COPIED = (
    (re.compile(r"(CREATE TABLE _alembic_tmp_\w+ \()[^`]*\n\)"), r"\1 … )"),
    (re.compile(r"(_alembic_tmp_\w+ \( )[^`\n]*`"), r"\1…`"),
)
#: How much of the write-ahead log a statement takes depends on the version too.
SIZES = re.compile(r"\b\d[\d  ]*(?:\.\d+)? (?:B|kB|MB)\b")
VARYING = ((TIMES, "0 s"), (SIZES, "0 kB"), (MINOR, r"\1"), (COMMIT, "main 1234567"), *COPIED)
SQL = '[databases.app.migrations]\ntool = "sql"\ndirectory = "migrations"\n'

#: The checks that the golden files speak of: a new check has tests of its own, and these files need not change for it.
SPOKEN_OF = {"migration-failed", "load-refused", "orphaned-rows", "unvalidated-constraint", "unindexed-foreign-key"}
OTHERS_OFF = "\n[severity]\n" + "".join(f'{check} = "off"\n' for check in CHECKS if check not in SPOKEN_OF)

Opened = Callable[[Callable[[Repository], object]], Job]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Opens a pull request: the base branch, a change, and the merge commit of both, checked out with ``fetch-depth: 2``."""
    origin = repository(tmp_path / "origin", {"README.md": "A shop.\n"})

    def opening(change: Callable[[Repository], object]) -> Job:
        origin.branch("change")
        change(origin)
        settings = origin.root / "examples" / "shop" / "dbproof.toml"
        settings.write_text(f'selftest = "off"\n\n{settings.read_text("utf-8")}{OTHERS_OFF}', "utf-8")
        origin.commit()
        origin.git("checkout", "--quiet", "main")
        origin.git("checkout", "--quiet", "-b", "merge")
        origin.git("merge", "--quiet", "--no-ff", "--no-edit", "change")
        job = Job(tmp_path, {"action": "opened", "number": 7}, context={"base_ref": "main", "head_ref": "change"})
        job.workspace.parent.mkdir(parents=True)
        origin.clone(job.workspace, "--depth", "2", "--branch", "merge")
        return job

    SHOP.lay(origin.root / "examples")
    laid(origin.root / "small", {"migrations/1.sql": USERS, "migrations/2.sql": ORDERS, "dbproof.toml": SQL})
    origin.commit()
    return opening


def normal(text: str) -> str:
    for varying, shown in VARYING:
        text = varying.sub(shown, text)
    return text


def assert_as_golden(name: str, ended: Ended) -> None:
    commands = [{"type": issue.name, **issue.properties, "message": issue.data} for issue in ended.log.issues]
    assert_golden(f"action.{name}.annotations.json", normal(json.dumps(commands, indent=1, ensure_ascii=False)) + "\n")
    assert_golden(f"action.{name}.outputs.json", json.dumps(ended.outputs, indent=1) + "\n")
    assert_golden(f"action.{name}.summary.md", normal(ended.summary))
    assert ended.log.acted == []
    assert ended.log.stopped_by == ""
    assert [ended.files[name] for name in ("env", "path", "state")] == [b"", b"", b""]


def test_a_change_that_leaves_the_shop_clean(image: str, opened: Opened) -> None:
    ended = opened(lambda origin: origin.write({"README.md": "A shop, and more.\n"})).step(image, {"path": "examples/shop"})
    assert ended.code == 0, ended.said
    assert_as_golden("clean", ended)
    assert ended.log.issues == []


@pytest.mark.parametrize("fault", ["migration-failed", "orphaned-rows", "unindexed-foreign-key"])
def test_a_fault_of_the_shop_s(fault: str, image: str, opened: Opened) -> None:
    def change(origin: Repository) -> None:
        shutil.copytree(SHOP.fault(fault).folder, origin.root / "examples" / "shop", dirs_exist_ok=True)

    ended = opened(change).step(image, {"path": "examples/shop"})
    assert ended.code == 1, ended.said
    assert_as_golden(fault, ended)
    expect = SHOP.fault(fault).expect
    placed = [issue for issue in ended.log.issues if "file" in issue.properties]
    assert placed[0].properties["file"] == f"examples/shop/{expect['file']}"
    assert re.fullmatch(rf"{expect['check']} · (shop: )?{re.escape(expect['subject'])}", placed[0].properties["title"])


def test_every_output_is_one_of_the_action_s_and_leads_to_a_file(image: str, opened: Opened) -> None:
    ended = opened(lambda origin: origin.write({"small/migrations/3.sql": FAULT})).step(image, {"path": "small"})
    assert ended.code == 1, ended.said
    assert set(ended.outputs) == set(ACTION["outputs"])
    assert json.loads((ended.workspace / ended.outputs["json"]).read_text("utf-8"))["exit_code"] == 1
    assert (ended.workspace / ended.outputs["junit"]).is_file()
    assert (ended.workspace / ended.outputs["summary"]).read_text("utf-8") == ended.summary


def test_what_it_leaves_belongs_to_the_runner_s_user(image: str, opened: Opened) -> None:
    ended = opened(lambda origin: origin.write({"small/migrations/3.sql": FAULT})).step(image, {"path": "small"})
    left = [path for path in (ended.workspace.parents[2] / "work").rglob("*") if path.lstat().st_uid != RUNNER_UID]
    assert left == []
    assert os.path.lexists(ended.workspace / "dbproof-report")


def test_the_settings_file_alone_decides_where_the_workflow_says_nothing(image: str, opened: Opened) -> None:
    settings = f'fail_on = "never"\nreport_dir = "build/reports"\n{SQL}'
    change = {"small/dbproof.toml": settings, "small/migrations/3.sql": FAULT}
    ended = opened(lambda origin: origin.write(change)).step(image, {"path": "small"})
    assert ended.code == 0, ended.said
    assert ended.outputs["report-dir"] == "build/reports"


def test_a_pull_request_of_anybody_s_with_secrets_in_reach_is_refused(image: str, tmp_path: Path) -> None:
    job = Job(tmp_path, event_name="pull_request_target", context={"base_ref": "main"})
    laid(job.workspace, {"migrations/1.sql": USERS, "dbproof.toml": SQL})
    ended = job.step(image)
    assert ended.code == 2
    assert "on: pull_request" in ended.log.issues[0].data
    assert ended.outputs["result"] == "broken"
    assert job.step(image, {"allow-pull-request-target": "true"}).code == 0


def test_a_job_s_own_variables_do_not_make_it_something_else(image: str, tmp_path: Path) -> None:
    """What a job sets for its service container is there in each of its steps too."""
    job = Job(tmp_path)
    laid(job.workspace, {"migrations/1.sql": USERS, "dbproof.toml": SQL})
    env = {"POSTGRES_PASSWORD": "words", "PGHOST": "nowhere", "DATABASE_URL": "postgresql://x/y", "CI": "1"}
    ended = job.step(image, env=env)
    assert ended.code == 0, ended.said
    assert ended.outputs["result"] == "go"


def test_an_input_that_there_is_not(image: str, tmp_path: Path) -> None:
    job = Job(tmp_path)
    laid(job.workspace, {"migrations/1.sql": USERS, "dbproof.toml": SQL})
    ended = job.step(image, {"fail_on": "never"})
    assert ended.code == 2
    assert "input fail_on: no such input; did you mean 'fail-on'?" in ended.log.issues[0].data


def test_it_looks_at_the_database_of_the_job_s_service(image: str, docker_image: str, tmp_path: Path) -> None:
    job = Job(tmp_path, event_name="push")
    laid(job.workspace, {"README.md": "A shop.\n"})
    migrated = f"{USERS} {ORDERS} SET session_replication_role = replica; INSERT INTO orders VALUES (1, 7);"
    with services(docker_image, {"POSTGRES_PASSWORD": "Kranich4711"}, "db", migrated) as network:
        env = {"DATABASE_URL": "postgresql://postgres:Kranich4711@db:5432/postgres"}
        ended = replace(job, network=network).step(image, {"url-env": "DATABASE_URL"}, env)
    assert ended.code == 1, ended.said
    assert [issue.properties for issue in ended.log.issues] == [{"title": "orphaned-rows · orders.buyer"}]
    assert ended.outputs["findings"] == "1"
    assert "Kranich4711" not in ended.said
