"""The recorder is tested on every PostgreSQL that is installed here, not on the newest alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from checks.interface import Engine
from recorder.project import Project
from runner.servers.installations import installations
from runner.servers.interface import Database, Server, Wanted
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
