"""Two values of two types: the same one, or what was lost of it; and several that became one."""

from __future__ import annotations

import json
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from checks.survivals import Loss
from runner.surviving.streaming import side_by_side, unlike
from runner.surviving.tally import FEW, Tally
from runner.surviving.values import Family, family, loss

NUMBER, TEXT, TIME, BOOLEAN, JSON, OTHER = (
    Family.NUMBER,
    Family.TEXT,
    Family.TIME,
    Family.BOOLEAN,
    Family.JSON,
    Family.OTHER,
)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("numeric(12,2)", NUMBER),
        ("int(11) unsigned", NUMBER),
        ("double precision", NUMBER),
        ("character varying(20)", TEXT),
        ("enum('a','b')", TEXT),
        ("timestamp with time zone", TIME),
        ("DATETIME", TIME),
        ("time without time zone", OTHER),
        ("interval", OTHER),
        ("integer[]", OTHER),
        ("jsonb", JSON),
        ("boolean", BOOLEAN),
        ("", OTHER),
    ],
)
def test_types_of_every_engine_have_a_family(type_: str, expected: Family) -> None:
    assert family(type_) is expected
    assert family("public.state", enum=True) is TEXT


@pytest.mark.parametrize(
    ("old", "new", "was", "now", "expected"),
    [
        ("1.50", "1.5", NUMBER, NUMBER, None),
        ("1e2", "100", NUMBER, TEXT, None),
        ("0.0375", "0.04", NUMBER, NUMBER, Loss.ROUNDED),
        ("3.9", "3", NUMBER, NUMBER, Loss.ROUNDED),
        ("300", "127", NUMBER, NUMBER, Loss.OTHER),
        ("NaN", "0", NUMBER, NUMBER, Loss.OTHER),
        ("Infinity", "NaN", NUMBER, NUMBER, Loss.OTHER),
        ("007", "7", TEXT, NUMBER, Loss.CUT),
        ("7.50", "7.5", TEXT, NUMBER, None),
        (" 7", "7", TEXT, NUMBER, None),
        ("seven", "0", TEXT, NUMBER, Loss.OTHER),
        ("", None, TEXT, NUMBER, None),
        ("", None, TEXT, TEXT, Loss.EMPTIED),
        ("5", None, TEXT, NUMBER, Loss.EMPTIED),
        ("2024-01-05T10:00:00Z", "2024-01-05 10:00:00+00", TEXT, TIME, None),
        ("2024-01-05 10:00:00", "2024-01-05", TIME, TIME, Loss.ROUNDED),
        ("2024-01-05 10:00:00.6", "2024-01-05 10:00:01", TIME, TIME, Loss.ROUNDED),
        ("2024-01-05 10:00:00", "2024-01-05 09:00:00+00", TIME, TIME, Loss.SHIFTED),
        ("infinity", "2024-01-05", TIME, TIME, Loss.OTHER),
        ("t", "1", BOOLEAN, NUMBER, None),
        ("2", "true", NUMBER, BOOLEAN, Loss.OTHER),
        ('{"a": 1.0, "b": 2}', '{"b":2,"a":1}', TEXT, JSON, None),
        ("plain", '"plain"', TEXT, JSON, None),
        ('{"a": 1}', '{"a": 2}', JSON, JSON, Loss.OTHER),
        ("abc", "ab", TEXT, TEXT, Loss.CUT),
        ("ab ", "ab", TEXT, TEXT, None),
        ("abc", "ABC", TEXT, TEXT, Loss.OTHER),
        ("{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", TEXT, OTHER, None),
        ("tag", "{tag}", TEXT, OTHER, Loss.OTHER),
    ],
)
def test_what_became_of_a_value(old: str, new: str | None, was: Family, now: Family, expected: Loss | None) -> None:
    assert loss(old, new, was, now) is expected


@given(some.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9), some.integers(0, 5))
def test_a_number_with_fewer_digits_is_rounded_or_the_same(number: Decimal, digits: int) -> None:
    for how in (ROUND_HALF_UP, ROUND_DOWN):
        kept = number.quantize(Decimal(1).scaleb(-digits), rounding=how)
        assert loss(str(number), str(kept), NUMBER, NUMBER) is (None if kept == number else Loss.ROUNDED)


@given(some.text(), some.text(), some.sampled_from(list(Family)), some.sampled_from(list(Family)))
def test_any_two_texts_have_an_answer(old: str, new: str, was: Family, now: Family) -> None:
    assert loss(old, new, was, now) in {None, *Loss}
    assert loss(old, old, was, now) is None
    assert loss(json.dumps(old), json.dumps(old), was, JSON) is None


def test_values_that_became_one_are_counted_as_long_as_they_are_few() -> None:
    tally = Tally(TEXT, TEXT, ["id"])
    for number, (old, new) in enumerate([("new", "new"), ("finished", "done"), ("closed", "done"), ("done", "done"), ("x", "y")]):
        tally.take([str(number)], old, new)
    tally.take(["9"], None, "filled")
    assert (tally.changed, tally.filled, tally.merged, tally.keys) == (3, 1, 3, ["id=1", "id=2", "id=4"])
    for number in range(FEW + 1):
        tally.take(["n"], f"old {number}", "one")
    assert (tally.changed, tally.merged, len(tally.keys)) == (FEW + 4, 0, 5)


@given(
    some.lists(some.tuples(some.text(max_size=2), some.text(max_size=2))),
    some.lists(some.tuples(some.text(max_size=2), some.text(max_size=2))),
)
def test_streams_are_matched_by_key(first: list[tuple[str, str]], second: list[tuple[str, str]]) -> None:
    before, after = dict(first), dict(second)
    streams = [[((key,), (one[key],)) for key in sorted(one)] for one in (before, after)]
    found = {key[0]: (was and was[0], now and now[0]) for key, was, now in side_by_side(*streams)}
    assert found == {key: (before.get(key), after.get(key)) for key in before.keys() | after.keys()}


@given(some.lists(some.integers(0, 5)), some.lists(some.integers(0, 5)))
def test_what_only_one_side_has_counts_as_often_as_it_comes(first: list[int], second: list[int]) -> None:
    expected = sum(max(0, first.count(n) - second.count(n)) for n in range(6))
    assert unlike(sorted(first), sorted(second)) == (expected, expected + len(second) - len(first))
