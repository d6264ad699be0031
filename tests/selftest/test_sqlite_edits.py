"""The texts of SQLite's tables are changed at the one place that is meant, however they are written."""

from __future__ import annotations

import sqlite3

import pytest

from checks.faults.sqlite_edits import Edit, NothingThere, Part, edited
from checks.schema.names import TableName

T = TableName("", "t")
TEXT = """\
CREATE TABLE "t" (
  [a b] VARCHAR (20) NOT NULL /* REFERENCES x */ CONSTRAINT "c,1" CHECK ([a b] <> ')'),
  b INTEGER REFERENCES p (id) ON UPDATE CASCADE ON DELETE SET NULL NOT NULL DEFAULT 1, -- CHECK (no)
  c REFERENCES p,
  CONSTRAINT k FOREIGN KEY (b, c) REFERENCES q (x, y) MATCH FULL DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT last CHECK (b > (1 + 2)) )"""

CASES = {
    "the first reference": (Edit(T, Part.REFERENCE, 0), "b INTEGER CHECK (1) NOT NULL DEFAULT 1"),
    "a reference without columns": (Edit(T, Part.REFERENCE, 1), "c CHECK (1),"),
    "a key of the table": (Edit(T, Part.REFERENCE, 2), "CONSTRAINT k CHECK (1),"),
    "a rule that is there": (Edit(T, Part.RULE, 0, text="CASCADE"), "ON UPDATE CASCADE ON DELETE CASCADE NOT NULL"),
    "a rule after a bare parent": (Edit(T, Part.RULE, 1, text="CASCADE"), "c REFERENCES p ON DELETE CASCADE,"),
    "a rule after columns": (Edit(T, Part.RULE, 2, text="RESTRICT"), "REFERENCES q (x, y) ON DELETE RESTRICT MATCH FULL"),
    "a CHECK's expression": (Edit(T, Part.CHECK, 0), 'CONSTRAINT "c,1" CHECK (1),'),
    "a nested expression": (Edit(T, Part.CHECK, 1, text="b IS b"), "CONSTRAINT last CHECK (b IS b) )"),
    "a CHECK with its name": (Edit(T, Part.WHOLE_CHECK, 1), "CHECK (1) )"),
    "NOT NULL": (Edit(T, Part.NOT_NULL, column="A B"), "[a b] VARCHAR (20) NULL /*"),
    "NOT NULL after a reference": (Edit(T, Part.NOT_NULL, column="b"), "ON DELETE SET NULL NULL DEFAULT 1"),
    "a type with a length": (Edit(T, Part.TYPE, column="a b", text="INT"), "[a b] INT NOT NULL"),
    "no type": (Edit(T, Part.TYPE, column="c", text="TEXT"), "c TEXT REFERENCES p,"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_place_is_changed_and_sqlite_takes_it(case: str) -> None:
    edit, wanted = CASES[case]
    text = edited(TEXT, edit)
    assert wanted in text
    sqlite3.connect(":memory:").execute(text)


@pytest.mark.parametrize(
    "edit",
    [Edit(T, Part.REFERENCE, 3), Edit(T, Part.CHECK, 2), Edit(T, Part.NOT_NULL, column="c"), Edit(T, Part.TYPE, column="z")],
)
def test_what_is_not_there_is_said(edit: Edit) -> None:
    with pytest.raises(NothingThere):
        edited(TEXT, edit)
