"""Which server is chosen for what is wanted, and what is said when there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from checks.interface import Engine
from runner.errors import Exit, ServerFailed, UsageError
from runner.servers.installations import Installation, installations
from runner.servers.interface import Wanted
from runner.servers.postgresql.images import image
from runner.servers.postgresql.provider import choose, needed
from runner.servers.registry import provision

POSTGRESQL = Engine.POSTGRESQL
FOUND = (
    Installation(Path("/a/15/bin"), (15, 18), frozenset({"plpgsql", "hstore"}), frozenset({"pg_stat_statements"})),
    Installation(Path("/b/18/bin"), (18, 4), frozenset({"plpgsql", "vector"}), frozenset()),
    Installation(Path("/c/16/bin"), (16, 14), frozenset({"plpgsql", "vector"}), frozenset()),
    Installation(Path("/d/16/bin"), (16, 14), frozenset({"plpgsql", "hstore"}), frozenset()),
)


@pytest.mark.parametrize(
    ("name", "major", "extensions", "known"),
    [
        ("postgres", None, set(), True),
        ("postgres:latest", None, set(), True),
        ("postgres:16", 16, set(), True),
        ("postgres:16.4-alpine3.20", 16, set(), True),
        ("docker.io/library/postgres:17-bookworm", 17, set(), True),
        ("localhost:5000/postgres:15@sha256:0123", 15, set(), True),
        ("localhost:5000/postgres", None, set(), True),
        ("bitnami/postgresql:14", 14, set(), True),
        ("postgis/postgis:16-3.4", 16, {"postgis"}, True),
        ("imresamu/postgis:18-3.6", 18, {"postgis"}, True),
        ("pgvector/pgvector:pg16", 16, {"vector"}, True),
        ("pgvector/pgvector:0.8.0-pg17", 17, {"vector"}, True),
        ("timescale/timescaledb:2.17.2-pg16", 16, {"timescaledb"}, True),
        ("timescale/timescaledb:latest-pg17-oss", 17, {"timescaledb"}, True),
        ("timescale/timescaledb:2.17.2", None, {"timescaledb"}, True),
        ("ghcr.io/acme/database:2024-11", None, set(), False),
        ("ghcr.io/acme/database:pg16-7", 16, set(), False),
    ],
)
def test_an_image_says_its_version_and_extensions(name: str, major: int | None, extensions: set[str], known: bool) -> None:
    read = image(name)
    assert (read.name, read.major, set(read.extensions), read.known) == (name, major, extensions, known)


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        (Wanted(POSTGRESQL), "/b/18/bin"),
        (Wanted(POSTGRESQL, extensions=frozenset({"hstore"})), "/d/16/bin"),
        (Wanted(POSTGRESQL, preload=("pg_stat_statements",)), "/a/15/bin"),
        (Wanted(POSTGRESQL, version="16"), "/c/16/bin"),
        (Wanted(POSTGRESQL, version="16.4"), "/c/16/bin"),
        (Wanted(POSTGRESQL, image="postgres:16-alpine"), "/c/16/bin"),
        (Wanted(POSTGRESQL, image="postgres:16", extensions=frozenset({"hstore"})), "/d/16/bin"),
        (Wanted(POSTGRESQL, image="pgvector/pgvector:pg18"), "/b/18/bin"),
        (Wanted(POSTGRESQL, image="pgvector/pgvector:pg15"), None),
        (Wanted(POSTGRESQL, version="17"), None),
        (Wanted(POSTGRESQL, version="18", extensions=frozenset({"hstore"})), None),
    ],
)
def test_the_version_is_kept_and_extensions_are_preferred(wanted: Wanted, place: str | None) -> None:
    chosen = choose(needed(wanted), FOUND)
    assert (str(chosen.binaries) if chosen else None) == place


def test_contradictions_are_settings_errors() -> None:
    with pytest.raises(UsageError, match="different versions"):
        needed(Wanted(POSTGRESQL, version="15", image="postgres:16"))
    with pytest.raises(UsageError, match="'sixteen' is not a version"):
        needed(Wanted(POSTGRESQL, version="sixteen"))


def test_without_docker_a_missing_version_is_an_error_that_says_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(ServerFailed) as caught, provision(Wanted(POSTGRESQL, version="12", extensions=frozenset({"hstore"}))):
        pass
    assert caught.value.exit is Exit.ENVIRONMENT
    assert "PostgreSQL 12, extensions hstore" in caught.value.message
    assert "no Docker engine answers" in caught.value.message
    for each in installations():
        assert f"found {each}: another version" in caught.value.message
    assert "apt install postgresql-12" in caught.value.remedy


def test_without_docker_missing_extensions_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with (
        pytest.raises(ServerFailed, match="lacks unheard_of"),
        provision(Wanted(POSTGRESQL, extensions=frozenset({"unheard_of"}))),
    ):
        pass


def test_an_unknown_image_falls_back_to_local_binaries_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    major = installations()[0].major
    with provision(Wanted(POSTGRESQL, image=f"ghcr.io/acme/database:pg{major}")) as server:
        assert server.version.startswith(f"{major}.")
        assert f"instead of ghcr.io/acme/database:pg{major} (no Docker)" in server.origin


def test_the_newest_is_used_and_said_where_nothing_says_a_version() -> None:
    with provision(Wanted(POSTGRESQL)) as server:
        newest = max(each.version for each in installations())
        assert server.version == f"{newest[0]}.{newest[1]}"
        assert server.origin.endswith("the newest here, as nothing says a version")


def test_the_wheel_is_found_with_its_versions_and_extensions() -> None:
    wheel = [each for each in installations() if each.support is not None]
    assert {each.major for each in wheel} == {16, 18}
    assert all({"plpgsql", "vector"} <= each.extensions and not each.lacks(["vector"], ["vector"]) for each in wheel)


def test_an_installation_on_path_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    last = installations()[-1]
    monkeypatch.setenv("PATH", f"{last.binaries}{os.pathsep}{os.environ['PATH']}")
    assert installations()[0] == last
    assert len({each.binaries for each in installations()}) == len(installations())


def test_a_library_is_preloaded() -> None:
    with_library = [each for each in installations() if "pg_stat_statements" in each.libraries]
    if not with_library:
        pytest.skip("no installation here has pg_stat_statements (Debian's have)")
    with provision(Wanted(POSTGRESQL, preload=("pg_stat_statements",), extensions=frozenset({"pg_stat_statements"}))) as server:
        private = server.create("preloaded").private
        from runner.servers.postgresql.sessions import session

        with session(private) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
            assert connection.execute("SELECT count(*) > 0 FROM pg_stat_statements").fetchone() == (True,)


@pytest.mark.docker
def test_docker_serves_a_version_that_is_not_installed(docker_image: str) -> None:
    if any(each.major == 17 for each in installations()):
        pytest.skip("PostgreSQL 17 is installed here, so Docker is not asked")
    with provision(Wanted(POSTGRESQL, version="17")) as server:
        assert (server.origin, server.version.split(".")[0]) == (f"docker {docker_image}", "17")


@pytest.mark.docker
def test_an_image_without_the_extensions_is_an_error(docker_image: str) -> None:
    wanted = Wanted(POSTGRESQL, image=docker_image, extensions=frozenset({"unheard_of"}))
    with pytest.raises(ServerFailed, match=f"{docker_image} lacks extensions.*unheard_of"), provision(wanted):
        pass


@pytest.mark.docker
def test_an_image_that_does_not_exist_is_an_error(docker_image: str) -> None:  # noqa: ARG001 (asks for an engine)
    with pytest.raises(ServerFailed, match="cannot be pulled"), provision(Wanted(POSTGRESQL, image="localhost:1/none/such:pg11")):
        pass


@pytest.mark.docker
def test_an_image_that_is_no_postgresql_is_an_error_with_its_words(docker_image: str) -> None:
    from runner.servers.containers import engine

    client = engine()
    name = "dbproof-test/no-server:pg17"
    client.images.get(docker_image).tag(name)
    context = Path("/tmp")  # only the Dockerfile below is sent
    dockerfile = f'FROM {docker_image}\nENTRYPOINT ["sh", "-c", "echo no server in here; exit 3"]\n'
    subprocess.run(
        ["docker", "build", "--tag", name, "-"], input=dockerfile.encode(), cwd=context, check=True, capture_output=True
    )
    try:
        with pytest.raises(ServerFailed, match="no server in here"), provision(Wanted(POSTGRESQL, image=name)):
            pass
    finally:
        client.images.remove(name)
