"""Lays out small Alembic projects for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

from runner.migrations.interface import Project
from runner.settings.model import MigrationSettings

INI = """\
[alembic]
script_location = {scripts}
prepend_sys_path = .
{url}
"""

SYNC_ENV = """\
from alembic import context
from sqlalchemy import engine_from_config, pool

connectable = engine_from_config(context.config.get_section("alembic", {}), prefix="sqlalchemy.", poolclass=pool.NullPool)
with connectable.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""

ASYNC_ENV = """\
import asyncio
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import async_engine_from_config


def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    engine = async_engine_from_config(context.config.get_section("alembic", {}), prefix="sqlalchemy.", poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(main())
"""

#: An env.py that takes its URL from Python; ``{lines}`` must set ``url``.
OWN_ENV = """\
import os
from alembic import context
from sqlalchemy import create_engine, pool

{lines}
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""


REVISION = """\
\"\"\"Make {name}.\"\"\"

import sqlalchemy as sa
from alembic import op
revision = {name!r}
down_revision = {down!r}
depends_on = {depends!r}

def upgrade():
{body}

def downgrade():
    pass
"""


def own_env(lines: str) -> str:
    """An env.py whose first lines decide where it connects."""
    return OWN_ENV.replace("{lines}", dedent(lines))


def revision(name: str, down: object, upgrade: str, depends: object = None) -> str:
    """A revision file; ``def upgrade`` is on line 9 and its body begins on line 10."""
    body = "\n".join(f"    {line}" for line in dedent(upgrade).strip().splitlines())
    return REVISION.format(name=name, down=down, depends=depends, body=body)


FIRST = revision("one", None, 'op.create_table("customers", sa.Column("id", sa.Integer, primary_key=True))')
SECOND = revision("two", "one", 'op.create_table("orders",\n    sa.Column("id", sa.Integer, primary_key=True))')


def lay(
    root: Path,
    files: Mapping[str, str] | None = None,
    env: str = SYNC_ENV,
    url: str | None = "sqlalchemy.url = driver://user:pass@localhost/dbname",
    scripts: str = "migrations",
) -> Path:
    """Write alembic.ini, env.py and revision files (by default two) below ``root``."""
    versions = root / scripts / "versions"
    versions.mkdir(parents=True)
    (root / "alembic.ini").write_text(INI.format(scripts=scripts, url=url or ""))
    (root / scripts / "env.py").write_text(env)
    for name, text in ({"one.py": FIRST, "two.py": SECOND} if files is None else files).items():
        (versions / name).write_text(text)
    return root


def project(root: Path, directory: str = ".", **settings: Any) -> Project:
    """The project of a repository with these settings."""
    described = MigrationSettings.model_validate({"tool": "alembic", "directory": directory, **settings})
    return Project(root, root if directory == "." else root / directory, described, root)
