"""A command in a container image: it reaches our server, sees the project, and is gone afterwards however it ends."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from alembic_projects import project
from conftest import DOCKER_IMAGE

from checks.targets import Role
from runner.errors import ServerFailed, ToolFailed
from runner.migrations import command
from runner.migrations.interface import Broke, Direction, Event, Paused, Project, Said, Step
from runner.servers import containers
from runner.servers.interface import Database

pytestmark = pytest.mark.docker

PSQL = """sh -c 'psql -q -v ON_ERROR_STOP=1 "$DATABASE_URL" -f {file} && id -u && pwd && echo "$GREETING"'"""


@pytest.fixture(autouse=True)
def _docker() -> None:
    try:
        client = containers.engine()
        containers.fetch(client, DOCKER_IMAGE)
    except ServerFailed as failed:
        pytest.skip(failed.message)
    client.close()


def here(root: Path, line: str, **settings: Any) -> Project:
    (root / "up.sql").write_text("create table made (x int);")
    (root / "down.sql").write_text("drop table made;")
    return project(root, ".", tool="command", command=line, image=DOCKER_IMAGE, python=None, **settings)


def ours() -> set[str]:
    """The containers of commands of ours that there are."""
    with closing(containers.engine()) as client:
        return {one.id or "" for one in client.containers.list(all=True, filters={"label": containers.RUN}, ignore_removed=True)}


def apply(given: Project, database: Database) -> list[Event]:
    return list(command.apply(given, database.addresses[Role.OWNER]))


def test_it_migrates_goes_back_and_leaves_no_container(tmp_path: Path, database: Database) -> None:
    given = here(tmp_path, PSQL.format(file="up.sql"), down=PSQL.format(file="down.sql"), env={"GREETING": "to {database}"})
    said = [event.text for event in apply(given, database) if isinstance(event, Said)]
    assert said == [str(os.getuid()), str(tmp_path), f"to {database.name}"]
    steps = [Step(Direction.DOWN), Step(Direction.UP)]
    events = list(command.rehearse(given, database.addresses[Role.OWNER], steps))
    assert [event.number for event in events if isinstance(event, Paused)] == [0, 1]
    with psycopg.connect(**database.private.keywords()) as connection:
        assert connection.execute("SELECT count(*) FROM made").fetchone() == (0,)
    (broke,) = (event for event in apply(given, database) if isinstance(event, Broke))
    assert 'relation "made" already exists' in broke.said


def test_the_deadline_ends_it(tmp_path: Path, database: Database) -> None:
    (broke,) = apply(here(tmp_path, "sleep 600", timeout="1s"), database)
    assert isinstance(broke, Broke)
    assert (broke.timed_out, broke.said) == (True, "did not end within 1 s and was ended")


def test_whoever_stops_listening_leaves_no_container(tmp_path: Path, database: Database) -> None:
    before = ours()
    events = cast("Any", command.apply(here(tmp_path, "sh -c 'echo begun; sleep 600'"), database.addresses[Role.OWNER]))
    assert next(events) == Said("begun")
    (made,) = ours() - before
    events.close()
    assert made not in ours()


def test_without_the_image_or_the_engine_it_is_said(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    given = here(tmp_path, "true").settings
    lost = Project(tmp_path, tmp_path, given.model_copy(update={"image": "localhost:1/no/such:image"}), tmp_path)
    with pytest.raises(ToolFailed, match=r"migrations\.image: the Docker image localhost:1/no/such:image is not on this machine"):
        apply(lost, database)
    (broke,) = apply(here(tmp_path, "false"), database)
    assert isinstance(broke, Broke)
    assert broke.said == "`false` ended with status 1 and said nothing"
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(ToolFailed, match=r"migrations\.image: no Docker engine answers"):
        apply(here(tmp_path, "true"), database)
