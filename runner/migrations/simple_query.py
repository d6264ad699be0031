"""A session that speaks PostgreSQL's simple query protocol exactly: one message at a time, its results counted.

Drivers hide how many statements of a message went through before one failed; libpq's results say it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import TYPE_CHECKING

from runner.errors import ServerFailed
from runner.servers.interface import Address

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult

#: The application name of these sessions: they are the project's, not dbproof's own.
APPLICATION = "dbproof-migrations"
_OURS = {"application_name": APPLICATION, "client_encoding": "UTF8", "connect_timeout": 10}
_CANCEL_SECONDS = 5.0
_CHUNK = 65536


@dataclass(frozen=True)
class Refusal:
    """Why a message ended early: the server's words, or the deadline. ``position`` counts characters of the message from 0.

    ``context`` is where in a COPY or a function it happened; ``schema``, ``table`` and ``constraint`` are what was broken.
    """

    said: str
    code: str = ""
    detail: str = ""
    position: int | None = None
    timed_out: bool = False
    context: str = ""
    schema: str = ""
    table: str = ""
    constraint: str = ""


@dataclass(frozen=True)
class Reply:
    """What came of a message: how many of its statements ended well, and why the next one did not."""

    completed: int
    refusal: Refusal | None = None


class Session:
    """One connection. ``deadline`` is a moment of ``time.monotonic()`` that no message may outlast."""

    def __init__(self, connection: Connection[tuple[object, ...]], deadline: float) -> None:
        self.connection = connection
        self.deadline = deadline
        self._pgconn: PGconn = connection.pgconn
        self._pgconn.nonblocking = 1

    def send(self, message: str, data: str | Iterable[bytes] | None = None) -> Reply:
        """Send a message and wait for all of its results; ``data`` are the rows that ``COPY … FROM stdin`` asks for.

        What ``data`` raises while it is read goes through; the COPY is ended then, and refused by the server.
        """
        import psycopg

        completed, refusal = 0, None
        try:
            self._pgconn.send_query(_bytes(message))
            while (result := self._result()) is not None:
                refusal = refusal or _refusal(result)
                completed += self._served(result, data)
        except TimeoutError:
            self.cancel()
            self.connection.close()
            refusal = Refusal("not finished at the deadline", timed_out=True)
        except psycopg.OperationalError as lost:
            refusal = refusal or Refusal(str(lost).strip())
        return Reply(completed, refusal)

    def cancel(self) -> None:
        """End what the server is doing for this session, if it is doing anything."""
        import psycopg
        from psycopg.pq import TransactionStatus

        if self._pgconn.transaction_status == TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                self.connection.cancel_safe(timeout=_CANCEL_SECONDS)

    def _result(self) -> PGresult | None:
        self._flush()
        while self._pgconn.is_busy():
            self._wait(EVENT_READ)
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _served(self, result: PGresult, data: str | Iterable[bytes] | None) -> int:
        """Serve a COPY; gives 1 where the result ends a statement well."""
        from psycopg.pq import ExecStatus

        if result.status == ExecStatus.COPY_IN:
            self._copy_in(data)
        elif result.status == ExecStatus.COPY_OUT:
            self._copy_out()
        return int(result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK))

    def _copy_in(self, data: str | Iterable[bytes] | None) -> None:
        if data is None:
            self._until_taken(partial(self._pgconn.put_copy_end, b"there are no rows for COPY FROM stdin in this file"))
            return
        try:
            for part in _parts(_bytes(data)) if isinstance(data, str) else data:
                self._until_taken(partial(self._pgconn.put_copy_data, part))
                self._flush()  # libpq would keep all that the server has not read yet
        except TimeoutError:
            raise
        except Exception:
            self._until_taken(partial(self._pgconn.put_copy_end, b"the rows end here"))
            self._drained()
            raise
        self._until_taken(self._pgconn.put_copy_end)

    def _drained(self) -> None:
        while self._result() is not None:
            pass

    def _copy_out(self) -> None:
        while (taken := self._pgconn.get_copy_data(1))[0] >= 0:
            if taken[0] == 0:
                self._wait(EVENT_READ)
                self._pgconn.consume_input()

    def _until_taken(self, put: Callable[[], int]) -> None:
        """Repeat until libpq's buffer has room."""
        while put() == 0:
            self._wait(EVENT_WRITE)
            self._pgconn.flush()

    def _flush(self) -> None:
        """Send what is buffered, reading meanwhile, since the server may wait for its answers to be read first."""
        while self._pgconn.flush():
            if self._wait(EVENT_READ | EVENT_WRITE) & EVENT_READ:
                self._pgconn.consume_input()

    def _wait(self, events: int) -> int:
        """Wait for the socket, not beyond the deadline; gives the events that are ready."""
        left = self.deadline - time.monotonic()
        with DefaultSelector() as selector:
            selector.register(self._pgconn.socket, events)
            ready = selector.select(left) if left > 0 else []
        if not ready:
            raise TimeoutError
        return ready[0][1]


@contextmanager
def session(address: Address, deadline: float, notice: Callable[[str], None] = lambda _: None) -> Iterator[Session]:
    """A session at an address, cancelled and closed at the end; raises ServerFailed. ``notice`` gets the server's notices."""
    import psycopg

    try:
        connection = psycopg.connect(**{**address.keywords(), **_OURS}, autocommit=True)
    except psycopg.OperationalError as failed:
        raise ServerFailed(
            f"no connection to database '{address.database}' on {address.host}:{address.port}: {str(failed).strip()}",
            "The server went away, or refuses this role; its log says more.",
        ) from None
    connection.add_notice_handler(lambda said: notice(f"{said.severity}: {said.message_primary}"))
    opened = Session(connection, deadline)
    try:
        yield opened
    finally:
        opened.cancel()
        connection.close()


def _refusal(result: PGresult) -> Refusal | None:
    from psycopg.pq import DiagnosticField, ExecStatus

    if result.status not in (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE):
        return None

    def part(which: DiagnosticField) -> str:
        return (result.error_field(which) or b"").decode("utf-8", "replace")

    position = part(DiagnosticField.STATEMENT_POSITION)
    return Refusal(
        said=part(DiagnosticField.MESSAGE_PRIMARY) or result.error_message.decode("utf-8", "replace").strip(),
        code=part(DiagnosticField.SQLSTATE),
        detail=part(DiagnosticField.MESSAGE_DETAIL),
        position=int(position) - 1 if position else None,
        context=part(DiagnosticField.CONTEXT),
        schema=part(DiagnosticField.SCHEMA_NAME),
        table=part(DiagnosticField.TABLE_NAME),
        constraint=part(DiagnosticField.CONSTRAINT_NAME),
    )


def _parts(rows: bytes) -> Iterator[bytes]:
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))


def _bytes(text: str) -> bytes:
    """As the file had it: bytes that are no UTF-8 go to the server, which says so."""
    return text.encode("utf-8", "surrogateescape")
