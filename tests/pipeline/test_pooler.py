"""Behind PgBouncer in transaction mode a look works, and leaves the pooled sessions as it found them."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from judging import Query
from proving import FIRST, dbproof, project, until

from checks.targets import Role
from runner.servers.account import server_account
from runner.servers.interface import Address, Database

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="needs pgbouncer (Debian: apt install pgbouncer)")

#: All but the name of the session, which the pooler itself sets for each of its clients.
STATE = """
    select array_agg(name || '=' || setting order by name) from pg_settings
     where context in ('user', 'superuser') and name <> 'application_name'
"""


@pytest.fixture
def pooled(database: Database, place: Path) -> Iterator[Address]:
    """The database's owner, by way of a pooler that has one session of the server's for all."""
    there = database.addresses[Role.OWNER]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lines = [
        "[databases]",
        f"{there.database} = host={there.host} port={there.port} user={there.user} password={there.password}",
        "[pgbouncer]",
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 1",
        "unix_socket_dir =\nignore_startup_parameters =",
    ]
    (place / "pgbouncer.ini").write_text("\n".join(lines))
    account = server_account()
    with subprocess.Popen(
        [str(PGBOUNCER), "--quiet", str(place / "pgbouncer.ini")], stderr=subprocess.DEVNULL, **account.options()
    ) as process:
        try:
            address = replace(there, port=port)
            until(lambda: answers(address), lambda: process.poll())
            yield address
        finally:
            process.terminate()


def answers(address: Address) -> bool:
    try:
        psycopg.connect(**address.keywords()).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_look_through_a_pooler(
    tmp_path: Path, pooled: Address, query: Query, database: Database, connect: Callable[[Address], psycopg.Connection[Any]]
) -> None:
    query(f'set role "{database.name}_owner";' + FIRST + "insert into authors values (1, 'U'); insert into books values (1, 1);")
    before = connect(pooled).execute(STATE).fetchone()
    settings = '[databases.app.queries.books]\nsql = "select * from books where id = {books.id}"\n'
    root = project(tmp_path / "repo", {}, f'[databases.app]\nurl_env = "THEIRS"\n{settings}')
    ran = dbproof("check", root=root, more={"THEIRS": pooled.url()})
    assert ran.code == 0, ran.said
    assert ran.check("orphaned-rows")["proven"] == 1
    assert ran.check("query-limit")["proven"] == 1
    assert connect(pooled).execute(STATE).fetchone() == before
