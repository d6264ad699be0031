"""New migrations watched through Alembic: what `report.json` and the step summary say of each statement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proving import ALEMBIC, ENV_PY, dbproof, project
from repositories import repository

BASE = """\
import sqlalchemy as sa
from alembic import op

revision, down_revision = "1", None


def upgrade():
    op.execute("CREATE TABLE books (id serial PRIMARY KEY, title text)")
    op.execute("INSERT INTO books (title) SELECT 'a book' FROM generate_series(1, 200)")
"""
NEW = """\
import sqlalchemy as sa
from alembic import op

revision, down_revision = "2", "1"


def upgrade():
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY by_title ON books (title)")
    op.add_column("books", sa.Column("key", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))
    op.execute("UPDATE books SET title = upper(title) WHERE id <= 150")
    table = sa.table("books", sa.column("title", sa.Text()))
    op.bulk_insert(table, [{"title": f"new {number}"} for number in range(30)])
    op.execute("DO $$ BEGIN DELETE FROM books WHERE id <= 10; CREATE TABLE shelves (id int); END $$")
"""


def new_migration(root: Path) -> tuple[dict[str, Any], str]:
    ran = dbproof("run", root=root, more={"DBPROOF_COMPARE": "main"})
    assert ran.code in (0, 1), ran.said
    (migration,) = (one for one in ran.report["databases"][0]["migrations"] if one["new"])
    return migration, (root.parent / "reports" / "summary.md").read_text("utf-8")


def by_line(migration: dict[str, Any]) -> dict[int, dict[str, Any]]:
    return {said["place"]["line"]: said for said in migration["statements"]}


def rows(of: dict[str, Any], table: str) -> dict[str, int]:
    (found,) = (each for each in of["work"]["tables"] if each["relation"] == table)
    return {kind: found[kind] for kind in ("inserted", "updated", "deleted")}


def test_alembic_s_statements_and_its_data(tmp_path: Path) -> None:
    options = ENV_PY.replace("OPTIONS", '{"transaction_per_migration": True}')
    files = {
        "env.py": options,
        "script.py.mako": "",
        "alembic.ini": "[alembic]\nscript_location = .\n",
        "versions/1_base.py": BASE,
    }
    root = project(tmp_path / "repository", files, settings=ALEMBIC)
    repo = repository(root)
    repo.commit()
    repo.branch("change")
    repo.commit({"versions/2_new.py": NEW})
    migration, summary = new_migration(root)
    index, column, update, insert, block = (by_line(migration)[line] for line in (9, 10, 11, 13, 14))
    assert index["locks"] == [{"relation": "books", "mode": "ShareUpdateExclusiveLock"}]
    assert column["rewrites"] == [{"relation": "books", "reason": "default is computed for each row"}]
    assert column["work"]["wal"] > 200 * 16
    assert rows(update, "books") == {"inserted": 0, "updated": 150, "deleted": 0}
    assert rows(insert, "books") == {"inserted": 30, "updated": 0, "deleted": 0}
    assert rows(block, "books") == {"inserted": 0, "updated": 0, "deleted": 10}
    assert block["made"] == ["table shelves", "column shelves.id"]
    assert migration["strongest_lock"] == {"relation": "books", "mode": "AccessExclusiveLock"}
    assert rows(migration, "books") == {"inserted": 30, "updated": 150, "deleted": 10}
    assert "`books`: 150 updated" in summary
    assert "1 table rewritten, 190 rows changed" in summary
