from __future__ import annotations

import pytest

from checks.evidence import Place
from checks.schema.names import ObjectKind, ObjectReference
from checks.targets import Role
from recorder.project import Project, column, constraint, index, table
from runner.recorder.provenance import resolve
from runner.recorder.reading import read
from runner.servers.postgresql.sessions import session


def test_a_table_brings_its_columns_constraints_and_indexes(project: Project) -> None:
    project.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE child (id serial PRIMARY KEY, parent int CONSTRAINT fk REFERENCES parent, name text UNIQUE"
        " CHECK (name <> ''))",
        "ALTER TABLE child ADD COLUMN size int CONSTRAINT positive CHECK (size > 0)",
        "CREATE INDEX by_size ON child (size)",
        "ALTER TABLE child ADD CONSTRAINT sizes UNIQUE (size, parent)",
    )
    lines = project.lines()
    assert lines[table("parent")] == lines[column("parent", "id")] == lines[index("parent", "parent_pkey")] == 1
    for made in (table("child"), column("child", "name"), constraint("child", "fk"), constraint("child", "child_name_check")):
        assert lines[made] == 2
    assert lines[index("child", "child_name_key")] == lines[constraint("child", "child_pkey")] == 2
    assert lines[ObjectReference(ObjectKind.SEQUENCE, "public", "", "child_id_seq")] == 2
    assert lines[column("child", "size")] == lines[constraint("child", "positive")] == 3
    assert lines[index("child", "by_size")] == 4
    assert lines[constraint("child", "sizes")] == lines[index("child", "sizes")] == 5


def test_within_one_transaction_the_first_statement_made_it(project: Project) -> None:
    project.run(
        "BEGIN",
        "CREATE TABLE a (x int)",
        "ALTER TABLE a ADD y int",
        "ALTER TABLE a ALTER x SET NOT NULL",
        "ALTER TABLE a ADD CONSTRAINT k CHECK (y > 0)",
        "COMMIT",
    )
    lines = project.lines()
    assert (lines[table("a")], lines[column("a", "x")], lines[column("a", "y")], lines[constraint("a", "k")]) == (2, 2, 3, 5)


def test_names_are_those_of_today(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int CONSTRAINT k CHECK (x > 0), y int)",
        "CREATE INDEX i ON a (y)",
        "ALTER TABLE a RENAME TO b",
        "ALTER TABLE b RENAME x TO z",
        "ALTER TABLE b RENAME CONSTRAINT k TO l",
        "ALTER INDEX i RENAME TO j",
        "CREATE SCHEMA s",
        "ALTER TABLE b SET SCHEMA s",
    )
    lines = project.lines()
    assert table("a") not in lines
    assert lines[table("b", "s")] == lines[column("b", "z", "s")] == lines[constraint("b", "l", "s")] == 1
    assert lines[index("b", "j", "s")] == 2


def test_dropped_and_made_again(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int CONSTRAINT k CHECK (x > 0), y int)",
        "CREATE INDEX i ON a (x)",
        "DROP INDEX i",
        "CREATE INDEX i ON a (y)",
        "ALTER TABLE a DROP CONSTRAINT k, ADD CONSTRAINT k CHECK (x > 1)",
        "ALTER TABLE a DROP y",
        "ALTER TABLE a ADD y text",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    )
    lines = project.lines()
    assert lines[constraint("a", "k")] == 5
    assert lines[column("a", "y")] == 7
    assert index("a", "i") not in lines
    assert lines[ObjectReference(ObjectKind.FUNCTION, "public", "", "f()")] == 9


def test_a_table_dropped_and_made_again(project: Project) -> None:
    project.run("CREATE TABLE a (x int PRIMARY KEY)", "DROP TABLE a", "CREATE TABLE a (x int PRIMARY KEY)")
    assert set(project.lines().values()) == {3}


