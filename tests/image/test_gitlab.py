"""The jobs that docs/gitlab.md shows, run as GitLab's runner does, by gitlab-ci-local."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
import yaml

from image.platforms import FAULT, ORDERS, ROOT, USERS, committed, failures, laid, needed, run, snippets
from runner.servers.locks import held, lock

pytestmark = pytest.mark.docker

#: The newest that runs on Node.js 18 and later.
RUNNER = "gitlab-ci-local@4.65.0"
HELPER = "FROM python:3.13-slim-trixie\nRUN apt-get update && apt-get install -y --no-install-recommends rsync\n"
INCLUDED, WRITTEN_OUT = snippets("gitlab.md", "yaml")


@pytest.fixture(scope="session")
def gitlab_ci_local() -> str:
    """The program, installed once from npm."""
    needed("node", "npm", "rsync")
    folder = Path(platformdirs.user_cache_dir("dbproof-tests")) / RUNNER
    program = folder / "node_modules" / ".bin" / "gitlab-ci-local"
    folder.mkdir(parents=True, exist_ok=True)
    with held(lock(folder / ".lock", 300)):
        if not program.exists():
            installed = run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), RUNNER], folder)
            assert installed.returncode == 0, installed.stderr
    return str(program)


@pytest.fixture(scope="session")
def helper(image: str, tmp_path_factory: pytest.TempPathFactory) -> str:  # noqa: ARG001 - where that is had, there is an engine
    """What gitlab-ci-local copies files with: a shell and rsync."""
    tag = "dbproof-tests-rsync"
    laid(folder := tmp_path_factory.mktemp("helper"), {"Dockerfile": HELPER})
    built = run(["docker", "build", "--tag", tag, str(folder)])
    assert built.returncode == 0, built.stderr
    return tag


@pytest.fixture
def registry(image: str) -> Iterator[str]:
    """What ``$CI_REGISTRY_IMAGE`` stands for: the image is there under its name in it."""
    tag = "registry.example/group/project"
    assert run(["docker", "tag", image, f"{tag}/dbproof"]).returncode == 0
    yield tag
    run(["docker", "rmi", f"{tag}/dbproof"])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of two SQL migrations with dbproof's component in it."""
    component = (ROOT / "templates" / "dbproof.yml").read_text(encoding="utf-8")
    files = {"migrations/1_users.sql": USERS, "migrations/2_orders.sql": ORDERS, "templates/dbproof.yml": component}
    laid(tmp_path, {**files, ".gitignore": ".gitlab-ci-local\n"})
    assert run(["git", "-C", str(tmp_path), "init", "--quiet", "--initial-branch", "main"]).returncode == 0
    assert (
        run(["git", "-C", str(tmp_path), "remote", "add", "origin", "https://gitlab.example/group/project.git"]).returncode == 0
    )
    return tmp_path


def pipeline(program: str, helper: str, registry: str, project: Path, *variables: str) -> tuple[int, str]:
    """The exit code and output of a whole pipeline; its artifacts lie in the project's ``.gitlab-ci-local/artifacts/dbproof``."""
    environment = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("CI_")}
    # GitLab says that it is GitLab; gitlab-ci-local says that it is not.
    given = [
        argument for one in (f"CI_REGISTRY_IMAGE={registry}", "GITLAB_CI=true", *variables) for argument in ("--variable", one)
    ]
    policy = ["--pull-policy", "if-not-present", "--helper-image", helper, "--ignore-predefined-vars"]
    names = ",".join(one.partition("=")[0] for one in given[1::2])
    ended = run([program, *policy, names, *given], project, environment)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("snippet", [INCLUDED, WRITTEN_OUT], ids=["component", "written-out"])
def test_a_repository_is_proven_and_its_junit_collected(
    gitlab_ci_local: str, helper: str, registry: str, project: Path, snippet: str
) -> None:
    laid(project, {".gitlab-ci.yml": snippet})
    committed(project, "two migrations")
    status, output = pipeline(gitlab_ci_local, helper, registry, project)
    assert status == 0, output
    assert "declared references refuse an orphan" in output
    assert failures(project / ".gitlab-ci-local" / "artifacts" / "dbproof" / "dbproof-report" / "junit.xml") == []


@pytest.mark.parametrize("snippet", [INCLUDED, WRITTEN_OUT], ids=["component", "written-out"])
def test_a_fault_fails_the_job_and_its_reports_are_kept(
    gitlab_ci_local: str, helper: str, registry: str, project: Path, snippet: str
) -> None:
    laid(project, {".gitlab-ci.yml": snippet})
    before = committed(project, "two migrations")
    laid(project, {"migrations/3_fault.sql": FAULT})
    committed(project, "a third one")
    status, output = pipeline(gitlab_ci_local, helper, registry, project, f"CI_MERGE_REQUEST_DIFF_BASE_SHA={before}")
    assert status == 1, output
    assert "migrations/3_fault.sql:2" in output
    assert f"against {before[:7]}" in output
    assert len(failures(project / ".gitlab-ci-local" / "artifacts" / "dbproof" / "dbproof-report" / "junit.xml")) == 1


def test_the_reports_are_where_gitlab_is_told_to_look() -> None:
    _, job = yaml.safe_load_all((ROOT / "templates" / "dbproof.yml").read_text(encoding="utf-8"))
    (component,) = job.values()
    written_out = yaml.safe_load(WRITTEN_OUT)["dbproof"]
    for one in (component, written_out):
        assert one["artifacts"]["reports"]["junit"] == "dbproof-report/junit.xml"
        assert one["artifacts"]["when"] == "always"
        assert one["image"]["entrypoint"] == [""]
