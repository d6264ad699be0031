from __future__ import annotations

from pathlib import Path

from checks.evidence import Place, Statement
from recorder.project import Project, table
from runner.recorder.matching import placed
from runner.recorder.provenance import resolve
from runner.recorder.recording import Recording
from runner.servers.postgresql.sessions import session


def places(root: Path, files: dict[str, str], *sent: str) -> list[Place | None]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    recording = Recording(tuple(Statement(text) for text in sent))
    return [statement.place for statement in placed(recording, [root / name for name in files], root).statements]


def test_white_space_comments_and_case_do_not_count(tmp_path: Path) -> None:
    file = "-- first\n\nCREATE TABLE a (\n  id int, -- the id\n  name text DEFAULT 'A;b'\n);\n/* x */ alter table A add y int;\n"
    sent = "create table a (id int, name text default 'A;b')", "ALTER TABLE a ADD y int;"
    assert places(tmp_path, {"db/1.sql": file}, *sent) == [Place("db/1.sql", 3), Place("db/1.sql", 7)]


def test_strings_and_quoted_names_do_count(tmp_path: Path) -> None:
    file = "INSERT INTO a VALUES ('x y');\nCREATE TABLE \"A\" (x int);\n"
    sent = "INSERT INTO a VALUES ('x  y')", "CREATE TABLE a (x int)", 'create table "A"(x INT)'
    assert places(tmp_path, {"1.sql": file}, *sent) == [None, None, Place("1.sql", 2)]


def test_what_stands_twice_or_is_too_short_has_no_place(tmp_path: Path) -> None:
    files = {"1.sql": "COMMIT; CREATE TABLE a (x int);", "2.sql": "CREATE TABLE a (x int); CREATE TABLE b (x int)"}
    assert places(tmp_path, files, "COMMIT", "CREATE TABLE a (x int)", "CREATE TABLE b (x int)") == [
        None,
        None,
        Place("2.sql", 1),
    ]


def test_a_whole_file_sent_at_once_is_placed_at_its_first_statement(tmp_path: Path) -> None:
    file = "\n\nBEGIN;\nCREATE TABLE a (x int);\nDO $$ BEGIN PERFORM 1; END $$;\nCOMMIT;\n"
    assert places(tmp_path, {"1.sql": file}, file, "CREATE TABLE a (x int); CREATE TABLE other (x int)") == [
        Place("1.sql", 4),
        None,
    ]


def test_files_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "latin.sql").write_bytes(b"CREATE TABLE \xe4 (x int)")
    recording = Recording((Statement("CREATE TABLE a (x int)", Place("kept.sql", 1)), Statement("CREATE TABLE b (x int)")))
    files = [tmp_path / "latin.sql", tmp_path / "missing.sql"]
    assert placed(recording, files, tmp_path) == recording
    assert places(
        tmp_path, {"open.sql": "CREATE TABLE a (x int); SELECT 'x", "b.sql": "CREATE TABLE b (x int)"}, "CREATE TABLE b (x int)"
    ) == [Place("b.sql", 1)]


def test_a_program_that_sends_files_is_traced(project: Project, tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("CREATE TABLE a (x int);\n\nCREATE TABLE b\n(x int);\n")
    connection = project.connect()
    for statement in ("CREATE TABLE a (x int)", "CREATE TABLE b (x int)"):
        project.send(connection, statement)
    recording = placed(project.recording(), [tmp_path / "1.sql"], tmp_path)
    with session(project.database.private) as ours:
        made = resolve(ours, recording)
    assert (made[table("a")].place, made[table("b")].place) == (Place("1.sql", 1), Place("1.sql", 3))


def test_an_error_is_traced_too(project: Project, tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("SELECT 1 +\n  1;\nINSERT INTO missing /* ? */ VALUES (1);\n")
    project.send(project.connect(), "insert into missing values (1)")
    (error,) = placed(project.recording(), [tmp_path / "1.sql"], tmp_path).errors
    assert (error.code, error.place) == ("42P01", Place("1.sql", 3))