def test_what_the_server_makes_anew_keeps_its_maker(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int, y int)",
        "ALTER TABLE a ADD CONSTRAINT a_key PRIMARY KEY (x)",
        "CREATE TABLE b (x int)",
        "ALTER TABLE b ADD CONSTRAINT fk FOREIGN KEY (x) REFERENCES a",
        "ALTER TABLE a ADD CONSTRAINT positive CHECK (x > 0)",
        "CREATE INDEX by_y ON a (y)",
        "ALTER TABLE a ALTER x TYPE bigint, ALTER y TYPE text",
        "REINDEX INDEX CONCURRENTLY by_y",
    )
    lines = project.lines()
    assert lines[constraint("a", "a_key")] == lines[index("a", "a_key")] == 2
    assert lines[constraint("b", "fk")] == 4
    assert lines[constraint("a", "positive")] == 5
    assert lines[index("a", "by_y")] == 6
    assert lines[column("a", "x")] == 1


def test_partitions(project: Project) -> None:
    project.run(
        "CREATE TABLE parent (id int PRIMARY KEY)",
        "CREATE TABLE p (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
        "CREATE TABLE p2 (id int NOT NULL, at date NOT NULL)",
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
        "CREATE INDEX by_at ON p (at)",
        "ALTER TABLE p ADD parent int",
        "ALTER TABLE p ADD CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent",
        "CREATE TABLE r (id int, at date, CONSTRAINT to_p FOREIGN KEY (id, at) REFERENCES p)",
        "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')",
    )
    lines = project.lines()
    assert (lines[table("p")], lines[table("p1")], lines[table("p2")], lines[table("p3")]) == (2, 3, 4, 10)
    assert lines[index("p", "by_at")] == lines[index("p1", "p1_at_idx")] == lines[index("p2", "p2_at_idx")] == 6
    assert lines[index("p2", "p2_pkey")] == 5
    assert lines[column("p", "parent")] == lines[column("p1", "parent")] == lines[column("p2", "parent")] == 7
    assert lines[constraint("p", "fk")] == 8
    assert lines[constraint("p1", "fk")] == 8
    assert lines[constraint("p3", "fk")] == lines[column("p3", "parent")] == 10
    assert {line for made, line in lines.items() if made.kind is ObjectKind.CONSTRAINT and made.relation == "r"} <= {9, 10}
    assert lines[constraint("r", "to_p")] == 9


def test_heirs(project: Project) -> None:
    project.run("CREATE TABLE a (x int)", "CREATE TABLE b (y int) INHERITS (a)", "ALTER TABLE a ADD z int CHECK (z > 0)")
    lines = project.lines()
    assert lines[column("b", "x")] == lines[column("b", "y")] == 2
    assert lines[column("b", "z")] == lines[constraint("b", "a_z_check")] == 3


def test_composite_foreign_key(project: Project) -> None:
    project.run(
        "CREATE TABLE a (t int, x int, PRIMARY KEY (t, x))",
        "CREATE TABLE b (t int, x int, y int, CONSTRAINT fk FOREIGN KEY (t, x) REFERENCES a MATCH FULL)",
    )
    assert project.lines()[constraint("b", "fk")] == 2


def test_tables_from_queries_and_schemas_with_elements(project: Project) -> None:
    project.run(
        "CREATE TABLE a AS SELECT 1 AS x, 'a'::text AS y",
        "SELECT x AS z INTO b FROM a",
        "CREATE SCHEMA s CREATE TABLE c (id int PRIMARY KEY) CREATE VIEW v AS SELECT id FROM c CREATE INDEX i ON c (id)",
        "CREATE TABLE d (LIKE s.c INCLUDING ALL)",
        "CREATE MATERIALIZED VIEW m AS SELECT x FROM a",
        "CREATE UNIQUE INDEX mi ON m (x)",
        "CREATE TYPE mood AS ENUM ('a', 'b')",
        "CREATE DOMAIN size AS int CONSTRAINT positive CHECK (VALUE > 0)",
        "CREATE SEQUENCE q",
        "CREATE POLICY own ON a USING (true)",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()",
    )
    lines = project.lines()
    assert lines[table("a")] == lines[column("a", "y")] == 1
    assert lines[table("b")] == lines[column("b", "z")] == 2
    for made in (ObjectReference(ObjectKind.SCHEMA, "s"), table("c", "s"), column("c", "id", "s"), index("c", "i", "s")):
        assert lines[made] == 3
    assert lines[ObjectReference(ObjectKind.VIEW, "s", "", "v")] == lines[constraint("c", "c_pkey", "s")] == 3
    assert lines[table("d")] == lines[index("d", "d_pkey")] == 4
    assert lines[ObjectReference(ObjectKind.VIEW, "public", "", "m")] == 5
    assert lines[index("m", "mi")] == 6
    assert lines[ObjectReference(ObjectKind.TYPE, "public", "", "mood")] == 7
    assert lines[ObjectReference(ObjectKind.TYPE, "public", "", "size")] == 8
    assert lines[ObjectReference(ObjectKind.SEQUENCE, "public", "", "q")] == 9
    assert lines[ObjectReference(ObjectKind.POLICY, "public", "a", "own")] == 10
    assert lines[ObjectReference(ObjectKind.TRIGGER, "public", "a", "t")] == 12


