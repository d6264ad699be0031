"""Two conditions of one form mean the same, and what does not mean the same has another form."""

from __future__ import annotations

import pytest

from checks.interface import Engine
from checks.rulebook.meaning import columns_in, conjuncts, given_by, joined_by_and, may_be_null, parsed, said_of_null

SAME = [
    ("((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))", "status in ('b', 'a')"),
    ("status = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])", "status IN ('a', 'b')"),
    ("x <> ALL (ARRAY['a', 'b'])", "x NOT IN ('b', 'a')"),
    ("x NOT IN ('a')", "x <> 'a'"),
    ("a > 1", "1 < A"),
    ("NOT (a > 1)", "a <= 1"),
    ("a BETWEEN 1 AND 5", "5 >= a AND a >= 1"),
    ("total = ((subtotal + tax) - discount)", "tax - discount + subtotal = total"),
    ("qty * price = sum", "sum = price * qty"),
    ("x IS NOT NULL", "NOT x IS NULL"),
    ("a > 1 OR b > 2", "(b > 2) OR (a > 1)"),
    ("(x)::text ~~ 'a%'::text", "x LIKE 'a%'"),
]
OTHER = [
    ("a > 1", "a >= 1"),
    ("a - b > 0", "b - a > 0"),
    ("a / b = 1", "b / a = 1"),
    ('"A" > 1', "a > 1"),
    ("x = 'a' COLLATE \"C\"", "x = 'a'"),
    ("x::int > 3", "x > 3"),
    ("(x)::varchar(2) = 'ab'", "x = 'ab'"),
    ("a > 1 OR b > 1", "a > 1 AND b > 1"),
    ("NOT (a AND b)", "NOT a AND b"),
    ("x IS NULL", "x IS NOT NULL"),
    ("length(x) > 0", "octet_length(x) > 0"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_other_words(one: str, other: str) -> None:
    assert conjuncts(one, Engine.POSTGRESQL) == conjuncts(other, Engine.POSTGRESQL)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_something_else(one: str, other: str) -> None:
    assert conjuncts(one, Engine.POSTGRESQL) != conjuncts(other, Engine.POSTGRESQL)


def test_each_part_that_and_joins_is_one() -> None:
    assert conjuncts("a > 1", Engine.POSTGRESQL) < conjuncts("b > 2 AND (a > 1 AND c)", Engine.POSTGRESQL)
    assert len(joined_by_and("a > 1 AND b BETWEEN 1 AND 2 AND (c OR d)", Engine.SQLITE)) == 4
    assert conjuncts('"A" > 1', Engine.SQLITE) == conjuncts("[a] > 1", Engine.SQLITE)


@pytest.mark.parametrize(
    ("engine", "quoted"), [(Engine.POSTGRESQL, '"a b"'), (Engine.SQLITE, "[a b]"), (Engine.MARIADB, "`a b`")]
)
def test_what_is_said_of_null_has_the_same_form_however_it_came(engine: Engine, quoted: str) -> None:
    assert conjuncts(f"{quoted} IS NOT NULL", engine) == {said_of_null("a b", engine, given=True)}
    assert conjuncts(f"NOT {quoted} IS NOT NULL", engine) == {said_of_null("a b", engine, given=False)}
    assert conjuncts("`a` > 1 and `b` in (2,1)", Engine.MARIADB) == conjuncts("A > 1 AND b IN (1, 2)", Engine.MARIADB)


def test_what_cannot_be_parsed_is_its_own_text() -> None:
    odd = "x @#@ SELECT FROM ((("
    assert conjuncts(odd, Engine.POSTGRESQL) == conjuncts(odd.replace(" (", "   ("), Engine.POSTGRESQL) != frozenset()
    assert "x" in columns_in(odd, Engine.POSTGRESQL)
    assert (given_by(odd, Engine.POSTGRESQL), joined_by_and(odd, Engine.POSTGRESQL)) == (frozenset(), ())


@pytest.mark.parametrize(
    ("condition", "given"),
    [
        ("a IS NOT NULL AND NOT b IS NULL", {"a", "b"}),
        ("a > 1 AND lower(b) = 'x' AND c IS NULL", {"a"}),
        ("a = 1 OR b = 2", set()),
        ("NOT gone", set()),
    ],
)
def test_what_is_given_where_a_condition_is_true(condition: str, given: set[str]) -> None:
    assert given_by(condition, Engine.POSTGRESQL) == given


@pytest.mark.parametrize(
    ("condition", "may"),
    [("a > 1", True), ("a IS NULL", False), ("b > 1", False), ("coalesce(a, 0) > b", False), ("b > 0 OR lower(a) = ''", True)],
)
def test_whether_null_may_come_of_a_column(condition: str, may: bool) -> None:
    tree = parsed(condition, Engine.POSTGRESQL)
    assert tree is not None
    assert may_be_null(tree, "A") is may
