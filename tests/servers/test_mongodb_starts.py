"""How a MongoDB server starts, under which user, and what is said when it cannot."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from checks.interface import Engine
from runner.errors import Exit, ServerFailed
from runner.servers.account import server_account
from runner.servers.containers import engine
from runner.servers.interface import Database, Wanted
from runner.servers.mongodb import docker, process, provider
from runner.servers.mongodb.configuration import configuration
from runner.servers.mongodb.installations import Installation, installations
from runner.servers.mongodb.local import local_server
from runner.servers.mongodb.server import MongoServer
from runner.servers.registry import provision

CHILD = """
import os, sys
from pymongo import MongoClient
from checks.interface import Engine
from checks.targets import Role
from runner.servers.interface import Wanted
from runner.servers.registry import provision

assert os.geteuid() == int(sys.argv[1])
with provision(Wanted(Engine.MONGODB)) as server:
    database = server.create("mine")
    with MongoClient(database.addresses[Role.OWNER].url()) as owner:
        owner.mine.t.insert_one({"id": 1})
    with server.fork() as fork:
        print("documents", fork.client.mine.t.count_documents({}), "uid", os.stat(os.environ["TMPDIR"]).st_uid)
"""


@pytest.fixture
def newest(mongo_server: MongoServer) -> Installation:  # noqa: ARG001 - it says where there is none
    return max((each for each in installations() if not each.broken), key=lambda each: each.version)


@pytest.mark.parametrize("uid", [65534, 54321])
def test_any_user_runs_servers(place: Path, newest: Installation, uid: int) -> None:  # noqa: ARG001
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user, with setpriv")
    rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    done = subprocess.run(
        ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *rights, sys.executable, "-c", CHILD, str(uid)],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "documents 1 uid 0\n"), done.stderr
    assert list(place.iterdir()) == []


def test_root_hands_the_server_to_another_user_and_keeps_everybody_else_out(
    place: Path, newest: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has to")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    uid = server_account("mongodb").uid
    assert uid != 0
    with local_server(newest):
        (run,) = place.iterdir()
        inside = {path.name.partition("-")[0]: path.stat() for path in run.iterdir() if path.is_dir()}
        assert {name: (found.st_uid, found.st_mode & 0o777) for name, found in inside.items()} == {
            "data": (uid, 0o700),
            "logs": (uid, 0o700),
        }
        assert (run / "logs" / "key").stat().st_mode & 0o777 == 0o600


def test_a_program_that_the_server_user_cannot_reach_is_laid_out_again(tmp_path: Path, newest: Installation) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has programs that its server's user cannot reach")
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(newest.program, home / "mongod")
    home.chmod(0o700)
    hidden = replace(newest, program=home / "mongod")
    assert not server_account("mongodb").reaches(home)
    with local_server(hidden) as server:
        assert server.create("reached").name == "reached"


def test_a_server_listens_on_the_loopback_only(mongo_server: MongoServer) -> None:
    settings = mongo_server.client.admin.command("getCmdLineOpts")["parsed"]
    assert settings["net"] == {
        "bindIp": "127.0.0.1",
        "port": mongo_server.private.port,
        "unixDomainSocket": {"enabled": False},
    }


def test_a_port_that_is_taken_is_tried_again_elsewhere(newest: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free = process._free_port
        offered = [taken.getsockname()[1]]
        monkeypatch.setattr(process, "_free_port", lambda: offered.pop() if offered else free())
        with local_server(newest) as server:
            assert server.private.port != taken.getsockname()[1]
            assert offered == []


def test_a_failed_start_shows_the_last_words_and_no_secret(newest: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[str] = []

    def unknown(port: int, data: str, key: str, log: str, bind: str) -> str:
        keys.append(Path(key).read_text(encoding="utf-8"))
        return configuration(port, data, key, log, bind).replace('"ttlMonitorEnabled"', '"noSuchParameter"')

    monkeypatch.setattr(process, "configuration", unknown)
    with pytest.raises(ServerFailed) as caught, local_server(newest):
        pass
    assert caught.value.exit is Exit.ENVIRONMENT
    assert "noSuchParameter" in caught.value.message
    assert str(newest.program) in caught.value.message
    assert len(keys[0]) == 96
    assert keys[0] not in f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("error while loading shared libraries: libcurl.so.4: cannot open shared object file", "apt install libcurl4"),
        ("GLIBC_2.99 not found", "Docker"),
        ("write failed: No space left on device", "make room"),
    ],
)
def test_what_a_program_says_brings_its_remedy(newest: Installation, place: Path, words: str, remedy: str) -> None:
    broken = place / "mongod"
    broken.write_text(f'#!/bin/sh\necho "{words}" >&2\nexit 127\n')
    broken.chmod(0o755)
    with pytest.raises(ServerFailed, match="exit code 127") as caught, local_server(replace(newest, program=broken)):
        pass
    assert words in caught.value.message
    assert remedy in caught.value.remedy


def test_a_program_that_cannot_run_is_an_error(newest: Installation, place: Path) -> None:
    (place / "mongod").write_text("not a program")
    (place / "mongod").chmod(0o755)
    unable = replace(newest, program=place / "mongod")
    with pytest.raises(ServerFailed, match="could not be started") as caught, local_server(unable):
        pass
    assert str(place) in caught.value.message


def test_the_next_server_is_another_one(newest: Installation, mongo_database: Database) -> None:
    with provision(Wanted(Engine.MONGODB)) as server:
        assert server.version.startswith(".".join(map(str, newest.version[:2])))
        assert server.create(mongo_database.name).private != mongo_database.private


@pytest.mark.docker
def test_a_container_that_ends_at_its_start_says_why(mongo_image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(port: int, data: str, key: str, log: str, bind: str) -> str:
        return configuration(port, data, key, log, bind).replace('"ttlMonitorEnabled"', '"noSuchParameter"')

    monkeypatch.setattr(docker, "configuration", unknown)
    with pytest.raises(ServerFailed, match="ended at its start") as caught, docker.docker_server(engine(), mongo_image):
        pass
    assert "noSuchParameter" in caught.value.message


@pytest.mark.docker
def test_docker_runs_the_version_that_is_not_here(
    mongo_image: str, newest: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = mongo_image.partition(":")[2]
    other = replace(newest, version=(newest.version[0] + 1, 0, 0))
    monkeypatch.setattr(provider, "installations", lambda: (other,))
    with provision(Wanted(Engine.MONGODB, version=elsewhere)) as server:
        assert server.origin == f"docker {mongo_image}"
        assert server.version.startswith(elsewhere)
