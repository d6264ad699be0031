"""Every form of error that the settings of a database and of its migrations can have."""

from __future__ import annotations

from pathlib import Path

import pytest
from refused_settings import DOCS, SHOP, refusal

from checks.interface import Engine
from runner.settings.engines import TOOL_ENGINES
from runner.settings.model import TOOLS
from runner.settings.values import LONGEST_NAME


def _can(engine: Engine) -> str:
    """The tools that migrate an engine, which are many."""
    return " or ".join(f"'{tool}'" for tool in TOOLS if engine in TOOL_ENGINES[tool])


FAULTS = {
    "databases.preload.a = 1": (
        "databases.preload.a: unknown key; there are: before, data, disposable, engine, expect, fix, foreign_keys, image, "
        "limits, migrations, preload, queries, start_from, tenancy, url_env, version"
    ),
    "databases = []": "databases: expected a table, found a list",
    "databases.shop = 3": f"{SHOP}: expected a table, found a number",
    "databases.shop.version = 16": f"{SHOP}.version: expected text, found a number; put it in quotes",
    "databases.shop.version = 'new'": f"{SHOP}.version: expected a version such as '16' or '16.4'",
    "databases.shop.engine = 'mysql'": (
        f"{SHOP}.engine: 'mysql' is not a database engine that dbproof knows; there are: mariadb, mongodb, postgresql, sqlite"
    ),
    "databases.shop.preload = 'a'": f"{SHOP}.preload: expected a list, found text",
    "databases.shop.before = ['a', 1]": f"{SHOP}.before[1]: expected text, found a number; put it in quotes",
    "databases.9shop.version = '16'": (
        f"databases.9shop: not a name for a database; expected letters, digits and underscores, no digit first, "
        f"at most {LONGEST_NAME}"
    ),
    f"databases.{'a' * (LONGEST_NAME + 1)} = {{}}": (
        f"databases.{'a' * (LONGEST_NAME + 1)}: not a name for a database; expected letters, digits and underscores, "
        f"no digit first, at most {LONGEST_NAME}"
    ),
    "databases.postgres = {}": "databases.postgres: every server has a database of that name already; choose another",
    "databases.shop.url_env = 'postgres://u:hidden@h/d'": (
        f"{SHOP}.url_env: expected the name of an environment variable, such as 'DATABASE_URL'"
    ),
    "databases.shop = { url_env = 'A', version = '16' }": (f"{SHOP}.version: contradicts 'url_env': a given server is as it is"),
    "databases.shop = { url_env = 'A', image = 'postgres:16' }": (
        f"{SHOP}.image: contradicts 'url_env': a given server is as it is"
    ),
    "databases.shop = { url_env = 'A', preload = ['x'] }": (f"{SHOP}.preload: contradicts 'url_env': a given server is as it is"),
    "databases.shop = { url_env = 'A', before = ['x'] }": (f"{SHOP}.before: contradicts 'url_env': a given server is as it is"),
    "databases.shop.disposable = true": (f"{SHOP}.disposable: says that a given server may be changed, but 'url_env' gives none"),
    "databases.shop = { version = '16', image = 'pgvector/pgvector:pg17' }": (
        f"{SHOP}.image: is PostgreSQL 17, and 'version' says 16"
    ),
    "databases.shop.migrations.tool = 'alembik'": (
        f"{SHOP}.migrations.tool: 'alembik' is not a migration tool; did you mean 'alembic'?"
    ),
    "databases.shop.migrations = {}": f"{SHOP}.migrations.tool: is missing; there are: {', '.join(sorted(TOOLS))}",
    "databases.shop.migrations.tool = 'command'": (
        f"{SHOP}.migrations.command: is missing; 'tool = \"command\"' needs the program to run"
    ),
    "databases.shop.migrations = { tool = 'alembic', command = 'make' }": (
        f"{SHOP}.migrations.command: belongs to 'command', and the tool is 'alembic'"
    ),
    "databases.shop.migrations = { tool = 'sql', image = 'ruby:3.3' }": (
        f"{SHOP}.migrations.image: belongs to 'command', and the tool is 'sql'"
    ),
    "databases.shop.migrations = { command = 'make', transaction = 'file' }": (
        f"{SHOP}.migrations.transaction: belongs to 'sql', and the tool is 'command'"
    ),
    "databases.shop.migrations = { tool = 'sql', config = 'x' }": (
        f"{SHOP}.migrations.config: belongs to 'alembic' or 'django' or 'flask-migrate' or 'flyway' or 'knex' or 'liquibase' or "
        "'migrate-mongo' or 'node-pg-migrate' or 'prisma' or 'sequelize' or 'typeorm' or 'yoyo', and the tool is 'sql'"
    ),
    "databases.shop.migrations = { tool = 'sql', transaction = 'files' }": (
        f"{SHOP}.migrations.transaction: 'files' is not a transaction mode; did you mean 'file'?"
    ),
    "databases.shop.migrations = { tool = 'alembic', timeout = 10 }": (
        f"{SHOP}.migrations.timeout: expected a duration with a unit, such as '200ms', '30s', '10m'"
    ),
    "databases.shop.migrations = { tool = 'alembic', timeout = '0s' }": (
        f"{SHOP}.migrations.timeout: expected a duration with a unit, such as '200ms', '30s', '10m'"
    ),
    "databases.shop.migrations = { tool = 'alembic', env = { URL = '{uri}' } }": (
        f"{SHOP}.migrations.env.URL: '{{uri}}' is not a placeholder; "
        "there are: {url}, {url:DRIVER}, {host}, {port}, {user}, {password}, {database}"
    ),
    "databases.shop.migrations = { tool = 'alembic', env = { URL = '{host:x}' } }": (
        f"{SHOP}.migrations.env.URL: '{{host:x}}' is not a placeholder; "
        "there are: {url}, {url:DRIVER}, {host}, {port}, {user}, {password}, {database}"
    ),
    "databases.shop.migrations = { tool = 'alembic', env = { PORT = 5432 } }": (
        f"{SHOP}.migrations.env.PORT: expected text, found a number; put it in quotes"
    ),
    "databases.shop.migrations = { tool = 'alembic', env = { 'A B' = '' } }": (
        f"{SHOP}.migrations.env.\"A B\": expected the name of an environment variable, such as 'DATABASE_URL'"
    ),
    "databases.admin.engine = 'mongodb'": ("databases.admin: every server has a database of that name already; choose another"),
    f"{DOCS}, preload = ['x'] }}": "databases.docs.preload: belongs to 'postgresql', and the engine is 'mongodb'",
    f"{DOCS}, before = ['x.sql'] }}": "databases.docs.before: belongs to 'mariadb' or 'postgresql', and the engine is 'mongodb'",
    f"{DOCS}, version = '7.0', image = 'mongo:8' }}": "databases.docs.image: is MongoDB 8, and 'version' says 7.0",
    f"{DOCS}, migrations = {{ tool = 'alembic' }} }}": (
        "databases.docs.migrations.tool: 'alembic' does not migrate MongoDB; "
        "'command' or 'python' or 'migrate-mongo' or 'pymongo-migrate' or 'beanie' or 'declared' does"
    ),
    f"{DOCS}, migrations = {{ tool = 'migrate-mongo', python = 'x' }} }}": (
        "databases.docs.migrations.python: belongs to 'alembic' or 'beanie' or 'command' or 'django' or 'flask-migrate' or "
        "'pymongo-migrate' or 'python' or 'yoyo', and the tool is 'migrate-mongo'"
    ),
    "databases.shop.migrations.tool = 'python'": (
        f"{SHOP}.migrations.tool: 'python' does not migrate PostgreSQL; {_can(Engine.POSTGRESQL)} does"
    ),
    "databases.a = { engine = 'sqlite', version = '3.40' }": (
        "databases.a.version: belongs to 'mariadb', 'mongodb' or 'postgresql', and the engine is 'sqlite'"
    ),
    "databases.b = { engine = 'sqlite', image = 'x' }": (
        "databases.b.image: belongs to 'mariadb', 'mongodb' or 'postgresql', and the engine is 'sqlite'"
    ),
    "databases.c = { engine = 'sqlite', preload = ['x'] }": (
        "databases.c.preload: belongs to 'postgresql', and the engine is 'sqlite'"
    ),
    "databases.d = { engine = 'sqlite', url_env = 'D', disposable = true }": (
        "databases.d.disposable: belongs to 'mongodb' or 'postgresql', and the engine is 'sqlite'"
    ),
    "databases.e = { engine = 'sqlite', migrations = { tool = 'prisma' } }": (
        "databases.e.migrations.tool: 'prisma' does not migrate SQLite; "
        "'alembic' or 'django' or 'flask-migrate' or 'yoyo' or 'command' or 'sql' or "
        "'golang-migrate' or 'goose' or 'dbmate' or 'flyway' does"
    ),
    "databases.f.foreign_keys = true": "databases.f.foreign_keys: belongs to 'sqlite', and the engine is 'postgresql'",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=range(len(FAULTS)))
def test_each_fault_of_a_database_has_its_place_and_its_sentence(text: str, message: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).message == f"dbproof.toml: {message}"


def test_wrong_values_are_not_repeated(tmp_path: Path) -> None:
    hidden = [text for text in FAULTS if "hidden" in text]
    assert hidden
    for text in hidden:
        assert "hidden" not in refusal(tmp_path, text).message
