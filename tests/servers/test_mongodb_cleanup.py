"""Nothing is left of a MongoDB server, however its owner ends: no process, port, directory, container."""

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
from typing import Any

import pytest
from running import running

from runner.servers import containers

pytestmark = pytest.mark.usefixtures("mongo_server")

#: A child that starts a server with a fork and a clone, tells about them, and then does what it is told.
CHILD = """
import json, os, signal, sys, time
from checks.interface import Engine
from runner.errors import Cancelled, Exit
from runner.servers.containers import engine
from runner.servers.interface import Wanted
from runner.servers.mongodb.docker import docker_server
from runner.servers.registry import provision

def cancel(number, frame):
    raise Cancelled(Exit(128 + number))

signal.signal(signal.SIGINT, cancel)
signal.signal(signal.SIGTERM, cancel)
wanted, ending = sys.argv[1:]
context = docker_server(engine(), wanted) if ":" in wanted else provision(Wanted(Engine.MONGODB))
try:
    with context as server, server.fork() as fork:
        database = server.create("left")
        server.client.left.t.insert_many([{"n": n} for n in range(10000)])
        with server.clone(server.seal(database)) as clone:
            print(json.dumps([each.private.port for each in (server, fork)]), flush=True)
            if ending == "wait":
                server.client.left.t.find_one({"$where": "sleep(600000) || true"})
            if ending == "raise":
                raise ZeroDivisionError
except Cancelled as cancelled:
    sys.exit(cancelled.exit)
"""


@contextmanager
def child(place: Path, wanted: str, ending: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """The child in a process group of its own, and the ports of its two servers once they run."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, wanted, ending],
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
    return [f"{one.pid} {one.group} {one.arguments}" for one in running() if f"{place}/" in one.arguments]


def assert_nothing_left(place: Path, ports: list[int]) -> None:
    assert list(place.iterdir()) == []
    assert processes(place) == []
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize(("ending", "code"), [("succeed", 0), ("raise", 1)])
def test_the_end_of_the_context_leaves_nothing(place: Path, ending: str, code: int) -> None:
    with child(place, "local", ending) as (process, ports):
        assert process.wait(60) == code
    assert_nothing_left(place, ports)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_ends_the_owner_first_and_leaves_nothing(place: Path, number: signal.Signals) -> None:
    with child(place, "local", "wait") as (process, ports):
        groups = {int(line.split()[1]) for line in processes(place)}
        assert groups
        assert process.pid not in groups
        os.killpg(process.pid, number)
        assert process.wait(10) == 128 + number
    assert_nothing_left(place, ports)


def test_the_next_start_sweeps_up_after_sigkill(place: Path) -> None:
    with child(place, "local", "wait") as (process, ports), child(place, "local", "wait") as (living, living_ports):
        process.kill()
        process.wait()
        assert processes(place)
        with child(place, "local", "succeed") as (third, third_ports):
            assert third.wait(60) == 0
        assert len(list(place.iterdir())) == 2, "what a living owner has is not swept"
        with socket.create_connection(("127.0.0.1", living_ports[0]), timeout=5):
            pass
        living.send_signal(signal.SIGTERM)
        assert living.wait(10) == 143
    assert_nothing_left(place, [*ports, *living_ports, *third_ports])


def test_a_process_id_that_belongs_to_a_stranger_by_now_is_not_stopped(place: Path) -> None:
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        bait = place / "dbproof-run-00000000"
        (bait / "data-00000000").mkdir(parents=True)
        (bait / "owner.lock").touch()
        (bait / "data-00000000" / "mongod.lock").write_text(f"{bystander.pid}\n")
        with child(place, "local", "succeed") as (process, _):
            assert process.wait(60) == 0
        assert not bait.exists(), "our own, left by a dead owner, is removed"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.docker
@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM])
def test_containers_go_with_their_owner_and_not_before(place: Path, mongo_image: str, number: signal.Signals | None) -> None:
    volumes = set[str]()
    with child(place, mongo_image, "wait" if number else "raise") as (process, _):
        if number is None:
            assert process.wait(60) == 1
        else:
            if number is signal.SIGINT:
                with child(place, "local", "succeed") as (beside, _):
                    assert beside.wait(60) == 0
            assert len(_containers(place)) == 2, "what a living owner has is not swept"
            volumes = _volumes(place)
            os.killpg(process.pid, number)
            assert process.wait(15) == 128 + number
    assert _containers(place) == []
    assert list(place.iterdir()) == []
    assert not volumes & {each.name for each in containers.engine().volumes.list()}


@pytest.mark.docker
def test_containers_of_a_killed_owner_are_swept(place: Path, mongo_image: str) -> None:
    with child(place, mongo_image, "wait") as (process, _):
        process.kill()
        process.wait()
    assert len(_containers(place)) == 2
    with child(place, "local", "succeed") as (local, _):
        assert local.wait(60) == 0
    assert _containers(place) == []
    assert list(place.iterdir()) == []


def _containers(place: Path) -> list[Any]:
    found = containers.engine().containers.list(all=True, filters={"label": containers.RUN})
    return [each for each in found if each.labels["dbproof.owner"].startswith(f"{place}/")]


def _volumes(place: Path) -> set[str]:
    """Those of the child's containers: other programs have volumes of their own on this engine."""
    mounts = (mount for each in _containers(place) for mount in each.attrs["Mounts"])
    return {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
