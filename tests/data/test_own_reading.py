"""Files with rows are read bit by bit: what is kept does not grow with the file."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bson import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.interface import Engine
from runner.data.own.document_files import documents
from runner.data.own.json_files import objects
from runner.data.own.pieces import Copy, Piece, pieces
from runner.data.own.records import records
from runner.data.own.refusing import Refused
from runner.data.own.scripts import opened_sql
from runner.data.own.sources import RowFile, contents, resolved
from runner.migrations.statements import split
from runner.settings.loading import LoadSettings

#: Bytes of a file, and those that may be kept of it.
SIZE, KEPT = 4_000_000, 2_000_000


def file(root: Path, name: str, content: bytes, engine: Engine = Engine.POSTGRESQL) -> RowFile:
    (root / name).write_bytes(content)
    (found,) = resolved(root, [name], engine)[0].files
    return found


def drained(found: Iterator[Piece]) -> Iterator[int]:
    for piece in found:
        yield sum(map(len, piece.rows)) if isinstance(piece, Copy) else 0


def sql(one: RowFile) -> Iterator[int]:
    with opened_sql(one) as text:
        yield from drained(pieces(text, split))


LINE = json.dumps({"id": 1, "v": "x" * 400})
BIG: dict[str, tuple[bytes, Callable[[RowFile], Iterator[object]], Engine]] = {
    "a.csv": (b"id,v\n" + b'1,"%s\ny"\n' % (b"x" * 400) * (SIZE // 410), records, Engine.POSTGRESQL),
    "a.jsonl": (f"{LINE}\n".encode() * (SIZE // 420), records, Engine.POSTGRESQL),
    "a.json": (b"[" + b",\n".join([LINE.encode()] * (SIZE // 420)) + b"]", records, Engine.POSTGRESQL),
    "a.bson": (encode({"v": "x" * 400}) * (SIZE // 420), documents, Engine.MONGODB),
    "copied.sql": (
        b"SELECT 1;\nCOPY t FROM stdin;\n" + b"1\t%s;\n" % (b"x" * 400) * (SIZE // 405) + b"\\.\n",
        sql,
        Engine.POSTGRESQL,
    ),
    "inserted.sql": (f"INSERT INTO t VALUES ('{'x' * 400}');\n".encode() * (SIZE // 430), sql, Engine.POSTGRESQL),
}


@pytest.mark.parametrize("name", BIG)
def test_memory_does_not_grow_with_a_file(name: str, tmp_path: Path) -> None:
    content, read, engine = BIG[name]
    one = file(tmp_path, name, content, engine)
    tracemalloc.start()
    try:
        deque(read(one), maxlen=0)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < KEPT


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.integers() | st.lists(st.floats(allow_nan=False)))))
def test_objects_however_the_chunks_fall(values: list[dict[str, object]]) -> None:
    import tempfile

    from runner.data.own import json_files

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_files, "_CHUNK", 3)
        for name, text in {
            "a.json": json.dumps(values, indent=1),
            "a.jsonl": "".join(f"{json.dumps(one)}\n" for one in values),
        }.items():
            one = file(Path(folder), name, text.encode())
            assert [content for _, content in objects(one, json.JSONDecoder())] == values


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[{"a": 1},\n{"a": 1\n', 3),
        ('[{"a": 1}\n\n}', 3),
        ('[{"a": "x', 1),
        ("[\n1]", 2),
        ('{"a": 1}\n[1]', 2),
        ('[{"a":\n nul}]', 2),
    ],
)
def test_where_json_ends_to_be_json(text: str, line: int, tmp_path: Path) -> None:
    with pytest.raises(Refused) as wrong:
        deque(objects(file(tmp_path, "a.json", text.encode()), json.JSONDecoder()), maxlen=0)
    place = wrong.value.failure.place
    assert place is not None
    assert place.line == line


def test_what_tells_two_checkouts_apart(tmp_path: Path) -> None:
    given_ones = (LoadSettings(file="seeds/*.csv"), LoadSettings(file="seeds"), LoadSettings(file="none.sql"))
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.csv").write_text("id\n1\n")
    before = contents(tmp_path, given_ones)
    assert before == contents(tmp_path, given_ones)
    (tmp_path / "seeds" / "b.csv").write_text("id\n")
    assert before != contents(tmp_path, given_ones)
    (tmp_path / "seeds" / "b.csv").unlink()
    (tmp_path / "seeds" / "a.csv").write_text("id\n2\n")
    assert before != contents(tmp_path, given_ones)
    command = (LoadSettings(command="python seed.py"),)
    assert contents(tmp_path, command) != contents(tmp_path, command)


@pytest.mark.parametrize(
    ("keys", "table"),
    [
        ({"file": "users.csv"}, "users"),
        ({"file": "sales.orders.csv.gz"}, "sales.orders"),
        ({"file": "a.b.jsonl"}, "a.b"),
        ({"file": "rows.txt", "format": "csv"}, "rows"),
        ({"file": "rows.txt", "format": "csv", "table": "x.y"}, "x.y"),
    ],
)
def test_the_table_that_a_file_is_named_after(keys: dict[str, object], table: str, tmp_path: Path) -> None:
    entry = LoadSettings.model_validate(keys)
    (tmp_path / str(entry.file)).write_bytes(b"x")
    (found,) = resolved(tmp_path, [entry], Engine.POSTGRESQL)[0].files
    assert found.table == table


def test_a_text_without_an_end_of_line(tmp_path: Path) -> None:
    found = list(pieces(io.StringIO("SELECT 1;\nSELECT 2", newline="\n"), split))
    assert [piece.line for piece in found if not isinstance(piece, Copy)] == [1, 2]
    assert [one.values for one in records(file(tmp_path, "a.csv", b'a,b\n1,"2"'))] == [("1", "2")]
