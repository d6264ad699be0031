"""The jobs that docs/gitlab.md shows, run as GitLab's runner does, by gitlab-ci-local."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from image.gitlab_runner import GitLab, began
from image.platforms import FAULT, ORDERS, ROOT, USERS, committed, failures, laid, snippets

pytestmark = pytest.mark.docker

INCLUDED, WRITTEN_OUT = snippets("gitlab.md", "yaml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of two SQL migrations with dbproof's component in it."""
    component = (ROOT / "templates" / "dbproof.yml").read_text(encoding="utf-8")
    files = {"migrations/1_users.sql": USERS, "migrations/2_orders.sql": ORDERS, "templates/dbproof.yml": component}
    laid(tmp_path, {**files, ".gitignore": ".gitlab-ci-local\n"})
    began(tmp_path)
    return tmp_path


@pytest.mark.parametrize("snippet", [INCLUDED, WRITTEN_OUT], ids=["component", "written-out"])
def test_a_repository_is_proven_and_its_junit_collected(gitlab: GitLab, registry: str, project: Path, snippet: str) -> None:
    laid(project, {".gitlab-ci.yml": snippet})
    committed(project, "two migrations")
    status, output = gitlab.pipeline(project, f"CI_REGISTRY_IMAGE={registry}")
    assert status == 0, output
    assert "declared references refuse an orphan" in output
    assert failures(project / ".gitlab-ci-local" / "artifacts" / "dbproof" / "dbproof-report" / "junit.xml") == []


@pytest.mark.parametrize("snippet", [INCLUDED, WRITTEN_OUT], ids=["component", "written-out"])
def test_a_fault_fails_the_job_and_its_reports_are_kept(gitlab: GitLab, registry: str, project: Path, snippet: str) -> None:
    laid(project, {".gitlab-ci.yml": snippet})
    before = committed(project, "two migrations")
    laid(project, {"migrations/3_fault.sql": FAULT})
    committed(project, "a third one")
    told = (f"CI_REGISTRY_IMAGE={registry}", f"CI_MERGE_REQUEST_DIFF_BASE_SHA={before}")
    status, output = gitlab.pipeline(project, *told)
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
