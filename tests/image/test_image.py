"""What the image holds and what it does not, and how large it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import runner
from image.containers import PYTHON, contained, layers, mounted, said
from image.platforms import ROOT, laid, run

pytestmark = pytest.mark.docker

BASE = "python:3.13-slim-trixie"
#: MB (10^6 bytes) that the image adds to its base, and what a change of a dependency's may add before somebody has to look.
#: docs/image.md states the figures.
LIMIT = 465
LIMIT_WITHOUT_MONGODB = 355
#: Extensions of contrib that are written for a language whose package is not there.
FOREIGN = re.compile(r"plperlu?$|plpython3u$")
PLPERL_AND_PLPYTHON = 8


@pytest.fixture(scope="module")
def without_mongodb(image: str) -> Iterator[str]:  # noqa: ARG001 - built first, as most layers are the same
    """The image as it is built with ``MONGODB=0``."""
    tag = "dbproof:test-without-mongodb"
    built = run(["docker", "build", "--build-arg", "MONGODB=0", "--tag", tag, str(ROOT)], timeout=1800)
    assert built.returncode == 0, built.stdout + built.stderr
    yield tag
    run(["docker", "image", "rm", "--force", tag])


def test_it_is_no_larger_than_stated(image: str) -> None:
    added = (layers(image) - layers(BASE)) / 1e6
    assert added < LIMIT, "say in docs/image.md what came in, and set the limit anew"
    stated = re.search(r"adds (\d+) MB", (ROOT / "docs" / "image.md").read_text("utf-8"))
    assert stated, "docs/image.md says how much the image adds to its base"
    assert abs(added - int(stated[1])) < LIMIT * 0.05, f"it adds {added:.0f} MB"


def test_mongodb_can_be_left_out(without_mongodb: str) -> None:
    assert (layers(without_mongodb) - layers(BASE)) / 1e6 < LIMIT_WITHOUT_MONGODB
    assert said(without_mongodb, "command -v mongod || echo none") == "none"


@pytest.mark.parametrize("program", ["gcc", "cc", "g++", "c++", "clang", "ld", "as", "make", "strip", "node", "initdb"])
def test_no_program_is_on_path_that_builds_or_is_not_ours_to_bring(image: str, program: str) -> None:
    assert said(image, f"command -v {program} || echo none") == "none"


def test_no_compiler_lies_anywhere(image: str) -> None:
    names = ["*LLVM*", "llvmjit*", "libz3*", "cc1*", "collect2", "*-linux-gnu-ld*", "*-linux-gnu-gcc*"]
    tests = " -o ".join(f"-name '{name}'" for name in names)
    assert said(image, f"find / -xdev \\( {tests} \\) -not -path '/usr/share/doc/*' -not -path '/var/lib/dpkg/*'") == ""


def test_nothing_of_its_making_is_left(image: str) -> None:
    assert said(image, "ls -A /var/lib/apt/lists /root /tmp /var/lib/postgresql /etc/dpkg/dpkg.cfg.d | grep -v :") in (
        "",
        ".bashrc\n.profile",
    )
    assert said(image, "find / -xdev -path '*/pip/*' -name '*.whl' -o -xdev -path '*/.cache/*' -type f") == ""


def test_it_holds_no_secret(image: str) -> None:
    """No private key, and no password in the cluster: a run sets one on its copy."""
    assert (
        said(image, "grep -rlE --include=*.key --include=*.pem -e 'PRIVATE KEY' / --exclude-dir=proc --exclude-dir=sys || true")
        == ""
    )
    assert said(image, "grep -rl 'SCRAM-SHA-256\\$[0-9]' /var/cache/dbproof || true") == ""


def test_its_labels_say_what_it_is(image: str) -> None:
    inspected = run(["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", image])
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in json.loads(inspected.stdout).items()}
    assert labels["title"] == "dbproof"
    assert labels["version"] == runner.__version__
    assert labels["licenses"] == "Apache-2.0"
    assert labels["base.name"] == f"docker.io/library/{BASE}"
    assert {"description", "source", "revision"} <= labels.keys()


@pytest.mark.parametrize("command", ["uv --version", "uvx --version", "git --version", "dbproof --version", "psql --version"])
def test_the_programs_that_it_brings(image: str, command: str) -> None:
    assert re.search(r"\d+\.\d+", said(image, command, "--user", "4711:4711"))


@pytest.mark.parametrize("started", [["--version"], ["sh", "-c", "dbproof --version"]], ids=["entrypoint", "script"])
def test_its_python_is_closed_to_the_workspace(image: str, tmp_path: Path, started: list[str]) -> None:
    """A workspace may have packages called ``runner`` and ``checks`` of its own, and name them in ``PYTHONPATH``."""
    laid(tmp_path, {f"{package}/__init__.py": "raise SystemExit(9)\n" for package in ("runner", "checks", "typing")})
    ended = contained(image, started, *mounted(tmp_path), "--env", "PYTHONPATH=/repo")
    assert (ended.returncode, ended.stdout) == (0, f"dbproof {runner.__version__}\n"), ended.stderr


def test_every_extension_of_contrib_can_be_created(image: str) -> None:
    ended = contained(image, [*PYTHON, EXTENSIONS], "--network", "none")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    refused, created = json.loads(ended.stdout)
    assert {name for name in refused if not FOREIGN.search(name)} == set(), refused
    assert len(refused) <= PLPERL_AND_PLPYTHON
    assert {"vector", "uuid-ossp", "pgcrypto", "postgres_fdw", "pg_trgm", "hstore", "ltree", "xml2", "sslinfo"} <= set(created)
    assert len(created) >= 45


def test_collations_of_the_official_image_are_there(image: str) -> None:
    ended = contained(image, [*PYTHON, COLLATION], "--network", "none")
    assert ended.stdout == "a\n", ended.stderr


@pytest.mark.parametrize("user", ["0:0", "4711:4711"])
def test_mongod_is_a_replica_set_when_it_is_asked_to(image: str, user: str) -> None:
    ended = contained(image, [*PYTHON, REPLICA_SET], "--network", "none", "--user", user)
    assert (ended.returncode, ended.stdout) == (0, "1\n"), ended.stdout + ended.stderr


_SERVER = """
import json, psycopg
from checks.interface import Engine
from checks.targets import Role
from runner.servers.interface import Wanted
from runner.servers.registry import provision
with provision(Wanted(Engine.POSTGRESQL)) as server:
    database = server.create("every")
    with psycopg.connect(**database.addresses[Role.ADMIN].keywords(), autocommit=True) as connection:
