from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports.commands import commands

from runner.text import defuse, neutralise, shorten, single_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本語 🎉 a\tb\nc", "plain é 日本語 🎉 a\tb\nc"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x00\x07\x08\x0b\x0c\x7f\x85\x9b", "\\x00\\x07\\x08\\x0b\\x0c\\x7f\\x85\\x9b"),
        ("\u202eabc\u2066\u200b\u200d\ufeff\xad", "\\u202eabc\\u2066\\u200b\\u200d\\ufeff\\xad"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\ud800 \udfff", "\\ud800 \\udfff"),
        ("\ufffe\uffff\ufdd0\U0001fffe\U0010ffff", "\\ufffe\\uffff\\ufdd0\\U0001fffe\\U0010ffff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_nobody_can_see_becomes_visible(text: str, shown: str) -> None:
    assert neutralise(text) == shown
    assert neutralise(shown) == shown


def test_one_line_is_one_line() -> None:
    assert single_line("a\r\nb\tc\rd\ne") == "a\\nb\\tc\\x0dd\\ne"


@pytest.mark.parametrize(
    ("text", "defused"),
    [
        ("::error::x", "\\x3a:error::x"),
        ("  \t::error::x", "  \t\\x3a:error::x"),
        ("\xa0\u3000::error::x", "\xa0\u3000\\x3a:error::x"),
        ("a\n::b::\n\n ::c::", "a\n\\x3a:b::\n\n \\x3a:c::"),
        (":::x::", "\\x3a::x::"),
        ("say ##[error]x", "say \\x23#[error]x"),
        ("###[error]x", "#\\x23#[error]x"),
        ("##vso[task.x]", "\\x23#vso[task.x]"),
        ("##teamcity[x]", "\\x23#teamcity[x]"),
        ("total::numeric, x::y", "total::numeric, x::y"),
        ("## heading", "## heading"),
        (": x", ": x"),
    ],
)
def test_commands_are_broken_up_and_nothing_else(text: str, defused: str) -> None:
    assert defuse(text) == defused
    assert defuse(defused) == defused
    assert commands(defused) == []


@given(st.text(st.characters() | st.sampled_from(":#[]\n\r \t"), max_size=60))
def test_nothing_active_is_left(text: str) -> None:
    shown = neutralise(text)
    assert commands(shown) == []
    assert all(character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") for character in shown)
    assert neutralise(shown) == shown
    assert not {"\n", "\t", "\r"} & set(single_line(text))
    shown.encode()


def test_every_character_that_xml_forbids_is_escaped() -> None:
    """XML 1.0, section 2.2: tab, newline, carriage return, U+0020 to U+D7FF, U+E000 to U+FFFD, U+10000 to U+10FFFF."""
    allowed = {0x9, 0xA, *range(0x20, 0xD800), *range(0xE000, 0xFFFE), *range(0x10000, sys.maxunicode + 1)}
    for code in range(sys.maxunicode + 1):
        if code not in allowed:
            assert neutralise(chr(code)).startswith("\\")


def test_the_middle_is_left_out_and_counted() -> None:
    text = "a" * 600_000 + "b" * 600_000
    shown = neutralise(text, 1_000)
    assert len(shown) <= 1_000
    left_out = 1_200_000 - shown.count("a") + 4 - shown.count("b") + 0
    assert shown.startswith("aaa")
    assert shown.endswith("bbb")
    counted = int("".join(character for character in shown if character.isdigit()))
    assert counted == 1_200_000 - len(shown.strip().replace(f" … {counted:,} characters left out … ".replace(",", " "), ""))
    assert left_out > counted


@given(st.text(max_size=300), st.integers(min_value=50, max_value=400))
def test_the_limit_holds_and_stays(text: str, limit: int) -> None:
    shown = neutralise(text, limit)
    assert len(shown) <= limit
    assert neutralise(shown, limit) == shown


def test_no_limit_keeps_everything() -> None:
    assert neutralise("a" * 100_000, None) == "a" * 100_000
    assert shorten("abc", 3) == "abc"


def test_cutting_does_not_make_a_command() -> None:
    for offset in range(60):
        text = "x" * offset + "\n::error::" * 40
        assert commands(neutralise(text, 120)) == []
