from __future__ import annotations

import re
import secrets
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic_projects import ASYNC_ENV, SYNC_ENV, lay, own_env, project
from psycopg import sql

from checks.interface import Engine
from checks.targets import Role
from runner.applying import apply
from runner.backends import postgresql
from runner.errors import ToolFailed, WrongAddress
from runner.migrations import address, alembic, command
from runner.migrations.interface import Elsewhere, Event, Project
from runner.servers.interface import Address, Database, Server, Wanted
from runner.servers.registry import provision

Connect = Callable[[Address], psycopg.Connection[Any]]


@pytest.fixture(scope="module")
def other_server() -> Iterator[Server]:
    """A second server: the developer's own, so to speak."""
    with provision(Wanted(Engine.POSTGRESQL)) as running:
        yield running


@pytest.fixture
def elsewhere(other_server: Server) -> Database:
    return other_server.create(f"other_{secrets.token_hex(4)}")


def untouched(connect: Connect, server: Server, database: Database, mark: int) -> bool:
    """Whether a database is empty and no session of a tool's even began."""
    found = connect(database.private).execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    return found == (0,) and not postgresql.arrived(server, database, mark, ())


def prove(shop: Project, server: Server, database: Database, adapter: Any = alembic) -> str:
    return address.prove(adapter, shop, server, database, postgresql.arrived)


def refused(shop: Project, server: Server, database: Database, adapter: Any = alembic) -> WrongAddress:
    with pytest.raises(WrongAddress) as caught:
        prove(shop, server, database, adapter)
    assert caught.value.exit == 2
    return caught.value


def pasted(error: WrongAddress, database: Database) -> dict[str, str]:
    """The settings that the remedy says to paste, read as TOML."""
    found = re.search(r"^\[databases\..*^env = \{.*\}$", error.remedy, re.MULTILINE | re.DOTALL)
    assert found is not None, error.remedy
    env: dict[str, str] = tomllib.loads(found[0])["databases"][database.name]["migrations"]["env"]
    return env


def test_a_session_that_came_here_is_proof(tmp_path: Path, server: Server, database: Database, connect: Connect) -> None:
    said = prove(project(lay(tmp_path)), server, database)
    assert said == "alembic: its read-only command came to our server"
    assert connect(database.private).execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_another_server_is_refused_and_not_touched(
    tmp_path: Path, server: Server, database: Database, other_server: Server, elsewhere: Database, connect: Connect, driver: str
) -> None:
    theirs = elsewhere.addresses[Role.OWNER]
    lines = f"url = os.environ.get('SHOP_DATABASE_URL', {theirs.url('postgresql+' + driver)!r})"
    if driver == "asyncpg":
        setting = f"\nimport os\n{lines}\ncontext.config.set_main_option('sqlalchemy.url', url.replace('%', '%%'))\n"
        env = ASYNC_ENV.replace("\n\ndef migrate", setting + "\n\ndef migrate")
    else:
        env = own_env(lines)
    shop, mark = project(lay(tmp_path, env=env)), other_server.mark()
    error = refused(shop, server, database)
    assert f"postgresql+{driver}://{theirs.host}:{theirs.port}/{theirs.database}" in error.message
    template = "{url:postgresql+asyncpg}" if driver == "asyncpg" else "{url}"
    assert pasted(error, database) == {"SHOP_DATABASE_URL": template}
    assert theirs.password not in error.message + error.remedy
    events = list(alembic.apply(shop, database.addresses[Role.OWNER]))
    assert isinstance(events[-1], Elsewhere)
    assert untouched(connect, other_server, elsewhere, mark)


def test_what_the_remedy_says_leads_here(tmp_path: Path, server: Server, database: Database) -> None:
    env = own_env("""
        host, port = os.environ.get("POSTGRES_HOST", "localhost"), os.getenv("POSTGRES_PORT", "1")
        user, word = os.environ.get("POSTGRES_USER", "me"), os.environ.get("POSTGRES_PASSWORD", "secret")
        os.environ.get("LOG_LEVEL"), "REDIS_URL" in os.environ
        url = f"postgresql+psycopg://{user}:{word}@{host}:{port}/" + os.environ.get("POSTGRES_DB", "app")
    """)
    shop = project(lay(tmp_path, env=env, url=None))
    error = refused(shop, server, database)
    settings = pasted(error, database)
    assert settings == {
        "POSTGRES_HOST": "{host}",
        "POSTGRES_PORT": "{port}",
        "POSTGRES_USER": "{user}",
        "POSTGRES_PASSWORD": "{password}",
        "POSTGRES_DB": "{database}",
    }
    assert "secret" not in error.message + error.remedy
    assert "came to our server" in prove(project(tmp_path, env=settings), server, database)


def test_a_file_of_sqlite_is_refused_and_not_made(tmp_path: Path, server: Server, database: Database) -> None:
    file = tmp_path / "app.db"
    shop = project(lay(tmp_path, env=own_env(f"url = os.environ.get('APP_DB_URI', 'sqlite:///{file}')"), url=None))
    error = refused(shop, server, database)
    assert f"sqlite+pysqlite:///{file}" in error.message
    assert pasted(error, database) == {"APP_DB_URI": "{url}"}
    assert not file.exists()


