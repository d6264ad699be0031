"""The image that the Dockerfile makes proves a repository: as root, as a user that nobody knows, with nothing to write to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder of two migrations; the second one does not stand what the first one made."""
    folder = tmp_path / "repository" / "migrations"
    folder.mkdir(parents=True)
    (folder / "1_users.sql").write_text("CREATE TABLE users (id int PRIMARY KEY);\n")
    (folder / "2_orders.sql").write_text("CREATE TABLE orders (id int PRIMARY KEY,\n  buyer int REFERENCES users);\n")
    for path in (tmp_path, tmp_path / "repository", folder):
        path.chmod(0o755)
    return tmp_path / "repository"


def run(image: str, repository: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`dbproof run` in a container without a network, the repository mounted read-only."""
    mount = ["--volume", f"{repository}:/repo:ro", "--workdir", "/repo", "--network", "none"]
    command = ["docker", "run", "--rm", *mount, *options, image, "run", "--base", "nothing", "--report-dir", "/tmp/report"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("user", ["0:0", "1234:5678"])
def test_a_repository_is_proven(image: str, repository: Path, user: str) -> None:
    ended = run(image, repository, "--user", user)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "PostgreSQL 17" in ended.stderr
    assert "1 of 1 declared references refuse an orphan" in ended.stdout


def test_a_fault_is_found_at_its_line(image: str, repository: Path) -> None:
    (repository / "migrations" / "3_fault.sql").write_text("SELECT 1;\nALTER TABLE orders ADD PRIMARY KEY (buyer);\n")
    ended = run(image, repository)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "migrations/3_fault.sql:2" in ended.stdout


def test_it_has_no_compiler(image: str) -> None:
    command = ["docker", "run", "--rm", "--entrypoint", "sh", image, "-c", "command -v gcc cc"]
    assert subprocess.run(command, capture_output=True, check=False).stdout == b""
