"""Targets are tried on every PostgreSQL that is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from versions import MAJORS

from checks.interface import Engine
from runner.servers.interface import Server, Wanted
from runner.servers.registry import provision


@pytest.fixture(scope="session", params=MAJORS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with provision(Wanted(Engine.POSTGRESQL, version=request.param)) as running:
        yield running
