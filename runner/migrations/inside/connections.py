"""Refuses connections to any other database than ours, before they are made."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Mapping, Optional, Tuple

from . import variables
from .telling import tell

#: The status of a program that was stopped because it went elsewhere.
REFUSED = 77
#: Seconds that it waits to be ended by whom it told; far more than that takes.
_UNTIL_ENDED = 30.0

#: The packages of drivers whose errors begin with MariaDB's number.
MYSQL_DRIVERS = frozenset({"pymysql", "MySQLdb", "mysql", "asyncmy", "aiomysql", "mariadb"})
#: What MariaDB says to a user, password or database that it does not know.
_MYSQL_LOGIN = frozenset({1044, 1045, 1049, 1698})


class Guard:
    """Knows our server's address and lets nothing else through. ``host`` and ``port`` are the server's, ``file`` is SQLite's."""

    def __init__(self, host: str, port: int, file: str = "") -> None:
        self.host = host
        self.port = port
        self.file = os.path.realpath(file) if file else ""
        self.passed = ""

    def is_ours(self, host: str, port: object) -> bool:
        """Whether an address is our server's, by whatever name of this machine."""
        if str(port) != str(self.port):
            return False
        return host == self.host or bool(_addresses(host) & _addresses(self.host))

    def check(self, scheme: str, host: Any, port: Any, database: Any) -> None:
        """Let an address pass, or end the program. Several hosts (a list, or with commas) must all be ours."""
        hosts = [str(one) for one in host] if isinstance(host, (list, tuple)) else str(host).split(",")
        ports = [str(one) for one in port] if isinstance(port, (list, tuple)) else str(port).split(",")
        ports = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
        for one, its in zip(hosts, ports):
            self.passed = f"{scheme}://{one}:{its or 5432}/{database or ''}"
            if not self.is_ours(one, its or 5432):
                refuse(self.passed)

    def is_lost(self, error: BaseException) -> bool:
        """Whether an exception means that the program came to our server, but with another user, password or database."""
        texts = [(str(getattr(one, "sqlstate", "")), str(one)) for one in variables.chain(error)]
        lost = any(code.startswith(("28", "3D")) or "FATAL:" in text for code, text in texts)
        logins = (_is_mongodb_login(one) or _is_mysql_login(one) for one in variables.chain(error))
        return bool(self.passed) and (lost or any(logins))

    def check_sqlite(self, database: Any, scheme: str = "sqlite") -> None:
        """A database in memory harms nobody; of files there is at most one that is ours."""
        name = _file_name(database)
        if name not in ("", ":memory:") and not name.startswith("file::memory:") and "mode=memory" not in name:
            self.passed = f"{scheme}:///{name}"
            if not self.is_our_file(database):
                refuse(self.passed)

    def is_our_file(self, database: Any) -> bool:
        """Whether a path, however it is written, or a ``file:`` URI leads to our SQLite file."""
        name = _file_name(database)
        if name.startswith("file:"):
            from urllib.parse import unquote

            path = unquote(name[5:].partition("?")[0].partition("#")[0])
            name = "/" + path.lstrip("/").partition("/")[2] if path.startswith("//localhost/") else path
            name = "/" + name.lstrip("/") if name.startswith("//") else name
        return bool(self.file) and bool(name) and os.path.realpath(name) == self.file

    def check_keywords(self, given: Mapping[str, Any], scheme: str = "postgresql") -> None:
        """The keywords of a PostgreSQL driver; what is not given comes from libpq's variables."""
        service = given.get("service") or variables.quietly("PGSERVICE")
        if service and not given.get("host"):
            refuse(f"{scheme}://service={service}")
        host, port = given.get("hostaddr") or given.get("host"), given.get("port")
        if not host:
            host, port = variables.quietly("PGHOST") or "localhost", port or variables.quietly("PGPORT")
        # Who names a host and no port means the usual one, wherever our own PGPORT would lead.
        self.check(scheme, host, port or 5432, given.get("dbname") or given.get("database"))

    def check_mysql(self, given: Mapping[str, Any], scheme: str = "mysql") -> None:
        """The keywords of a driver of MySQL's or MariaDB's; mysqlclient takes ``localhost`` for a socket, whatever the port."""
        host, socket = given.get("host") or "localhost", given.get("unix_socket")
        if socket or (host == "localhost" and scheme.endswith("mysqldb")):
            refuse(f"{scheme}://{socket or host}/{given.get('database') or given.get('db') or ''}")
        self.check(scheme, host, given.get("port") or 3306, given.get("database") or given.get("db"))

    def check_mongodb(self, host: Any, port: Any) -> None:
        """What pymongo takes for a host: none, a name, a URL, or a list of them."""
        for one in host if isinstance(host, (list, tuple)) else [host or "localhost"]:
            text = str(one)
            if text.startswith("mongodb+srv://"):
                refuse(text)
            where = text.partition("://")[2] if "://" in text else text
            hosts, _, database = where.partition("?")[0].partition("/")
            for address in hosts.rpartition("@")[2].split(","):
                name, its = _host_and_port(address, str(port or 27017))
                self.check("mongodb", name, its, database)


def _file_name(database: Any) -> str:
    name = os.fspath(database) if isinstance(database, os.PathLike) else database
    return os.fsdecode(name) if isinstance(name, bytes) else str(name or "")


def _is_mongodb_login(error: BaseException) -> bool:
    """MongoDB's AuthenticationFailed."""
    return type(error).__module__.startswith("pymongo") and getattr(error, "code", None) == 18


def _is_mysql_login(error: BaseException) -> bool:
    arguments: Tuple[Any, ...] = tuple(getattr(error, "args", ()))
    return bool(arguments) and arguments[0] in _MYSQL_LOGIN and type(error).__module__.partition(".")[0] in MYSQL_DRIVERS


def _host_and_port(address: str, usual: str) -> Tuple[str, str]:
    """``[::1]:27017``, ``db.example.com`` and the like."""
    host, bracket, rest = address.rpartition("]")
    if bracket:
        return host.lstrip("["), rest.lstrip(":") or usual
    name, _, port = address.partition(":")
    return name, port or usual


def _addresses(host: str) -> frozenset[Tuple[int, Optional[str]]]:
    """The addresses behind a name; every loopback counts as the same machine."""
    if host.startswith("/"):
        return frozenset()
    import socket

    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return frozenset()
    addresses = ((int(family), str(where[0])) for family, _, _, _, where in found)
    return frozenset((0, None) if one.startswith("127.") or one == "::1" else (family, one) for family, one in addresses)


def refuse(address: str) -> None:
    """Tell where the program wanted to go, and end it: it could catch an exception and try the next address.

    Whoever listens ends the whole tree of processes. This one stays until then, so that none above it takes the next step.
    """
    heard = tell("elsewhere", address=without_password(address), read=variables.read())
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    if heard:
        time.sleep(_UNTIL_ENDED)
    os._exit(REFUSED)


def without_password(address: str) -> str:
    """The address without user, password and query."""
    scheme, _, rest = address.partition("://")
    where, slash, path = rest.partition("/")
    return f"{scheme}://{where.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
