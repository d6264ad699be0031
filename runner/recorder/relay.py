"""Stands between the project's tool and PostgreSQL while new migrations are applied, and asks for counters after each message.

A server of PostgreSQL's has no way to be told of a plain INSERT, TRUNCATE or DO block without extensions or triggers that the
project would meet. So the bytes go through here, unchanged in both directions. When a message has been answered, and the client
has nothing under way, the server is asked in the same session, by the protocol's own function call, to write its counters into
the log (``dbproof_wrote`` in recorder.sql): what belongs to the session is exact there, locks in an open transaction too. A
function call touches no prepared statement and no portal. The client gets the end of its answer after that.

A message of several statements that dbproof itself has put together, of a file that its tool sends whole, has room between them
(stamps.py): there a question is put in the place of a comment, and its answer is kept from the client.

Nothing is asked after a statement that by its kind wrote nothing (a transaction that has read may take no other level of
isolation), in a transaction that has failed, between messages that are sent ahead, and where asking has taken too much time
already. Then the work of several statements is known together only. A session that is encrypted goes through unseen.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from runner.recorder import stamps, wire
from runner.recorder.allowance import Allowance
from runner.recorder.asking import QUIET, TOLD
from runner.recorder.concurrently import Concurrently
from runner.recorder.listening import PIECE, end, exactly, in_thread, listen, pour
from runner.servers.interface import Address


@dataclass(frozen=True)
class Functions:
    """The OIDs of the functions that write down counters: between transactions, and in one."""

    wrote: int
    within: int


@dataclass(frozen=True)
class Relay:
    """Hands on to one server; the sessions in one database are asked."""

    target: Address
    database: str
    functions: Functions
    watching: Callable[[int], Concurrently]

    def open(self, until: ExitStack) -> Address:
        """Begin to listen; ``until`` ends it. The address to give out instead of the server's."""
        return listen(self.target, self._hand_on, until)

    def _hand_on(self, client: socket.socket, server: socket.socket) -> None:
        line = _Line(self, client, server)
        try:
            line.begin()
        finally:
            end(client, server)  # so that no message comes any more for which watching would begin
            line.stop_watching()