"""
EXTENSIONS = f"""{_SERVER}
        names = [name for (name,) in connection.execute("SELECT name FROM pg_available_extensions ORDER BY name")]
        refused, created = {{}}, []
        for name in names:
            try:
                create = psycopg.sql.SQL("CREATE EXTENSION IF NOT EXISTS {{}} CASCADE")
                connection.execute(create.format(psycopg.sql.Identifier(name)))
                created.append(name)
            except psycopg.Error as error:
                refused[name] = str(error)
        print(json.dumps([refused, created]))
"""
COLLATION = f"""{_SERVER}
        print(connection.execute("SELECT min(c COLLATE \\"en_US.utf8\\") FROM (VALUES ('B'), ('a')) AS words (c)").fetchone()[0])
"""
REPLICA_SET = """
import subprocess, tempfile, time
from pymongo import MongoClient
with tempfile.TemporaryDirectory() as data:
    command = ["mongod", "--dbpath", data, "--replSet", "set", "--port", "27017", "--bind_ip", "127.0.0.1", "--quiet"]
    server = subprocess.Popen([*command, "--logpath", data + "/log"])
    try:
        one = {"_id": 0, "host": "127.0.0.1:27017"}
        with MongoClient("127.0.0.1", 27017, directConnection=True) as client:
            client.admin.command("replSetInitiate", {"_id": "set", "members": [one]})
        with MongoClient("127.0.0.1", 27017, replicaSet="set") as client:
            with client.start_session() as session, session.start_transaction():
                client.shop.orders.insert_one({"total": 1}, session=session)
            print(client.shop.orders.count_documents({}))
    finally:
        server.terminate()
        server.wait(20)
"""
