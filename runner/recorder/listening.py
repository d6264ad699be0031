"""A port of the loopback that stands in for a server's: each session that comes is handed on by whoever knows its protocol."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace

from runner.servers.interface import Address

#: Bytes that are read at a time.
PIECE = 1 << 16
#: Seconds for the server to take a session, and for one to end that was told to.
_PATIENCE = 10.0

#: Hands on between a client and the server until either of them ends; may raise OSError and ValueError.
HandOn = Callable[[socket.socket, socket.socket], None]


def listen(target: Address, hand_on: HandOn, until: ExitStack) -> Address:
    """Listen until ``until`` ends, and connect each session that comes to the server at ``target``.

    Gives the address to be given out instead of the server's.
    """
    listener = until.enter_context(socket.create_server(("127.0.0.1", 0)))
    lines = _Lines(target, hand_on)
    until.callback(lines.close, listener)
    in_thread(lines.accept, listener)
    host, port = listener.getsockname()[:2]
    return replace(target, host=host, port=port)


@dataclass
class _Lines:
    """All sessions that have come."""

    target: Address
    hand_on: HandOn
    _all: list[_Line] = field(default_factory=list)

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                line = _Line([client])
                self._all.append(line)
                in_thread(line.run, self.target, self.hand_on)

    def close(self, listener: socket.socket) -> None:
        """End what is still open. The tool is gone by now, so nothing of its is lost."""
        end(listener)
        for line in self._all:
            end(*line.ends)
        for line in self._all:
            line.done.wait(_PATIENCE)


@dataclass
class _Line:
    """One session; ``ends`` are the client's, and the server's as soon as that is there."""

    ends: list[socket.socket]
    done: threading.Event = field(default_factory=threading.Event)

    def run(self, target: Address, hand_on: HandOn) -> None:
        (client,) = self.ends
        try:
            with client, socket.create_connection((target.host, target.port), _PATIENCE) as server:
                server.settimeout(None)
                self.ends.append(server)
                for one in self.ends:
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    hand_on(client, server)
                finally:
                    end(client, server)  # closing alone would leave a thread that waits for one of them where it is
        except (OSError, ValueError):
            pass  # the client sees its connection end, as it would without us
        finally:
            self.done.set()


def in_thread(run: Callable[..., None], *arguments: object) -> None:
    """Run it in a thread of its own, which nobody waits for."""
    threading.Thread(target=run, args=arguments, name="dbproof-relay", daemon=True).start()


def end(*ends: socket.socket) -> None:
    """End sockets, for those too that wait for something to come from them."""
    for one in ends:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def exactly(source: socket.socket, count: int) -> bytes:
    """So many bytes; raises ConnectionError where the other side ends before."""
    data = b""
    while len(data) < count:
        piece = source.recv(count - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def pour(source: socket.socket, sink: socket.socket) -> None:
    """Hand on all that comes, as it comes, until the source ends; then the sink hears nothing more."""
    with suppress(OSError):
        while data := source.recv(PIECE):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