def test_the_rarer_commands(project: Project) -> None:
    project.run(
        "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'",
        "CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int)",
        "CREATE TABLE a (x int)",
        "CREATE TABLE c (x int) INHERITS (a)",
        'ALTER TABLE a ADD " 1 2 3 " int CONSTRAINT "4 5 6 7" CHECK (x > 0), ADD CONSTRAINT "8 9 " UNIQUE (x)',
        'CREATE TABLE "1 b" (" 2 " int CONSTRAINT "3 0 4 5 " PRIMARY KEY)',
        'CREATE INDEX "6 i" ON "1 b" (" 2 ")',
        "CREATE TEMPORARY VIEW v AS SELECT 1",
        "CREATE TYPE pair AS (x int, y int)",
    )
    lines = project.lines()
    assert lines[ObjectReference(ObjectKind.FUNCTION, "public", "", "p()")] == 1
    assert lines[ObjectReference(ObjectKind.FUNCTION, "public", "", "total(integer)")] == 2
    assert lines[column("a", " 1 2 3 ")] == lines[column("c", " 1 2 3 ")] == 5
    assert lines[constraint("a", "4 5 6 7")] == lines[constraint("c", "4 5 6 7")] == lines[index("a", "8 9 ")] == 5
    assert lines[table("1 b")] == lines[column("1 b", " 2 ")] == lines[constraint("1 b", "3 0 4 5 ")] == 6
    assert lines[index("1 b", "3 0 4 5 ")] == 6
    assert lines[index("1 b", "6 i")] == 7
    assert lines[ObjectReference(ObjectKind.TYPE, "public", "", "pair")] == 9


def test_an_index_made_concurrently(project: Project) -> None:
    project.run("CREATE TABLE a (x int)", "CREATE INDEX CONCURRENTLY i ON a (x)")
    assert project.lines()[index("a", "i")] == 2


def test_a_do_block_and_a_function_that_makes_tables(project: Project) -> None:
    project.run(
        "DO $$ BEGIN FOR i IN 1..3 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY)', i); END LOOP; END $$",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE TABLE u (id int); END'",
        "SELECT f()",
    )
    lines = project.lines()
    assert lines[table("t1")] == lines[column("t3", "id")] == 1
    assert lines[table("u")] == 3


def test_the_owner_is_seen_as_well_as_a_superuser_and_a_replica_role(project: Project) -> None:
    project.run("CREATE SCHEMA s", "CREATE TABLE s.a (x int)", role=Role.OWNER)
    project.run("SET session_replication_role = replica", "SET search_path = ''", "CREATE TABLE public.b (x int)")
    assert (project.lines()[table("a", "s")], project.lines()[table("b")]) == (2, 5)