@dataclass
class _Line:
    """One session: two threads, one for each direction. ``sending`` is held by who writes to the server."""

    relay: Relay
    client: socket.socket
    server: socket.socket
    sending: threading.Lock = field(default_factory=threading.Lock)
    sent: wire.Messages = field(default_factory=wire.Messages)
    allowance: Allowance = field(default_factory=Allowance)
    #: How many answers the client waits for, and whether it asks by the simple protocol.
    awaited: int = 0
    simple: bool = True
    process: int = 0
    seen: bytes | None = None
    asks: bool = True
    wrote: bool = True
    #: Whether locks may have been taken of which the recorder has not told.
    locks: bool = True
    #: Whether a message of our own sender's is under way to the server, and whether an answer to us comes back.
    stamped: bool = False
    answers: bool = False
    watch: Concurrently | None = None

    def begin(self) -> None:
        """Hand on until either side ends."""
        code, message = wire.first(self.client)
        while code in wire.ENCRYPTION:
            self.server.sendall(message)
            said = exactly(self.server, 1)
            self.client.sendall(said)
            if said != b"N":
                return self._through()
            code, message = wire.first(self.client)
        asked = wire.parameters(message) if code >> 16 == wire.PROTOCOL else {}
        self.server.sendall(message)
        if asked.get("database", asked.get("user")) != self.relay.database or "replication" in asked:
            return self._through()
        in_thread(self._from_client)
        return self._from_server()

    def _through(self) -> None:
        """Hand on without looking."""
        in_thread(pour, self.client, self.server)
        pour(self.server, self.client)

    def _from_client(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(PIECE):
                with self.sending:
                    if self.sent.is_between:
                        self.stamped = data[:1] == b"Q" and stamps.is_stamped(data[5:])
                    self._hear(data)
                    self.server.sendall(self._asking(data) if self.stamped else data)
        with suppress(OSError):
            self.server.shutdown(socket.SHUT_WR)

    def _hear(self, data: bytes) -> None:
        """Count the answers that the client will wait for. Passwords, which come before the first answer, await none."""
        try:
            for message in self.sent.feed(data):
                kind = message[:1]
                self.awaited += kind in (b"Q", b"S", b"F")
                if kind in (b"Q", b"P"):
                    self.simple = kind == b"Q"
                    if b"concurrently" in message.lower() and self.asks and self.process:
                        self.stop_watching()
                        self.watch = self.relay.watching(self.process)
        except ValueError:
            self.asks = False

    def _asking(self, data: bytes) -> bytes:
        """A piece of a message of our own sender's, with questions where it has room for them. Its length stays."""
        if not self.asks or self.seen is None:
            return data
        data, asked = stamps.asking(data, int(self.allowance.left / self.allowance.each))
        self.allowance.take(asked)
        return data

    def _from_server(self) -> None:
        messages = wire.Messages()
        while data := self.server.recv(PIECE):
            ready: list[bytes] = []
            whole = list(messages.feed(data))
            for number, message in enumerate(whole, 1):
                if message[:1] == b"Z":
                    self._send(ready)
                    self._answered(message[5:6], messages if number == len(whole) else None)
                    ready = [message]
                elif not self._is_for_us(message):
                    self._see(message)
                    ready.append(message)
            self._send(ready)

    def _send(self, messages: list[bytes]) -> None:
        if messages:
            self.client.sendall(b"".join(messages))

    def _is_for_us(self, message: bytes) -> bool:
        """Whether this is a part of an answer to a question of ours: what its row looks like, its row, its end."""
        kind = message[:1]
        if self.stamped and kind == b"T":
            self.answers = wire.first_column(message) == stamps.ANSWER
        ours = self.answers and kind in (b"T", b"D", b"C")
        self.answers = self.answers and kind not in (b"C", b"E")
        return ours

    def _see(self, message: bytes) -> None:
        kind = message[:1]
        if kind == b"K":
            self.process = int.from_bytes(message[5:9], "big")
        elif kind == b"C":
            tag = wire.tag(message)
            self.wrote = self.wrote or tag not in QUIET
            self.locks = self.locks or tag not in QUIET | TOLD
        elif kind == b"E":
            self.wrote = True
        elif kind == b"G" and not self.simple:
            self.awaited = 0  # the server passes over what asked for an answer while it takes rows; the client asks again

    def _answered(self, state: bytes, messages: wire.Messages | None) -> None:
        """An answer has ended: read the counters, where the session is at rest. ``messages`` where nothing follows it yet."""
        with self.sending:
            self.awaited = max(0, self.awaited - 1)
            rests = self.awaited == 0 and self.sent.is_between
            if self.wrote:
                self.stop_watching()
            if messages is None or not messages.is_between or not rests:
                return
            if self.asks and self.wrote and state in (b"I", b"T") and self.allowance.left >= 0:
                with self.allowance.timed():
                    self._ask(messages, self._question(state))
                self.wrote = self.locks = False

    def _question(self, state: bytes) -> bytes:
        functions = self.relay.functions
        if state == b"I" or self.seen is None:
            return wire.call(functions.wrote, self.seen)
        return wire.call(functions.within, b"0", b"true" if self.locks else b"false")

    def _ask(self, messages: wire.Messages, question: bytes) -> None:
        self.server.sendall(question)
        while data := self.server.recv(PIECE):
            whole = list(messages.feed(data))
            for message in whole:
                if message[:1] == b"V":
                    self.seen = wire.answer(message) or self.seen
                elif message[:1] == b"E":
                    self.asks = False
                elif message[:1] != b"Z":
                    self.client.sendall(message)
            if whole and whole[-1][:1] == b"Z":
                return
        raise ConnectionError

    def stop_watching(self) -> None:
        """A statement that was watched is over."""
        if self.watch is not None:
            self.watch.stop()
            self.watch = None
