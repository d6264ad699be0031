"""CSV and TSV: values between delimiters, the columns' names in the first line (RFC 4180; quotes are doubled within quotes).

NULL is a value without quotes that is empty, or what `null` says; in quotes the same is a text. So does PostgreSQL's COPY.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from typing import IO

from runner.data.own.records import Record
from runner.data.own.refusing import refused
from runner.data.own.sources import RowFile
from runner.data.own.texts import opened
from runner.settings.loading import Format

#: Characters of one value; the library's own limit is 131 072.
_LONGEST = min(sys.maxsize, 2**31 - 1)


def delimiter(file: RowFile) -> str:
    """What stands between values."""
    return file.settings.delimiter or ("\t" if file.format is Format.TSV else ",")


def quote(file: RowFile) -> str:
    """What values are quoted with."""
    return file.settings.quote or '"'


def null(file: RowFile) -> str:
    """How NULL is spelled."""
    return file.settings.null or ""


def header(file: RowFile) -> tuple[str, ...]:
    """The columns: those of the settings, else the first line's. Raises Refused for a file without them."""
    if file.settings.columns:
        return file.settings.columns
    with opened(file) as text:
        lines = _Lines(text)
        return _header(file, lines, _reader(file, lines))


def read(file: RowFile) -> Iterator[Record]:
    """The records of a file. Raises Refused for one of more or fewer values than there are columns, and for what is no text."""
    with opened(file) as text:
        lines = _Lines(text)
        rows = _reader(file, lines)
        columns = file.settings.columns or _header(file, lines, rows)
        unquoted = _Unquoted(file)
        try:
            lines.forget()
            line = lines.number
            for values in rows:
                yield Record(line + 1, columns, unquoted.nulls(_fitting(values, columns, file, line + 1), lines.seen))
                lines.forget()
                line = lines.number
        except csv.Error as wrong:
            raise refused(file.name, lines.number, f"is not {file.format.label}: {wrong}") from None


def _fitting(values: list[str], columns: tuple[str, ...], file: RowFile, line: int) -> list[str]:
    if not values and len(columns) == 1:
        return [""]
    if len(values) != len(columns):
        said = f"expected {len(columns)} values, found {len(values)}"
        missing = f": none for column {columns[len(values)]}" if len(values) < len(columns) else ""
        raise refused(file.name, line, said + missing)
    return values


class _Lines:
    """The lines of a text, counted, and those of the record that is being read kept."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self.number = 0
        self.seen: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self.number += 1
        self.seen.append(line)
        return line

    def forget(self) -> None:
        """Begin a record."""
        self.seen.clear()


def _reader(file: RowFile, lines: Iterator[str]) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST)
    return csv.reader(lines, delimiter=delimiter(file), quotechar=quote(file), doublequote=True, strict=True)


def _header(file: RowFile, lines: _Lines, rows: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        columns = tuple(next(rows, ()))
    except csv.Error as wrong:
        raise refused(file.name, max(1, lines.number), f"is not {file.format.label}: {wrong}") from None
    if not columns:
        raise refused(file.name, 1, "is empty: expected a line with the names of the columns")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise refused(file.name, 1, f"column {twice} stands there twice")
    return columns


class _Unquoted:
    """Tells which values of a record are NULL: the library gives none of the quotes, so they are looked for where it matters."""

    def __init__(self, file: RowFile) -> None:
        self._null = null(file)
        sign, between = re.escape(quote(file)), re.escape(delimiter(file))
        self._quote = quote(file)
        self._field = re.compile(rf"(?:{sign}(?:[^{sign}]|{sign}{sign})*+{sign})?[^{between}\r\n]*", re.DOTALL)

    def nulls(self, values: list[str], lines: list[str]) -> tuple[str | None, ...]:
        """The values of a record, ``None`` for NULL; ``lines`` are the record as it stands."""
        if self._null not in values:
            return tuple(values)
        text = "".join(lines)
        if self._quote not in text:
            return tuple(None if value == self._null else value for value in values)
        quoted = self._quoted(text)
        return tuple(
            None if value == self._null and not (at < len(quoted) and quoted[at]) else value for at, value in enumerate(values)
        )

    def _quoted(self, text: str) -> list[bool]:
        found, position = [], 0
        while (field := self._field.match(text, position)) is not None:
            found.append(field[0].startswith(self._quote))
            position = field.end() + 1
            if field.end() >= len(text) or text[field.end()] in "\r\n":
                break
        return found
