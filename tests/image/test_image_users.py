"""The image proves a repository for whoever runs it: any user, with nothing to write to, without a network, by any shell."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from image.containers import STRANGER, contained, mounted, running
from image.platforms import FAULT, ORDERS, USERS, committed, laid, run, snippets

pytestmark = pytest.mark.docker

PROVE = ["run", "--base", "nothing", "--report-dir", "/tmp/report"]
READ_ONLY = ["--read-only", "--tmpfs", "/tmp"]
PROVEN = "1 of 1 declared references refuse an orphan"
COMMANDS = [
    line for block in snippets("image.md", "console") for line in re.findall(r"^\$ (docker run .*)$", block, re.MULTILINE)
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of two migrations."""
    tmp_path.chmod(0o755)
    return laid(tmp_path / "repository", {"migrations/1_users.sql": USERS, "migrations/2_orders.sql": ORDERS})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page(image: str, repository: Path, command: str) -> None:
    words = re.sub(r"\bdbproof\b", image, command.partition("  #")[0], count=1)
    ended = run(["sh", "-c", words], repository)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert PROVEN in ended.stdout


@pytest.mark.parametrize("options", [[], READ_ONLY], ids=["", "read-only root"])
@pytest.mark.parametrize("user", ["0:0", f"{STRANGER}:{STRANGER}"])
def test_a_repository_is_proven(image: str, repository: Path, user: str, options: list[str]) -> None:
    ended = contained(image, PROVE, *mounted(repository, "ro"), "--user", user, *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "PostgreSQL 17" in ended.stderr
    assert PROVEN in ended.stdout


def test_a_fault_is_found_at_its_line(image: str, repository: Path) -> None:
    laid(repository, {"migrations/3_fault.sql": FAULT})
    ended = contained(image, PROVE, *mounted(repository, "ro"))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "migrations/3_fault.sql:2" in ended.stdout


@pytest.mark.parametrize("user", ["0:0", f"{STRANGER}:{STRANGER}"])
def test_a_shell_runs_it_without_the_entrypoint_and_without_a_home(image: str, repository: Path, user: str) -> None:
    """As GitLab does."""
    script = f"unset HOME; dbproof {' '.join(PROVE)}"
    ended = contained(image, ["-c", script], *mounted(repository, "ro"), "--user", user, "--entrypoint", "sh")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert PROVEN in ended.stdout


def test_no_cluster_is_initialised_at_run_time(image: str, repository: Path) -> None:
    """Not even with a cache of the user's own."""
    broken = "printf '#!/bin/sh\nexit 1\n' > /usr/lib/postgresql/17/bin/initdb"
    script = f"{broken} && DBPROOF_CACHE=/tmp/cache dbproof {' '.join(PROVE)}"
    ended = contained(image, ["sh", "-c", script], *mounted(repository, "ro"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert PROVEN in ended.stdout


def test_a_workspace_that_cannot_be_written_to_is_said(image: str, repository: Path) -> None:
    ended = contained(image, ["run", "--base", "nothing"], *mounted(repository, "ro"))
    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert PROVEN in ended.stdout
    assert "report could not be written: read-only file system" in ended.stdout + ended.stderr
    assert "--report-dir" in ended.stdout + ended.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("user", ["0:0", f"{STRANGER}:{STRANGER}"])
def test_the_workspace_of_somebody_else(image: str, repository: Path, user: str) -> None:
    """Base is found in it, the reports belong to its owner, and nothing else is written to it or to git's settings."""
    base = committed(repository, "two migrations")
    laid(repository, {"migrations/3_fault.sql": FAULT})
    committed(repository, "a fault")
    for path in (repository, *repository.rglob("*")):
        os.lchown(path, STRANGER, STRANGER)
    before = set(repository.rglob("*"))
    with running(image, ["cat"], "--interactive", "--tty", *mounted(repository), "--user", user) as container:
        ended = run(["docker", "exec", container, "dbproof", "run", "--base", base])
        assert run(["docker", "exec", container, "git", "config", "--global", "--list"]).stdout == ""
        assert run(["docker", "exec", container, "git", "config", "--system", "--list"]).stdout == ""
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert f"against {base[:7]}" in ended.stderr
    assert "1 new revision" in ended.stderr
    made = set(repository.rglob("*")) - before
    assert {path.relative_to(repository).parts[0] for path in made} == {"dbproof-report"}
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(STRANGER, STRANGER)}


SETTINGS = """
[databases.app.migrations]
tool = "command"
command = "python migrate.py"
setup = "uv pip install --offline ./dependency"
"""
BUILD = """
import zipfile

def build_wheel(folder, *_):
    with zipfile.ZipFile(f"{folder}/dependency-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("dependency.py", "COLUMN = 'total'")
        wheel.writestr("dependency-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: dependency\\nVersion: 1\\n")
        wheel.writestr("dependency-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("dependency-1.dist-info/RECORD", "")
    return "dependency-1-py3-none-any.whl"
"""
PROJECT = """
[project]
name = "dependency"
version = "1"
[build-system]
requires = []
build-backend = "build"
backend-path = ["."]
"""


@pytest.mark.parametrize("options", [[], ["--read-only", "--tmpfs", "/tmp:exec"]], ids=["", "read-only root"])
@pytest.mark.parametrize("user", ["0:0", f"{STRANGER}:{STRANGER}"])
def test_uv_sets_a_project_up(image: str, tmp_path: Path, user: str, options: list[str]) -> None:
    """For a user without a home too; what it made is what the migrations run with."""
    tmp_path.chmod(0o755)
    folder = laid(
        tmp_path / "repository",
        {
            "dbproof.toml": SETTINGS,
            "dependency/build.py": BUILD,
            "dependency/pyproject.toml": PROJECT,
            "migrate.py": "import dependency, subprocess\n"
            "subprocess.run(['psql', '-qc', f'CREATE TABLE orders ({dependency.COLUMN} int)'], check=True)\n",
        },
    )
    ended = contained(image, PROVE, *mounted(folder, "rw"), "--user", user, *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 of 1 migrations apply" in ended.stdout
