"""Drizzle's journal: its order, its pieces, one transaction for all, and an entry that is dated too early."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from sql_tools import applied, project, rows, write

from checks.evidence import Place
from runner.errors import UsageError
from runner.migrations import drizzle as adapter
from runner.servers.interface import Database

USERS = "CREATE TABLE users (id int);\n--> statement-breakpoint\nCREATE INDEX i ON users (id);"
MORE = "insert into users values (1); insert into users values (2);"


def journal(**entries: int) -> str:
    listed = [{"idx": at, "tag": tag.removeprefix("_"), "when": when} for at, (tag, when) in enumerate(entries.items())]
    return json.dumps({"version": "7", "dialect": "postgresql", "entries": listed})


def test_the_journal_is_the_order_and_orphans_are_not_applied(tmp_path: Path, database: Database) -> None:
    files = {"meta/_journal.json": journal(_1_users=5, _0_more=7), "1_users.sql": USERS, "0_more.sql": MORE, "2_no.sql": "no"}
    write(tmp_path, files)
    assert adapter.faults(project(adapter, tmp_path)) == [
        "meta/_journal.json does not list 2_no.sql: Drizzle never applies that."
    ]
    assert applied(adapter, project(adapter, tmp_path), database) == (["1_users", "0_more"], None)
    digests = [(hashlib.sha256(text.encode()).hexdigest(), when) for text, when in ((USERS, 5), (MORE, 7))]
    assert rows(database, "select hash, created_at from drizzle.__drizzle_migrations order by id") == digests
    write(tmp_path, {"meta/_journal.json": journal(_1_users=5, _2_late=6, _0_more=7), "2_late.sql": "create table late ();"})
    base = frozenset({"1_users", "0_more"})
    done, broke = applied(adapter, project(adapter, tmp_path, applied=base), database)
    assert (done, broke and broke.place) == ([], Place("2_late.sql"))
    assert broke is not None
    assert broke.said == "Drizzle passes this entry over: the journal dates it before the newest that is applied"


def test_all_that_is_pending_is_one_transaction(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"meta/_journal.json": journal(_1_a=1, _2_b=2), "1_a.sql": USERS, "2_b.sql": "select 1;\nselect 1 / 0;"})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and (broke.revision, broke.place, broke.code)) == (["1_a"], ("2_b", Place("2_b.sql", 2), "22012"))
    assert rows(database, "select to_regclass('users'), count(*) from drizzle.__drizzle_migrations") == [(None, 0)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no journal meta/_journal.json"),
        ("{", "meta/_journal.json: this is not Drizzle's journal"),
        ('{"entries": [{"tag": "1_a"}]}', "meta/_journal.json: this is not Drizzle's journal: 'when'"),
        (journal(_1_a=1), "meta/_journal.json: it lists '1_a', and there is no file 1_a.sql"),
    ],
)
def test_a_journal_that_cannot_be_followed(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        write(tmp_path, {"meta/_journal.json": text})
    with pytest.raises(UsageError) as wrong:
        adapter.revisions(project(adapter, tmp_path))
    assert wrong.value.message.startswith(said)
