from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as some

from checks.interface import Engine
from runner.allows.allow import Allow
from runner.allows.comments import remarks
from runner.allows.words import allows_of

KNOWN = ("orphaned-rows", "unindexed-foreign-key", "unvalidated-constraint")
SQL = [Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB]


def found(name: str, text: str, engine: Engine = Engine.POSTGRESQL) -> list[tuple[str, int, tuple[int, int] | None]]:
    """What is said, on which line, and the first and last line that it speaks of."""
    said = remarks(name, textwrap.dedent(text).encode("utf-8", "surrogateescape"), engine)
    return [(one.text, one.line, (one.about.start, one.about[-1]) if one.about else None) for one in said]


@pytest.mark.parametrize("engine", SQL)
def test_comments_of_sql_speak_of_their_statement(engine: Engine) -> None:
    text = """\
        -- dbproof: allow above, why
        -- another word on it
        alter table a
          add b int; -- dbproof: allow beside, why
        select 1; /* dbproof: allow block,
                     over two lines */ select 2;

        -- dbproof: allow lonely, why

        create table c (
          d int -- dbproof: allow within, why
        );
        -- dbproof: allow last, why"""
    assert found("a.sql", text, engine) == [
        ("allow above, why", 1, (3, 4)),
        ("allow beside, why", 4, (3, 4)),
        ("allow block, over two lines", 5, (5, 5)),
        ("allow lonely, why", 8, None),
        ("allow within, why", 11, (10, 12)),
        ("allow last, why", 13, None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "select '-- dbproof: allow a, b';",
        "select '''-- dbproof: allow a, b''';",
        'select 1 as "-- dbproof: allow a, b";',
        "select $x$\n-- dbproof: allow a, b\n$x$;",
        "select E'\\'-- dbproof: allow a, b';",
        "create function f() returns void language sql begin atomic select '-- dbproof: allow a, b'; end;",
        "copy a from stdin;\n-- dbproof: allow a, b\n\\.\n",
        "-- see dbproof: allow a, b\nselect 1;",
        "/* -- dbproof: allow a, b */ select 1;",
    ],
)
def test_what_is_no_comment_of_postgresql(text: str) -> None:
    assert found("a.sql", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "select '-- dbproof: allow a, b';",
        "select [-- dbproof: allow a, b] from t;",
        "select `-- dbproof: allow a, b` from t;",
        'select "it\'s -- dbproof: allow a, b";',
        "select 1; /* never -- dbproof: allow a, b",
    ],
)
def test_what_is_no_comment_of_sqlite(text: str) -> None:
    assert found("a.sql", text, Engine.SQLITE) == []


@pytest.mark.parametrize(
    "text",
    [
        "select '-- dbproof: allow a, b';",
        "select 'it\\'s # dbproof: allow a, b';",
        "select `# dbproof: allow a, b` from t;",
        "select 1 --dbproof: allow a, b\n;",
        "/*! dbproof: allow a, b */",
    ],
)
def test_what_is_no_comment_of_mariadb(text: str) -> None:
    assert found("a.sql", text, Engine.MARIADB) == []


def test_comments_of_mariadb_begin_with_a_hash_too_and_a_delimiter_is_heeded() -> None:
    text = """\
        DELIMITER //
        # dbproof: allow above, why
        create procedure p() begin
          select 1; # dbproof: allow within, why
        end //
        DELIMITER ;
        select 1;
        """
    assert found("a.sql", text, Engine.MARIADB) == [("allow above, why", 2, (3, 5)), ("allow within, why", 4, (3, 5))]


def test_comments_of_python_speak_of_their_statement() -> None:
    text = '''\
        """# dbproof: allow docstring, why"""
        def upgrade():
            # dbproof: allow above, why
            # another word on it
            op.create_table(
                "a",  # dbproof: allow within, why
            )  # dbproof: allow beside, why
            op.execute("""
              -- dbproof: allow string, why
              # dbproof: allow string, why
            """)
            with op.batch_alter_table("a") as table:  # dbproof: allow head, why
                table.drop_column("b")
            # dbproof: allow lonely, why
        '''
    assert found("a.py", text) == [
        ("allow above, why", 3, (5, 7)),
        ("allow within, why", 6, (5, 7)),
        ("allow beside, why", 7, (5, 7)),
        ("allow head, why", 12, (12, 12)),
        ("allow lonely, why", 14, None),
    ]


@pytest.mark.parametrize("name", ["a.ts", "a.json", "dbproof.toml", "sql", "a.PY"])
def test_files_of_other_kinds_are_left_alone(name: str) -> None:
    assert found(name, "-- dbproof: allow a, b\n# dbproof: allow a, b\n") == []


