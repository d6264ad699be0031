"""The text of a file with rows: unpacked, decoded, without its byte order mark, line by line."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from runner.data.own.refusing import refused
from runner.data.own.sources import RowFile, is_gzip

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF8 = codecs.lookup("utf-8").name
#: Bytes that are read at once.
_CHUNK = 1 << 16

#: What reading a broken gzip raises.
BROKEN = (gzip.BadGzipFile, EOFError, zlib.error)


@contextmanager
def raw(file: RowFile) -> Iterator[tuple[IO[bytes], str]]:
    """The bytes of a file behind its byte order mark, and its encoding: what the mark says, the settings, else UTF-8.

    Raises Refused where it is compressed and broken, wherever that is met.
    """
    try:
        with gzip.open(file.path) if is_gzip(file.path) else file.path.open("rb") as content:
            stream = cast("IO[bytes]", content)
            start = stream.read(3)
            mark, named = next(((mark, name) for mark, name in _MARKS if start.startswith(mark)), (b"", None))
            stream.seek(len(mark))
            yield stream, codecs.lookup(named or file.settings.encoding or _UTF8).name
    except BROKEN as wrong:
        raise refused(file.name, None, f"is no whole gzip: {wrong}") from None


@contextmanager
def opened(file: RowFile) -> Iterator[IO[str]]:
    """The text of a file, its ends of lines as they stand. Raises Refused for what is no text in its encoding."""
    with raw(file) as (stream, encoding):
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        try:
            yield text
        except UnicodeDecodeError as wrong:
            raise _undecoded(file, encoding, wrong.reason) from None
        finally:
            text.detach()


def utf8(file: RowFile) -> Iterator[bytes]:
    """The text of a file as UTF-8. What is UTF-8 already is not looked at: the server does that."""
    with raw(file) as (stream, encoding):
        if encoding == _UTF8:
            while part := stream.read(_CHUNK):
                yield part
            return
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while part := stream.read(_CHUNK):
                yield decoder.decode(part).encode()
            yield decoder.decode(b"", True).encode()
        except UnicodeDecodeError as wrong:
            raise _undecoded(file, encoding, wrong.reason) from None


def _undecoded(file: RowFile, encoding: str, reason: str) -> Exception:
    """The refusal, at the first line that cannot be decoded: found by decoding line by line."""
    label = "UTF-8" if encoding == _UTF8 else encoding
    with raw(file) as (stream, _):
        if encoding.startswith(("utf-16", "utf-32")):
            return refused(file.name, None, f"is not {label}: {reason}")
        for number, line in enumerate(stream, 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as wrong:
                return refused(file.name, number, f"is not {label}: {wrong.reason}")
    return refused(file.name, None, f"is not {label}: {reason}")
