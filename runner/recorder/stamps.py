"""Stamps: how a place travels with a statement to the server and into its log.

A single statement carries its place as a comment before it, ``/*dbproof:db/one.sql:12*/``; the statements of one message
each follow ``SET dbproof.at = 'db/one.sql:12';``. Whatever is not a letter, a digit or one of ``_./-`` is written ``=XX``
(bytes of UTF-8), so that neither a comment, nor a string, nor a driver's ``%`` or ``:name`` can be met in it.

Between the statements of a message a comment keeps room for the relay (relay.py), which asks there what the one before did. It
is as long as the question, so that the positions that the server tells stay true, and nothing where no relay is in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.evidence import Place

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-")
_AT = r"([A-Za-z0-9_./=-]+:\d{1,9})"
_COMMENT = re.compile(rf"\s*/\*dbproof:{_AT}\*/\s*")
_SETTING = re.compile(rf"\s*SET dbproof\.at = '{_AT}';?\s*")
_CALL = r"pg_catalog\.dbproof_within\(\d{6},(?:true |false)\)"
_ROOM = re.compile(rf"/\*  ({_CALL})  \*/".encode())
_BETWEEN = re.compile(rf"(?:/\*  {_CALL}  \*/|SELECT {_CALL};)\s*\Z")
#: What a question's answer calls its only column.
ANSWER = b"dbproof_within"
_MOST = 999_999
_BYTE = re.compile(r"=([0-9A-Fa-f]{2})")


def comment(place: Place) -> str:
    """The comment to put before a statement that is sent alone."""
    return f"/*dbproof:{encode(place)}*/"


def setting(place: Place) -> str:
    """The statement to send before another one within the same message."""
    return f"SET dbproof.at = '{encode(place)}';"


def room(number: int, *, locks: bool) -> str:
    """The comment to send after a statement, the ``number``-th of its message (from 1): room to ask what it did.

    ``locks`` is false for a statement whose locks are known by then. Nothing where numbers end.
    """
    return f"/*  pg_catalog.dbproof_within({number:06},{'true ' if locks else 'false'})  */" if number <= _MOST else ""


def is_stamped(message: bytes) -> bool:
    """Whether our own sender made this message (or the beginning of one) of several statements."""
    return message.startswith(b"SET dbproof.at = '")


def asking(message: bytes, most: int) -> tuple[bytes, int]:
    """A message in which questions take up at most so many of the rooms for them, the first ones; and how many."""
    return _ROOM.subn(rb"SELECT \1;", message, count=most) if most > 0 else (message, 0)


def encode(place: Place) -> str:
    """``db/one.sql:12``, escaped; a place without a line counts as line 1."""
    raw = place.file.encode("utf-8", "surrogateescape")
    file = "".join(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in raw)
    return f"{file}:{place.line or 1}"


def decode(at: str) -> Place | None:
    """The place that :func:`encode` wrote, or ``None`` where the text is no such thing."""
    if re.fullmatch(_AT, at) is None:
        return None
    file, _, line = at.rpartition(":")
    parts = _BYTE.split(file)
    raw = b"".join(bytes.fromhex(part) if odd % 2 else part.encode() for odd, part in enumerate(parts))
    return Place(raw.decode("utf-8", "replace"), int(line))


def unstamp(text: str) -> Iterator[tuple[Place | None, str]]:
    """The statements of a message with their places, stamps taken off; a message without settings is one statement.

    ``SET dbproof.at`` alone gives nothing. Settings are found by their exact form, which only our own sender writes.
    """
    parts = _SETTING.split(text)
    if len(parts) == 1 or parts[0].strip():
        yield _without_comment(parts[0])
    for at, sent in zip(parts[1::2], parts[2::2], strict=True):
        if said := _BETWEEN.sub("", sent).strip():
            yield decode(at), said


def _without_comment(text: str) -> tuple[Place | None, str]:
    found = _COMMENT.match(text)
    return (decode(found[1]), text[found.end() :]) if found else (None, text)
