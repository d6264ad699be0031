"""What docs/data.md shows of the repository's own rows is what a run does: its settings, with a file behind each entry."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from bson import encode
from proving import Ran, dbproof, project
from pyarrow import parquet
from repositories import Repository, repository

from checks.targets import Role
from runner.data.documents import load_documents
from runner.servers.installations import installations
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session as mongodb_session
from runner.servers.postgresql.sessions import session
from runner.settings.load import load

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
OWN, DOCUMENTS = (
    text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "load = [" in text and "rows = 100" not in text
)

FIRST = """\
create schema sales;
create table customers (id int primary key, name text not null unique);
create table plans (id int primary key, label text);
create table sales.orders (id int primary key, customer_id int not null references customers, note text);
create table events (id int primary key, at timestamptz not null);
create index on sales.orders (customer_id);
"""
SEED = """\
import os
import psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("INSERT INTO customers VALUES (9, 'Made')")
"""
FILES = {
    "migrations/001_first.sql": FIRST,
    "db/seeds.sql": "insert into customers values (1, 'A');\n",
    "seeds/customers.csv": "id,name\n2,B\n",
    "seeds/sales.orders.csv": "id,customer_id\n1,2\n",
    "exports/orders.txt": "id;customer_id;note\n2;1;\\N\n",
    "seed.py": SEED,
}


def written(root: Path, database: Database) -> None:
    """The files that are no texts; the dump is made by PostgreSQL's own program."""
    (root / "legacy.csv").write_bytes("3,'Zoë'\n".encode("latin-1"))
    parquet.write_table(pyarrow.table({"id": [1], "at": ["2024-01-01T00:00:00Z"]}), root / "events.parquet")
    with session(database.private) as connection:
        connection.execute(FIRST.encode())
        connection.execute("INSERT INTO plans VALUES (1, 'free')")
    program = max(installations(), key=lambda each: each.version).binaries / "pg_dump"
    arguments = (program, "--format=custom", f"--file={root / 'production.dump'}", database.addresses[Role.ADMIN].url())
    subprocess.run(arguments, check=True, capture_output=True)


def ran(repo: Repository) -> Ran:
    return dbproof("run", "--base", "main", root=repo.root)


def test_each_entry_of_the_page_in_a_run(tmp_path: Path, database: Database) -> None:
    settings = OWN.replace("shop", "app") + '\n[databases.app.migrations]\ntool = "sql"\ndirectory = "migrations"\n'
    settings += f'python = "{sys.executable}"\n'
    root = project(tmp_path / "repo", FILES, settings)
    written(root, database)
    repo = repository(root, {})
    repo.branch("change")
    repo.commit({"migrations/002_more.sql": "alter table customers add check (length(name) < 20);"})
    ran_first = ran(repo)
    assert ran_first.code == 0, ran_first.said
    assert ran_first.check("load-refused")["proven"] == 8
    repo.commit({"seed.py": SEED.replace("'Made'", "'A name that is too long'")})
    refused = ran(repo)
    assert refused.code == 1, refused.said
    (finding,) = refused.findings("load-refused")
    assert (finding["subject"], finding["provenance"]["file"], finding["provenance"]["line"]) == ("python seed.py", "seed.py", 4)
    assert "customers_name_check" in finding["evidence"]["said"]


@pytest.mark.parametrize("entry", ["dump/docs", "seeds/companies.jsonl", "prices.parquet"])
def test_each_entry_of_documents(tmp_path: Path, mongo_database: Database, entry: str) -> None:
    (tmp_path / "dbproof.toml").write_text(DOCUMENTS, "utf-8")
    (tmp_path / "dump" / "docs").mkdir(parents=True)
    (tmp_path / "dump" / "docs" / "users.bson").write_bytes(encode({"_id": 1}))
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "companies.jsonl").write_text('{"_id": 1}\n')
    parquet.write_table(pyarrow.table({"_id": [1]}), tmp_path / "prices.parquet")
    given: Any = load(tmp_path, {}, {}).settings.databases["docs"].data.load
    assert entry in [one.file for one in given]
    with mongodb_session(mongo_database.private) as client:
        db = client[mongo_database.name]
        assert [one.refused for one in load_documents(tmp_path, given, db)] == [None] * 3
        assert sorted(db.list_collection_names()) == ["companies", "price_list", "users"]
