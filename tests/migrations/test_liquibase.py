"""Liquibase's formatted SQL: what the changelog includes, where statements end, conditions, books, rollbacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from sql_tools import applied, project, rows, there_and_back, write

from checks.evidence import Place
from runner.errors import ToolFailed, UsageError
from runner.migrations import liquibase as adapter
from runner.migrations.liquibase_sql import matches
from runner.migrations.liquibase_statements import statements
from runner.servers.interface import Database

FIRST = """--liquibase formatted sql
--property name:kind value:bigint

--changeset ada:users
--comment: Who buys.
create table users (id ${kind} primary key);
insert into users values (1); insert into users values (2);
--rollback drop table users;

--changeset ada:names splitStatements:false runInTransaction:false
create index concurrently users_by_id
  on users (id);
/* liquibase rollback
drop index concurrently users_by_id;
*/
--changeset ada:f endDelimiter://
create function f() returns int language plpgsql as $$ begin return 1; end $$ //
select f() //
--changeset ada:other dbms:mysql
select 'nothing for us';
--changeset ada:test context:"test and !prod"
create table only_in_tests (id int);
--rollback not required
"""
VIEW = """--liquibase formatted sql logicalFilePath:views
--changeset "ada b":"a view" runOnChange:true
create or replace view v as select id from users;
--rollback drop view v;
--changeset ada:there
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 select count(*) from users
create table no_users (id int);
--changeset ada:later
--preconditions onFail:CONTINUE
--precondition-table-exists table:nowhere
create table later (id int);
"""
ROOT = """databaseChangeLog:
  - include: {file: first.sql, relativeToChangelogFile: true}
  - includeAll: {path: db/changelog/views/}
