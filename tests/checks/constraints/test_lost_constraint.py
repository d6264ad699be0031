"""lost-constraint: what base had and head does not; renamed, rewritten and stronger rules are not lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import sqlite_judging
from judging import Judge, Judged, Query, target

from checks.evidence import Evidence, Migration, MigrationFailure, MigrationState, Place, Statement
from checks.interface import Severity
from checks.schema.model import Catalogue
from checks.schema.names import ObjectKind, ObjectReference
from runner.servers.interface import Database, Server

CHECK = "lost-constraint"


@dataclass(frozen=True)
class Case:
    """A table ``t`` of its own, what is done to it, and which of its rules are lost, without the table's name."""

    columns: str
    change: str
    lost: tuple[str, ...] = ()

    def ddl(self, name: str) -> str:
        return f"CREATE TABLE {name} ({self.columns.format(t=name)});\n"

    def subjects(self, name: str) -> set[str]:
        bare = name.strip('"').replace('""', '"')
        return {f"{bare}.{rule.format(t=name)}" for rule in self.lost}


#: Of PostgreSQL: the change comes after the table, with ``{t}`` for its name.
CASES = {
    "a_check": Case("total int CONSTRAINT positive CHECK (total > 0)", "ALTER TABLE {t} DROP CONSTRAINT positive", ("positive",)),
    "renamed": Case("total int CONSTRAINT positive CHECK (total > 0)", "ALTER TABLE {t} RENAME CONSTRAINT positive TO above"),
    "in_other_words": Case(
        "status varchar(9) CONSTRAINT known CHECK (status IN ('a', 'b'))",
        "ALTER TABLE {t} DROP CONSTRAINT known, ADD CONSTRAINT one_of CHECK (status = ANY (ARRAY['b', 'a']::text[])) NOT VALID",
    ),
    "a_part_of_a_longer_one": Case(
        "total int CONSTRAINT positive CHECK (total > 0), tax int",
        "ALTER TABLE {t} DROP CONSTRAINT positive, ADD CHECK (tax >= 0 AND 0 < total)",
    ),
    "weaker": Case(
        "total int CONSTRAINT positive CHECK (total > 0)",
        "ALTER TABLE {t} DROP CONSTRAINT positive, ADD CONSTRAINT not_negative CHECK (total >= 0)",
        ("positive",),
    ),
    "kept_its_name": Case(
        "status text CONSTRAINT known CHECK (status IN ('a'))",
        "ALTER TABLE {t} DROP CONSTRAINT known, ADD CONSTRAINT known CHECK (status IN ('a', 'b'))",
    ),
    "a_unique": Case("email text CONSTRAINT {t}_one UNIQUE", "ALTER TABLE {t} DROP CONSTRAINT {t}_one", ("{t}_one",)),
    "unique_to_primary": Case(
        "email text CONSTRAINT {t}_one UNIQUE", "ALTER TABLE {t} DROP CONSTRAINT {t}_one, ADD PRIMARY KEY (email)"
    ),
    "unique_of_fewer": Case(
        "a int, b int, CONSTRAINT {t}_one UNIQUE (a, b)",
        "ALTER TABLE {t} DROP CONSTRAINT {t}_one, ADD CONSTRAINT {t}_other UNIQUE (b)",
    ),
    "unique_of_more": Case(
        "a int, b int, CONSTRAINT {t}_one UNIQUE (a)", "ALTER TABLE {t} DROP CONSTRAINT {t}_one, ADD UNIQUE (a, b)", ("{t}_one",)
    ),
    "unique_whatever_its_case": Case(
        "email text CONSTRAINT {t}_one UNIQUE",
        "ALTER TABLE {t} DROP CONSTRAINT {t}_one; CREATE UNIQUE INDEX ON {t} (lower(email) DESC)",
    ),
    "unique_but_for_nulls": Case(
        "email text CONSTRAINT {t}_one UNIQUE",
        "ALTER TABLE {t} DROP CONSTRAINT {t}_one; CREATE UNIQUE INDEX ON {t} (email) WHERE email IS NOT NULL",
    ),
    "unique_made_partial": Case(
        "email text CONSTRAINT {t}_one UNIQUE, gone bool",
        "ALTER TABLE {t} DROP CONSTRAINT {t}_one; CREATE UNIQUE INDEX {t}_alive ON {t} (email) WHERE NOT gone",
        ("{t}_one",),
    ),
    "a_not_null": Case("email text NOT NULL", "ALTER TABLE {t} ALTER email DROP NOT NULL", ("email NOT NULL",)),
    "not_null_as_check": Case("email text NOT NULL", "ALTER TABLE {t} ALTER email DROP NOT NULL, ADD CHECK (NOT email IS NULL)"),
    "a_key": Case("parent int CONSTRAINT up REFERENCES parents", "ALTER TABLE {t} DROP CONSTRAINT up", ("up",)),
    "a_key_anew": Case(
        "parent int CONSTRAINT up REFERENCES parents",
        "ALTER TABLE {t} DROP CONSTRAINT up, ADD FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE NOT VALID",
    ),
    "an_exclusion": Case("n int, CONSTRAINT no_two EXCLUDE (n WITH =)", "ALTER TABLE {t} DROP CONSTRAINT no_two", ("no_two",)),
    "a_column": Case("a int, b int NOT NULL CHECK (b > 0), UNIQUE (a, b)", "ALTER TABLE {t} DROP COLUMN b"),
    "a_table": Case("a int NOT NULL UNIQUE CHECK (a > 0)", "DROP TABLE {t}"),
    '"Sélect"" 100%"': Case(
        '"or" int CONSTRAINT "no ""1" CHECK ("or" > 0)', 'ALTER TABLE {t} DROP CONSTRAINT "no ""1"', ('no "1',)
    ),
}


