from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runner.allows.patterns import exactly, matches

#: Texts with what patterns are made of, and with what no terminal would like.
TEXTS = some.text(some.one_of(some.sampled_from('*?[]ab.\n\0\x1b:"%_\\ '), some.characters()), max_size=30)


@pytest.mark.parametrize(
    ("pattern", "subject", "meant"),
    [
        ("audit_log.*", "audit_log.user_id", True),
        ("audit_log.*", "AUDIT_LOG.user_id", False),
        ("audit_log.*", "audit_logs.user_id", False),
        ("audit_log.*", 'audit_log."a\nb"', True),
        ("audit_log.?", "audit_log.ab", False),
        ("*", "", True),
        ("?", "", False),
        ("", "", True),
        ("", "a", False),
        ("a**b", "ab", True),
        ("*.id", "orders.id.id", True),
        ("*a*a*", "a", False),
        ("invoices.lines[].id", "invoices.lines[].id", True),
        ("x[*]y", "x*y", True),
        ("x[*]y", "xzy", False),
        ("x[?]", "x?", True),
        ("x[ab]", "xa", False),
        ("x[[]]", "x[]", True),
        (".+(a|b)$", ".+(a|b)$", True),
        (".+", "aa", False),
    ],
)
def test_what_a_pattern_is_of(pattern: str, subject: str, meant: bool) -> None:
    assert matches(pattern, subject) is meant


@given(TEXTS, TEXTS)
def test_an_exact_pattern_is_of_its_subject_alone(subject: str, other: str) -> None:
    assert matches(exactly(subject), subject)
    assert matches(exactly(subject), other) is (subject == other)


@given(some.text("ab*?"), some.text("ab"))
def test_stars_and_marks_mean_what_they_do_in_a_shell(pattern: str, subject: str) -> None:
    assert matches(pattern, subject) is fnmatch.fnmatchcase(subject, pattern)


def test_many_stars_on_a_long_subject_end() -> None:
    """With a pattern that backtracks this would not end: there are more ways to try than 2 to the power of 40."""
    assert not matches("*a" * 40 + "b", "a" * 1_000_000)
    assert matches("*a" * 40, "a" * 1_000_000)
