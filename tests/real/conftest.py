"""Environments with published projects, kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from real.published import NotInstalled, Published, install


def _published(config: pytest.Config, folder: str, *requirements: str) -> Published:
    """Where there is no network the tests are skipped, but not in CI, where they count."""
    named = os.environ.get("DBPROOF_CACHE")
    cache = Path(named) if named else Path(config.cache.mkdir("dbproof")) if config.cache else Path(".pytest_cache")
    try:
        return install(requirements, folder, cache.resolve() / "published")
    except NotInstalled as error:
        if os.environ.get("CI"):
            pytest.fail(f"published projects must be installed in CI: {error}")
        pytest.skip(f"needs a package index: {error}")


@pytest.fixture(scope="session")
def phoenix(request: pytest.FixtureRequest) -> Published:
    """arize-phoenix: an asynchronous env.py that reads its own variables only; the newest history when this was written."""
    return _published(request.config, "phoenix/db", "arize-phoenix==20.26.1", "asyncpg==0.32.0", "alembic==1.20.1")


@pytest.fixture(scope="session")
def optuna(request: pytest.FixtureRequest) -> Published:
    """Optuna, whose alembic.ini names SQLite and whose history makes a type twice."""
    return _published(request.config, "optuna/storages/_rdb", "optuna==5.0.0", "psycopg[binary]==3.3.9", "alembic==1.20.1")