def _catalogue(server: Server, database: Database) -> Catalogue:
    with target(server, database) as found:
        return found.catalogue


def test_what_was_lost_is_named_and_what_stands_is_not(server: Server, database: Database, judge: Judge, query: Query) -> None:
    query("CREATE TABLE parents (id int PRIMARY KEY);" + "".join(case.ddl(name) for name, case in CASES.items()))
    base = Evidence(base=_catalogue(server, database))
    assert judge(CHECK, evidence=base).findings == []
    query(";\n".join(case.change.format(t=name) for name, case in CASES.items()))
    judged = judge(CHECK, evidence=base)
    assert {finding.subject for finding in judged.findings} == set().union(*(case.subjects(name) for name, case in CASES.items()))
    assert {"renamed.positive", "unique_to_primary.unique_to_primary_one", "kept_its_name.known", "parents.parents_pkey"} <= set(
        judged.proven
    )
    for finding in judged.findings:
        if finding.subject == "an_exclusion.no_two":
            query("ALTER TABLE an_exclusion ADD CONSTRAINT no_two EXCLUDE (n WITH =)")
        else:
            query(finding.remedy)
    assert judge(CHECK, evidence=base).findings == []


def test_a_trigger_is_lost_by_drop_and_not_by_another_name(
    server: Server, database: Database, judge: Judge, query: Query
) -> None:
    query("""
        CREATE TABLE orders (id int);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TRIGGER audit AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
    """)
    base = Evidence(base=_catalogue(server, database))
    query("ALTER TRIGGER touch ON orders RENAME TO touch_2; DROP TRIGGER audit ON orders")
    judged = judge(CHECK, evidence=base)
    assert (judged.finding.subject, judged.proven) == ("orders.audit (trigger)", ["orders.touch (trigger)"])
    query(judged.finding.remedy)
    assert judge(CHECK, evidence=base).findings == []


