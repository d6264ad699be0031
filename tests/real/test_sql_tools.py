"""Tools of SQL files from npm: what dbmate and Drizzle's own migrator make of files is what the adapters make of them."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from checks.targets import Role
from real.own_tool import CATALOGUE, ask
from runner.migrations.interface import Adapter, Ended, Project
from runner.migrations.registry import ADAPTERS
from runner.servers.interface import Address, Server
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

DBMATE = {
    "20240102_index.sql": "-- migrate:up transaction:false\ncreate index concurrently i on users (email);\n\n-- migrate:down\n",
    "20240101_users.sql": "-- a word\n-- migrate:up\ncreate type mood as enum ('a', 'b');\n"
    "create table users (id bigint primary key, email text not null unique, mood mood default 'a');\n"
    "insert into users values (1, 'a;b');\n-- migrate:down\ndrop table users;\n",
}
JOURNAL = """{"version": "7", "dialect": "postgresql", "entries": [
{"idx": 0, "version": "7", "when": 1700000000000, "tag": "0001_users", "breakpoints": true},
{"idx": 1, "version": "7", "when": 1700000005000, "tag": "0000_rows", "breakpoints": true}]}"""
DRIZZLE = {
    "meta/_journal.json": JOURNAL,
    "0001_users.sql": 'CREATE TYPE "public"."mood" AS ENUM(\'a\');--> statement-breakpoint\n'
    'CREATE TABLE "users" (\n\t"id" serial PRIMARY KEY NOT NULL,\n\t"mood" "mood"\n);\n--> statement-breakpoint\n'
    'CREATE INDEX "i" ON "users" ("mood");',
    "0000_rows.sql": "insert into users (mood) values ('a'); insert into users (mood) values ('a');\n",
    "0002_orphan.sql": "no sql at all",
}
MIGRATE = """
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
const client = postgres(process.argv[2], { max: 1, onnotice() {} });
await migrate(drizzle(client), { migrationsFolder: process.argv[3] });
await client.end();
"""


def written(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())
    return root


def run(command: Sequence[str]) -> None:
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"]})
    assert ended.returncode == 0, ended.stdout + ended.stderr


def url(address: Address) -> str:
    return f"{address.url('postgresql')}?sslmode=disable"


def same(adapter: Adapter, root: Path, command: Sequence[str], server: Server, books: str) -> None:
    """Both end alike: the catalogue, the tool's books, the rows."""
    own, ours = (server.create(f"sql_{secrets.token_hex(4)}") for _ in range(2))
    run([word.replace("{url}", url(own.addresses[Role.OWNER])) for word in command])
    here = Project(root, root, MigrationSettings.model_validate({"tool": adapter.NAME}), root)
    events = list(adapter.apply(here, ours.addresses[Role.OWNER]))
    assert [type(event) for event in events][1::2] == [Ended, Ended], events
    for query in (CATALOGUE, books, "select users::text from users order by 1"):
        assert ask(ours, query) == ask(own, query)
    assert len(ask(own, books)) == 2


def test_dbmate_ends_as_its_adapter_ends(npm_sql_tools: Path, server: Server, tmp_path: Path) -> None:
    (program,) = npm_sql_tools.glob("node_modules/@dbmate/*/bin/dbmate*")
    root = written(tmp_path, DBMATE)
    command = [str(program), "--url", "{url}", "-d", str(root), "--no-dump-schema", "migrate"]
    same(ADAPTERS["dbmate"], root, command, server, "select version from schema_migrations order by 1")


def test_drizzle_ends_as_its_adapter_ends(npm_sql_tools: Path, server: Server, tmp_path: Path) -> None:
    script = npm_sql_tools / "migrate.mjs"
    script.write_text(MIGRATE)
    root = written(tmp_path, DRIZZLE)
    books = "select id, hash, created_at from drizzle.__drizzle_migrations order by id"
    same(ADAPTERS["drizzle"], root, ["node", str(script), "{url}", str(root)], server, books)
