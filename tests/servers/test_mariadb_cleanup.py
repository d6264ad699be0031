"""Nothing is left of a MariaDB server, however its owner ends: no process, port, directory."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from running import running

pytestmark = pytest.mark.usefixtures("mariadb")

#: A child that starts a server with a fork and a clone, tells about them, and then does what it is told.
CHILD = """
import json, os, signal, sys
from checks.interface import Engine
from runner.errors import Cancelled, Exit
from runner.servers.interface import Wanted
from runner.servers.mariadb.sessions import rows, session
from runner.servers.registry import provision

def cancel(number, frame):
    raise Cancelled(Exit(128 + number))

signal.signal(signal.SIGINT, cancel)
signal.signal(signal.SIGTERM, cancel)
(ending,) = sys.argv[1:]
try:
    with provision(Wanted(Engine.MARIADB)) as server, server.fork() as fork:
        with server.clone(server.seal(server.create("left"))) as clone, session(clone.private) as guest:
            rows(guest, "CREATE TABLE t AS SELECT seq FROM seq_1_to_10000")
            print(json.dumps([each.admin.port for each in (server, fork)]), flush=True)
            if ending == "wait":
                rows(guest, "SELECT sleep(600)")
            if ending == "raise":
                raise ZeroDivisionError
except Cancelled as cancelled:
    sys.exit(cancelled.exit)
"""


@contextmanager
def child(place: Path, ending: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """The child in a process group of its own, and the ports of its two servers once they run."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, ending],
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if ending == "raise" else None,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the child ended before its servers were up"
        yield process, json.loads(line)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def processes(place: Path) -> list[str]:
    """The command lines of what runs in this place."""
    return [f"{one.pid} {one.arguments}" for one in running() if f"{place}/" in one.arguments]


def assert_nothing_left(place: Path, ports: list[int]) -> None:
    assert list(place.iterdir()) == []
    assert processes(place) == []
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize(("ending", "code"), [("succeed", 0), ("raise", 1)])
def test_the_end_of_the_context_leaves_nothing(place: Path, ending: str, code: int) -> None:
    with child(place, ending) as (process, ports):
        assert process.wait(60) == code
    assert_nothing_left(place, ports)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_leaves_nothing(place: Path, number: signal.Signals) -> None:
    with child(place, "wait") as (process, ports):
        os.killpg(process.pid, number)
        assert process.wait(10) == 128 + number
    assert_nothing_left(place, ports)


def test_the_next_start_sweeps_up_after_sigkill(place: Path) -> None:
    with child(place, "wait") as (process, ports):
        process.kill()
        process.wait()
        assert processes(place)
        with child(place, "succeed") as (next_one, next_ports):
            assert next_one.wait(60) == 0
    assert_nothing_left(place, [*ports, *next_ports])