def test_another_engine_is_refused(tmp_path: Path, server: Server, database: Database) -> None:
    (tmp_path / "pymysql.py").write_text('paramstyle = "format"\nversion_info = (1, 4, 6)\nError = Exception\n')
    shop = project(lay(tmp_path, env=own_env("url = 'mysql+pymysql://root:secret@db.example:3306/app'"), url=None))
    error = refused(shop, server, database)
    assert "mysql+pymysql://db.example:3306/app" in error.message
    assert pasted(error, database) == {"DATABASE_URL": "{url}"}


@pytest.mark.parametrize(
    "connecting",
    [
        "psycopg.connect({dsn!r})",
        "psycopg.connect(host={host!r}, port={port}, dbname='x', user='x')",
        "psycopg.Connection.connect('host={host} port={port}')",
        "psycopg2.connect({dsn!r})",
        "psycopg2.connect(host={host!r}, port={port})",
        "asyncio.run(psycopg.AsyncConnection.connect({dsn!r}))",
        "asyncio.run(asyncpg.connect({dsn!r}))",
        "asyncio.run(asyncpg.connect(host={host!r}, port={port}, user='x'))",
        "asyncio.run(asyncpg.create_pool({dsn!r}).__aenter__())",
        "create_engine('postgresql+psycopg://', creator=lambda: psycopg.connect({dsn!r})).connect()",
    ],
)
def test_drivers_are_guarded_whoever_calls_them(
    tmp_path: Path,
    server: Server,
    database: Database,
    other_server: Server,
    elsewhere: Database,
    connect: Connect,
    connecting: str,
) -> None:
    theirs = elsewhere.addresses[Role.OWNER]
    line = connecting.format(dsn=theirs.url(), host=theirs.host, port=theirs.port)
    env = own_env(f"import asyncio, asyncpg, psycopg, psycopg2\ntry:\n    {line}\nexcept Exception:\n    pass\nurl = 'sqlite://'")
    mark = other_server.mark()
    error = refused(project(lay(tmp_path, env=env, url=None)), server, database)
    assert f"{theirs.host}:{theirs.port}" in error.message
    assert untouched(connect, other_server, elsewhere, mark)


def test_a_database_in_memory_is_nobodys(tmp_path: Path, server: Server, database: Database) -> None:
    env = own_env("""
        create_engine("sqlite://").connect().close()
        create_engine("sqlite:///:memory:").connect().close()
        url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
    """)
    assert prove(project(lay(tmp_path, env=env, url=None)), server, database)


def test_another_name_of_this_machine_is_the_same_server(tmp_path: Path, server: Server, database: Database) -> None:
    lines = "url = f\"postgresql+psycopg://{os.environ['PGUSER']}:{os.environ['PGPASSWORD']}@localhost:{os.environ['PGPORT']}/{os.environ['PGDATABASE']}\""
    assert prove(project(lay(tmp_path, env=own_env(lines), url=None)), server, database)