@pytest.mark.parametrize(
    "text", ["def (: # dbproof: allow a, b", "'''\n# dbproof: allow a, b", "\0 # dbproof: allow a, b", "(" * 5000]
)
def test_what_is_no_python_says_nothing(text: str) -> None:
    assert found("a.py", text + " # dbproof: x") == []


def test_many_comments_are_read_in_linear_time() -> None:
    """A megabyte of them: a walk from each to its statement would not end."""
    for mark, name in (("--", "a.sql"), ("#", "a.py")):
        text = f"{mark} dbproof: allow a, b\n" * 45_000 + ("x = 1" if name == "a.py" else "select 1;")
        said = found(name, text)
        assert len(said) == 45_000
        assert {about for _, _, about in said} == {(45_001, 45_001)}


@given(some.binary(), some.sampled_from(["a.sql", "a.py"]), some.sampled_from(list(Engine)))
def test_no_file_breaks_it(content: bytes, name: str, engine: Engine) -> None:
    remarks(name, b"dbproof: " + content, engine)
    remarks(name, b"-- dbproof:" + content + b"\n" + content, engine)


@given(some.text(some.one_of(some.characters(), some.sampled_from("\r\n\x1b\0\ud800:*/'\"")), max_size=60))
def test_a_reason_of_any_text_comes_through_on_one_line(reason: str) -> None:
    """Whatever a comment may hold, its line and its statement are found, and nothing of it becomes a second allow."""
    line = "".join(" " if character in "\r\n\0" else character for character in reason)
    (said,) = remarks(
        "a.sql", f"select 1; -- dbproof: allow orphaned-rows, x{line}".encode("utf-8", "replace"), Engine.POSTGRESQL
    )
    (allow,) = allows_of(said, "a.sql", KNOWN)
    assert (allow.check, allow.place.line, allow.fault) == ("orphaned-rows", 1, "")
    assert allow.reason.startswith("x")
    assert "\n" not in allow.reason


def said(text: str) -> list[Allow]:
    (remark,) = remarks("a.sql", f"select 1; -- dbproof: {text}".encode(), Engine.POSTGRESQL)
    return list(allows_of(remark, "a.sql", KNOWN))


@pytest.mark.parametrize(
    ("text", "checks", "reason"),
    [
        ("allow orphaned-rows, why", ["orphaned-rows"], "why"),
        ("allow: orphaned-rows, why", ["orphaned-rows"], "why"),
        ("allow orphaned-rows, unindexed-foreign-key, a, b", ["orphaned-rows", "unindexed-foreign-key"], "a, b"),
        ("allow orphaned-rows unindexed-foreign-key, why", ["orphaned-rows", "unindexed-foreign-key"], "why"),
        ("allow orphaned-rows, orphaned-rows, why", ["orphaned-rows"], "why"),
        ("allow orphaned-rows, orphaned rows are fine", ["orphaned-rows"], "orphaned rows are fine"),
    ],
)
def test_checks_and_reason(text: str, checks: list[str], reason: str) -> None:
    allows = said(text)
    assert [allow.check for allow in allows] == checks
    assert {(allow.reason, allow.fault) for allow in allows} == {(reason, "")}


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("allow orphaned-rows", ["it says no reason; write `dbproof: allow CHECK, why`"]),
        ("allow orphaned-rows,  ", ["it says no reason; write `dbproof: allow CHECK, why`"]),
        ("allow", ["it names no check; write `dbproof: allow CHECK, why`"]),
        ("allow orphaned-row, why", ["'orphaned-row' is no check; did you mean 'orphaned-rows'?"]),
        ("allow orphaned-rows nope, why", ["", "'nope' is no check; there are: " + ", ".join(KNOWN)]),
        ("alow orphaned-rows, why", ["'alow' is nothing that a comment can say; did you mean 'allow'?"]),
    ],
)
def test_what_is_wrong_is_said_and_accepts_nothing(text: str, faults: list[str]) -> None:
    allows = said(text)
    assert [allow.fault for allow in allows] == faults
    assert not any(allow.accepts(allow.check, "x", allow.place) for allow in allows if allow.fault)


def test_a_comment_at_no_statement_says_so() -> None:
    (remark,) = remarks("a.sql", b"-- dbproof: allow orphaned-rows, why\n\nselect 1;", Engine.POSTGRESQL)
    (allow,) = allows_of(remark, "a.sql", KNOWN)
    assert allow.fault == "it stands at no statement; put it on the statement's line or on the line above"
