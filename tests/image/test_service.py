"""The image as a service: one container migrates over the network with its own tools, another one judges."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

PASSWORD = "of-the-job"
FILES = {
    "1_authors.sql": "create table authors (id int primary key);\n",
    "2_books.sql": "create table books (id int primary key,\n  author_id int not null references authors);\n"
    "alter table books add constraint positive check (id > 0) not valid;\n",
    "3_rows.sql": "insert into authors values (1);\ninsert into books values (1, 1);\n",
}


def docker(*arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=seconds)


@dataclass(frozen=True)
class Network:
    """A network of the job's own, with the service under the name ``db``."""

    name: str
    service: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return docker("run", "--rm", "--network", self.name, *arguments)

    def healthy(self) -> bool:
        """What a pipeline asks (``--health-cmd``), within the service's container.

        Without ``-U`` PostgreSQL's own programs give up for a user that has no passwd entry.
        """
        return docker("exec", self.service, "pg_isready", "--quiet", "-U", "job").returncode == 0


@pytest.fixture(params=[(), ("--user", "1234:5678")], ids=["root", "nobody-knows"])
def network(image: str, request: pytest.FixtureRequest) -> Iterator[Network]:
    """A service as ``services:`` starts it: an image and variables, no command."""
    network = Network(f"dbproof-{secrets.token_hex(4)}", f"dbproof-{secrets.token_hex(4)}")
    variables = ["--env", f"POSTGRES_PASSWORD={PASSWORD}", "--env", "POSTGRES_USER=job", "--env", "POSTGRES_DB=shop"]
    strange = ["--env", "DBPROOF_FAIL_ON=warning", "--env", "GITLAB_CI=true"]  # what GitLab's job variables bring along
    try:
        assert docker("network", "create", network.name).returncode == 0
        named = ["--detach", "--name", network.service, "--network", network.name, "--network-alias", "db"]
        started = docker("run", *named, *request.param, *variables, *strange, image)
        assert started.returncode == 0, started.stderr
        deadline = time.monotonic() + 60
        while not network.healthy():
            logs = docker("logs", network.service)
            assert time.monotonic() < deadline, logs.stdout + logs.stderr
            time.sleep(0.1)
        yield network
    finally:
        docker("rm", "--force", network.service)
        docker("network", "rm", network.name)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "repository" / "db" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in (tmp_path, tmp_path / "repository", tmp_path / "repository" / "db"):
        path.chmod(0o755)
    return tmp_path / "repository"


def test_another_container_migrates_and_ours_judges(image: str, docker_image: str, network: Network, repository: Path) -> None:
    mount = ["--volume", f"{repository}:/repo:ro", "--workdir", "/repo"]
    for file in FILES:
        client = ["--env", f"PGPASSWORD={PASSWORD}", "--entrypoint", "psql", *mount, docker_image]
        migrated = network.run(*client, "-h", "db", "-U", "job", "-d", "shop", "-v", "ON_ERROR_STOP=1", "-f", f"db/{file}")
        assert migrated.returncode == 0, migrated.stderr
    url = f"DATABASE_URL=postgresql://job:{PASSWORD}@db:5432/shop"
    ours = ["--env", url, *mount, image, "check", "--url-env", "DATABASE_URL", "--report-dir", "/tmp/report"]
    judged = network.run(*ours)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "a dbproof service" in judged.stderr
    assert "1 of 1 declared references refuse an orphan" in judged.stdout
    assert "WARNING  unvalidated-constraint · books.positive\n  db/2_books.sql:3\n" in judged.stdout
    assert PASSWORD not in judged.stdout + judged.stderr


def test_it_stops_at_once(network: Network) -> None:
    began = time.monotonic()
    assert docker("stop", "--time", "30", network.service).returncode == 0
    assert time.monotonic() - began < 25  # not by being killed
    state = docker("inspect", "--format", "{{.State.ExitCode}}", network.service)
    assert state.stdout.strip() == "0"


def test_without_a_password_it_says_so(image: str) -> None:
    refused = docker("run", "--rm", image, "service")
    assert refused.returncode == 2
    assert "POSTGRES_HOST_AUTH_METHOD=trust" in refused.stderr


def test_with_the_official_images_command(image: str) -> None:
    name = f"dbproof-{secrets.token_hex(4)}"
    trusted = ["--env", "POSTGRES_HOST_AUTH_METHOD=trust"]
    try:
        docker("run", "--detach", "--name", name, *trusted, image, "postgres", "-c", "max_connections=33")
        deadline = time.monotonic() + 60
        while (asked := docker("exec", name, "psql", "-U", "postgres", "-Atc", "show max_connections")).returncode:
            assert time.monotonic() < deadline, asked.stderr
            time.sleep(0.1)
        assert asked.stdout.strip() == "33"
    finally:
        docker("rm", "--force", name)


def test_a_run_of_the_action_is_no_service(image: str) -> None:
    variables = ["--env", "GITHUB_ACTIONS=true", "--env", "INPUT_PATH=", "--env", f"POSTGRES_PASSWORD={PASSWORD}"]
    ran = docker("run", "--rm", *variables, "--workdir", "/tmp", image)
    assert "ready to accept connections" not in ran.stdout
    assert ran.returncode == 3, ran.stdout + ran.stderr
