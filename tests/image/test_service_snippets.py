"""What docs/service.md shows does what it says: GitHub's job, GitLab's and Compose's are run, each as its platform runs it.

Nothing of a snippet is changed but what :data:`STAND_INS` names. ``bin/rails`` is a script in the repository that calls ``psql``.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from image.github_runner import Job, healthy
from image.gitlab_runner import GitLab, began, built
from image.platforms import ROOT, committed, laid, run, snippets
from runner.servers.locks import held, lock

pytestmark = pytest.mark.docker

GITHUB, GITLAB, COMPOSE = snippets("service.md", "yaml")
#: Images in the snippets, and what the tests have in their place: by ``image`` the one that is built here, and one that has psql.
STAND_INS = {
    "image: dbproof\n": "image: {image}\n",
    "image: ruby:3.4\n": "image: {client}\n",
    "image: postgres:17\n": "image: {client}\n",
}
CLEAN = """\
CREATE TABLE authors (id int PRIMARY KEY);
CREATE TABLE books (id int PRIMARY KEY,
  author int NOT NULL REFERENCES authors);
"""
ORPHANED = """\
CREATE TABLE reviews (id int PRIMARY KEY, book int);
INSERT INTO reviews VALUES (1, 7);
ALTER TABLE reviews ADD FOREIGN KEY (book) REFERENCES books NOT VALID;
"""
#: A second primary key: psql says so, goes on, and ends well.
REFUSED = "ALTER TABLE books ADD PRIMARY KEY (author);\n"
RAILS = '#!/bin/sh\n[ "$*" = db:migrate ] && exec {psql} "$DATABASE_URL" -f db/schema.sql\n'
COMPOSER = "FROM python:3.13-slim-trixie\nRUN apt-get update && apt-get install -y --no-install-recommends docker-compose\n"


def ready(snippet: str, image: str, client: str) -> str:
    """A snippet as it is run here."""
    for name, there in STAND_INS.items():
        snippet = snippet.replace(name, there.format(image=image, client=client))
    return snippet


def repository(folder: Path, schema: str, *psql: str) -> Path:
    laid(folder, {"db/schema.sql": schema, "bin/rails": RAILS.format(psql=shlex.join([*psql, "psql"]))})
    (folder / "bin" / "rails").chmod(0o755)
    return folder


def found(said: str, junit: Path, *places: str) -> None:
    """The places that are found at fault, and no others: in the report, and in what was said."""
    failed = [(failure.text or "").splitlines() for failure in ElementTree.parse(junit).iter("failure")]
    assert sorted(lines[1] for lines in failed) == sorted(places)
    assert set(re.findall(r"db/schema\.sql:\d+", said)) == set(places), said


@contextmanager
def on_github(job: Mapping[str, Any]) -> Iterator[str]:
    """The network of a job with its services, by the commands that the runner issues; all is healthy."""
    network = f"dbproof_tests_{secrets.token_hex(4)}"
    assert run(["docker", "network", "create", network]).returncode == 0
    names = {alias: f"{network}_{alias}" for alias in job["services"]}
    try:
        for alias, service in job["services"].items():
            ports = [option for port in service["ports"] for option in ("-p", port)]
            told = {**service["env"], "GITHUB_ACTIONS": "true", "CI": "true"}
            variables = [option for name, value in told.items() for option in ("-e", f"{name}={value}")]
            named = ["--name", names[alias], "--network", network, "--network-alias", alias]
            created = run(["docker", "create", *named, *ports, *shlex.split(service["options"]), *variables, service["image"]])
            assert created.returncode == 0, created.stderr
            started = run(["docker", "start", names[alias]])
            assert started.returncode == 0, started.stderr
        for name in names.values():
            healthy(name)
        yield network
    finally:
        run(["docker", "rm", "--force", "--volumes", *names.values()])
        run(["docker", "network", "rm", network])


@pytest.fixture
def port() -> Iterator[None]:
    """The port that GitHub's snippet publishes is ours, on the whole machine."""
    with held(lock(Path(tempfile.gettempdir()) / "dbproof-tests-port-5432.lock", 300)):
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind(("0.0.0.0", 5432))
            except OSError as error:
                (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
                    f"port 5432, which the page names, is taken: {error}"
                )
        yield


