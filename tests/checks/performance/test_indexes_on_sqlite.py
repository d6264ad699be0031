"""unindexed-foreign-key on SQLite agrees with SQLite's own plan for deleting a parent, whatever the index looks like."""

from __future__ import annotations

import re
import sqlite3

import pytest
from sqlite_judging import judged

from checks.interface import Severity

CHECK = "unindexed-foreign-key"
PARENT = """
    CREATE TABLE p (id INTEGER PRIMARY KEY, t TEXT COLLATE nocase UNIQUE, a INT, b TEXT, UNIQUE (a, b), UNIQUE (b));
    CREATE TABLE n (u UNIQUE);
"""

#: The child's columns with its key, and its indexes.
SHAPES = {
    "none": ("x INT REFERENCES p", ""),
    "plain": ("x INT REFERENCES p", "CREATE INDEX i ON c (x)"),
    "unique": ("x INT UNIQUE REFERENCES p", ""),
    "primary key": ("x INT PRIMARY KEY REFERENCES p", ""),
    "rowid": ("x INTEGER PRIMARY KEY REFERENCES p", ""),
    "without rowid": ("x INT PRIMARY KEY REFERENCES p) WITHOUT ROWID; CREATE TABLE unused (y", ""),
    "leading": ("x INT REFERENCES p, y", "CREATE INDEX i ON c (x, y)"),
    "not leading": ("x INT REFERENCES p, y", "CREATE INDEX i ON c (y, x)"),
    "descending": ("x INT REFERENCES p", "CREATE INDEX i ON c (x DESC)"),
    "expression": ("x INT REFERENCES p", "CREATE INDEX i ON c (x + 0)"),
    "partial without nulls": ("x INT REFERENCES p", "CREATE INDEX i ON c (x) WHERE x IS NOT NULL"),
    "partial, the other way": ("x INT REFERENCES p", "CREATE INDEX i ON c (x) WHERE X NOTNULL"),
    "partial on another": ("x INT REFERENCES p, y", "CREATE INDEX i ON c (x) WHERE y IS NOT NULL"),
    "partial by value": ("x INT REFERENCES p", "CREATE INDEX i ON c (x) WHERE x > 3"),
    "text child": ("x TEXT REFERENCES p", "CREATE INDEX i ON c (x)"),
    "no type": ("x REFERENCES p", "CREATE INDEX i ON c (x)"),
    "decimal child": ("x DECIMAL REFERENCES p", "CREATE INDEX i ON c (x)"),
    "real child": ("x REAL REFERENCES p", "CREATE INDEX i ON c (x)"),
    "integer to text": ("x INT REFERENCES p (b)", "CREATE INDEX i ON c (x)"),
    "no type to text": ("x REFERENCES p (b)", "CREATE INDEX i ON c (x)"),
    "integer to nothing": ("x INT REFERENCES n (u)", "CREATE INDEX i ON c (x)"),
    "text to nothing": ("x TEXT REFERENCES n (u)", "CREATE INDEX i ON c (x)"),
    "text to text": ("x VARCHAR(3) REFERENCES p (b)", "CREATE INDEX i ON c (x)"),
    "collated otherwise": ("x TEXT REFERENCES p (t)", "CREATE INDEX i ON c (x)"),
    "collated alike": ("x TEXT COLLATE nocase REFERENCES p (t)", "CREATE INDEX i ON c (x)"),
    "collated by the index": ("x TEXT REFERENCES p (t)", "CREATE INDEX i ON c (x COLLATE nocase)"),
    "composite": ("x INT, y TEXT, FOREIGN KEY (x, y) REFERENCES p (a, b)", "CREATE INDEX i ON c (x, y)"),
    "composite, turned": ("x INT, y TEXT, FOREIGN KEY (x, y) REFERENCES p (a, b)", "CREATE INDEX i ON c (y, x)"),
    "composite, by its unique part": ("x INT, y TEXT, FOREIGN KEY (x, y) REFERENCES p (a, b)", "CREATE INDEX i ON c (y)"),
    "composite, partial": (
        "x INT, y TEXT, FOREIGN KEY (x, y) REFERENCES p (a, b)",
        "CREATE INDEX i ON c (x, y) WHERE x IS NOT NULL AND y IS NOT NULL",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_index_serves_where_sqlite_searches_by_it(shape: str) -> None:
    columns, index = SHAPES[shape]
    ddl = f"{PARENT} CREATE TABLE c ({columns}); {index}"
    own = sqlite3.connect(":memory:")
    own.executescript(f"PRAGMA foreign_keys = on; {ddl}")
    steps = [row[-1] for row in own.execute(f"EXPLAIN QUERY PLAN DELETE FROM {'n' if 'REFERENCES n' in ddl else 'p'}")]
    own.close()
    (step,) = (step for step in steps if re.match(r"(SCAN|SEARCH) c\b", step))
    found = judged(CHECK, ddl)
    assert bool(found.proven) == step.startswith("SEARCH"), step


def test_the_remedy_serves_and_says_the_collation() -> None:
    ddl = f"{PARENT} CREATE TABLE c (x TEXT REFERENCES p (t) ON DELETE CASCADE); CREATE INDEX i ON c (x);"
    finding = judged(CHECK, ddl).finding
    assert finding.severity is Severity.WARNING
    assert finding.message.endswith("reading the whole table (i compares otherwise than p does)")
    assert finding.remedy == "CREATE INDEX ix_c_x ON c (x COLLATE NOCASE);"
    assert judged(CHECK, f"{ddl} {finding.remedy}").proven == ["c.x"]
