"""Programs of ours are forks of one that stands by: each begins as a start from nothing does, and nothing of them is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from alembic_projects import lay, own_env, project

from runner import children, forks
from runner.children import Command, Finished
from runner.lines import Line
from runner.migrations import alembic
from runner.migrations.interface import Broke, Direction, Event, Paused, Said, Step
from runner.servers.interface import Address

#: Says who it is, and whether what it imports of the project's was there before.
WHO = """
import sys, json
known = "own" in sys.modules
import own
print("who", json.dumps([os.getpid(), os.getppid(), os.getcwd(), sys.argv[0], os.environ.get("KIND", ""), known]), flush=True)
url = os.environ["DATABASE_URL"]
"""


@pytest.fixture(autouse=True)
def none_stands_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    forks.close_all()
    yield
    forks.close_all()


def on(path: Path) -> Address:
    return Address("", 0, "", "", str(path), scheme="sqlite")


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def laid(root: Path, lines: str = WHO) -> Path:
    (root / "own.py").write_text("")
    return lay(root, url=None, env=own_env(lines))


def who(events: list[Event]) -> tuple[int, int, str, str, str, bool]:
    (said,) = (event.text for event in events if isinstance(event, Said) and event.text.startswith("who "))
    found = json.loads(said.removeprefix("who "))
    return found[0], found[1], found[2], found[3], found[4], found[5]


def test_each_start_is_a_fork_that_begins_from_nothing(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = project(laid(tmp_path / "one"), env={"KIND": "{database}"})
    second = project(laid(tmp_path / "two"), env={"KIND": "{database}"})
    told = [
        who(list(events))
        for events in (
            alembic.current(first, on(tmp_path / "1.db")),
            alembic.apply(first, on(tmp_path / "1.db")),
            alembic.apply(second, on(tmp_path / "2.db")),
        )
    ]
    assert len({pid for pid, *_ in told}) == 3
    ((parent,), programs) = {parent for _, parent, *_ in told}, {program for *_, program, _, _ in told}
    assert parent != os.getpid()
    assert len(programs) == 1
    assert [place for _, _, place, *_ in told] == [str(tmp_path / "one")] * 2 + [str(tmp_path / "two")]
    assert [kind for *_, kind, _ in told] == [str(tmp_path / "1.db")] * 2 + [str(tmp_path / "2.db")]
    assert not any(known for *_, known in told)
    forks.close_all()
    assert gone(parent)


def test_other_settings_and_what_is_installed_since_have_a_start_of_their_own(tmp_path: Path) -> None:
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    parents = []
    laid(tmp_path)
    for kind in ("one", "two", "two"):
        given = project(tmp_path, env={"KIND": kind, "PYTHONPATH": str(libraries)})
        parents.append(who(list(alembic.current(given, on(tmp_path / "1.db"))))[1])
    assert parents[0] != parents[1] == parents[2]
    (libraries / "new.py").write_text("")
    os.utime(libraries, ns=(1, 1))
    assert who(list(alembic.current(given, on(tmp_path / "1.db"))))[1] not in parents


def test_who_is_at_work_is_not_ended_for_others(tmp_path: Path) -> None:
    """More kinds of starts than may stand by, while a step of the first one waits to be told to go on."""
    laid(tmp_path)
    first = project(tmp_path, env={"KIND": "first"})
    events = alembic.rehearse(first, on(tmp_path / "1.db"), [Step(Direction.UP, "one"), Step(Direction.UP, "two")])
    with closing(cast("Any", events)) as steps:
        assert any(isinstance(event, Paused) for event in steps)
        for kind in ("2", "3", "4"):
            assert who(list(alembic.current(project(tmp_path, env={"KIND": kind}), on(tmp_path / "2.db"))))
        assert [event.number for event in steps if isinstance(event, Paused)] == [1]


def test_its_output_can_be_wrapped_anew(tmp_path: Path) -> None:
    """As click does it. What stands by writes nowhere, which can be sought in, and a fork into a pipe, which cannot."""
    lines = (
        "import io, sys\nfor one in (sys.stdout, sys.stderr):\n"
        "    io.TextIOWrapper(one.buffer, 'utf-8', write_through=True).write('wrapped\\n')\nurl = os.environ['DATABASE_URL']"
    )
    events = list(alembic.apply(project(laid(tmp_path, lines)), on(tmp_path / "1.db")))
    assert [event.text for event in events if isinstance(event, Said) and event.text == "wrapped"] == ["wrapped"] * 2


def test_a_signal_and_a_status_are_told(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    given = project(laid(tmp_path / "one", f"os.kill(os.getpid(), {signal.SIGKILL:d})\nurl = ''"))
    (broke,) = (event for event in alembic.apply(given, on(tmp_path / "1.db")) if isinstance(event, Broke))
    assert "signal 9" in broke.said
    given = project(laid(tmp_path / "two", "import sys\nsys.exit(3)"))
    (broke,) = (event for event in alembic.apply(given, on(tmp_path / "1.db")) if isinstance(event, Broke))
    assert broke.said == "SystemExit: 3"


def test_what_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    lines = (
        "import subprocess, sys, time\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "print('pids', os.getpid(), other.pid, flush=True)\n"
        "time.sleep(600)\nurl = ''"
    )
    events = list(alembic.apply(project(laid(tmp_path, lines), timeout="8s"), on(tmp_path / "1.db")))
    assert any(isinstance(event, Broke) and event.timed_out for event in events)
    (said,) = (event.text for event in events if isinstance(event, Said) and event.text.startswith("pids "))
    assert all(gone(int(pid)) for pid in said.split()[1:])


def test_what_cannot_stand_by_is_started_from_nothing(tmp_path: Path) -> None:
    command = Command((sys.executable, "-c", "print('plain')"), tmp_path, {"PATH": os.environ["PATH"]}, 20, varying=frozenset())
    heard = list(children.listen(command))
    assert [one.text for one in heard if isinstance(one, Line)] == ["plain"]
    assert [one.status for one in heard if isinstance(one, Finished)] == [0]


def test_it_ends_with_whoever_asks(tmp_path: Path) -> None:
    """However dbproof ends: here by a signal that nobody hears."""
    laid(tmp_path)
    owner = f"""
import os, sys; sys.path[:0] = {sys.path!r}
from pathlib import Path
from migrations.test_forks import killed
killed(Path({str(tmp_path)!r}))
"""
    done = subprocess.run([sys.executable, "-c", owner], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    until = time.monotonic() + 20
    while not gone(int(done.stdout)) and time.monotonic() < until:
        time.sleep(0.02)
    assert gone(int(done.stdout))


def killed(root: Path) -> None:
    """Show what stands by, and die."""
    given = project(root, env={"KIND": "{database}"})
    standing = who(list(alembic.current(given, on(root / "1.db"))))[1]
    os.write(1, str(standing).encode())
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_tool_of_python_is_forked_off_one_that_stands_by() -> None:
    """An adapter that says not what varies has each start import all anew."""
    adapters = {path: path.read_text("utf-8") for path in Path(alembic.__file__).parent.glob("*.py")}
    starting = {path.name: text for path, text in adapters.items() if '"start.py"' in text}
    assert {name for name, text in starting.items() if "varying=varying(project)" not in text} == set()
    assert len(starting) == 6
