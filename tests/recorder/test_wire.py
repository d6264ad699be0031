"""Messages of PostgreSQL's protocol, cut out of a stream however it comes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.recorder import wire

PIECES = st.lists(st.tuples(st.sampled_from([b"Q", b"Z", b"D", b"C"]), st.binary(max_size=40)), max_size=8)


def message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", 4 + len(content)) + content


@given(PIECES, st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_messages_are_the_same_however_the_stream_is_cut(sent: list[tuple[bytes, bytes]], sizes: list[int]) -> None:
    whole = [message(kind, content) for kind, content in sent]
    stream, found, messages = b"".join(whole), [], wire.Messages()
    number = 0
    while stream:
        size = sizes[number % len(sizes)]
        found += list(messages.feed(stream[:size]))
        stream, number = stream[size:], number + 1
    assert found == whole
    assert messages.is_between


def test_half_a_message_is_none_and_what_is_no_message_is_refused() -> None:
    messages = wire.Messages()
    assert list(messages.feed(message(b"Z", b"I")[:4])) == []
    assert not messages.is_between
    with pytest.raises(ValueError, match="3"):
        list(wire.Messages().feed(b"Z\0\0\0\3xx"))


def test_what_a_startup_message_asks_for() -> None:
    asked = b"user\0app\0database\0shop \xc3\xa9\0options\0-c x=y\0\0"
    startup = struct.pack("!ii", 8 + len(asked), 3 << 16) + asked
    assert wire.parameters(startup) == {"user": "app", "database": "shop é", "options": "-c x=y"}


def test_a_call_and_its_answer() -> None:
    assert wire.call(7, None) == b"F" + struct.pack("!iihhih", 18, 7, 0, 1, -1, 0)
    assert wire.call(7, b"ab") == b"F" + struct.pack("!iihhi", 20, 7, 0, 1, 2) + b"ab" + struct.pack("!h", 0)
    assert wire.answer(message(b"V", struct.pack("!i", 2) + b"ok")) == b"ok"
    assert wire.answer(message(b"V", struct.pack("!i", -1))) is None


@pytest.mark.parametrize(("said", "word"), [(b"INSERT 0 3\0", "insert"), (b"BEGIN\0", "begin"), (b"\0", "")])
def test_the_first_word_of_a_tag(said: bytes, word: str) -> None:
    assert wire.tag(message(b"C", said)) == word
