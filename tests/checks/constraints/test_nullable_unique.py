"""nullable-unique: NULL in one of several unique columns; what keeps duplicates out all the same is proven."""

from __future__ import annotations

import sqlite_judging
from judging import Judge, Query

from runner.servers.interface import Server

CHECK = "nullable-unique"

BOTH = """
    CREATE TABLE folders (tenant int NOT NULL, parent int, name text NOT NULL,
        CONSTRAINT folder_name UNIQUE (tenant, parent, name));
    CREATE TABLE users (id int NOT NULL PRIMARY KEY, email varchar(50), nick varchar(50) UNIQUE, deleted_at date, manager int);
    CREATE UNIQUE INDEX living ON users (email, deleted_at);
    CREATE UNIQUE INDEX by_nick ON users (id, nick);
    CREATE UNIQUE INDEX given ON users (nick, manager) WHERE nick IS NOT NULL AND manager > 0;
    CREATE UNIQUE INDEX half ON users (manager, deleted_at) WHERE manager IS NOT NULL;
    CREATE TABLE nodes (id int NOT NULL PRIMARY KEY, parent int REFERENCES nodes, name text NOT NULL, UNIQUE (parent, name));
    CREATE TABLE synced (account int NOT NULL, external_id text, owner int REFERENCES nodes, UNIQUE (account, external_id));
    CREATE TABLE apart (tenant int NOT NULL, parent int, name text NOT NULL, UNIQUE (tenant, parent, name));
    CREATE UNIQUE INDEX roots ON apart (tenant, name) WHERE parent IS NULL;
    CREATE TABLE checked (a int CHECK (a IS NOT NULL), b int NOT NULL, UNIQUE (a, b));
    CREATE TABLE folded (tenant int NOT NULL, id int NOT NULL, name varchar(20), code varchar(20));
    CREATE UNIQUE INDEX lowered ON folded (tenant, id, lower(name));
    CREATE UNIQUE INDEX filled_in ON folded (tenant, coalesce(code, ''));
"""
FOUND = {"folders.folder_name", "users.living", "users.half", "folded.lowered"}
#: What two engines call differently.
NODES = "nodes.nodes_parent_name_key", "nodes.sqlite_autoindex_nodes_2"


def test_postgresql(server: Server, judge: Judge, query: Query) -> None:
    more = 'CREATE TABLE "Q""s" ("a b" date, "or" int NOT NULL, CONSTRAINT "is, one" UNIQUE ("a b", "or"));'
    if int(server.version.split(".")[0]) >= 15:
        more += "CREATE TABLE distinct_not (a int, b int, UNIQUE NULLS NOT DISTINCT (a, b));"
    judged = judge(CHECK, BOTH + more)
    assert {finding.subject for finding in judged.findings} == {*FOUND, NODES[0], 'Q"s.is, one'}
    assert {"users.by_nick", "users.given", "checked.checked_a_b_key", "folded.filled_in"} <= set(judged.proven)
    found = {finding.subject: finding for finding in judged.findings}
    assert found["folders.folder_name"].message == (
        "any number of rows of folders with the same tenant, name can have NULL in parent: folder_name does not tell them apart,"
        " as NULL is not equal to NULL"
    )
    assert [thing.name for thing in found["folders.folder_name"].objects] == ["folder_name", "folder_name"]
    for subject in found.keys() - {"folded.lowered"}:
        query(found[subject].remedy)
    assert not any(subject.startswith(("synced.", "users.users_nick_key")) for subject in [*found, *judged.proven])
    left = {finding.subject for finding in judge(CHECK).findings}
    assert left == {"folded.lowered", "users.living"}  # an address can still be NULL


def test_partitions_are_judged_with_their_table(judge: Judge) -> None:
    ddl = """
        CREATE TABLE logs (day date NOT NULL, code int NOT NULL, of int, UNIQUE (day, code, of)) PARTITION BY RANGE (day);
        CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    """
    assert [finding.subject for finding in judge(CHECK, ddl).findings] == ["logs.logs_day_code_of_key"]


def test_sqlite() -> None:
    more = """
        CREATE TABLE keyed (code TEXT PRIMARY KEY);
        CREATE TABLE numbered (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
        CREATE TABLE strict (a INT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID;
    """
    judged = sqlite_judging.judged(CHECK, BOTH + more)
    assert {finding.subject for finding in judged.findings} == (FOUND - {"folders.folder_name"}) | {
        NODES[1],
        "folders.sqlite_autoindex_folders_1",
        "keyed.sqlite_autoindex_keyed_1",
    }
    assert {"numbered.the rowid", "strict.sqlite_autoindex_strict_1", "apart.roots"} <= set(judged.proven)
    remedy = next(finding.remedy for finding in judged.findings if finding.subject.startswith("folders."))
    after = sqlite_judging.judged(CHECK, f"{BOTH} {remedy}")
    assert not any(finding.subject.startswith("folders.") for finding in after.findings)
