"""How a server starts: from the cache, many at once, and what is said when it cannot."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from checks.interface import Engine
from checks.targets import Role
from runner.errors import Exit, ServerFailed
from runner.servers import cache as caching
from runner.servers.installations import Installation, installations
from runner.servers.interface import Wanted
from runner.servers.locks import held, lock, try_lock
from runner.servers.postgresql import process
from runner.servers.postgresql.local import local_server
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision
from runner.servers.spreading import spread

STARTS = """
from checks.interface import Engine
from runner.servers.interface import Wanted
from runner.servers.registry import provision
with provision(Wanted(Engine.POSTGRESQL)) as server:
    print(server.create("same_name").name)
"""


@pytest.fixture
def newest() -> Installation:
    return max(installations(), key=lambda each: each.version)


@pytest.fixture
def cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DBPROOF_CACHE", str(place))
    return place


def clusters(cache: Path) -> list[Path]:
    return [path for path in cache.glob("cluster-*") if path.is_dir()]


def test_processes_that_start_at_once_on_an_empty_cache_fill_it_once(cache: Path) -> None:
    starts = [
        subprocess.Popen([sys.executable, "-c", STARTS], env={**os.environ}, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = [start.communicate(timeout=120)[0] for start in starts]
    assert said == ["same_name\n"] * 4
    assert len(clusters(cache)) == 1
    assert not [path for path in clusters(cache)[0].rglob("*") if path.name in ("postmaster.pid", "postgresql.conf")]


def test_a_cached_cluster_is_used_again_and_never_written(cache: Path, newest: Installation) -> None:
    def content() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in clusters(cache)[0].rglob("*") if path.is_file()}

    with local_server(newest):
        before = content()
    with local_server(newest) as server:
        server.create("x")
    assert content() == before


def test_what_a_killed_process_left_half_made_is_removed_and_made_again(cache: Path) -> None:
    (cache / "thing-1.new-abandoned").mkdir()
    with pytest.raises(RuntimeError, match="while building"):
        caching.kept("thing-1", _broken)
    assert caching.kept("thing-1", Path.mkdir) == cache / "thing-1"
    assert sorted(path.name for path in cache.iterdir()) == ["thing-1", "thing-1.lock"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user too")
def test_what_an_image_brings_is_found_whatever_the_cache_is(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caching, "SHIPPED", tmp_path)
    (tmp_path / "thing-1").mkdir()
    assert caching.kept("thing-1", _broken) == tmp_path / "thing-1"
    os.chown(tmp_path / "thing-1", 4711, 4711)  # left by somebody who is not to be trusted
    assert caching.kept("thing-1", Path.mkdir) == cache / "thing-1"


def _broken(target: Path) -> None:
    target.mkdir()
    raise RuntimeError("while building")


def test_what_nobody_used_for_weeks_is_removed(cache: Path) -> None:
    for name in ("thing-old", "thing-new", "other-old"):
        (cache / name).mkdir()
    for name in ("thing-old", "other-old"):
        os.utime(cache / name, (0, 0))
    caching.kept("thing-next", Path.mkdir)
    assert {path.name for path in cache.iterdir() if path.is_dir()} == {"thing-new", "other-old", "thing-next"}


def test_a_server_starts_without_any_cache(monkeypatch: pytest.MonkeyPatch, newest: Installation) -> None:
    monkeypatch.setenv("DBPROOF_CACHE", "/proc/nowhere")
    with local_server(newest) as server:
        assert server.create("x").name == "x"


def test_a_cache_that_this_user_may_not_enter_is_no_cache(cache: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    inner = cache / "inner"
    inner.mkdir(mode=0o700)
    os.environ["DBPROOF_CACHE"] = str(inner)
    os.seteuid(65534)
    try:
        assert caching.kept("thing-1", Path.mkdir) is None
    finally:
        os.seteuid(0)


def test_a_lock_is_let_go_when_its_holder_ends(place: Path) -> None:
    file = place / "a.lock"
    with held(lock(file, patience=1)):
        assert try_lock(file) is None
        with pytest.raises(TimeoutError):
            lock(file, patience=0.05)
    again = try_lock(file)
    assert again is not None
    os.close(again)


def test_a_port_that_is_taken_is_tried_again_elsewhere(newest: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free = process._free_port
        offered = [taken.getsockname()[1]]
        monkeypatch.setattr(process, "_free_port", lambda: offered.pop() if offered else free())
        with local_server(newest) as server:
            assert server.admin.port != taken.getsockname()[1]
            assert offered == []


def test_a_failed_start_shows_the_last_words_and_a_remedy(newest: Installation) -> None:
    with pytest.raises(ServerFailed) as caught, local_server(newest, ("no_such_library",)):
        pass
    assert caught.value.exit is Exit.ENVIRONMENT
    assert 'could not access file "no_such_library"' in caught.value.message
    assert "preload" in caught.value.remedy


def test_a_program_that_cannot_run_is_an_error(newest: Installation, place: Path, cache: Path) -> None:  # noqa: ARG001
    broken = place / "broken" / "bin"
    broken.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (broken / name).write_text("not a program")
        (broken / name).chmod(0o755)
    with pytest.raises(ServerFailed, match="could not be started") as caught, local_server(replace(newest, binaries=broken)):
        pass
    assert str(broken) in caught.value.message


def test_a_temporary_directory_with_a_long_path_still_holds_a_server(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 30)
    deep.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", STARTS], env={**os.environ, "TMPDIR": str(deep)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "same_name\n"), done.stderr


def test_an_engine_without_servers_is_an_error() -> None:
    with pytest.raises(ServerFailed, match="no servers for mysql"), provision(Wanted(Engine.MYSQL)):
        pass


def test_versions_before_15_log_in_csv_which_reads_the_same(newest: Installation) -> None:
    """The newest binaries under an old version's number write the CSV log that the old ones would."""
    with local_server(replace(newest, version=(14, 0))) as server:
        assert server.logfile.json_lines is False
        database = server.create("in_csv")
        mark = server.mark()
        with session(database.addresses[Role.OWNER]) as owner:
            owner.execute("SELECT 'a \"b\", c'\n  -- two lines")
        found = [record for record in server.log(mark) if "statement: " in record.message]
        assert [record.message.partition("statement: ")[2] for record in found] == ["SELECT 'a \"b\", c'\n  -- two lines"]
        assert (found[0].user, found[0].database, found[0].severity) == ("in_csv_owner", "in_csv", "LOG")


def test_spreading_is_harmless_where_it_does_not_apply(place: Path) -> None:
    spread(place)
    spread(place / "nowhere")
    spread(Path("/proc"))
    (place / "still").mkdir()