@pytest.mark.parametrize(
    ("schema", "places"),
    [(CLEAN, ()), (CLEAN + ORPHANED + REFUSED, ("db/schema.sql:6", "db/schema.sql:7"))],
    ids=["clean", "faults"],
)
@pytest.mark.usefixtures("port")
def test_github(image: str, docker_image: str, tmp_path: Path, schema: str, places: tuple[str, ...]) -> None:
    (job,) = yaml.safe_load(ready(GITHUB, image, docker_image))["jobs"].values()
    machine = Job(tmp_path)
    on_host = ["docker", "run", "--rm", "--network", "host", "-v", f"{machine.workspace}:/repo:ro", "-w", "/repo", docker_image]
    repository(machine.workspace, schema, *on_host)
    checkout, migrating, judging = job["steps"]
    assert checkout["uses"].startswith("actions/checkout@")
    with on_github(job) as network:
        script = laid(tmp_path / "work" / "_temp", {"step.sh": migrating["run"]}) / "step.sh"
        migrated = run(["bash", "-e", str(script)], machine.workspace, {**job["env"], "PATH": "/usr/local/bin:/usr/bin:/bin"})
        assert migrated.returncode == 0, migrated.stderr
        assert judging["uses"] == "your-organisation/dbproof@COMMIT"
        ended = replace(machine, network=network).step(image, judging["with"], {**job["env"], **judging["env"]})
    assert ended.code == bool(places), ended.said
    found(ended.said, ended.workspace / ended.outputs["junit"], *places)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone of this repository holds of the program, as one file that git clones from."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("checks", "runner"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    committed(folder, "the work tree")
    assert run(["git", "-C", str(folder), "bundle", "create", "--quiet", "dbproof.bundle", "HEAD", "main"]).returncode == 0
    return folder / "dbproof.bundle"


@pytest.fixture(scope="session")
def toolchain(docker_image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image of a job that has psql. What the job installs is there already, to have it at hand for every test."""
    installed = "RUN apt-get update && apt-get install --yes --no-install-recommends git pipx"
    files = {"Dockerfile": f"FROM {docker_image}\n{installed}\n"}
    return built("dbproof-tests-toolchain", tmp_path_factory.mktemp("toolchain"), files)


@pytest.mark.parametrize(
    ("schema", "places"),
    [(CLEAN, ()), (CLEAN + ORPHANED + REFUSED, ("db/schema.sql:6", "db/schema.sql:7"))],
    ids=["clean", "faults"],
)
def test_gitlab(
    gitlab: GitLab, registry: str, toolchain: str, clone: Path, tmp_path: Path, schema: str, places: tuple[str, ...]
) -> None:
    repository(tmp_path, schema)
    laid_out = {".gitlab-ci.yml": ready(GITLAB, registry, toolchain), ".gitignore": ".gitlab-ci-local\n"}
    for name, text in laid_out.items():
        (tmp_path / name).write_text(text)
    began(tmp_path)
    committed(tmp_path, "a schema")
    # The clone that the snippet names is where git is told that it is.
    there = "https://gitlab-ci-token:of-the-job@gitlab.example/your-group/dbproof.git"
    git = ["GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url./dbproof.bundle.insteadOf", f"GIT_CONFIG_VALUE_0={there}"]
    told = [f"CI_REGISTRY_IMAGE={registry}", "CI_SERVER_HOST=gitlab.example", "CI_JOB_TOKEN=of-the-job", *git]
    status, said = gitlab.pipeline(tmp_path, *told, volumes=[f"{clone}:/dbproof.bundle:ro"])
    assert status == bool(places), said
    assert "of-the-job" not in said
    (job,) = yaml.safe_load(GITLAB)
    artifacts = tmp_path / ".gitlab-ci-local" / "artifacts" / job
    found(said, artifacts / yaml.safe_load(GITLAB)[job]["artifacts"]["reports"]["junit"], *places)


@pytest.fixture(scope="session")
def composer(image: str, tmp_path_factory: pytest.TempPathFactory) -> str:  # noqa: ARG001 - where that is had, there is an engine
    """Debian's Docker Compose in an image, as not every machine with an engine has it."""
    return built("dbproof-tests-compose", tmp_path_factory.mktemp("compose"), {"Dockerfile": COMPOSER})


@pytest.mark.parametrize(("schema", "places"), [(CLEAN, ()), (CLEAN + ORPHANED, ("db/schema.sql:6",))], ids=["clean", "orphaned"])
def test_compose(registry: str, docker_image: str, composer: str, tmp_path: Path, schema: str, places: tuple[str, ...]) -> None:
    folder = repository(tmp_path / f"shop-{secrets.token_hex(4)}", schema)
    (folder / "compose.yaml").write_text(ready(COMPOSE, f"{registry}/dbproof", docker_image))
    judging, down = (line.partition("#")[0].split()[1:] for line in "".join(snippets("service.md", "console")).splitlines())
    assert (judging[:2], down[:2]) == (["docker", "compose"], ["docker", "compose"])
    mounts = ["-v", "/var/run/docker.sock:/var/run/docker.sock", "-v", f"{folder}:{folder}", "-w", str(folder)]
    contained = ["docker", "run", "--rm", *mounts, composer, "docker-compose"]
    try:
        ended = run([*contained, *judging[2:]])
    finally:
        gone = run([*contained, *down[2:]])
    assert ended.returncode == bool(places), ended.stdout + ended.stderr
    assert gone.returncode == 0, gone.stderr
    found(ended.stdout + ended.stderr, folder / "dbproof-report" / "junit.xml", *places)
