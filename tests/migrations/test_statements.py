"""The splitter, against itself, against the server and against psql."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runner.migrations.simple_query import Session
from runner.migrations.statements import MetaCommand, Statement, split
from runner.servers.interface import Database

PSQL = shutil.which("psql")


def texts(sql: str) -> list[str]:
    return [piece.text for piece in split(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select $$;$$; select $a$ $b$ ; $a $a$", ["select $$;$$", "select $a$ $b$ ; $a $a$"]),
        ("select a$b$ from t; select $b$ ; $b$", ["select a$b$ from t", "select $b$ ; $b$"]),
        ("select $1; select 1$$;$$", ["select $1", "select 1$$;$$"]),
        ("select $é$;$é$; select $A$;$a$;$A$", ["select $é$;$é$", "select $A$;$a$;$A$"]),
        (r"select E'\';'; select '\'; select 3", [r"select E'\';'", r"select '\'", "select 3"]),
        ("select e'a'\n -- so on\n  'b\\';'; select 2", ["select e'a'\n -- so on\n  'b\\';'", "select 2"]),
        (r"select E'a' '\'; select 2", [r"select E'a' '\'", "select 2"]),
        ("select U&'\\0061;' ; select B'1', 'it''s;'", ["select U&'\\0061;'", "select B'1', 'it''s;'"]),
        ('select "a;""b;"; select 2', ['select "a;""b;"', "select 2"]),
        ("/* a /* ; */ ; */ select /* ; */ 1 -- ;\n; select 2", ["select /* ; */ 1", "select 2"]),
        ("select 1 */* c */ 2; select 5--4;\n", ["select 1 */* c */ 2", "select 5"]),
        ("create rule r as on insert to t do (a; b); select 2", ["create rule r as on insert to t do (a; b)", "select 2"]),
        (
            "create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3",
            ["create function f() returns int begin atomic select case when true then 1 end; select 2; end", "select 3"],
        ),
        (
            "CREATE /*x*/ OR REPLACE PROCEDURE p() BEGIN ATOMIC delete from t; END; begin; end",
            ["CREATE /*x*/ OR REPLACE PROCEDURE p() BEGIN ATOMIC delete from t; END", "begin", "end"],
        ),
        (
            "create function begin_it() returns int language sql as 'begin; x'; select 2",
            ["create function begin_it() returns int language sql as 'begin; x'", "select 2"],
        ),
        (";; ; -- nothing\n/* at all */", []),
        ("(select 1); -1", ["(select 1)", "-1"]),
        ("select 1) ; select 2", ["select 1)", "select 2"]),
    ],
)
def test_a_statement_ends_where_postgresql_ends_it(sql: str, expected: list[str]) -> None:
    assert texts(sql) == expected


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_line_is_that_of_the_first_token(newline: str) -> None:
    sql = newline.join(["-- one", "", "/* three", "four */ create table a (", "  x int", ");", "select 1; select 2;", "select 3"])
    found = split(sql)
    assert [piece.line for piece in found] == [4, 7, 7, 8]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("select 1;\nselect 'a;\nb", 2),
        ("select 1,\n  $x$ ; $y$", 2),
        ('select 1,\n\n "a', 3),
        ("select E'a\\'", 1),
        ("select 1\n/* /* */ ;", 2),
        ("\n/* never", 2),
    ],
)
def test_a_quote_that_never_ends_is_reported_with_its_line(sql: str, line: int) -> None:
    last = split(sql)[-1]
    assert isinstance(last, Statement)
    assert last.unterminated == line
    assert last.end == len(sql)


def test_rows_after_copy_belong_to_it() -> None:
    sql = "copy public.t (a, b) from stdin;\n1\t';\n\\.\ncopy t FROM STDIN (format csv); -- rows\r\n2,x\r\n\\.\r\nselect 1;"
    first, second, third = split(sql)
    assert isinstance(first, Statement)
    assert isinstance(second, Statement)
    assert (first.data, second.data) == ("1\t';\n", "2,x\r\n")
    assert (first.line, second.line, third.line) == (1, 4, 7)


@pytest.mark.parametrize("sql", ["copy t to stdout;\nselect 1;", "copy (select 1 from stdin) to stdout;\nselect 1;"])
def test_no_rows_follow_another_copy(sql: str) -> None:
    assert len(split(sql)) == 2


def test_commands_to_psql_are_told_from_statements() -> None:
    sql = "\\set x 1\nselect 1;\n  \\copy t from 'a;b'\nselect 2 \\gexec\nselect '\\i x';"
    found = split(sql)
    assert [(piece.text, piece.line) for piece in found if isinstance(piece, MetaCommand)] == [
        ("\\set x 1", 1),
        ("\\copy t from 'a;b'", 3),
        ("\\gexec", 4),
    ]
    assert [piece.within for piece in found if isinstance(piece, MetaCommand)] == [False, False, True]
    assert [piece.text for piece in found if isinstance(piece, Statement)] == ["select 1", "select '\\i x'"]


@pytest.mark.parametrize(
    "unit",
    ["insert into t values (1, 'a;b', $$x$$);\n", "a''", "E'a'\n", "/*", "/* x */", "$a ", "((", "-", "é", "\\x ", "'a\n", ";"],
)
def test_a_large_file_is_split_in_one_pass(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the text takes about ten times the steps; a second look at what was seen would take a hundred."""
    from runner.migrations import statements

    steps: list[int] = []
    take = statements._Splitter.take

    def counting(self: statements._Splitter, kind: str, token: re.Match[str]) -> int:
        steps[-1] += 1
        return take(self, kind, token)

    monkeypatch.setattr(statements._Splitter, "take", counting)
    for size in (100, 1000):
        steps.append(0)
        split("select 1 " + unit * size)
    assert steps[1] <= steps[0] * 11


