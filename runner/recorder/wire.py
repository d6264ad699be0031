"""Messages of PostgreSQL's protocol, as far as the relay has to know them.

Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

from runner.recorder.listening import exactly

#: What a client may ask for before its startup message; the server answers with one byte.
ENCRYPTION = frozenset({80877103, 80877104})
#: The major version of the protocol that is spoken since 2003.
PROTOCOL = 3
_LENGTH = struct.Struct("!i")
#: The longest startup message that is taken for one, in bytes.
_LONGEST = 1 << 16


class Messages:
    """Cuts a stream into whole messages: a byte that tells the kind, the length, the content."""

    def __init__(self) -> None:
        self._kept = bytearray()

    @property
    def is_between(self) -> bool:
        """Whether the stream ended with a whole message."""
        return not self._kept

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that are whole with this piece of the stream."""
        self._kept += data
        start = 0
        while len(self._kept) - start >= 5:
            (length,) = _LENGTH.unpack_from(self._kept, start + 1)
            if length < 4:
                raise ValueError(length)
            if len(self._kept) - start < 1 + length:
                break
            yield bytes(self._kept[start : start + 1 + length])
            start += 1 + length
        del self._kept[:start]


def first(client: socket.socket) -> tuple[int, bytes]:
    """A message before the session has begun, which has no kind: its code, and all of it."""
    head = exactly(client, 8)
    length, code = struct.unpack("!ii", head)
    if not 8 <= length <= _LONGEST:
        raise ValueError(length)
    return code, head + exactly(client, length - 8)


def parameters(startup: bytes) -> dict[str, str]:
    """What a startup message asks for: ``user``, ``database``, ``replication`` …"""
    parts = startup[8:].split(b"\0")
    names = (part.decode("utf-8", "replace") for part in parts)
    return {name: value for name, value in zip(names, names, strict=False) if name}


def call(function: int, *arguments: bytes | None) -> bytes:
    """A call of a function, its arguments and its answer as text."""
    given = b"".join(_LENGTH.pack(-1) if one is None else _LENGTH.pack(len(one)) + one for one in arguments)
    content = struct.pack("!ihh", function, 0, len(arguments)) + given + struct.pack("!h", 0)
    return b"F" + _LENGTH.pack(4 + len(content)) + content


def answer(message: bytes) -> bytes | None:
    """The value that a function's answer (``V``) holds, ``None`` for NULL."""
    (length,) = _LENGTH.unpack_from(message, 5)
    return None if length < 0 else message[9 : 9 + length]


def first_column(message: bytes) -> bytes:
    """The name of the first column of what rows look like (``T``)."""
    return message[7:].split(b"\0", 1)[0]


def tag(message: bytes) -> str:
    """The first word of the tag with which a statement ended (``C``), in lower case."""
    return message[5:].split(b"\0")[0].split(b" ")[0].decode("ascii", "replace").lower()
