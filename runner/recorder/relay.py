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
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from runner.recorder import stamps, wire
from runner.recorder.asking import QUIET, TOLD
from runner.recorder.concurrently import Concurrently
from runner.servers.interface import Address

_PIECE = 1 << 16
_PATIENCE = 10.0
#: Seconds that asking may take in all, and the share of the time that a session has lasted, which may be asked for beyond that.
_ALLOWANCE, _SHARE = 1.0, 0.05
#: Seconds that a question is taken to need before one has been timed.
_EACH = 0.001


@dataclass(frozen=True)
class Functions:
    """The OIDs of the functions that write down counters: between transactions, and in one."""

    wrote: int
    within: int


@dataclass
class Relay:
    """Listens on the loopback and hands on to one server; the sessions in one database are asked."""

    target: Address
    database: str
    functions: Functions
    watching: Callable[[int], Concurrently]
    _lines: list[_Line] = field(default_factory=list)
    _listener: socket.socket | None = None

    def open(self, until: ExitStack) -> Address:
        """Begin to listen; ``until`` ends it. The address to give out instead of the server's."""
        listener = until.enter_context(socket.create_server(("127.0.0.1", 0)))
        self._listener = listener
        until.callback(self._close)
        threading.Thread(target=self._accept, args=(listener,), name="dbproof-relay", daemon=True).start()
        host, port = listener.getsockname()[:2]
        return Address(host, port, self.target.user, self.target.password, self.target.database, self.target.extra)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                line = _Line(client, self)
                self._lines.append(line)
                threading.Thread(target=line.run, name="dbproof-relay", daemon=True).start()

    def _close(self) -> None:
        """End what is still open. The tool is gone by now, so nothing of its is lost."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
        for line in self._lines:
            line.end()
        for line in self._lines:
            line.done.wait(_PATIENCE)


@dataclass
class _Line:
    """One session: two threads, one for each direction. ``sending`` is held by who writes to the server."""

    client: socket.socket
    relay: Relay
    sending: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)
    sent: wire.Messages = field(default_factory=wire.Messages)
    server: socket.socket | None = None
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
    began: float = field(default_factory=time.monotonic)
    asked: float = 0.0
    times: int = 0
    watch: Concurrently | None = None

    def run(self) -> None:
        """Hand on until either side ends."""
        try:
            with self.client, socket.create_connection((self.relay.target.host, self.relay.target.port), _PATIENCE) as server:
                server.settimeout(None)
                for one in (self.client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.server = server
                try:
                    self._begin(server)
                finally:
                    self.end()  # closing alone would leave a thread that waits for the client where it is
        except (OSError, ValueError):
            pass  # the client sees its connection end, as it would without us
        finally:
            self._stop_watching()
            self.done.set()

    def end(self) -> None:
        """End both sides."""
        for one in (self.client, self.server):
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _begin(self, server: socket.socket) -> None:
        code, message = wire.first(self.client)
        while code in wire.ENCRYPTION:
            server.sendall(message)
            said = wire.exactly(server, 1)
            self.client.sendall(said)
            if said != b"N":
                return self._through(server)
            code, message = wire.first(self.client)
        asked = wire.parameters(message) if code >> 16 == wire.PROTOCOL else {}
        server.sendall(message)
        if asked.get("database", asked.get("user")) != self.relay.database or "replication" in asked:
            return self._through(server)
        threading.Thread(target=self._from_client, args=(server,), name="dbproof-relay", daemon=True).start()
        return self._from_server(server)

    def _through(self, server: socket.socket) -> None:
        """Hand on without looking."""
        threading.Thread(target=wire.pour, args=(self.client, server), name="dbproof-relay", daemon=True).start()
        wire.pour(server, self.client)

    def _from_client(self, server: socket.socket) -> None:
        with suppress(OSError):
            while data := self.client.recv(_PIECE):
                with self.sending:
                    if self.sent.is_between:
                        self.stamped = data[:1] == b"Q" and stamps.is_stamped(data[5:])
                    self._hear(data)
                    server.sendall(self._asking(data) if self.stamped else data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _hear(self, data: bytes) -> None:
        """Count the answers that the client will wait for. Passwords, which come before the first answer, await none."""
        try:
            for message in self.sent.feed(data):
                kind = message[:1]
                self.awaited += kind in (b"Q", b"S", b"F")
                if kind in (b"Q", b"P"):
                    self.simple = kind == b"Q"
                    if b"concurrently" in message.lower() and self.asks and self.process:
                        self._stop_watching()
                        self.watch = self.relay.watching(self.process)
        except ValueError:
            self.asks = False

    def _asking(self, data: bytes) -> bytes:
        """A piece of a message of our own sender's, with questions where it has room for them. Its length stays."""
        if not self.asks or self.seen is None:
            return data
        data, asked = stamps.asking(data, int(self._left() / self._each()))
        self.asked += asked * self._each()
        self.times += asked
        return data

    def _from_server(self, server: socket.socket) -> None:
        messages = wire.Messages()
        while data := server.recv(_PIECE):
            ready: list[bytes] = []
            whole = list(messages.feed(data))
            for number, message in enumerate(whole, 1):
                if message[:1] == b"Z":
                    self._send(ready)
                    self._answered(server, message[5:6], messages if number == len(whole) else None)
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

    def _answered(self, server: socket.socket, state: bytes, messages: wire.Messages | None) -> None:
        """An answer has ended: read the counters, where the session is at rest. ``messages`` where nothing follows it yet."""
        with self.sending:
            self.awaited = max(0, self.awaited - 1)
            rests = self.awaited == 0 and self.sent.is_between
            if self.wrote:
                self._stop_watching()
            if messages is None or not messages.is_between or not rests:
                return
            if self.asks and self.wrote and state in (b"I", b"T") and self._left() >= 0:
                began = time.monotonic()
                self._ask(server, messages, self._question(state))
                self.asked += time.monotonic() - began
                self.times += 1
                self.wrote = self.locks = False

    def _left(self) -> float:
        """Seconds that asking may still take."""
        return _ALLOWANCE + _SHARE * (time.monotonic() - self.began) - self.asked

    def _each(self) -> float:
        return self.asked / self.times if self.times else _EACH

    def _question(self, state: bytes) -> bytes:
        functions = self.relay.functions
        if state == b"I" or self.seen is None:
            return wire.call(functions.wrote, self.seen)
        return wire.call(functions.within, b"0", b"true" if self.locks else b"false")

    def _ask(self, server: socket.socket, messages: wire.Messages, question: bytes) -> None:
        server.sendall(question)
        while data := server.recv(_PIECE):
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

    def _stop_watching(self) -> None:
        if self.watch is not None:
            self.watch.stop()
            self.watch = None
