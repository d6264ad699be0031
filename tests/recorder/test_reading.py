from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Integer, String, create_engine, event, text

from checks.evidence import Lock, Place, Rewrite, Statement
from checks.schema.names import ObjectKind
from checks.targets import Role
from recorder.project import Project, column, constraint, index, logged, table
from runner.recorder.install import watch_locks
from runner.recorder.reading import LONGEST, read
from runner.recorder.recording import Recording
from runner.recorder.stamps import comment
from runner.servers.postgresql.sessions import session


def texts(recording: Recording) -> list[str]:
    return [statement.text for statement in recording.statements]


def test_statements_come_in_order_with_places_and_durations(project: Project) -> None:
    project.run("CREATE TABLE a (x int)", "INSERT INTO a VALUES (1)", "SELECT pg_sleep(0.05)")
    recording = project.recording()
    assert texts(recording) == ["CREATE TABLE a (x int)", "INSERT INTO a VALUES (1)", "SELECT pg_sleep(0.05)"]
    assert [statement.place for statement in recording.statements] == [Place("m.sql", line) for line in (1, 2, 3)]
    assert (recording.statements[2].seconds or 0) >= 0.05
    assert recording.statements[0].made == (table("a"), column("a", "x"))
    assert not any(statement.made or statement.undone for statement in recording.statements[1:])


def test_the_extended_protocol_counts_once(project: Project) -> None:
    connection = project.connect()
    connection.execute("CREATE TABLE a (x int, y text)")
    for number in range(3):
        connection.execute("INSERT INTO a VALUES (%s, %s)", [number, "secret: x"], prepare=True)
    recording = project.recording()
    assert texts(recording) == ["CREATE TABLE a (x int, y text)"] + ["INSERT INTO a VALUES ($1, $2)"] * 3
    assert all(statement.seconds for statement in recording.statements)


def test_the_time_of_parsing_counts() -> None:
    steps = ("parse <unnamed>: SELECT 1", "bind <unnamed>: SELECT 1", "execute <unnamed>: SELECT 1")
    records = [logged(f"duration: {number}.500 ms  {step}") for number, step in enumerate(steps)]
    assert [statement.seconds for statement in read(records, "d").statements] == [pytest.approx(0.0045)]


def test_dropped_objects_are_named(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int CONSTRAINT k CHECK (x > 0), y int)",
        "CREATE INDEX i ON a (x)",
        "ALTER TABLE a DROP COLUMN y",
        "DROP INDEX i",
        "DROP TABLE a",
    )
    dropped = [statement.dropped for statement in project.statements()]
    assert dropped == [(), (), (column("a", "y"),), (index("a", "i"),), (table("a"), constraint("a", "k"))]


def test_rewrites_are_seen_on_empty_tables(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int)",
        "ALTER TABLE a ADD y double precision DEFAULT random()",
        "ALTER TABLE a ALTER x TYPE bigint",
        "ALTER TABLE a SET UNLOGGED",
        "ALTER TABLE a ADD z int DEFAULT 1",
    )
    rewrites = [statement.rewrites for statement in project.statements()]
    assert rewrites[1:] == [
        (Rewrite("a", "default is computed for each row"),),
        (Rewrite("a", "type changed"),),
        (Rewrite("a", "persistence changed"),),
        (),
    ]


def test_what_is_undone_is_told_as_such(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int)",
        "BEGIN",
        "CREATE TABLE b (x int)",
        "SAVEPOINT s",
        "CREATE TABLE c (x int)",
        'ROLLBACK TO SAVEPOINT "s"',
        "CREATE TABLE d (x int)",
        "COMMIT",
        "BEGIN; CREATE TABLE e (x int)",
        "ROLLBACK AND CHAIN",
        "CREATE TABLE f (x int)",
        "SELECT 1/0",
        "COMMIT",
        "START TRANSACTION",
        "CREATE TABLE g (x int)",
    )
    made = {statement.made[0].relation: statement for statement in project.statements() if statement.made}
    assert {name: statement.undone for name, statement in made.items()} == {
        "a": False, "b": False, "c": True, "d": False, "e": True, "f": True, "g": True,
    }  # fmt: skip


