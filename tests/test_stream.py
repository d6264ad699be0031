from __future__ import annotations

import io

from reports.commands import commands

from runner.stream import SafeStream


def test_what_is_written_is_no_command_whoever_wrote_it() -> None:
    sink = io.StringIO()
    stream = SafeStream(sink, {})
    stream.write("fine\n::error::x\nsay ##[error]x\n")
    assert sink.getvalue() == "fine\n\\x3a:error::x\nsay \\x23#[error]x\n"
    assert commands(sink.getvalue()) == []


def test_no_stream_at_all_takes_everything() -> None:
    assert SafeStream(None, {}).write("text") == 4


def test_a_closed_stream_takes_everything() -> None:
    sink = io.StringIO()
    stream = SafeStream(sink, {})
    sink.close()
    assert stream.write("text") == 4
    assert stream.write("text") == 4
