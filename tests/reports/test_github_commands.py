"""The oracle reads as GitHub's runner does: examples from the runner's own behaviour."""

from __future__ import annotations

import pytest

from reports.github_commands import InvalidFile, Parsed, Step, parse, summary, values


@pytest.mark.parametrize(
    ("line", "name", "properties", "data"),
    [
        ("::error::owned", "error", {}, "owned"),
        ("  \t\u3000::ERROR file=a.py,line=1::owned", "ERROR", {"file": "a.py", "line": "1"}, "owned"),
        ("::error file=a%3Ab%2Cc%25d,title=x=y::a%0Ab%250A", "error", {"file": "a:b,c%d", "title": "x=y"}, "a\nb%0A"),
        ("::add-mask::::x", "add-mask", {}, "::x"),
        ("\u200b::warning::hidden", "warning", {}, "hidden"),
        ("say ##[error]owned", "error", {}, "owned"),
        ("say ##[set-output name=a%3Bb;x=y]z%5D", "set-output", {"name": "a;b", "x": "y"}, "z]"),
        (": :error::x ##[warning]y", "warning", {}, "y"),
    ],
)
def test_what_is_a_command(line: str, name: str, properties: dict[str, str], data: str) -> None:
    assert parse(line) == Parsed(name, properties, data)


@pytest.mark.parametrize(
    "line", ["x ::error::no", "::nothing::no", "::error: :no", "##[nothing]x", "##[error no", "", r"\x3a:error::no"]
)
def test_what_is_none(line: str) -> None:
    assert parse(line) is None


def test_both_ends_of_a_stop() -> None:
    step = Step().read(b"::error::one\r::stop-commands::T\n::error::two\n##[set-output name=a]b\n::t::\n::error::three\r\n")
    assert [issue.data for issue in step.issues] == ["one", "three"]
    assert step.acted == []
    assert step.shown == ["::error::two", "##[set-output name=a]b", ""]


def test_what_github_keeps() -> None:
    step = Step().read(b"".join(b"::error::%d\n" % number for number in range(12)) + b"::warning::" + b"x" * 5000)
    assert [issue.data for issue in step.kept("error")] == [str(number) for number in range(10)]
    assert len(step.kept("warning")[0].data) == 4096


def test_values() -> None:
    assert values("a=b<<c\n\nd<<E\n1\n\n2=3\nE\ne<<E\nE\n") == [("a", "b<<c"), ("d", "1\n\n2=3"), ("e", "")]
    for wrong in ("a\n", "<<E\nE\n", "a<<\n\n", "a<<E\nb\n"):
        with pytest.raises(InvalidFile):
            values(wrong)


def test_summaries() -> None:
    assert summary(b"") is None
    assert summary(b"x" * 1_048_577) is None
    assert summary(b"# x") == "# x"
