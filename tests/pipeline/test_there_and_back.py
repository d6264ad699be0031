"""New migrations of a MongoDB repository go up, down and up again on a copy of base; what is lost on the way is counted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from example_repositories import Run, run_on
from repositories import repository

pytestmark = pytest.mark.usefixtures("mongod")

SETTINGS = """
[databases.docs]
engine = "mongodb"

[databases.docs.migrations]
tool = "python"
directory = "migrations"

[databases.docs.data]
load = ["companies.jsonl"]
"""
ROWS = '{"name": "a", "code": 1}\n{"name": "b", "code": 2}\n{"name": "c"}\n'
FIRST = 'def up(db):\n    db.create_collection("companies")\n    db.companies.create_index("name", name="by_name")\n'
MORE = {
    "2_rename.py": (
        'def up(db):\n    db.companies.update_many({}, {"$rename": {"name": "title"}})\n    db.companies.drop_index("by_name")\n'
        'def down(db):\n    db.companies.update_many({}, {"$rename": {"title": "name"}})\n'
        '    db.companies.create_index("name", name="by_name")\n'
    ),
    "3_codes.py": (
        'def up(db):\n    db.companies.update_many({}, {"$unset": {"code": ""}})\n    db.companies.delete_one({"title": "c"})\n'
        'def down(db):\n    db.companies.update_many({}, {"$set": {"code": None}})\n'
    ),
    "4_one_way.py": (
        'def up(db):\n    db.notes.insert_one({"by": "4"})\ndef down(db):\n    raise NotImplementedError("restore a backup")\n'
    ),
    "5_no_way.py": "async def up(db):\n    await db.notes.insert_one({})\n",
    "6_broken.py": 'def up(db):\n    db.notes.create_index("by")\n\n\ndef down(db):\n    db.notes.drop_index("by")\n',
    "7_last.py": "def up(db):\n    pass\n\n\ndef down(db):\n    pass\n",
}


def base(tmp_path: Path) -> Path:
    files = {"dbproof.toml": SETTINGS, "companies.jsonl": ROWS, "migrations/1_first.py": FIRST}
    return repository(tmp_path / "docs", files).root


def found(run: Run) -> dict[str, dict[str, Any]]:
    return {finding["subject"]: finding for finding in run.check("down-restores")["findings"]}


def test_new_migrations_there_and_back_on_rows_of_base(tmp_path: Path) -> None:
    root = base(tmp_path)
    for name, text in MORE.items():
        (root / "migrations" / name).write_text(text)
    run = run_on(root)
    assert run.code == 0, run.said
    findings = found(run)
    assert {subject: finding["severity"] for subject, finding in findings.items()} == {
        "3_codes": "warning",
        "4_one_way": "notice",
        "5_no_way": "notice",
        "6_broken": "warning",
    }
    assert findings["3_codes"]["message"] == (
        "undoing migration 3_codes does not restore what was there: 1 document of companies is not brought back; "
        "2 documents of companies hold something else in code"
    )
    assert (findings["3_codes"]["evidence"]["count"], findings["3_codes"]["provenance"]["line"]) == (3, 4)
    assert findings["4_one_way"]["message"].endswith("its way back raises NotImplementedError: restore a backup")
    assert findings["5_no_way"]["message"].endswith("it has no `down`")
    broken = findings["6_broken"]
    assert (broken["evidence"]["code"], broken["provenance"]["line"]) == ("27", 6)
    check = run.check("down-restores")
    assert check["proven"] == 1  # 2_rename: the fields stand in another order, which does not count
    assert [gap["subject"] for gap in check["not_proven"]] == ["7_last"]
    assert check["not_proven"][0]["reason"] == "not tried, the steps stopped at 6_broken"
    assert "undo      5 of 6 migrations down and up again on a copy" in run.said


COMMAND = """
import os, sys
from pymongo import MongoClient

db = MongoClient(os.environ["MONGODB_URI"]).get_default_database()
STEPS = {steps}
done = {{one["_id"] for one in db.migrations_log.find()}}
if sys.argv[1:] == ["status"]:
    pass
elif sys.argv[1:] == ["down"]:
    for name in reversed([one for one in STEPS if one in done and one != "first"]):
        db.drop_collection(name)
        db.migrations_log.delete_one({{"_id": name}})
else:
    for name in STEPS:
        if name not in done or {again}:
            db[name].insert_one({{}})
            db.migrations_log.replace_one({{"_id": name}}, {{}}, upsert=True)
"""
BY_COMMAND = SETTINGS.replace(
    'tool = "python"\ndirectory = "migrations"',
    "\n".join(
        f'{key} = "{sys.executable} migrate.py {word}"'
        for key, word in (("command", ""), ("current", "status"), ("down", "down"))
    ),
)


def test_a_command_with_a_way_back(tmp_path: Path) -> None:
    files = {
        "dbproof.toml": BY_COMMAND,
        "companies.jsonl": ROWS,
        "migrate.py": COMMAND.format(steps='["first"]', again=False),
    }
    root = repository(tmp_path / "docs", files).root
    (root / "companies.jsonl").write_text(f"{ROWS}\n")
    run = run_on(root)
    assert run.code == 0, run.said
    assert "undo      nothing new to undo" in run.said
    (root / "migrate.py").write_text(COMMAND.format(steps='["first", "second"]', again=True))
    findings = found(run_on(root))
    assert "1 document of first was not there" in findings["migrations"]["message"]
    assert findings["a second run"]["message"] == (
        "applying once more, with nothing pending, changes the database: 1 document of first was not there; "
        "1 document of second was not there"
    )