#: Pieces that begin, end or look like quotes and comments. The backslash, which is psql's outside of quotes, comes only in them.
_NASTY = (
    *("'", "''", "E'", "e'\\'", '"', '""', "$", "$$", "$a$", "$b$", "$1", "a$", "a$a$", "1", "1a", "E", "U&'", "--", "/*", "*/"),
    *("\n", "\r\n", " ", ";", ";", "(", ")", "begin", "end", "case", "create function", "create or replace procedure"),
    *("select", "-", "/", "*", "é", "\t", "atomic", "copy", "from", "::", ",", "[", "]"),
)
soup = st.lists(st.sampled_from(_NASTY), max_size=30).map("".join)


@given(soup)
def test_splitting_loses_nothing(sql: str) -> None:
    """What stands between two statements is blank, comment or semicolon, and texts and lines are the file's own."""
    position = 0
    for piece in split(sql):
        assume(isinstance(piece, Statement))
        assert isinstance(piece, Statement)
        assert sql[piece.start : piece.end] == piece.text
        assert piece.start >= position
        assert piece.line == sql.count("\n", 0, piece.start) + 1
        assert not split(sql[position : piece.start])
        position = piece.end
    assert not split(sql[position:])


@given(soup)
def test_a_statement_is_one_statement_again(sql: str) -> None:
    for piece in split(sql):
        if isinstance(piece, Statement) and piece.data is None and piece.text.count(")") == 0:
            assert [again.text for again in split(piece.text)] == [piece.text]


_LITERALS = (
    *("'a;b'", "'it''s;'", r"E'\';\\'", "E'a'\n'b\\';'", "$$;'$$", "$a$;$b$;$a$", "$é$ -- ; $é$", "U&'\\0061;'", "N';'", "B'01'"),
    *('1 as ";"', '1 as "a"";b"', "1 /* ; /* ' */ */", "1 -- ; '\n", "(select 1)", "1 as a$b$", "array[1, 2]", "'\\'", "5 - -1"),
    *("case when true then 1 end", '1 as "begin"', "1 */* ; */ 2"),
)
_SEPARATORS = (";", ";\n", " ;\r\n-- ; '\r\n", ";;", "; /* ; $$ */ ;", ";\n\n\t")
valid = st.lists(st.tuples(st.sampled_from(_LITERALS), st.sampled_from(_SEPARATORS)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(valid)
def test_the_server_counts_as_many_statements(database: Database, parts: list[tuple[str, str]]) -> None:
    sql = "".join(f"select {literal}{separator}" for literal, separator in parts)
    with psycopg.connect(**database.private.keywords(), autocommit=True) as connection:
        reply = Session(connection, time.monotonic() + 60).send(sql)
    assert reply.refusal is None
    assert reply.completed == len(split(sql)) == len(parts)


@pytest.mark.skipif(PSQL is None, reason="psql is not installed")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(soup, min_size=1, max_size=12))
def test_psql_sends_the_same_statements(database: Database, tmp_path: Path, parts: list[str]) -> None:
    """Whatever is no SQL at all too: psql logs what it sends, right or wrong."""
    assert PSQL is not None
    sql = ";".join(parts).replace("copy", "")
    assume(not any(isinstance(piece, MetaCommand) for piece in split(sql)))
    (tmp_path / "soup.sql").write_bytes(sql.encode())
    log = tmp_path / "log"
    log.unlink(missing_ok=True)
    private = database.private
    address = ["-h", private.host, "-p", str(private.port), "-U", private.user, "-d", private.database]
    subprocess.run(
        [PSQL, "-X", "-q", *address, "-L", str(log), "-f", str(tmp_path / "soup.sql")],
        env={**os.environ, "PGPASSWORD": private.password, "PGAPPNAME": "dbproof", "PGCLIENTENCODING": "UTF8"},
        check=False,
        capture_output=True,
        timeout=60,
    )
    sent = re.findall(r"\*{9} QUERY \*{10}\n(.*?)\n\*{26}\n", log.read_bytes().decode() if log.exists() else "", re.DOTALL)
    asked = [found[0].text for query in sent if (found := split(query))]
    assert [text.rstrip() for text in asked] == [text.rstrip() for text in texts(sql)]
