"""dbproof's own sessions on a MariaDB server, and how it quotes names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from runner.migrations.inside.refusals import without_values
from runner.servers.interface import OURS, Address

if TYPE_CHECKING:
    from pymysql.connections import Connection

    Driver = Connection[Any]

#: The user of dbproof itself, by which the log tells its sessions from the project's, and the superuser of the user's tools.
OUR_USER = OURS
ADMIN_USER = "root"

#: Our own statements are not logged: the log is for what the project sends.
UNLOGGED = "SET SESSION sql_log_off = 1"
#: Seconds that connecting may take, and waiting for an answer.
_PATIENCE = 10
_ANSWER = 600


def connect(
    address: Address,
    *,
    first: str | None = None,
    answer: float = _ANSWER,
    read: Mapping[Any, Any] | None = None,
    several: bool = False,
) -> Driver:
    """A session in autocommit mode whose first statement is ``first``; raises pymysql.err.Error.

    ``read`` are functions that make values from the bytes that come, by the driver's number of a type, in place of its own. Rows
    count as touched by an UPDATE where they were found. A host that is a path is a Unix socket. With ``several`` a message may
    hold more than one statement.
    """
    from pymysql.connections import Connection
    from pymysql.constants import CLIENT
    from pymysql.converters import encoders

    of_socket = address.host.startswith("/")
    return Connection(
        host=None if of_socket else address.host,
        port=address.port,
        unix_socket=address.host if of_socket else None,
        ssl_ca=address.extra.get("ssl_ca"),
        ssl_cert=address.extra.get("ssl_cert"),
        ssl_key=address.extra.get("ssl_key"),
        # The driver reads all certificates of the machine for each connection, 20 to 80 ms, and a socket needs none.
        ssl_disabled=of_socket and "ssl_ca" not in address.extra,
        user=address.user,
        password=address.password,
        database=address.database or None,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=_PATIENCE,
        read_timeout=answer,
        write_timeout=answer,
        init_command=first if first is not None else (UNLOGGED if address.user == OUR_USER else None),
        client_flag=CLIENT.FOUND_ROWS | (CLIENT.MULTI_STATEMENTS if several else 0),
        program_name=OURS,
        use_unicode=read is None,
        conv=None if read is None else {**encoders, **read},
    )


@contextmanager
def session(address: Address, *, first: str | None = None) -> Iterator[Driver]:
    """A session for the length of the context; raises pymysql.err.Error."""
    driver = connect(address, first=first)
    try:
        yield driver
    finally:
        close(driver)


def close(driver: Driver) -> None:
    """End a session, also one that is lost already or in the middle of something."""
    import pymysql

    with suppress(pymysql.err.Error, OSError):
        driver.close()


def rows(driver: Driver, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement with its values bound; without values a percent sign stays what it is."""
    with driver.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall())


def quoted(name: str) -> str:
    """A name as it is written in a statement."""
    return f"`{name.replace('`', '``')}`"


def code_of(failure: BaseException) -> str:
    """The server's number of an error, ``1452``; empty for what the driver itself says."""
    number = failure.args[0] if failure.args else None
    return str(number) if isinstance(number, int) and number > 0 and not 2000 <= number < 3000 else ""


def words_of(failure: BaseException) -> str:
    """What the server says of an error, without values of rows."""
    return without_values(failure.args[0] if failure.args else None, all_words_of(failure))[0]


def values_of(failure: BaseException) -> str:
    """The values of rows that the server quotes in an error."""
    return without_values(failure.args[0] if failure.args else None, all_words_of(failure))[1]


def all_words_of(failure: BaseException) -> str:
    """All that the server says of an error, which may quote rows."""
    return str(failure.args[1]) if len(failure.args) > 1 else str(failure)
