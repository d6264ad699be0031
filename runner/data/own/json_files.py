"""JSON: an object a line, or one array of objects; read one object at a time, however large the file is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

from runner.data.own.records import Record
from runner.data.own.refusing import Refused, refused
from runner.data.own.sources import RowFile
from runner.data.own.texts import opened

_BLANK = re.compile("[ \t\r\n\ufeff]*+")
_BETWEEN = re.compile("[ \t\r\n\ufeff,]*+")
_CHUNK = 1 << 16
#: An error so near to the end of what has been read may be gone when more is.
_NEAR = 32

#: An object with the line that it begins at.
Found = tuple[int, dict[str, Any]]


def rows(file: RowFile) -> Iterator[Record]:
    """The objects of a file as records; numbers keep all of their digits. Raises Refused for what is no object."""
    for line, content in objects(file, json.JSONDecoder(parse_float=Decimal)):
        yield Record(line, tuple(content), tuple(content.values()))


def first(file: RowFile) -> dict[str, Any] | None:
    """The first object of a file, if it has any. Raises Refused where that is none."""
    return next((content for _, content in objects(file, json.JSONDecoder())), None)


def objects(file: RowFile, decoder: json.JSONDecoder, language: str = "JSON") -> Iterator[Found]:
    """The objects of a file. Raises Refused at the line where it is no JSON, or where the decoder's hook raises ValueError."""
    with opened(file) as text:
        found = _Text(text, file, decoder, language)
        found.skip(_BLANK)
        yield from found.array() if found.next == "[" else found.lines()


class _Text:
    """The text of a file, of which no more is kept than an object needs."""

    def __init__(self, text: IO[str], file: RowFile, decoder: json.JSONDecoder, language: str) -> None:
        self._text, self._file, self._decoder, self._language = text, file, decoder, language
        self._buffer, self._at, self._line = "", 0, 1

    @property
    def next(self) -> str:
        """The character that comes next; nothing at the end."""
        return self._buffer[self._at : self._at + 1]

    def skip(self, signs: re.Pattern[str]) -> None:
        """Go on to what is none of these signs, or to the end."""
        while True:
            found = signs.match(self._buffer, self._at)
            end = found.end() if found else self._at
            self._line += self._buffer.count("\n", self._at, end)
            self._at = end
            if end < len(self._buffer) or not self._more():
                return

    def array(self) -> Iterator[Found]:
        """The elements behind the bracket that comes next."""
        self._at += 1
        while True:
            self.skip(_BETWEEN)
            if self.next == "]":
                return
            content, end = self._element()
            yield self._object(content, end)

    def lines(self) -> Iterator[Found]:
        """The objects of the lines; behind one nothing may stand in its line."""
        while self.next:
            stop = self._end_of_line()
            line = self._buffer[self._at : stop].rstrip(" \t\r\ufeff")
            try:
                content, end = self._raw(line, 0)
                if end < len(line):
                    raise json.JSONDecodeError("Extra data", line, end)
            except json.JSONDecodeError as wrong:
                raise self._no_json(wrong, line) from None
            yield self._object(content, stop)
            self.skip(_BLANK)

    def _end_of_line(self) -> int:
        """Where the line ends, all of which is read then."""
        while (end := self._buffer.find("\n", self._at)) < 0:
            if not self._more():
                return len(self._buffer)
        return end

    def _more(self) -> bool:
        """Read on, as much again as there is."""
        new = self._text.read(max(_CHUNK, len(self._buffer) - self._at))
        self._buffer, self._at = self._buffer[self._at :] + new, 0
        return bool(new)

    def _object(self, content: object, end: int) -> Found:
        line, text = self._line, self._buffer[self._at : end]
        if not isinstance(content, dict):
            raise refused(self._file.name, line, "expected a document, an object in braces")
        self._line += text.count("\n")
        self._at = end
        if "\\u" in text:
            self._hold_text(content, line)
        return line, content

    def _element(self) -> tuple[Any, int]:
        """The next element, of which all is read for that, and where it ends."""
        while True:
            try:
                return self._raw(self._buffer, self._at)
            except json.JSONDecodeError as wrong:
                may_go_on = wrong.pos >= len(self._buffer) - _NEAR or wrong.msg.startswith("Unterminated string")
                if not (may_go_on and self._more()):
                    raise self._no_json(wrong, self._buffer) from None

    def _raw(self, text: str, at: int) -> tuple[Any, int]:
        from bson.errors import BSONError

        try:
            return self._decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            raise
        except RecursionError:
            raise refused(self._file.name, self._line, "is nested too deeply") from None
        except (BSONError, ValueError, TypeError) as wrong:
            raise refused(self._file.name, self._line, f"is not {self._language}: {wrong}") from None

    def _no_json(self, wrong: json.JSONDecodeError, text: str) -> Refused:
        line = self._line + text.count("\n", 0 if text is not self._buffer else self._at, wrong.pos)
        column = wrong.pos - text.rfind("\n", 0, wrong.pos)
        return refused(self._file.name, line, f"is not JSON: {wrong.msg} (column {column})")

    def _hold_text(self, content: dict[str, Any], line: int) -> None:
        try:
            json.dumps(content, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            raise refused(self._file.name, line, "holds half of a pair of surrogates, which is no text") from None
