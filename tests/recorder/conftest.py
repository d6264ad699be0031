"""The recorder is tested on every PostgreSQL that is installed here, not on the newest alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from checks.interface import Engine
from checks.targets import Role
from recorder.heads import BASE, Head
from recorder.project import Project
from runner.recorder.install import watch_locks
from runner.recorder.watching import watched
from runner.servers.installations import installations
from runner.servers.interface import Database, Server, Wanted
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

VERSIONS = sorted({str(found.major) for found in installations() if found.major >= 15})


@pytest.fixture(scope="session", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One server of each version."""
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running


@pytest.fixture
def project(server: Server, database: Database) -> Iterator[Project]:
    """A project with an empty database."""
    with ExitStack() as sessions:
        yield Project(server, database, sessions, server.mark())


@pytest.fixture
def head(project: Project) -> Iterator[Head]:
    """Its new migrations on tables with rows, watched."""
    project.connect().execute(BASE)
    base = project.recording()
    with session(project.database.private) as ours:
        watch_locks(ours, True)
    project.mark = project.server.mark()
    with watched(project.database) as open_at:
        yield Head(project, base, open_at.addresses[Role.ADMIN])
