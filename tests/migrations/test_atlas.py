"""Atlas' folders: what ``atlas.sum`` confirms, transactions, checkpoints, what is out of order."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_tools import applied, project, rows, write

from checks.evidence import Place
from runner.errors import ToolFailed
from runner.migrations import atlas as adapter
from runner.servers.interface import Database

FILES = {
    "20240101_a.sql": "create table a (id int);\n",
    "20240102_i.sql": "-- atlas:txmode none\n\ncreate index concurrently i on a (id);",
}
#: What Atlas' own library wrote for these files.
SUM = """h1:koCaePOMehQAt3f2F24UP6HUfjsTxhPVnIAuc1Hf4i8=
20240101_a.sql h1:0plmQZCpuadUGe0wjg5V6RO/ZJhVEKiBiueeoL72ic8=
20240102_i.sql h1:BVh4oVc3wyz47+08H3PEmrmge21p+pyH7uqdnCBHxAY=
"""


def summed(root: Path) -> None:
    (root / "atlas.sum").write_text("\n".join([*adapter.sums(root), ""]))


def test_what_the_sum_confirms_is_applied(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {**FILES, "atlas.sum": SUM})
    here = project(adapter, tmp_path)
    assert applied(adapter, here, database) == (["20240101_a", "20240102_i"], None)
    books = "select version, description, applied, total from atlas_schema_revisions.atlas_schema_revisions order by 1"
    assert rows(database, books) == [("20240101", "a", 1, 1), ("20240102", "i", 1, 1)]
    assert applied(adapter, here, database) == ([], None)
    write(tmp_path, {"20240101_b.sql": ""})
    summed(tmp_path)
    write(tmp_path, {"2024010_c.sql": ""})
    summed(tmp_path)
    _, broke = applied(adapter, here, database)
    assert broke is not None
    assert (broke.revision, broke.said) == ("2024010_c", "Atlas: migration file 2024010_c.sql was added out of order")


@pytest.mark.parametrize(
    ("files", "revision"),
    [
        ({"20240102_i.sql": "select 1;"}, "20240102_i"),
        ({"20240103_c.sql": "select 1;"}, "20240103_c"),
        ({"atlas.sum": ""}, "20240101_a"),
        ({"atlas.sum": SUM.replace("koCa", "xxxx")}, None),
    ],
)
def test_what_the_sum_does_not_confirm_is_refused(
    files: dict[str, str], revision: str | None, tmp_path: Path, database: Database
) -> None:
    write(tmp_path, {**FILES, "atlas.sum": SUM, **files})
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and broke.revision) == ([], revision)
    assert broke is not None
    assert broke.said.startswith("Atlas: checksum mismatch")


def test_a_file_is_one_transaction_and_the_last_checkpoint_is_the_beginning(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"1_a.sql": "create table a ();", "2_check.sql": "-- atlas:checkpoint\n\ncreate table a (id int);"})
    write(tmp_path, {"3_b.sql": "create table b ();\ncreate index concurrently i on a (id);"})
    summed(tmp_path)
    done, broke = applied(adapter, project(adapter, tmp_path), database)
    assert (done, broke and (broke.place, broke.code)) == (["2_check"], (Place("3_b.sql", 2), "25001"))
    assert rows(database, "select to_regclass('b')") == [(None,)]


def test_a_directive_that_is_not_heeded_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"1_a.sql": "-- atlas:delimiter \\n\\n\\n\n\nselect 1"})
    with pytest.raises(ToolFailed, match=r"1_a\.sql: 'atlas:delimiter' is not understood here"):
        adapter.revisions(project(adapter, tmp_path))