HOSTILE = [
    'q"uote',
    "new\nline\r\ttab",
    "ünï 漢字 🐘",
    "x" * 63,
    "a.b",
    "dbproof:{",
    "*/ --",
    "%s %(x)s",
    "back\\slash",
    " ",
    "'",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(project: Project, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    other = '"' + name.replace('"', '""')[:50] + 'o"'
    project.run(
        f"CREATE SCHEMA {quoted}",
        f"CREATE TABLE {quoted}.{quoted} ({quoted} int CONSTRAINT {quoted} CHECK ({quoted} > 0))",
        f"CREATE INDEX {other} ON {quoted}.{quoted} ({quoted})",
        f"CREATE DOMAIN {quoted}.{other} AS int",
        f"ALTER TABLE {quoted}.{quoted} ADD {other} int CONSTRAINT {other} CHECK ({other} > 0)",
    )
    lines = project.lines()
    assert lines[table(name, name)] == lines[column(name, name, name)] == lines[constraint(name, name, name)] == 2
    assert lines[index(name, name[:50] + "o", name)] == 3
    assert lines[ObjectReference(ObjectKind.TYPE, name, "", name[:50] + "o")] == 4
    assert lines[column(name, name[:50] + "o", name)] == lines[constraint(name, name[:50] + "o", name)] == 5


def test_a_message_of_several_statements(project: Project) -> None:
    connection = project.connect()
    project.send(
        connection,
        "SET dbproof.at = 'm.sql:3';\nCREATE TABLE a (x int);\nSET dbproof.at = 'm.sql:9';\nCREATE TABLE b (x int);\n"
        "SET dbproof.at = 'd=C3=BC/n.sql:1'; DO $$ BEGIN CREATE TABLE c (x int); END $$;",
    )
    project.send(connection, "/*dbproof:n.sql:1*/CREATE TABLE d (x int)")
    project.send(connection, "CREATE TABLE e (x int)")
    provenance = project.provenance()
    assert provenance[column("a", "x")].place == Place("m.sql", 3)
    assert provenance[table("b")].place == Place("m.sql", 9)
    assert provenance[table("b")].statement == "CREATE TABLE b (x int);"
    assert provenance[table("c")].place == Place("dü/n.sql", 1)
    assert provenance[table("d")].place == Place("n.sql", 1)
    assert table("e") not in provenance


def test_a_clone_goes_on_where_its_golden_ended(project: Project) -> None:
    project.run("CREATE TABLE a (x int CONSTRAINT k CHECK (x > 0), y int)", "CREATE INDEX i ON a (x)")
    base = project.recording()
    golden = project.server.seal(project.database)
    with project.server.clone(golden) as clone:
        mark = project.server.mark()
        ran = Project(project.server, clone, project.sessions, mark, sent=2)
        ran.run("ALTER TABLE a RENAME x TO z", "ALTER TABLE a ALTER z TYPE bigint, ADD new int", role=Role.ADMIN)
        head = ran.recording(after=(base,))
        with session(clone.private) as ours:
            made = resolve(ours, base, head, revisions={"m.sql": "0001"})
    assert head.statements[-1].made == (column("a", "new"),)
    assert {made[column("a", "z")].place.line, made[constraint("a", "k")].place.line, made[index("a", "i")].place.line} == {1, 2}
    assert made[column("a", "new")].place.line == 4
    assert made[column("a", "new")].revision == "0001"
    project.server.open(golden)


def test_forged_records_mislead_nobody_into_an_error(project: Project) -> None:
    forged = [
        'dbproof:{"event":"made","at":"f.sql:1","xid":"9223372036854775000","objects":[[1259,1,0,true,"table","public.x",null]],"heirs":null}',
        'dbproof:{"event":"made","at":"f.sql:1","xid":"5","objects":[[4294967295,4294967295,32767,true,"t","a",null],[1247,4294967295,32767,true,"type","a",[1,"x"]]],"heirs":null}',
        'dbproof:{"event":"made","at":"f.sql:1","xid":"1","heirs":null,'
        '"objects":[[1259,1,0,false,"table","a.b",[1,["1 4294967295 c"],[]]]]}',
        'dbproof:{"event":"altered","at":"f.sql:1","xid":"1","table":[1,"a.b",["1 4294967295 c"],null]}',
    ]
    project.run("CREATE TABLE a (x int)", *(f"DO $f$ BEGIN RAISE LOG '{record}'; END $f$" for record in forged))
    assert project.lines()[table("a")] == 1


def test_objects_of_extensions_belong_to_the_extension(project: Project) -> None:
    with session(project.database.private) as ours:
        row = ours.execute("SELECT name FROM pg_available_extensions WHERE name IN ('vector', 'citext') LIMIT 1").fetchone()
    if row is None:
        pytest.skip("no extension is installed for this server")
    project.run(f"CREATE EXTENSION {row[0]}")
    assert project.lines() == {ObjectReference(ObjectKind.EXTENSION, "", "", row[0]): 1}


def test_reading_again_tells_the_same(project: Project) -> None:
    project.run("CREATE TABLE a (x int)")
    first = project.recording()
    assert first == read(project.server.log(project.mark), project.database.name)
