from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Place
from runner.recorder.stamps import comment, decode, encode, setting, unstamp

FILES = st.text(min_size=1, max_size=80)
LINES = st.integers(min_value=1, max_value=999_999_999)


@given(FILES.filter(lambda file: file.isprintable() or "\n" in file), LINES)
def test_a_place_comes_back(file: str, line: int) -> None:
    place = Place(file, line)
    assert decode(encode(place)) == place
    assert list(unstamp(f"{comment(place)} SELECT 1")) == [(place, "SELECT 1")]


@given(FILES, LINES)
def test_a_stamp_holds_nothing_that_ends_it(file: str, line: int) -> None:
    stamp = encode(Place(file.encode("utf-8", "replace").decode(), line))
    assert not set(stamp) & set("%*'\"\\ \n\r;$")
    assert stamp.count(":") == 1


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    decode(text)
    assert all(isinstance(sent, str) for _, sent in unstamp(text))


def test_a_place_without_a_line_and_bytes_that_are_no_text() -> None:
    assert decode(encode(Place("a.sql"))) == Place("a.sql", 1)
    assert decode(encode(Place("a\udcff.sql", 2))) == Place("a\ufffd.sql", 2)
    assert decode("a.sql") is None
    assert decode("a b.sql:1") is None


def test_the_statements_of_a_message() -> None:
    message = f"{setting(Place('a.sql', 1))}\nSELECT 1;\n{setting(Place('a.sql', 2))} SELECT 2;\n{setting(Place('a.sql', 3))}"
    assert list(unstamp(message)) == [(Place("a.sql", 1), "SELECT 1;"), (Place("a.sql", 2), "SELECT 2;")]
    assert next(unstamp(f"SELECT 0; {message}")) == (None, "SELECT 0;")
    assert list(unstamp("SELECT 1")) == [(None, "SELECT 1")]
    assert list(unstamp("")) == [(None, "")]