def test_a_trigger_that_gave_way_to_a_new_one_for_the_same_is_not_lost(
    server: Server, database: Database, judge: Judge, query: Query
) -> None:
    query("""
        CREATE TABLE jobs (id int, state text);
        CREATE FUNCTION notify() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE FUNCTION unlink() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
        CREATE TRIGGER notify AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION notify();
        CREATE TRIGGER guard BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION notify();
        CREATE TRIGGER stays BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION unlink();
        CREATE TRIGGER unlink BEFORE DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION unlink();
    """)
    base = Evidence(base=_catalogue(server, database))
    query("""
        CREATE FUNCTION notify_v1() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        DROP TRIGGER notify ON jobs; DROP TRIGGER guard ON jobs;
        CREATE TRIGGER notify_v1 AFTER INSERT ON jobs FOR EACH ROW WHEN (new.state = 'todo') EXECUTE FUNCTION notify_v1();
        ALTER FUNCTION unlink() RENAME TO unlink_v1; ALTER TRIGGER unlink ON jobs RENAME TO unlink_v1;
    """)
    judged = judge(CHECK, evidence=base)
    assert (judged.finding.subject, len(judged.proven)) == ("jobs.guard (trigger)", 3)


def test_a_key_that_gave_way_to_a_looser_one_is_a_notice_that_names_both(
    server: Server, database: Database, judge: Judge, query: Query
) -> None:
    query("""
        CREATE TABLE notes (name text, span int, who int, kind int);
        ALTER TABLE notes ADD CONSTRAINT two UNIQUE (name, span), ADD CONSTRAINT apart UNIQUE (kind);
        CREATE UNIQUE INDEX few ON notes (span);
        CREATE UNIQUE INDEX other ON notes (kind, span);
    """)
    base = Evidence(base=_catalogue(server, database))
    query("""
        ALTER TABLE notes DROP CONSTRAINT two, ADD CONSTRAINT three UNIQUE (name, span, who), DROP CONSTRAINT apart;
        DROP INDEX few; CREATE UNIQUE INDEX few ON notes (span) WHERE who > 0;
    """)
    found = {one.subject: one for one in judge(CHECK, evidence=base).findings}
    assert {name: one.severity for name, one in found.items()} == {
        "notes.two": Severity.NOTICE, "notes.few": Severity.NOTICE, "notes.apart": None
    }  # fmt: skip
    assert found["notes.two"].message == (
        "notes lost its UNIQUE two, and three in its place asks for less: (name, span, who); it was (name, span)"
    )
    assert "few in its place asks for less: (span) where (who > 0)" in found["notes.few"].message


def test_it_is_found_at_the_statement_that_dropped_it(server: Server, database: Database, judge: Judge, query: Query) -> None:
    query("CREATE TABLE orders (total int CONSTRAINT positive CHECK (total > 0), email text NOT NULL)")
    catalogue = _catalogue(server, database)
    query("ALTER TABLE orders DROP CONSTRAINT positive, ALTER email DROP NOT NULL")
    dropped = ObjectReference(ObjectKind.CONSTRAINT, "public", "orders", "positive")
    statements = (
        Statement("ALTER TABLE orders DROP CONSTRAINT positive", Place("a.sql", 3), dropped=(dropped,)),
        Statement('ALTER TABLE orders ALTER "email" DROP NOT NULL', Place("a.sql", 4)),
        Statement('ALTER TABLE customers ALTER "email" DROP NOT NULL', Place("a.sql", 5)),
    )
    judged = judge(CHECK, evidence=Evidence(base=catalogue, statements=statements))
    assert {(finding.subject, str(finding.place)) for finding in judged.findings} == {
        ("orders.positive", "a.sql:3"),
        ("orders.email NOT NULL", "a.sql:4"),
    }
    assert judged.findings[0].evidence["statement"] == statements[0].text
    new = Migration("2", "", Place("b.sql", 1), MigrationState.APPLIED, new=True)
    unseen = judge(CHECK, evidence=Evidence(base=catalogue, migrations=(new,)))
    assert {finding.place for finding in unseen.findings} == {new.place}


