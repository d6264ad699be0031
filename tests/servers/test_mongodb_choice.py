"""Which MongoDB server is chosen for what is wanted, and what is said when there is none."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from checks.interface import Engine
from runner.errors import Exit, ServerFailed, UsageError
from runner.servers.interface import Wanted
from runner.servers.mongodb import installations as looking
from runner.servers.mongodb.images import image
from runner.servers.mongodb.installations import Installation, installations
from runner.servers.mongodb.provider import choose, needed
from runner.servers.registry import provision

MONGODB = Engine.MONGODB
FOUND = (
    Installation(Path("/old/mongod"), (4, 2, 24)),
    Installation(Path("/a/mongod"), (6, 0, 5)),
    Installation(Path("/b/mongod"), (), "libcurl.so.4: cannot open shared object file"),
    Installation(Path("/c/mongod"), (7, 0, 14)),
    Installation(Path("/d/mongod"), (6, 0, 5)),
)


@pytest.mark.parametrize(
    ("name", "version", "known"),
    [
        ("mongo", (), True),
        ("mongo:latest", (), True),
        ("mongo:7", (7,), True),
        ("mongo:6.0.5-jammy", (6, 0, 5), True),
        ("docker.io/library/mongo:7.0@sha256:0123", (7, 0), True),
        ("localhost:5000/mongo", (), True),
        ("mongodb/mongodb-community-server:6.0-ubi8", (6, 0), True),
        ("percona/percona-server-mongodb:5.0.29", (5, 0, 29), True),
        ("bitnami/mongodb:8.0", (8, 0), True),
        ("ghcr.io/acme/database:7", (), False),
    ],
)
def test_an_image_says_its_version(name: str, version: tuple[int, ...], known: bool) -> None:
    read = image(name)
    assert (read.name, read.version, read.known) == (name, version, known)


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        (Wanted(MONGODB), "/c/mongod"),
        (Wanted(MONGODB, version="6"), "/a/mongod"),
        (Wanted(MONGODB, version="6.0"), "/a/mongod"),
        (Wanted(MONGODB, version="6.0.19"), "/a/mongod"),
        (Wanted(MONGODB, version="7", image="mongo:7.0"), "/c/mongod"),
        (Wanted(MONGODB, image="mongo:7"), "/c/mongod"),
        (Wanted(MONGODB, image="mongo:6.0.5-jammy"), "/a/mongod"),
        (Wanted(MONGODB, version="6.1"), None),
        (Wanted(MONGODB, version="8.0"), None),
        (Wanted(MONGODB, image="mongo:5"), None),
    ],
)
def test_the_version_is_kept(wanted: Wanted, place: str | None) -> None:
    chosen = choose(needed(wanted), FOUND)
    assert (str(chosen.program) if chosen else None) == place


def test_what_docker_would_run_is_what_is_wanted() -> None:
    assert needed(Wanted(MONGODB)).image == "mongo:8.0"
    assert needed(Wanted(MONGODB, version="6.0")).image == "mongo:6.0"
    assert needed(Wanted(MONGODB, image="ghcr.io/acme/database:7")).image == "ghcr.io/acme/database:7"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(MONGODB, version="6", image="mongo:7"), "different versions"),
        (Wanted(MONGODB, version="six"), "'six' is not a version of MongoDB"),
        (Wanted(MONGODB, version="4.2"), "older than 4.4"),
        (Wanted(MONGODB, version="3"), "older than 4.4"),
        (Wanted(MONGODB, preload=("auto_explain",)), "loads no libraries"),
    ],
)
def test_contradictions_are_settings_errors(wanted: Wanted, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        needed(wanted)


def test_without_a_mongod_and_without_docker_the_docker_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setattr("runner.servers.mongodb.provider.installations", tuple)
    with pytest.raises(ServerFailed) as caught, provision(Wanted(MONGODB, version="6.0")):
        pass
    assert caught.value.exit is Exit.ENVIRONMENT
    assert "MongoDB 6.0" in caught.value.message
    assert "found no mongod on PATH" in caught.value.message
    assert "no Docker engine answers" in caught.value.message
    assert "Docker engine reachable, which runs `mongo:6.0`" in caught.value.remedy
    assert "dbproof[embedded]" in caught.value.remedy


def test_what_was_found_is_said_with_why_it_does_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    monkeypatch.setattr("runner.servers.mongodb.provider.installations", lambda: FOUND)
    with pytest.raises(ServerFailed) as caught, provision(Wanted(MONGODB, version="8.0")):
        pass
    for line in (
        "found MongoDB 4.2.24 in /old: older than 4.4",
        "found MongoDB 7.0.14 in /c: another version",
        "found /b/mongod: libcurl.so.4: cannot open",
    ):
        assert line in caught.value.message
    assert "apt install libcurl4" in caught.value.remedy
    assert "embedded" not in caught.value.remedy


def test_an_unknown_image_without_docker_is_stood_in_for(monkeypatch: pytest.MonkeyPatch) -> None:
    if not any(not each.broken for each in installations()):
        pytest.skip("needs a mongod")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with provision(Wanted(MONGODB, image="ghcr.io/acme/database:7")) as server:
        assert "instead of ghcr.io/acme/database:7" in server.origin


def test_installations_are_looked_for_on_the_path_first(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, said in (("first", "db version v7.0.2"), ("second", "db version v5.0.31")):
        (place / name).mkdir()
        program = place / name / "mongod"
        program.write_text(f"#!/bin/sh\necho '{said}'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(place / "second"))
    monkeypatch.setattr(looking, "_PLACES", (f"{place}/fir*/mongod",))
    found = [(each.program, each.version) for each in installations() if each.program.is_relative_to(place)]
    assert found == [(place / "second" / "mongod", (5, 0, 31)), (place / "first" / "mongod", (7, 0, 2))]


def test_a_program_that_does_not_say_its_version_is_broken(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = place / "mongod"
    program.write_text("#!/bin/sh\necho 'mongod: error while loading shared libraries: libcurl.so.4' >&2\nexit 127\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(place))
    (first, *_) = installations()
    assert (first.program, first.version) == (program, ())
    assert "libcurl.so.4" in first.broken
    assert not first.fits(())


@pytest.mark.usefixtures("mongod")
def test_the_wheel_is_found_where_it_is_installed() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("the wheel is for Linux on x86-64")
    assert any("site-packages" in str(each.program) and each.version[:2] == (6, 0) for each in installations())