"""
FILES = {"db/changelog/root.yaml": ROOT, "db/changelog/first.sql": FIRST, "db/changelog/views/v.sql": VIEW}
NAMES = [f"db/changelog/first.sql::{name}::ada" for name in ("users", "names", "f", "test")]
BOOKS = "select id, author, filename, exectype, orderexecuted, comments, contexts from databasechangelog order by orderexecuted"


def test_changesets_are_run_and_written_down(tmp_path: Path, database: Database) -> None:
    write(tmp_path, FILES)
    here = project(adapter, tmp_path, config="db/changelog/root.yaml")
    listed = adapter.revisions(here)
    assert [(one.id, one.title, str(one.place)) for one in listed[:4]] == list(
        zip(
            NAMES,
            ["Who buys.", "names", "f", "test"],
            [f"db/changelog/first.sql:{line}" for line in (4, 10, 16, 21)],
            strict=True,
        )
    )
    done, broke = applied(adapter, here, database)
    assert (len(done), broke) == (7, None)
    tables = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v') order by 1"
    names = ["databasechangelog", "databasechangeloglock", "only_in_tests", "users", "v"]
    assert rows(database, tables) == [(name,) for name in names]
    first = "db/changelog/first.sql"
    assert rows(database, BOOKS) == [
        ("users", "ada", first, "EXECUTED", 1, "Who buys.", None),
        ("names", "ada", first, "EXECUTED", 2, "", None),
        ("f", "ada", first, "EXECUTED", 3, "", None),
        ("test", "ada", first, "EXECUTED", 4, "", "(test and !prod)"),
        ("a view", "ada b", "views", "EXECUTED", 5, "", None),
        ("there", "ada", "views", "MARK_RAN", 6, "", None),
    ]
    assert applied(adapter, here, database) == (["views::later::ada"], None), "its table is still nowhere"
    write(tmp_path, {"db/changelog/views/v.sql": VIEW.replace("select id from", "select id, 1 as one from")})
    write(tmp_path, {"liquibase.properties": "changelog-file: db/changelog/root.yaml\ncontexts=prod\n"})
    here = project(adapter, tmp_path)
    assert NAMES[3] not in [one.id for one in adapter.revisions(here)]
    done, _ = applied(adapter, here, database)
    assert done[0].startswith("views::a view::ada b ")
    assert rows(database, f"{BOOKS} desc limit 1")[0][:5] == ("a view", "ada b", "views", "RERAN", 7)


def test_each_goes_up_down_and_up_again(tmp_path: Path, database: Database) -> None:
    write(tmp_path, FILES)
    here = project(adapter, tmp_path, config="db/changelog/root.yaml")
    seen = there_and_back(adapter, here, database, *NAMES)
    made = [{name for (name, *rest) in one[:-1] if not rest and "changelog" not in name} for one in seen]
    table, index = {"users", "users_pkey"}, {"users", "users_pkey", "users_by_id"}
    assert made == [table, set(), table, index, table, index, *[index] * 3, *[index | {"only_in_tests"}] * 4]
    backs = [f"db/changelog/first.sql:{line}" for line in (8, 14, 16, 23)]
    missing = ["", "", "it has no `--rollback`", "its rollback is `not required`"]
    assert [one[-1] for one in seen[1::3]] == list(zip(backs, missing, strict=True))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("--changeset ada\nselect 1;", 2, "Unexpected formatting at line 2: --changeset ada"),
        ("--changeset a:1\n-rollback x\nselect 1;", 3, "Unexpected formatting at line 3: -rollback x"),
        ("--changeset a:1\n--changeset a:2\nselect 1;", 2, "No SQL for changeset c.sql::1::a"),
        (
            "--changeset a:1\nselect 1;\n--changeset a:1\nselect 2;",
            4,
            "Validation failed: the changeset c.sql::1::a is there twice",
        ),
        (
            "--changeset a:1\n--preconditions onFail:HALT\n--precondition-sql-check expectedResult:1 select 2\nselect 1;",
            4,
            "precondition failed at line 4: sql-check expectedResult:1 select 2",
        ),
    ],
)
def test_what_liquibase_refuses(text: str, line: int, said: str, tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"c.sql": f"--liquibase formatted sql\n{text}"})
    done, broke = applied(adapter, project(adapter, tmp_path, config="c.sql"), database)
    assert (done, broke and (broke.said, broke.place)) == ([], (said, Place("c.sql", line)))


def test_dollar_quotes_do_not_keep_a_function_together(tmp_path: Path, database: Database) -> None:
    write(tmp_path, {"c.sql": "--liquibase formatted sql\n--changeset a:1\n\ncreate function g() returns int language sql as $$\n"
                     " select 1;\n select 2; $$;\n"})  # fmt: skip
    _, broke = applied(adapter, project(adapter, tmp_path, config="c.sql"), database)
    assert broke is not None
    assert (broke.code, broke.place) == ("42601", Place("c.sql", 4))
    assert "unterminated dollar-quoted string" in broke.said


def test_comments_are_not_sent_and_a_search_path_does_not_move_what_follows(tmp_path: Path, database: Database) -> None:
    """As with Liquibase 4.31 and 5.0."""
    body = "as $$ begin /* one; */ return 1; -- '--'\n end $$;\n"
    text = (
        "--liquibase formatted sql\n--changeset a:1\ncreate schema other;\nset search_path = other;\n"
        f"--changeset a:2 splitStatements:false\ncreate function f() returns int language plpgsql {body}"
        f"--changeset a:3 splitStatements:false stripComments:false\ncreate function g() returns int language plpgsql {body}"
    )
    write(tmp_path, {"c.sql": text})
    done, broke = applied(adapter, project(adapter, tmp_path, config="c.sql"), database)
    assert (len(done), broke) == (3, None)
    assert rows(
        database, "select pronamespace::regnamespace::text, prosrc from pg_proc where proname in ('f', 'g') order by proname"
    ) == [
        ("public", " begin  return 1; \n end "),
        ("public", " begin /* one; */ return 1; -- '--'\n end "),
    ]


@pytest.mark.parametrize(
    ("text", "delimiter", "expected"),
    [
        ("a; b -- c; d\n; e 'x;''y' \"z;\n\"", "", ["a", "b", "e 'x;''y' \"z;\n\""]),
        ("do begin x; if y then z; end if; end; w", "", ["do begin x; if y then z; end if", "end", "w"]),
        ("begin transaction; a; end transaction; b", "", ["begin transaction", "a", "end transaction", "b"]),
        ("a\nGO\nb\n go\n/\nc", "", ["a", "b\n go", "c"]),
        ("a $$ b; $$ c", "$$", ["a", "b;", "c"]),
        ("4/2\n/\ngone\n/", "/", ["4/2", "gone"]),
        ("x gone GO y", "go", ["x gone", "y"]),
        ("as $$begin a; end$$; b", "", ["as $$begin a", "end$$", "b"]),
    ],
)
def test_where_a_statement_ends(text: str, delimiter: str, expected: list[str]) -> None:
    assert [one.text for one in statements(text, 1, delimiter)] == expected


def test_contexts() -> None:
    assert [matches("a and (b or !c)", given) for given in (["a"], ["a", "c"], ["A", "b", "c"], [])] == [True, False, True, True]
    assert [matches("a, b", given) for given in (["b"], ["c"])] == [True, False]
    assert (matches("@a", []), matches("@a", ["a"])) == (False, True)


def test_what_is_not_in_sql_is_for_liquibase_itself(tmp_path: Path) -> None:
    root = '<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"><include file="a.sql"/>{}</databaseChangeLog>'
    write(tmp_path, {"db.changelog.xml": root.format(""), "a.sql": "select 1;"})
    here = project(adapter, tmp_path)
    assert [one.id for one in adapter.revisions(here)] == ["a.sql::raw::includeAll"]
    write(tmp_path, {"db.changelog.xml": root.format('<changeSet id="1" author="a"/>')})
    with pytest.raises(ToolFailed, match=r"db\.changelog\.xml: 'changeSet' is not in SQL: cannot run here"):
        adapter.revisions(here)
    write(tmp_path, {"db.changelog.xml": "<a>"})
    with pytest.raises(UsageError, match=r"db\.changelog\.xml: no element found"):
        adapter.revisions(here)
    write(tmp_path, {"db.changelog.xml": root.format('<include file="db.changelog.xml"/>')})
    with pytest.raises(UsageError, match="includes itself"):
        adapter.revisions(here)
    with pytest.raises(UsageError, match="there is no changelog in sub"):
        adapter.revisions(project(adapter, tmp_path, "sub"))


def test_it_is_recognised_where_all_of_it_is_sql(tmp_path: Path) -> None:
    master = "src/main/resources/db/changelog/db.changelog-master.json"
    write(tmp_path, {master: '{"databaseChangeLog": [{"includeAll": {"path": "db/changelog/all"}}]}'})
    write(tmp_path, {"src/main/resources/db/changelog/all/1.sql": FIRST})
    found = adapter.detect(tmp_path)
    assert found is not None
    assert (found.settings.directory, found.because.file, found.sure) == ("src/main/resources", master, True)
    write(tmp_path, {master: '{"databaseChangeLog": [{"changeSet": {"id": "1"}}]}'})
    assert adapter.detect(tmp_path) is None