def test_keywords_within_a_body_control_nothing(project: Project) -> None:
    project.run(
        "BEGIN",
        "CREATE TABLE a (x int)",
        "DO $$ BEGIN PERFORM 'rollback;'; END $$; SELECT 'commit; rollback' -- ; rollback",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 'end'",
        "COMMIT",
    )
    assert not any(statement.undone for statement in project.statements())


def test_a_statement_that_fails_tells_what_it_did_before(project: Project) -> None:
    project.run(
        "CREATE TABLE a (x int)",
        "INSERT INTO a VALUES (NULL)",
        "ALTER TABLE a ADD y int, ALTER x TYPE bigint, ALTER x SET NOT NULL",
    )
    recording = project.recording()
    assert [statement.rewrites for statement in recording.statements if statement.undone] == [(Rewrite("a", "type changed"),)]
    (error,) = recording.errors
    assert (error.code, error.place, error.severity) == ("23502", Place("m.sql", 3), "ERROR")
    assert error.said == 'column "x" of relation "a" contains null values'
    assert error.statement.startswith("ALTER TABLE a ADD y int")
    assert error.session in recording.sessions


def test_the_failing_message_of_several_statements_tells_each(project: Project) -> None:
    project.send(project.connect(), "SET dbproof.at = 'm.sql:3'; CREATE TABLE a (x int); SET dbproof.at = 'm.sql:4'; SELECT 1/0;")
    recording = project.recording()
    assert [(each.place, each.made[:1], each.undone) for each in recording.statements] == [
        (Place("m.sql", 3), (table("a"),), True),
        (Place("m.sql", 4), (), True),
    ]
    assert recording.errors[0].place is None


def test_only_the_projects_sessions_count(project: Project) -> None:
    with session(project.database.private) as ours:
        ours.execute("CREATE TABLE ours (x int)")
    connection = project.connect(application_name="dbproof-migrations")
    connection.execute("CREATE TABLE theirs (x int)")
    project.connect(Role.OWNER)
    recording = project.recording()
    assert texts(recording) == ["CREATE TABLE theirs (x int)"]
    assert len(recording.sessions) == 2


def test_other_databases_do_not_count(project: Project) -> None:
    project.run("CREATE TABLE a (x int)")
    project.sessions.close()
    assert read(project.server.log(project.mark), "another") == Recording()


def test_a_login_that_is_refused_is_an_error_without_a_session(project: Project) -> None:
    with pytest.raises(psycopg.OperationalError):
        project.connect(Role.OWNER, password="wrong")
    recording = project.recording()
    assert [error.code for error in recording.errors] == ["28P01"]
    assert recording.sessions == frozenset()


def test_locks_are_watched_when_asked_and_only_on_what_was_there(project: Project) -> None:
    project.run("CREATE TABLE a (x int PRIMARY KEY)", "CREATE TABLE gone (x int)")
    base = project.recording()
    with session(project.database.private) as ours:
        watch_locks(ours, True)
    head = Project(project.server, project.database, project.sessions, project.server.mark())
    head.run(
        "CREATE TABLE new (x int REFERENCES a)",
        "BEGIN",
        "ALTER TABLE a ADD y int",
        "CREATE INDEX i ON a (y)",
        "COMMIT",
        "CREATE INDEX j ON new (x)",
        "DROP TABLE gone",
    )
    with session(project.database.private) as ours:
        watch_locks(ours, False)
    head.run("ALTER TABLE a ADD z int")
    statements = head.recording(after=(base,)).statements
    locks = {statement.text: statement.locks for statement in statements if statement.locks}
    assert Lock("a", "ShareRowExclusiveLock") in locks["CREATE TABLE new (x int REFERENCES a)"]
    assert locks["ALTER TABLE a ADD y int"] == (Lock("a", "AccessExclusiveLock"),)
    assert locks["CREATE INDEX i ON a (y)"] == (Lock("a", "ShareLock"),)
    assert locks["DROP TABLE gone"] == (Lock("gone", "AccessExclusiveLock"),)
    assert len(locks) == 4


def test_nothing_is_locked_where_nobody_watches(project: Project) -> None:
    project.run("CREATE TABLE a (x int)", "ALTER TABLE a ADD y int")
    assert not any(statement.locks for statement in project.statements())


