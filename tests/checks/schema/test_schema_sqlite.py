"""The catalogue of SQLite databases: names and CHECKs out of their text, keys completed, what is not judged left out."""

from __future__ import annotations

import sqlite3

import pytest
from sqlite_judging import target

from checks.schema.model import Action, Catalogue
from checks.schema.names import TableName
from checks.schema.sqlite import ROWID, affinity
from checks.schema.sqlite_indexes import predicate_text
from checks.schema.sqlite_text import table_text

ODD = """
    CREATE TABLE "or;ders (" ( -- a comment, (
        id INTEGER NOT NULL CONSTRAINT pk PRIMARY KEY AUTOINCREMENT,
        'q d' VARCHAR(20) COLLATE nocase DEFAULT ('a,)') CONSTRAINT nn NOT NULL ON CONFLICT IGNORE /* , */,
        [buyer id] BIGINT CONSTRAINT "fk b" REFERENCES `users` ON DELETE SET NULL ON UPDATE CASCADE
            DEFERRABLE INITIALLY DEFERRED NOT NULL,
        g AS (id + 1) STORED,
        d DEFAULT -1 CHECK (d < 0),
        CONSTRAINT c1 CHECK (id > 0) CONSTRAINT c2 CHECK (length(trim(d)) > 0),
        CONSTRAINT two FOREIGN KEY (d, g) REFERENCES pairs (x, y) MATCH FULL ON DELETE NO ACTION NOT DEFERRABLE,
        UNIQUE (d DESC, g COLLATE nocase)
    );
    CREATE TABLE users (id INTEGER PRIMARY KEY);
    CREATE TABLE pairs (x, y, PRIMARY KEY (y, x));
"""


def catalogue(ddl: str) -> Catalogue:
    with target(ddl) as found:
        return found.catalogue


def test_names_and_rules_are_read_from_odd_text() -> None:
    table = catalogue(ODD).table[TableName("", "or;ders (")]
    assert [column.name for column in table.columns] == ["id", "q d", "buyer id", "g", "d"]
    assert [column.name for column in table.columns if column.nullable] == ["g", "d"]
    assert [column.name for column in table.columns if column.generated] == ["g"]
    assert table.column["q d"].collation == "NOCASE"
    assert [(check.name, check.expression) for check in table.checks] == [
        ("CHECK (d < 0)", "d < 0"),
        ("c1", "id > 0"),
        ("c2", "length(trim(d)) > 0"),
    ]
    first, second = table.foreign_keys
    assert (first.name, first.columns, first.parent_columns) == ("fk b", ("buyer id",), ("id",))
    assert (first.on_delete, first.on_update, first.initially_deferred) == (Action.SET_NULL, Action.CASCADE, True)
    assert (second.name, second.columns, second.parent_columns, second.deferrable) == ("two", ("d", "g"), ("x", "y"), False)
    assert table.reference.schema == ""
    assert first.label == "or;ders (.buyer id"


def test_a_key_without_a_name_has_one_that_tells_it_apart() -> None:
    ddl = """
        CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY);
        CREATE TABLE c (x REFERENCES a, FOREIGN KEY (x) REFERENCES b); ALTER TABLE c ADD COLUMN y REFERENCES a (id);
    """
    keys = catalogue(ddl).foreign_keys
    assert [key.name for key in keys] == [
        "FOREIGN KEY (x) REFERENCES a",
        "FOREIGN KEY (y) REFERENCES a",
        "FOREIGN KEY (x) REFERENCES b",
    ]


def test_names_know_no_case_and_are_given_as_the_tables_spell_them() -> None:
    ddl = "CREATE TABLE Users (Id INTEGER PRIMARY KEY); CREATE TABLE orders (BUYER references uSERS (iD));"
    ddl += "CREATE INDEX i ON ORDERS (buyer)"
    found = catalogue(ddl)
    (key,) = found.foreign_keys
    assert (key.columns, key.parent.name, key.parent_columns) == (("BUYER",), "Users", ("Id",))
    assert [index.columns for index in found.table[TableName("", "orders")].indexes] == [("BUYER",)]


@pytest.mark.parametrize(
    ("parent", "refers", "mismatch"),
    [
        ("id INTEGER PRIMARY KEY", "REFERENCES p", ""),
        ("id INT PRIMARY KEY", "REFERENCES p", ""),
        ("id, e TEXT UNIQUE", "REFERENCES p (e)", ""),
        ("id, e TEXT COLLATE nocase UNIQUE", "REFERENCES p (e)", ""),
        ("id", "REFERENCES p", "p has no primary key"),
        ("id", "REFERENCES nowhere", "there is no table nowhere"),
        ("id", "REFERENCES p (e)", "p has no column e"),
        ("id, e", "REFERENCES p (e)", "e of p is not unique"),
        ("a, b, PRIMARY KEY (a, b)", "REFERENCES p", "the primary key of p has 2 columns, not 1"),
    ],
)
def test_a_key_that_sqlite_cannot_use_is_told_from_one_that_it_can(parent: str, refers: str, mismatch: str) -> None:
    """SQLite itself is the oracle: with a mismatch it refuses the first row that refers to something, whatever it refers to."""
    ddl = f"CREATE TABLE p ({parent}); CREATE TABLE c (x {refers});"
    (key,) = catalogue(ddl).foreign_keys
    assert key.mismatch == mismatch
    own = sqlite3.connect(":memory:")
    own.executescript(f"PRAGMA foreign_keys = on; {ddl}")
    with pytest.raises(sqlite3.Error) as refused:
        own.execute("INSERT INTO c VALUES (1)")
    own.close()
    said = "no such table" if "no table" in mismatch else "mismatch" if mismatch else "constraint failed"
    assert said in str(refused.value)


