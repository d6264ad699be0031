"""What a condition is read for: samples of its patterns, and where it changes its mind."""

from __future__ import annotations

import re
from decimal import Decimal
from fnmatch import fnmatchcase

import pytest

from checks.rows.boundaries import Measure, boundaries
from checks.rows.expressions import always_true, columns_of, parsed
from checks.rows.patterns import like, regular
from checks.rows.shapes import DAY, Kind, Row, Shape, seconds, written

MONEY = Shape(Kind.NUMBER, step=Decimal("0.01"))
DATE = Shape(Kind.DATE, step=Decimal(DAY))
MOMENT = Shape(Kind.MOMENT)
SHAPES = {
    "total": MONEY,
    "tax": MONEY,
    "fee": MONEY,
    "name": Shape(Kind.TEXT),
    "starts": DATE,
    "ends": DATE,
    "at": MOMENT,
    "tags": Shape(Kind.ARRAY),
}
ROW: Row = {
    "total": Decimal(1),
    "tax": Decimal(5),
    "fee": Decimal("0.50"),
    "name": "abc",
    "starts": "2024-02-28",
    "ends": "2024-03-05",
    "at": "2024-01-01 10:00:00",
    "tags": "{a}",
}
NOW = seconds("2024-06-01 12:00:00") or Decimal(0)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{3}$",
        r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
        r"^\+?[1-9]\d{1,14}$",
        r"^(a|b|cc)-[0-9a-f]{4,8}(-x)?$",
        r"^[a-z0-9]+(?:-[a-z0-9]+)*$",
        r"^#(?:[0-9A-Fa-f]{3}){1,2}$",
        r"^https?://.+",
        r"^\S+ \w\W\D$",
        r"^[]a]+$",
        r"^[a\-\]]\.\*$",
        r"^.*?x+?$",
    ],
)
def test_samples_of_a_regular_expression_match_it(pattern: str) -> None:
    samples = regular(pattern)
    assert samples
    assert all(re.search(pattern, sample) for sample in samples)


def test_posix_classes() -> None:
    assert regular("^[[:alpha:]_][[:digit:]]+$")[0] == "a1"
    assert regular(r"***:^\mword\M$")[0] == "word"


@pytest.mark.parametrize("pattern", ["(", "a)", "[a", "[^", "x{99999}", "(?<", "\\"])
def test_a_pattern_that_is_not_understood_has_no_samples(pattern: str) -> None:
    assert regular(pattern) == ()


def test_samples_of_like_and_glob() -> None:
    assert like("%_@_%._%") == ("a@a.a", "aa@aa.aa")
    assert like(r"100\%") == ("100%",)
    samples = like("a*?b", escape="", many="*", one="?")
    assert samples == ("aab", "aaab")
    assert all(fnmatchcase(sample, "a*?b") for sample in samples)


@pytest.mark.parametrize(
    ("condition", "column", "expected"),
    [
        ("(total > (0)::numeric)", "total", ["0"]),
        ("total BETWEEN 1 AND 5", "total", ["1", "5"]),
        ("(total = ((tax * (2)::numeric) - fee))", "total", ["9.50"]),
        ("(total = ((tax * (2)::numeric) - fee))", "tax", ["0.75"]),
        ("(round(((tax + fee) - total), 2) = (0)::numeric)", "total", ["5.50"]),
        ("(COALESCE(total, (0)::numeric) <= GREATEST(tax, fee))", "total", ["5"]),
        ("(ends > starts)", "ends", ["2024-02-28"]),
        ("((ends - starts) <= 30)", "ends", ["2024-03-29"]),
        ("(ends <= (starts + 2))", "ends", ["2024-03-01"]),
        ("(at >= '2020-02-29 00:00:00'::timestamp without time zone)", "at", ["2020-02-29 00:00:00"]),
        ("(at <= (now() + '01:00:00'::interval))", "at", ["2024-06-01 13:00:00"]),
        ("(total > (total + tax))", "total", []),
        ("((total ^ (2)::numeric) > tax)", "total", []),
    ],
)
def test_where_a_comparison_changes_its_mind(condition: str, column: str, expected: list[str]) -> None:
    tree = parsed(condition, "postgres")
    assert tree is not None
    found = boundaries(tree, column, ROW, SHAPES, NOW)
    shape = SHAPES[column]
    assert [written(one.at, shape) for one in found] == [
        written(Decimal(value), shape) if shape.kind is Kind.NUMBER else value for value in expected
    ]


@pytest.mark.parametrize(
    ("condition", "column", "measure"),
    [
        ("(length(btrim((name)::text)) > 3)", "name", "length"),
        ("(char_length(name) = 3)", "name", "length"),
        ("(octet_length(name) <= 3)", "name", "length"),
        ("(array_length(tags, 1) <= 3)", "tags", "count"),
        ("(cardinality(tags) < 3)", "tags", "count"),
    ],
)
def test_lengths_and_counts(condition: str, column: str, measure: str) -> None:
    tree = parsed(condition, "postgres")
    assert tree is not None
    assert [(one.measure, one.at) for one in boundaries(tree, column, ROW, SHAPES, NOW)] == [(Measure(measure), Decimal(3))]


def test_columns_are_found_in_any_case_and_quoted_ones_as_they_are() -> None:
    tree = parsed("\"Total\" > 0 AND TAX > 0 AND name = 'fee'", "sqlite")
    assert tree is not None
    assert columns_of(tree, ("Total", "tax", "name", "fee")) == ("Total", "tax", "name")


@pytest.mark.parametrize(
    ("condition", "constant"),
    [
        ("((total > (0)::numeric) OR true)", True),
        ("true", True),
        ("(1 = 1)", True),
        ("(total > (0)::numeric)", False),
        ("(total = total)", False),  # NULL
        ("(", False),
    ],
)
def test_what_is_always_true(condition: str, constant: bool) -> None:
    assert always_true(condition, "postgres") is constant