def test_what_only_changes_is_not_made(project: Project) -> None:
    project.run("CREATE TABLE a (x int CONSTRAINT k CHECK (x > 0))")
    base = project.recording()
    head = Project(project.server, project.database, project.sessions, project.server.mark())
    head.run(
        "ALTER TABLE a RENAME x TO y",
        "ALTER TABLE a RENAME CONSTRAINT k TO l",
        "ALTER TABLE a ALTER y SET NOT NULL",
        "ALTER TABLE a ALTER y TYPE bigint",
        "ALTER TABLE a ADD z int",
    )
    made = [
        [each for each in statement.made if each.kind is ObjectKind.COLUMN]
        for statement in head.recording(after=(base,)).statements
    ]
    assert made == [[], [], [], [], [column("a", "z")]]
    assert constraint("a", "l") not in [
        named for statement in head.recording(after=(base,)).statements for named in statement.made
    ]


def test_a_long_statement_is_cut(project: Project) -> None:
    project.run(f"SELECT '{'x' * 3 * LONGEST}'")
    assert len(project.statements()[0].text) == LONGEST


def test_temporary_tables_and_privileges_do_no_harm(project: Project) -> None:
    project.run(
        "CREATE TEMPORARY TABLE t (x int PRIMARY KEY) ON COMMIT DROP",
        "CREATE ROLE dbproof_somebody",
        "GRANT ALL ON SCHEMA public TO dbproof_somebody",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO dbproof_somebody",
        "COMMENT ON SCHEMA public IS 'x'",
        "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM dbproof_somebody",
        "REVOKE ALL ON SCHEMA public FROM dbproof_somebody",
        "DROP ROLE dbproof_somebody",
    )
    recording = project.recording()
    assert recording.errors == ()
    assert project.lines() == {}


@pytest.fixture
def alembic(project: Project) -> Iterator[Connection]:
    """A connection of SQLAlchemy whose statements carry stamps, as those of a migration do."""
    address = project.database.addresses[Role.OWNER]
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(**address.keywords()))
    lines = iter(range(1, 100))

    def stamp(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> tuple[str, Any]:
        return f"{comment(Place('versions/0001 añ.py', next(lines)))}{statement}", parameters

    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", stamp, retval=True)
        yield connection
    engine.dispose()


def test_alembic_operations_are_traced_to_their_lines(project: Project, alembic: Connection) -> None:
    alembic.exec_driver_sql("CREATE SCHEMA app")
    operations = Operations(MigrationContext.configure(alembic))
    operations.create_table("a", Column("id", Integer, primary_key=True), Column("name", String(20), index=True), schema="app")
    operations.add_column("a", Column("size", Integer), schema="app")
    operations.create_check_constraint("positive", "a", "size > 0", schema="app")
    alembic.execute(text("INSERT INTO app.a (name) VALUES (:name)").bindparams(name="100% 'sure'"))
    alembic.commit()
    alembic.close()
    lines = {named: (made.place.file, made.place.line) for named, made in project.provenance().items()}
    assert lines[table("a", "app")] == ("versions/0001 añ.py", 2)
    assert lines[index("a", "ix_app_a_name", "app")] == ("versions/0001 añ.py", 3)
    assert lines[column("a", "size", "app")] == ("versions/0001 añ.py", 4)
    assert lines[constraint("a", "positive", "app")] == ("versions/0001 añ.py", 5)


def test_sessions_do_not_mix() -> None:
    records = [
        logged("duration: 1 ms  statement: BEGIN", session="a"),
        logged("duration: 1 ms  statement: CREATE TABLE x ()", session="a"),
        logged("boom", session="b", severity="ERROR", sent="SELECT 1/0"),
        logged("duration: 1 ms  statement: ROLLBACK", session="b"),
        logged("duration: 1 ms  statement: COMMIT", session="a"),
    ]
    assert not any(statement.undone for statement in read(records, "d").statements)


def test_a_statement_whose_session_was_ended_is_told_as_undone() -> None:
    said = '{"event":"rewritten","at":null,"xid":"7","relation":[1,"public","a"],"reason":4}'
    statements = read([logged(f"dbproof:{said}")], "d").statements
    assert statements == (Statement("", rewrites=(Rewrite("a", "type changed"),), undone=True),)