def test_withheld_variables_are_named(
    tmp_path: Path, server: Server, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_DB_URL", "postgresql://me:secret@production/app")
    monkeypatch.setenv("FEATURES", "all")
    env = own_env("os.getenv('FEATURES')\nurl = os.environ.get('SHOP_DB_URL', 'sqlite:///nowhere.db')")
    error = refused(project(lay(tmp_path, env=env, url=None)), server, database)
    assert "withheld: SHOP_DB_URL, FEATURES" in error.remedy
    assert 'pass_env = ["FEATURES"]' in error.remedy
    assert "secret" not in error.message + error.remedy
    assert pasted(error, database) == {"SHOP_DB_URL": "{url}"}


def test_missing_variables_are_listed_all_at_once(tmp_path: Path, server: Server, database: Database) -> None:
    (tmp_path / "config.py").write_text("import os\nkey = os.environ['SECRET_KEY']\nbucket = os.environ['BUCKET']\n")
    (tmp_path / "late.py").write_text(
        "import os\ntoken = os.getenv('API_TOKEN')\nif not token:\n    raise RuntimeError('please set API_TOKEN')\n"
    )
    env = own_env("import config, late\nurl = os.environ['APP_DATABASE_URL'].replace('postgresql:', 'postgresql+psycopg:')")
    shop = project(lay(tmp_path, env=env, url=None))
    error = refused(shop, server, database)
    assert "does not start without SECRET_KEY, BUCKET, API_TOKEN, APP_DATABASE_URL" in error.message
    settings = pasted(error, database)
    assert settings == {"SECRET_KEY": "unused", "BUCKET": "unused", "API_TOKEN": "unused", "APP_DATABASE_URL": "{url}"}
    assert prove(project(tmp_path, env=settings), server, database)


def test_missing_fields_of_a_settings_class_are_listed(tmp_path: Path, server: Server, database: Database) -> None:
    """With the interface of pydantic-settings, whose package need not be installed for it."""
    (tmp_path / "pydantic_settings.py").write_text(
        "import os\nfrom pydantic import BaseModel\n"
        "class BaseSettings(BaseModel):\n"
        "    def __init__(self):\n"
        "        prefix = self.model_config.get('env_prefix', '')\n"
        "        known = {k.lower(): v for k, v in os.environ.items()}\n"
        "        names = {n: f.alias or prefix + n for n, f in type(self).model_fields.items()}\n"
        "        super().__init__(**{n: known[v.lower()] for n, v in names.items() if v.lower() in known})\n"
    )
    (tmp_path / "settings.py").write_text(
        "from pydantic_settings import BaseSettings\n"
        "class Settings(BaseSettings):\n    model_config = {'env_prefix': 'shop_'}\n"
        "    secret_key: str\n    db_url: str\n    debug: bool = False\n"
    )
    env = own_env("from settings import Settings\nurl = Settings().db_url.replace('postgresql:', 'postgresql+psycopg:')")
    shop = project(lay(tmp_path, env=env, url=None))
    error = refused(shop, server, database)
    settings = pasted(error, database)
    assert settings == {"SHOP_SECRET_KEY": "unused", "SHOP_DB_URL": "{url}"}
    assert prove(project(tmp_path, env=settings), server, database)


def test_a_failure_before_the_connection_is_no_proof(tmp_path: Path, server: Server, database: Database) -> None:
    error = refused(project(lay(tmp_path, env="x = {}\nx['y']\n")), server, database)
    assert "failed before it came to our server at migrations/env.py:2: KeyError: 'y'" in error.message


def test_a_missing_module_is_not_a_wrong_address(tmp_path: Path, server: Server, database: Database) -> None:
    with pytest.raises(ToolFailed, match="no module 'no_such_module'"):
        prove(project(lay(tmp_path, env="import no_such_module")), server, database)


def test_a_tool_that_connects_nowhere_is_no_proof(tmp_path: Path, server: Server, database: Database) -> None:
    error = refused(project(tmp_path, tool="command", command="x", current="true"), server, database, command)
    assert "no session came to our server" in error.message


def test_without_a_read_only_command_it_is_said(tmp_path: Path, server: Server, database: Database) -> None:
    said = prove(project(tmp_path, tool="command", command="./migrate.sh"), server, database, command)
    assert "no read-only command is known" in said


def test_another_session_of_ours_is_no_proof(server: Server, database: Database) -> None:
    mark = server.mark()
    with psycopg.connect(**replace(database.private, extra={"application_name": "dbproof"}).keywords()) as ours:
        ours.execute(sql.SQL("SELECT 1"))
    assert not postgresql.arrived(server, database, mark, ())
    with psycopg.connect(**database.addresses[Role.OWNER].keywords()):
        assert postgresql.arrived(server, database, mark, ())


def test_an_apply_that_went_elsewhere_is_an_error(tmp_path: Path, server: Server, database: Database) -> None:
    shop = project(tmp_path, tool="command", command="true")
    with pytest.raises(WrongAddress, match="nothing came to our server"):
        apply(postgresql, command, shop, server, database, Role.OWNER)


def test_only_the_first_connection_elsewhere_is_told(tmp_path: Path, database: Database) -> None:
    shop = project(lay(tmp_path, env=own_env("url = 'sqlite:///a.db'"), url=None))
    events: list[Event] = list(alembic.current(shop, database.addresses[Role.OWNER]))
    assert [type(event) for event in events] == [Elsewhere]


@pytest.mark.parametrize(
    ("instead", "driver"),
    [
        ("me:x", "psycopg"),
        ("me:x", "psycopg2"),
        ("{user}:{word}", "psycopg"),
        ("{user}:{word}", "asyncpg"),
        ("{user}", "psycopg"),
    ],
)
def test_our_server_with_another_name_is_not_here_either(
    tmp_path: Path, server: Server, database: Database, instead: str, driver: str
) -> None:
    ours = database.addresses[Role.OWNER]
    user = instead.format(user=ours.user, word=ours.password)
    text = f"postgresql+{driver}://{user}@{ours.host}:{ours.port}/shop"
    env = f"import os\nfrom alembic import context\nurl = os.getenv('APP_DB_URL', {text!r})\n"
    env += "context.config.set_main_option('sqlalchemy.url', url)\n"
    error = refused(project(lay(tmp_path, env=env + (ASYNC_ENV if driver == "asyncpg" else SYNC_ENV))), server, database)
    assert f"://{ours.host}:{ours.port}/shop, which is not the database made for it" in error.message
    assert list(pasted(error, database)) == ["APP_DB_URL"]


def test_a_host_without_a_port_means_the_usual_port(tmp_path: Path, server: Server, database: Database) -> None:
    env = own_env("url = os.getenv('APP_DB_URL', 'postgresql+psycopg://me:x@localhost/app')")
    error = refused(project(lay(tmp_path, env=env)), server, database)
    assert "postgresql+psycopg://localhost:5432/app" in error.message
