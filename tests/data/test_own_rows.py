"""The repository's own rows in files of tables, on real servers: taken as they stand, refused at their line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_databases import ENGINES, SHOP, Make
from own_databases import on as on
from pyarrow import parquet

from checks.evidence import LoadedFile, Place
from checks.interface import Engine
from runner.data.own.records import records
from runner.data.own.sources import resolved
from runner.errors import UsageError

USERS = 'id,name,note\n1,"Ann ""A"", Zoë",\n2,"two\nlines",""\n3,Bob,NULL\n'


@pytest.mark.parametrize("engine", ENGINES)
def test_csv_is_taken_as_it_stands(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute(*SHOP)
    shop.write(users__csv=USERS, orders__csv="id;user_id;total\r\n7;1;12.50\r\n")
    loaded = shop.load("users.csv", {"file": "orders.csv", "delimiter": ";"})
    assert loaded == (LoadedFile("users.csv"), LoadedFile("orders.csv"))
    assert shop.rows("SELECT id, name, note FROM users ORDER BY id") == [
        (1, 'Ann "A", Zoë', None),
        (2, "two\nlines", ""),
        (3, "Bob", "NULL"),
    ]
    assert [(number, float(total)) for number, total in shop.rows("SELECT user_id, total FROM orders")] == [(1, 12.5)]


REFUSED: tuple[tuple[str | bytes, int, str], ...] = (
    ("id,name\n1,A\n2,\n3,C\n", 3, "name"),
    ('id,name\n1,"A\nB"\n2,"x\ny"\n2,"C\nD"\n', 6, ""),
    ("id,name\n1,A\nx,B\n", 3, ""),
    ("id,name\n1,A\n2\n", 3, "name"),
    ("id,name\n1,A\n2,B,C\n", 3, ""),
    ("id,nmae\n1,A\n", 1, "table users has no column nmae; did you mean 'name'?"),
    ("", 1, "is empty: expected a line with the names of the columns"),
    (b"id,name\n1,A\n2,\xff\n", 3, "UTF"),
)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_refused_record_is_told_by_its_line(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute(*SHOP)
    for text, line, said in REFUSED:
        shop.write(users__csv=text)
        failure = shop.refused("users.csv")
        assert (text, failure.place) == (text, Place("users.csv", line))
        assert said in failure.said
    assert shop.rows("SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize("engine", ENGINES)
def test_spellings_of_a_file_of_values(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute(*SHOP)
    shop.write(
        a__csv="\ufeffid,name\n1,mark\n",
        b__tsv='id\tname\n2\t"t\tab"\n',
        c__csv="3|'pi''pe|'|\\N\n4|'\\N'|''\n",
        d__csv="id,name\n5,Zoë\n".encode("latin-1"),
        e__csv="id,name\n6,Łódź\n".encode("utf-16"),
        f__csv__gz=gzip.compress(b"id,name\n7,packed\n"),
        g__csv="id,name\n8,\\.\n\\.,not at the end\n",
    )
    named: list[dict[str, object]] = [
        {"file": "a.csv", "table": "users"},
        {"file": "b.tsv", "table": "users"},
        {"file": "c.csv", "table": "users", "delimiter": "|", "quote": "'", "null": "\\N", "columns": ("id", "name", "note")},
        {"file": "d.csv", "table": "users", "encoding": "latin-1"},
        {"file": "e.csv", "table": "users"},
        {"file": "f.csv.gz", "table": "users"},
    ]
    assert [one.refused for one in shop.load(*named)] == [None] * 6
    assert shop.rows("SELECT id, name, note FROM users ORDER BY id") == [
        (1, "mark", "none"),
        (2, "t\tab", "none"),
        (3, "pi'pe|", None),
        (4, "\\N", ""),
        (5, "Zoë", "none"),
        (6, "Łódź", "none"),
        (7, "packed", "none"),
    ]
    # Before PostgreSQL 18 the server takes such a line for the end of the rows and says nothing of the others.
    assert shop.refused({"file": "g.csv", "table": "users"}).place == Place("g.csv", 3)


JSON_LINES = (
    '{"id": 1, "name": "A\\n\\"B\\""}\n\n'
    '{"id": 2, "note": null, "name": "é\\u00e9 \\\\ \\t"}\n'
    '{"name": "{1,2}", "id": 3, "note": "n"}\n'
)
AS_ARRAY = "[" + ",\n".join(line for line in JSON_LINES.splitlines() if line) + "]"


@pytest.mark.parametrize("engine", ENGINES)
def test_objects_of_json(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute(*SHOP)
    for name in ("users.jsonl", "users.json", "01_users.json.gz"):
        shop.execute("DELETE FROM users")
        text = (JSON_LINES if name.endswith("l") else AS_ARRAY).encode()
        (shop.root / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
        assert shop.load(name) == (LoadedFile(name),)
        assert shop.rows("SELECT id, name, note FROM users ORDER BY id") == [
            (1, 'A\n"B"', "none"),
            (2, "éé \\ \t", None),
            (3, "{1,2}", "n"),
        ]
    for line, wrong in enumerate(('{"id": 1, "name": "again"}', '{"id": 9, "name": "A", "nam": 1}', '{"id": 9,'), 2):
        shop.write(users__jsonl='{"id": 8, "name": "B"}\n' + "\n" * (line - 2) + wrong)
        assert shop.refused("users.jsonl").place == Place("users.jsonl", line)
    assert shop.rows("SELECT count(*) FROM users") == [(3,)]


def test_types_of_postgresql_in_json(on: Make) -> None:
    shop = on(Engine.POSTGRESQL)
    shop.execute(
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n numeric, j jsonb, a text[], b boolean,"
        " at timestamptz, double int GENERATED ALWAYS AS (id * 2) STORED)"
    )
    value = '{"n": 0.1000000000000000055511151231257827, "j": {"k": [1.10, null, "x"]}, "a": ["q\\"", null, ",{}"], "b": true}'
    shop.write(t__jsonl=f'{value}\n{{"j": "text", "at": "2024-01-01T00:00:00Z", "id": 7}}\n{{"j": 3}}\n')
    assert shop.load("t.jsonl")[0].refused is None
    first, second, third = shop.rows("SELECT n::text, j::text, a, b, at IS NULL, id FROM t ORDER BY j IS NULL, id")
    assert first == ("0.1000000000000000055511151231257827", '{"k": [1.10, null, "x"]}', ['q"', None, ",{}"], True, True, 1)
    assert second[:2] == (None, "3")
    assert third[1:] == ('"text"', None, None, False, 7)
    assert shop.rows("INSERT INTO t DEFAULT VALUES RETURNING id, double") == [(8, 16)]


def test_row_security_does_not_hide_what_is_loaded(on: Make) -> None:
    shop = on(Engine.POSTGRESQL)
    shop.execute("CREATE TABLE t (id int)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "ALTER TABLE t FORCE ROW LEVEL SECURITY")
    shop.write(t__csv="id\n1\n")
    assert shop.load("t.csv")[0].refused is None


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("none.csv", "there is no file none.csv"),
        ("none/*.csv", r"no file matches none/\*\.csv"),
        ("rows.xlsx", "its name does not say which format"),
        ("rows.bson", "PostgreSQL takes no rows from BSON"),
        ("folder", "holds no file with rows for PostgreSQL"),
    ],
)
def test_what_is_no_file_of_rows(entry: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "rows.xlsx").write_text("x")
    (tmp_path / "rows.bson").write_text("x")
    with pytest.raises(UsageError, match=error):
        resolved(tmp_path, [entry], Engine.POSTGRESQL)


HOSTILE_FILES: tuple[tuple[str, bytes, str], ...] = (
    ("users.csv", b"id,name\n1,a\x00b\n", "0x00"),
    ("users.jsonl", b'{"id": 1, "name": "a\\u0000b"}\n', "0x00"),
    ("users.jsonl", b'{"id": 1, "name": "a\\ud800b"}\n', "surrogates"),
    ("users.csv.gz", gzip.compress(b"id,name\n" + b"1,A\n" * 99_999)[:-99], "is no whole gzip"),
    ("users.csv.gz", b"\x1f\x8bbroken", "is no whole gzip"),
    ("users.csv", b'id,name\n1,"open\n', "unterminated CSV quoted field"),
    ("users.csv", b"id,id\n1,1\n", "column id stands there twice"),
    ("user.csv", b"id\n1\n", "there is no table user; did you mean 'users'?"),
    ("users.parquet", b"PAR1 none", "is no Parquet that can be read"),
)


def test_hostile_files(on: Make) -> None:
    shop = on(Engine.POSTGRESQL)
    shop.execute(*SHOP)
    for name, content, said in HOSTILE_FILES:
        (shop.root / name).write_bytes(content)
        assert said in shop.refused(name).said
    assert shop.rows("SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_long_value(on: Make, engine: Engine) -> None:
    shop = on(engine)
    shop.execute("CREATE TABLE t (v longtext)" if engine is Engine.MARIADB else "CREATE TABLE t (v text)")
    value = "a\"'\\\n" * 250_000
    content = io.StringIO()
    csv.writer(content).writerows([["v"], [value]])
    shop.write(t__csv=content.getvalue(), more__jsonl=json.dumps({"v": value}))
    assert [one.refused for one in shop.load("t.csv", {"file": "more.jsonl", "table": "t"})] == [None, None]
    assert shop.rows("SELECT v FROM t") == [(value,)] * 2


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
HOSTILE = st.sampled_from(
    ["", "\\.", "\\N", "NULL", '"', '""', "a\nb", "a\r\nb", "\r", "\t", "\\", "'", ",", ";", "%s", "{}", "\ufeff", " "]
)
VALUES = st.lists(st.none() | TEXTS | HOSTILE | st.lists(HOSTILE, max_size=4).map("".join), min_size=1, max_size=20)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_file_holds_comes_out_as_it_was(on: Make, engine: Engine) -> None:
    shop = on(engine)
    kind = "text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" if engine is Engine.MARIADB else "text"
    shop.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v {kind})")

    @settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(VALUES, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]))
    def round_trip(values: list[str | None], delimiter: str, ending: str) -> None:
        cells = ["" if value is None else '"{}"'.format(value.replace('"', '""')) for value in values]
        text = ending.join([f"id{delimiter}v", *(f"{number}{delimiter}{cell}" for number, cell in enumerate(cells)), ""])
        shop.write(a__csv=text, b__jsonl="".join(json.dumps({"id": -1 - at, "v": one}) + "\n" for at, one in enumerate(values)))
        shop.execute("DELETE FROM t")
        entries: tuple[dict[str, object], ...] = (
            {"file": "a.csv", "table": "t", "delimiter": delimiter},
            {"file": "b.jsonl", "table": "t"},
        )
        assert [one.refused for one in shop.load(*entries)] == [None, None]
        assert [value for (value,) in shop.rows("SELECT v FROM t WHERE id >= 0 ORDER BY id")] == values
        assert [value for (value,) in shop.rows("SELECT v FROM t WHERE id < 0 ORDER BY id DESC")] == values

    round_trip()


@pytest.mark.parametrize("engine", ENGINES)
def test_parquet(on: Make, engine: Engine) -> None:
    shop = on(engine)
    moment = "timestamptz" if engine is Engine.POSTGRESQL else "datetime(6)" if engine is Engine.MARIADB else "datetime"
    shop.execute(
        f"CREATE TABLE t (id integer PRIMARY KEY, n decimal(30, 20), at {moment}, day date, raw {BLOB[engine]}, v varchar(9))"
    )
    at = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    rows = {
        "id": [1, 2],
        "n": [Decimal("0.12345678901234567890"), None],
        "at": [at if engine is Engine.POSTGRESQL else at.replace(tzinfo=None), None],
        "day": [date(2024, 1, 2), None],
        "raw": [b"\x00\xff\\", None],
        "v": ["\\N", None],
    }
    parquet.write_table(pyarrow.table(rows), shop.root / "t.parquet")
    assert shop.load("t.parquet") == (LoadedFile("t.parquet"),)
    n = "CAST(n AS varchar(40))" if engine is not Engine.MARIADB else "CAST(n AS char)"
    ((number, when, day, raw, v),) = shop.rows(f"SELECT {n}, at, day, raw, v FROM t WHERE id = 1")
    assert (str(when).startswith("2024-01-02 03:04:05.678901"), str(day), bytes(raw), v) == (
        True,
        "2024-01-02",
        b"\x00\xff\\",
        "\\N",
    )
    assert number.startswith("0.12345678901234" if engine is Engine.SQLITE else "0.12345678901234567890")
    assert shop.rows("SELECT n, at, day, raw, v FROM t WHERE id = 2") == [(None,) * 5]
    parquet.write_table(pyarrow.table({"id": [3, 4, 1]}), shop.root / "t.parquet")
    assert shop.refused("t.parquet").place == Place("t.parquet", 3)
    parquet.write_table(pyarrow.table({"id": [3], "wrong": [1]}), shop.root / "t.parquet")
    assert shop.refused("t.parquet").said.startswith("table t has no column wrong; there are: ")


BLOB = {Engine.POSTGRESQL: "bytea", Engine.SQLITE: "blob", Engine.MARIADB: "blob"}


def test_parquet_that_would_lose_something(on: Make) -> None:
    shop = on(Engine.POSTGRESQL)
    shop.execute("CREATE TABLE t (at timestamptz, l int[], j jsonb)")
    exact = pyarrow.array([1_000, 2_001], pyarrow.timestamp("ns", "UTC"))
    parquet.write_table(pyarrow.table({"at": exact, "l": [[1, None], []], "j": [{"a": 1.5}, None]}), shop.root / "t.parquet")
    failure = shop.refused("t.parquet")
    assert "would lose data" in failure.said
    exact = pyarrow.array([1_000, 2_000], pyarrow.timestamp("ns", "UTC"))
    parquet.write_table(pyarrow.table({"at": exact, "l": [[1, None], []], "j": [{"a": 1.5}, None]}), shop.root / "t.parquet")
    assert shop.load("t.parquet")[0].refused is None
    assert shop.rows("SELECT extract(microseconds FROM at)::int, l, j FROM t") == [(1, [1, None], {"a": 1.5}), (2, [], None)]


def test_parquet_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    (file,) = resolved(tmp_path, ["t.parquet"], Engine.SQLITE)[0].files
    with pytest.raises(UsageError, match="reading Parquet needs pyarrow") as missing:
        list(records(file))
    assert missing.value.remedy == 'Install the extra: pip install "dbproof[parquet]".'