def test_a_table_that_was_renamed_is_the_same_table(server: Server, database: Database, judge: Judge, query: Query) -> None:
    query("CREATE TABLE orders (total int CONSTRAINT positive CHECK (total > 0), id int CONSTRAINT one UNIQUE)")
    catalogue = _catalogue(server, database)
    rename = "ALTER TABLE orders RENAME TO sales"
    query(f"{rename}; ALTER TABLE sales DROP CONSTRAINT positive")
    statements = (Statement(rename, Place("a.sql", 1)),)
    judged = judge(CHECK, evidence=Evidence(base=catalogue, statements=statements))
    assert (judged.finding.subject, judged.proven) == ("sales.positive", ["sales.one"])
    swapped = judge(
        CHECK, "CREATE TABLE orders (total int, id int UNIQUE)", evidence=Evidence(base=catalogue, statements=statements)
    )
    assert (swapped.finding.subject, swapped.proven) == ("orders.positive", ["orders.one"])
    query(judged.finding.remedy)


def test_where_the_migrations_stopped_nothing_is_called_lost(
    server: Server, database: Database, judge: Judge, query: Query
) -> None:
    query("CREATE TABLE orders (total int CONSTRAINT positive CHECK (total > 0))")
    catalogue = _catalogue(server, database)
    query("ALTER TABLE orders DROP CONSTRAINT positive")
    judged = judge(CHECK, evidence=Evidence(base=catalogue, failure=MigrationFailure("2", None, "", "23503", "no")))
    assert (judged.findings, judged.gaps) == ([], {"orders.positive": "not there, the migrations failed"})


def _sqlite(before: str, after: str) -> Judged:
    parents = "CREATE TABLE parents (id INTEGER PRIMARY KEY); "
    with sqlite_judging.target(parents + before) as found:
        base = Evidence(base=found.catalogue)
    return sqlite_judging.judged(CHECK, parents + after, evidence=base)


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("total INT CONSTRAINT positive CHECK (total > 0)", "total INT", ["positive"]),
        ("total INT CHECK (total > 0)", "total INT", ["CHECK (total > 0)"]),
        ("total INT CONSTRAINT positive CHECK (total > 0)", "total INT, tax INT, CHECK (tax > 0 and 0 < TOTAL)", []),
        ("email TEXT NOT NULL UNIQUE", "email TEXT", ["sqlite_autoindex_t_1", "email NOT NULL"]),
        ("email TEXT NOT NULL UNIQUE", "email TEXT PRIMARY KEY NOT NULL", []),
        ("a INT, b INT, UNIQUE (a, b)", "a INT, b INT UNIQUE", []),
        ("p INT CONSTRAINT up REFERENCES parents (id)", "p INT", ["up"]),
        ("p INT CONSTRAINT up REFERENCES parents (id)", "p INT REFERENCES parents", []),
        ("a INT, b INT NOT NULL CHECK (b > 0)", "a INT", []),
    ],
)
def test_sqlite(before: str, after: str, lost: list[str]) -> None:
    judged = _sqlite(f"CREATE TABLE t ({before})", f"CREATE TABLE t ({after})")
    assert [finding.subject for finding in judged.findings] == [f"t.{rule}" for rule in lost]
    assert "parents.the rowid" in judged.proven
    assert all(finding.remedy for finding in judged.findings)


def test_sqlite_partial_uniques_and_triggers() -> None:
    table = "CREATE TABLE t (email TEXT, gone INT);"
    before = f"""{table} CREATE UNIQUE INDEX one ON t (email) WHERE email IS NOT NULL;
        CREATE TRIGGER touch AFTER INSERT ON t BEGIN SELECT 1; END;"""
    assert [finding.subject for finding in _sqlite(before, table).findings] == ["t.one", "t.touch (trigger)"]
    renamed = f"{table} CREATE UNIQUE INDEX other ON t (email); CREATE TRIGGER touched AFTER INSERT ON t BEGIN SELECT 1; END;"
    assert _sqlite(before, renamed).findings == []
