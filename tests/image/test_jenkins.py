"""The pipeline that docs/jenkins.md shows, by the commands that the Docker Pipeline plugin issues for it.

The plugin (jenkinsci/docker-workflow-plugin, ``WithContainerStep`` and ``DockerClient``) starts the image with ``cat``
as the agent's own uid and gid, looks with ``docker top`` whether that runs, and executes every ``sh`` step in it.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image.platforms import FAULT, ORDERS, USERS, committed, failures, laid, run, snippets

pytestmark = pytest.mark.docker

(JENKINSFILE,) = snippets("jenkins.md", "groovy")
#: Who runs the agent; nobody in the image has that number.
AGENT = 1001


def said(step: str) -> str:
    """The one argument of a step of the Jenkinsfile."""
    found = re.findall(rf"\b{step} '([^']*)'", JENKINSFILE)
    assert len(found) == 1, (step, found)
    return str(found[0])


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The agent's workspace: a clone that belongs to the agent."""
    folder = laid(tmp_path / "workspace", {"migrations/1_users.sql": USERS, "migrations/2_orders.sql": ORDERS})
    tmp_path.chmod(0o755)
    committed(folder, "two migrations")
    return folder


def owned(folder: Path) -> None:
    assert run(["chown", "-R", f"{AGENT}:{AGENT}", str(folder)]).returncode == 0


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something comes true within a minute. The plugin looks once and only warns; ours takes a moment."""
    deadline = time.monotonic() + 60
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return held


@contextmanager
def inside(image: str, workspace: Path, *arguments: str) -> Iterator[str]:
    """The running container of an ``agent { docker }``; ``arguments`` are its ``args``."""
    name = f"dbproof-jenkins-{secrets.token_hex(4)}"
    mounts = [f"{workspace}:{workspace}:rw,z", f"{workspace}@tmp:{workspace}@tmp:rw,z"]
    volumes = [part for mount in mounts for part in ("-v", mount)]
    command = ["docker", "run", "-t", "-d", "--name", name, "-u", f"{AGENT}:{AGENT}", *arguments, "-w", str(workspace), *volumes]
    started = run([*command, "-e", "JENKINS_URL=http://jenkins.example/", "-e", f"WORKSPACE={workspace}", image, "cat"])
    try:
        assert started.returncode == 0, started.stderr
        assert eventually(lambda: "cat" in run(["docker", "top", name, "-eo", "pid,comm"]).stdout), run(["docker", "logs", name])
        yield name
    finally:
        run(["docker", "stop", "--time=1", name])
        run(["docker", "rm", "-f", "--volumes", name])


@pytest.mark.parametrize("arguments", [("--entrypoint=",), ()], ids=["without entrypoint", "with entrypoint"])
def test_the_pipeline_of_the_page(image: str, workspace: Path, arguments: tuple[str, ...]) -> None:
    assert said("args") == "--entrypoint="
    owned(workspace)
    with inside(image, workspace, *arguments) as container:
        step = run(["docker", "exec", "--env", "BRANCH_NAME=main", container, "sh", "-xe", "-c", said("sh")])
    assert step.returncode == 0, step.stdout + step.stderr
    report = workspace / said("junit")
    assert failures(report) == []
    assert report.stat().st_uid == AGENT


def test_a_fault_of_a_pull_request(image: str, workspace: Path) -> None:
    base = committed_on(workspace, "main")
    laid(workspace, {"migrations/3_fault.sql": FAULT})
    committed(workspace, "a third one")
    owned(workspace)
    with inside(image, workspace, "--entrypoint=") as container:
        step = run(["docker", "exec", "--env", "CHANGE_TARGET=main", container, "sh", "-xe", "-c", said("sh")])
    assert step.returncode == 1, step.stdout + step.stderr
    assert "migrations/3_fault.sql:2" in step.stdout
    assert base[:7] in step.stdout + step.stderr
    assert len(failures(workspace / said("junit"))) == 1


def committed_on(workspace: Path, branch: str) -> str:
    """The head of the target branch, as the checkout of a pull request knows it."""
    git = ["git", "-C", str(workspace)]
    head = run([*git, "rev-parse", "HEAD"]).stdout.strip()
    assert run([*git, "update-ref", f"refs/remotes/origin/{branch}", head]).returncode == 0
    assert run([*git, "remote", "add", "origin", "https://git.example/group/project.git"]).returncode == 0
    return head


def test_what_is_archived_is_what_is_written() -> None:
    assert "archiveArtifacts artifacts: 'dbproof-report/**'" in JENKINSFILE
    assert said("junit").startswith("dbproof-report/")
