"""SIGINT and SIGTERM unwind once, and what follows does not tear the clean-up apart."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from runner.cli.signals import cancelling
from runner.errors import Cancelled, Exit
from runner.servers.interface import Address
from runner.servers.sqlite.sessions import connect

WAITS = """
import sys, threading
from runner.cli import main
from checks.registries import every as registry
class Waits(dict):
    def __contains__(self, key):
        try:
            print("ready", flush=True)
            threading.Event().wait(60)
        finally:
            print("cleaning", flush=True)
            sys.stdin.readline()
            print("clean", flush=True)
registry.CHECKS = Waits()
sys.exit(main())
"""


def started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WAITS, "explain", "x"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_unwinds_and_ends_in_its_code(number: signal.Signals, code: int) -> None:
    with started() as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "cleaning\n"
        for again in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            process.send_signal(again)
        out, err = process.communicate("go\n", timeout=30)
    assert (process.returncode, out) == (code, "clean\n")
    assert f"cancelled by {number.name}" in err
    assert "Traceback" not in err


def test_signals_that_a_shell_had_ignored_count_again() -> None:
    program = "import signal, os, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nos.execv(sys.executable, sys.argv[1:])"
    with subprocess.Popen(
        [sys.executable, "-c", program, sys.executable, "-c", WAITS, "explain", "x"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        process.communicate("go\n", timeout=30)
    assert process.returncode == 130


def interrupted(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    threading.Event().wait(30)


def test_a_signal_during_a_statement_of_sqlite_is_not_lost(tmp_path: Path) -> None:
    """It meets Python in the callback that watches the time, where sqlite3 drops what is raised."""
    file = tmp_path / "a.sqlite"
    file.touch()
    with closing(connect(Address("", 0, "", "", str(file)))) as connection:
        connection.set_progress_handler(lambda: os.kill(os.getpid(), signal.SIGINT), 1_000)
        with pytest.raises(Cancelled), cancelling():
            counted_and_waited(connection)


def counted_and_waited(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        connection.execute(MANY)
    threading.Event().wait(30)


MANY = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000) SELECT count(*) FROM n"


def test_handlers_are_given_back() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.raises(Cancelled) as cancelled, cancelling():
        interrupted(signal.SIGTERM)
    assert cancelled.value.exit is Exit.TERMINATED
    assert {number: signal.getsignal(number) for number in before} == before


def swallowing() -> None:
    try:
        interrupted(signal.SIGINT)
    except Exception:  # noqa: BLE001 - what is proven is that this does not swallow it
        pytest.fail("swallowed")


def test_a_cancellation_is_not_taken_for_a_failure() -> None:
    with pytest.raises(Cancelled), cancelling():
        swallowing()


class Swallows:
    """Python drops what is raised while an object is taken apart."""

    def __del__(self) -> None:
        interrupted(signal.SIGTERM)


def dropping(went_on: list[bool]) -> None:
    Swallows()
    went_on.append(True)
    threading.Event().wait(30)


def test_a_cancellation_that_python_dropped_comes_again() -> None:
    went_on: list[bool] = []
    with pytest.raises(Cancelled) as cancelled, cancelling():
        dropping(went_on)
    assert went_on == [True]
    assert cancelled.value.exit is Exit.TERMINATED
