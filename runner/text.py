"""Makes foreign text safe once, for every format: no character that a terminal, a parser or a pipeline would act on.

Characters that nobody can see or that do something become visible escapes (``\\x1b``, ``\\u202e``), texts that are too long lose
their middle, and the marks by which CI systems find commands in a log are broken up. A format's own escaping comes after.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from checks.interface import Json
from runner.report import Report

if TYPE_CHECKING:
    from runner.redaction import Redactor

#: How many characters a text of several lines, and a text of one line, may have.
TEXT_LIMIT = 16_000
LINE_LIMIT = 1_000

#: The fields of a Report that keep their line breaks and tabs: words of servers, tools and checks. All others are one line.
MANY_LINES = frozenset({"message", "reason", "remedy", "said", "detail", "statement", "text"})

# Unicode's control, format, surrogate, separator and noncharacters, the invisible fillers, and what XML 1.0 forbids. Newline and
# tab are spared. Invisible characters matter twice: .NET, which reads GitHub's logs, skips them when it looks for a command.
_UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u0600-\u0605\u06dd\u070f\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
_LINE_ENDS = re.compile(r"\r\n|\n")
_COMMAND_AT_START = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
_COMMAND_ANYWHERE = re.compile(r"#(?=#[A-Za-z]*\[)")

_Value = TypeVar("_Value")


def neutralise(text: str, limit: int | None = TEXT_LIMIT) -> str:
    """Text of several lines made safe. ``limit`` is in characters; ``None`` keeps everything."""
    shown = _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))
    return shorten(defuse(shown), limit)


def single_line(text: str, limit: int | None = LINE_LIMIT) -> str:
    """Text made safe, with line breaks and tabs as visible escapes."""
    shown = _LINE_ENDS.sub(r"\\n", text).replace("\t", r"\t")
    return neutralise(shown, limit)


def defuse(text: str) -> str:
    """Break up what CI systems take for commands, visibly.

    GitHub's runner acts on ``::name::`` at the start of a line and on ``##[name]`` anywhere in it (its ``ActionCommand.cs``),
    Azure on ``##vso[…]``, TeamCity on ``##teamcity[…]``.
    """
    return _COMMAND_ANYWHERE.sub(r"\\x23", _COMMAND_AT_START.sub(r"\1\\x3a", text))


def clean(report: Report, redactor: Redactor) -> Report:
    """The report without secrets, all its text safe. Cleaning again changes nothing."""
    return _clean(report, redactor, many_lines=False)


def _clean(value: _Value, redactor: Redactor, many_lines: bool) -> _Value:
    """Walk whatever a Report may hold; every text in it, keys included, is redacted and neutralised."""
    cleaned: object = value
    if value is None or isinstance(value, Enum | int):
        pass
    elif isinstance(value, float):
        cleaned = value if math.isfinite(value) else 0.0
    elif is_dataclass(value) and not isinstance(value, type):
        cleaned = replace(value, **{f.name: _clean_field(f.name, getattr(value, f.name), redactor) for f in fields(value)})
    elif isinstance(value, list | tuple):
        cleaned = type(value)(_clean(item, redactor, many_lines) for item in value)
    else:
        cleaned = _clean_text(str(value), redactor, many_lines)
    return cleaned  # type: ignore[return-value]  # the walk gives every value back as the type it had


def _clean_field(name: str, value: object, redactor: Redactor) -> object:
    if isinstance(value, Mapping):
        return _clean_json(value, redactor)
    return _clean(value, redactor, name in MANY_LINES)


def _clean_json(value: object, redactor: Redactor) -> Json:
    """Evidence as JSON can say it: what it cannot (not a number, a date, a decimal) becomes text."""
    if isinstance(value, Mapping):
        return {_clean_text(str(key), redactor, False): _clean_json(item, redactor) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_json(item, redactor) for item in value]
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _clean_text(str(value), redactor, True)


def _clean_text(text: str, redactor: Redactor, many_lines: bool) -> str:
    """Redact before cutting, so that no half of a secret stays; and after, as an escape may spell one."""
    redacted = redactor.redact(text)
    safe = neutralise(redacted) if many_lines else single_line(redacted)
    return safe if safe == redacted else redactor.redact(safe)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shorten(text: str, limit: int | None) -> str:
    """Leave out the middle and say how much of it is gone; at most ``limit`` characters where that leaves room for the words."""
    if limit is None or len(text) <= limit:
        return text
    room = max(limit - len(_left_out(len(text))), 0)
    head, tail = room - room // 3, room // 3
    return f"{text[:head]}{_left_out(len(text) - head - tail)}{text[len(text) - tail :]}"


def _left_out(count: int) -> str:
    return f" … {count:,} characters left out … ".replace(",", " ")
