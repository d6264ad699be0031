"""As the first process of its container dbproof passes signals on, takes the remains of orphans, and ends the container."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from image.containers import contained, mounted, running
from image.platforms import laid, run

pytestmark = pytest.mark.docker

#: What `docker stop` grants before it kills.
GRACE = 10
PATIENCE = 60
PROVE = ["run", "--base", "nothing", "--report-dir", "/repo/report"]
SETTINGS = '[databases.app.migrations]\ntool = "command"\ncommand = "sh migrate.sh"\n'
#: A child of a child that ends when its parents are gone; where nobody takes its remains they stay in /proc.
ORPHAN = """
(sh -c 'echo $$ > /tmp/orphan; until [ -e /tmp/left ]; do sleep 0.05; done' &)
until [ -s /tmp/orphan ]; do sleep 0.05; done
touch /tmp/left
remaining=200
while [ -e "/proc/$(cat /tmp/orphan)" ]; do
    remaining=$((remaining - 1))
    [ $remaining -gt 0 ] || { echo "the orphan's remains: $(cat "/proc/$(cat /tmp/orphan)/stat")"; exit 3; }
    sleep 0.05
done
psql -qc 'CREATE TABLE orders (id int)'
"""
#: One that left its session and its environment, so that nobody can know whose it is.
STRAY = "env -i setsid sleep 1000 &\npsql -qc 'CREATE TABLE orders (id int)'\n"
WAITS = "echo begun > /repo/begun\nsleep 1000\n"


def project(tmp_path: Path, script: str) -> Path:
    tmp_path.chmod(0o755)
    return laid(tmp_path / "repository", {"dbproof.toml": SETTINGS, "migrate.sh": script})


def until(container: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, run(["docker", "logs", container])
        time.sleep(0.05)


@pytest.mark.parametrize("through", ["entrypoint", "script"])
def test_the_remains_of_an_orphan_are_taken(image: str, tmp_path: Path, through: str) -> None:
    arguments = PROVE if through == "entrypoint" else ["sh", "-c", f"exec dbproof {' '.join(PROVE)}"]
    ended = contained(image, arguments, *mounted(project(tmp_path, ORPHAN)))
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_container_ends_with_dbproof_whatever_still_runs(image: str, tmp_path: Path) -> None:
    with running(image, PROVE, *mounted(project(tmp_path, STRAY))) as container:
        assert run(["docker", "wait", container], timeout=PATIENCE).stdout == "0\n", run(["docker", "logs", container])


@pytest.mark.parametrize(("stop", "code"), [(["stop", f"--time={GRACE}"], 143), (["kill", "--signal=INT"], 130)])
def test_a_signal_ends_it(image: str, tmp_path: Path, stop: list[str], code: int) -> None:
    """Killed after its grace it would end with 137; what was found until then is reported."""
    folder = project(tmp_path, WAITS)
    with running(image, PROVE, *mounted(folder)) as container:
        until(container, lambda: (folder / "begun").exists())
        assert run(["docker", *stop, container]).returncode == 0
        assert run(["docker", "wait", container], timeout=PATIENCE).stdout == f"{code}\n"
        assert "cancelled" in run(["docker", "logs", container]).stdout.lower()
    assert '"verdict": "cancelled"' in (folder / "report" / "report.json").read_text("utf-8")


def test_another_program_gets_the_signals_too(image: str) -> None:
    """`cat` is what Jenkins keeps a container open with; as a first process of its own it would wait for its end in vain."""
    with running(image, ["cat"], "--interactive") as container:
        until(container, lambda: "cat" in run(["docker", "top", container, "-eo", "pid,comm"]).stdout)
        assert run(["docker", "stop", f"--time={PATIENCE}", container]).returncode == 0
        assert run(["docker", "wait", container], timeout=PATIENCE).stdout == "143\n"


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -KILL $$", 137)])
def test_the_exit_code_is_the_programs(image: str, script: str, code: int) -> None:
    assert contained(image, ["sh", "-c", script]).returncode == code


def test_an_init_of_dockers_own_does_no_harm(image: str) -> None:
    assert contained(image, ["--version"], "--init").returncode == 0