def test_a_partial_or_otherwise_collated_unique_index_makes_no_parent() -> None:
    ddl = "CREATE TABLE p (e TEXT, f TEXT COLLATE nocase); CREATE UNIQUE INDEX i ON p (e) WHERE e > 'a'; "
    ddl += "CREATE UNIQUE INDEX j ON p (f COLLATE binary); CREATE TABLE c (x REFERENCES p (e), y REFERENCES p (f))"
    assert [key.mismatch for key in catalogue(ddl).foreign_keys] == ["e of p is not unique", "f of p is not unique"]


def test_the_rowid_is_an_index_where_a_column_is_another_name_of_it() -> None:
    ddl = "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY); "
    ddl += "CREATE TABLE c (id INTEGER PRIMARY KEY) WITHOUT ROWID; CREATE TABLE d (id INTEGER PRIMARY KEY DESC)"
    names = {table.name.name: [index.name for index in table.indexes] for table in catalogue(ddl).tables}
    assert names["a"] == [ROWID]
    assert [names[table] for table in "bcd"] == [[f"sqlite_autoindex_{table}_1"] for table in "bcd"]
    nullable = {table.name.name: table.column["id"].nullable for table in catalogue(ddl).tables}
    assert nullable == {"a": False, "b": True, "c": False, "d": True}


def test_virtual_tables_views_and_books_are_not_judged() -> None:
    ddl = """
        CREATE TABLE kept (id INTEGER PRIMARY KEY) STRICT; CREATE VIRTUAL TABLE docs USING fts5 (body);
        CREATE VIEW seen AS SELECT * FROM kept; CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
        CREATE TABLE own_version (version_num VARCHAR(32) NOT NULL); CREATE TABLE django_migrations (id INTEGER PRIMARY KEY);
        CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT);
        PRAGMA writable_schema = on;
        INSERT INTO sqlite_master VALUES ('table', 'foreign_', 'foreign_', 0, 'CREATE VIRTUAL TABLE foreign_ USING not_here (a)');
    """
    assert [table.name.name for table in catalogue(ddl).tables] == ["counted", "kept"]


@pytest.mark.parametrize(
    ("sql", "predicate"),
    [
        ("CREATE INDEX i ON t (a)", None),
        ("create unique index i on t (A) where a is not null", '"A" IS NOT NULL'),
        ('CREATE INDEX "i where" ON t (a) WHERE (a NOTNULL) AND ["b"] NOT NULL', '"A" IS NOT NULL AND """b""" IS NOT NULL'),
        ("CREATE INDEX i ON t (a) WHERE a IS NOT NULL OR b > 1", "a IS NOT NULL OR b > 1"),
        ("CREATE INDEX i ON t ((a || ' where ')) WHERE status = 'open'", "status = 'open'"),
    ],
)
def test_what_an_index_leaves_out(sql: str, predicate: str | None) -> None:
    assert predicate_text(sql, ["A"]) == predicate


@pytest.mark.parametrize(
    "type_", ["INT", "BIGINT", "CHARINT", "VARCHAR(9)", "CLOB", "BLOB", "", "REAL", "DOUBLE", "DECIMAL(9,2)", "STRING"]
)
def test_affinities_are_those_that_sqlite_gives(type_: str) -> None:
    """Asked of SQLite: what becomes of the text '07' and of 1e0 in a column of that type (datatype3.html, 3)."""
    own = sqlite3.connect(":memory:")
    own.execute(f"CREATE TABLE t (x {type_})")
    own.execute("INSERT INTO t VALUES ('07'), (1.0), (2)")
    kinds = [kind for (kind,) in own.execute("SELECT typeof(x) FROM t")]
    own.close()
    expected = {
        "INTEGER": ["integer", "integer", "integer"],
        "NUMERIC": ["integer", "integer", "integer"],
        "REAL": ["real", "real", "real"],
        "TEXT": ["text", "text", "text"],
        "BLOB": ["text", "real", "integer"],
    }
    assert kinds == expected[affinity(type_)]


def test_the_text_of_a_table_made_from_a_query() -> None:
    own = sqlite3.connect(":memory:")
    own.executescript("CREATE TABLE a (x INT); CREATE TABLE b AS SELECT x, x || 'y' AS \"z z\" FROM a")
    ((sql,),) = own.execute("SELECT sql FROM sqlite_master WHERE name = 'b'")
    own.close()
    assert [column.name for column in table_text(sql).columns] == ["x", "z z"]


def test_triggers_belong_to_their_table_however_it_is_written() -> None:
    read = catalogue("""
        CREATE TABLE "or;ders" (id INTEGER PRIMARY KEY); CREATE TABLE other (id); CREATE VIEW v AS SELECT 1 AS id;
        CREATE TRIGGER "t 1" AFTER INSERT ON 'OR;DERS' BEGIN DELETE FROM other; END;
        CREATE TRIGGER of_view INSTEAD OF INSERT ON v BEGIN SELECT 1; END;
    """)
    (trigger,) = read.table[TableName("", "or;ders")].triggers
    assert trigger.name == "t 1"
    assert trigger.definition.startswith('CREATE TRIGGER "t 1"')
    assert read.table[TableName("", "other")].triggers == ()
