from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.schema.names import ObjectKind, ObjectReference
from runner.recorder.events import Event, parse
from runner.recorder.naming import reference

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)
RECORDS = st.fixed_dictionaries(
    {
        "event": st.sampled_from(
            ["made", "altered", "dropped", "rewritten", "locked", "wrote", "within", "sampled", "failed", "x"]
        ),
        "at": JSON,
        "xid": JSON | st.just("7"),
    },
    optional={
        "objects": JSON,
        "heirs": JSON | st.none(),
        "table": JSON | st.tuples(JSON | st.just(7), JSON | st.just("s.t"), JSON, JSON),
        "relation": JSON,
        "reason": JSON,
        "held": JSON | st.fixed_dictionaries({"in": JSON | st.just("3/7"), "locks": JSON | st.none()}),
        "changed": JSON | st.none(),
        "lsn": JSON | st.just(7),
        "tables": JSON | st.none(),
        "invalid": JSON | st.none(),
        "pid": JSON | st.just(7),
        "number": JSON | st.just(7),
        "moments": JSON | st.just([1, 2, 3]),
    },
)


@given(RECORDS)
def test_no_record_breaks_the_reader(record: dict[str, Any]) -> None:
    found = parse("dbproof:" + json.dumps(record))
    assert found is None or isinstance(found, Event)


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    parse(text)
    parse("dbproof:{" + text)


@given(st.text())
def test_no_identity_breaks_the_naming(identity: str) -> None:
    assert reference("table", identity).kind in (ObjectKind.TABLE, ObjectKind.OTHER)


@pytest.mark.parametrize(
    ("kind", "identity", "named"),
    [
        ("table", "public.a", ("table", "public", "a", "")),
        ("table", '"a.b"."c""d"', ("table", "a.b", 'c"d', "")),
        ("table column", 'public.a."X on y"', ("column", "public", "a", "X on y")),
        ("table constraint", '"a on b" on public."c d"', ("constraint", "public", "c d", "a on b")),
        ("domain constraint", "positive on public.size", ("constraint", "public", "size", "positive")),
        ("trigger", "t on public.a", ("trigger", "public", "a", "t")),
        ("function", "public.f(integer,text[])", ("function", "public", "", "f(integer,text[])")),
        ("function", 'public.f("x on y")', ("function", "public", "", 'f("x on y")')),
        ("schema", '"A"', ("schema", "A", "", "")),
        ("extension", "vector", ("extension", "", "", "vector")),
        ("type", "public.mood", ("type", "public", "", "mood")),
        ("cast", "(integer AS text)", ("other", "", "", "(integer AS text)")),
    ],
)
def test_identities(kind: str, identity: str, named: tuple[str, str, str, str]) -> None:
    assert reference(kind, identity) == ObjectReference(ObjectKind(named[0]), *named[1:])


def test_ids_of_rows_are_those_near_the_transaction() -> None:
    wraps = (1 << 32) - 2
    for xid, xmin, full in ((7, 7, 7), (7, 9, 9), ((1 << 32) + 1, wraps, wraps), (wraps, 5, (1 << 32) + 5)):
        table = [1259, 1, 0, False, "table", "s.t", [1, [f"1 {xmin} c"], None]]
        record = {"event": "made", "at": None, "xid": str(xid), "objects": [table], "heirs": None}
        found = parse("dbproof:" + json.dumps(record))
        assert found is not None
        assert [row.xid for row in found.made] == [full]


@pytest.mark.parametrize("part", ["1 7", "x 7 c", "-1 7 c", "1 4294967296 c", "99999 7 c", "", [1, "c", 7], None])
def test_a_part_that_is_none_makes_the_record_none(part: object) -> None:
    table = [1259, 1, 0, False, "table", "s.t", [1, [part], None]]
    record = {"event": "made", "at": None, "xid": "7", "objects": [table], "heirs": None}
    assert parse("dbproof:" + json.dumps(record)) is None
    altered = {"event": "altered", "at": None, "xid": "7", "table": [1, "s.t", [part], None]}
    assert parse("dbproof:" + json.dumps(altered)) is None
