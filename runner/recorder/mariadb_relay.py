"""Stands between the project's tool and MariaDB while new migrations are applied, and has counters read between statements.

The bytes go through unchanged in both directions. A client sends a command when the one before has been answered, so that is the
moment when another session of ours reads what has moved (``mariadb_counters.py``): the project's own session is asked nothing,
and what it would see of its last statement (ROW_COUNT(), warnings, LAST_INSERT_ID()) stays. A client that sends ahead is not
read from until it waits again; then the work of several statements is known together only. A session that is encrypted or
compressed goes through unseen.

Source of the protocol: https://mariadb.com/kb/en/clientserver-protocol/
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from runner.recorder.allowance import Allowance
from runner.recorder.listening import PIECE, end, exactly, in_thread, listen, pour
from runner.servers.interface import Address

_HEAD = 4
#: What a client may ask for in its first packet that hides all that follows: compression and encryption.
_COMPRESSED, _ENCRYPTED = 0x20, 0x800
_QUERY = 0x03
#: A prepared statement is executed, once or with many values.
_EXECUTES = frozenset({0x17, 0xFA})
#: Nothing is answered: the session ends, a long value, a prepared statement is given up.
_UNANSWERED = frozenset({0x01, 0x18, 0x19})
#: Statements after which nothing has moved.
_QUIET = re.compile(
    r"(?:\s|/\*(?![!M]).*?\*/)*(?:set|show|use|begin|start|savepoint|release|describe|desc|explain)\b", re.IGNORECASE | re.DOTALL
)

#: Reads the counters after so many statements of a session (its number); whether it may be asked to again.
Reads = Callable[[int, int], bool]


@dataclass(frozen=True)
class Relay:
    """Hands on to one server."""

    target: Address
    reads: Reads

    def open(self, until: ExitStack) -> Address:
        """Begin to listen; ``until`` ends it. The address to give out instead of the server's."""
        return listen(self.target, self._hand_on, until)

    def _hand_on(self, client: socket.socket, server: socket.socket) -> None:
        _Line(self.reads, client, server).begin()


@dataclass
class _Line:
    """One session: two threads, one for each direction. ``moved`` counts its statements since counters were read last."""

    reads: Reads
    client: socket.socket
    server: socket.socket
    allowance: Allowance = field(default_factory=Allowance)
    answered: threading.Event = field(default_factory=threading.Event)
    number: int = 0
    moved: int = 0
    asks: bool = True

    def begin(self) -> None:
        """Hand on until either side ends."""
        greeting = _packet(self.server)
        self.number = _session(greeting)
        self.client.sendall(greeting)
        in_thread(self._from_server)
        answer = _packet(self.client)
        self.server.sendall(answer)
        if int.from_bytes(answer[_HEAD : _HEAD + 2], "little") & (_COMPRESSED | _ENCRYPTED):
            pour(self.client, self.server)
        else:
            self._from_client()
            self._read()

    def _from_server(self) -> None:
        """Hand on answers. A server that ends its side ends the session."""
        with suppress(OSError):
            while data := self.server.recv(PIECE):
                self.answered.set()
                self.client.sendall(data)
        end(self.client, self.server)

    def _from_client(self) -> None:
        held, left = b"", 0  # what has come and not been handed on; how much of the packet under way is still to come
        with suppress(OSError):
            while data := self.client.recv(PIECE):
                held += data
                ready = 0
                while ready < len(held) and (left or _begins(held, ready)):
                    if not left and held[ready + 3] == 0:
                        self.server.sendall(held[:ready])
                        held, ready = held[ready:], 0
                        self._command(held[_HEAD : _HEAD + 1], held[_HEAD + 1 : _HEAD + PIECE])
                    left = left or _length(held, ready)
                    taken = min(left, len(held) - ready)
                    ready, left = ready + taken, left - taken
                self.server.sendall(held[:ready])
                held = held[ready:]

    def _command(self, kind: bytes, text: bytes) -> None:
        """A command is about to be sent: what the one before has moved is read, where that has been answered."""
        number = kind[0] if kind else 0
        self._read()
        if number in _EXECUTES or (number == _QUERY and not is_quiet(text.decode("utf-8", "replace"))):
            self.moved += 1
        if number not in _UNANSWERED:
            self.answered.clear()

    def _read(self) -> None:
        if self.moved and self.asks and self.answered.is_set() and self.allowance.left >= 0:
            with self.allowance.timed():
                self.asks = self.reads(self.number, self.moved)
            self.moved = 0


def is_quiet(statement: str) -> bool:
    """Whether a statement, by its first word, moves nothing."""
    return _QUIET.match(statement) is not None


def _begins(held: bytes, at: int) -> bool:
    """Whether a packet's head is there, and the kind of its command where it has any content."""
    return len(held) - at > _HEAD or (len(held) - at == _HEAD and not int.from_bytes(held[at : at + 3], "little"))


def _length(held: bytes, at: int) -> int:
    return _HEAD + int.from_bytes(held[at : at + 3], "little")


def _packet(source: socket.socket) -> bytes:
    head = exactly(source, _HEAD)
    return head + exactly(source, int.from_bytes(head[:3], "little"))


def _session(greeting: bytes) -> int:
    """The number of the session, which stands after the server's version; 0 where the server refuses it."""
    if greeting[_HEAD : _HEAD + 1] != b"\n":
        return 0
    after = greeting.index(b"\0", _HEAD) + 1
    return int.from_bytes(greeting[after : after + 4], "little")
