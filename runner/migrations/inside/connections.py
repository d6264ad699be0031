"""Refuses connections to any other database than ours, before they are made."""

from __future__ import annotations

import functools
import os
import sys
import time
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

from . import variables
from .telling import tell

#: The status of a program that was stopped because it went elsewhere.
REFUSED = 77
#: Seconds that it waits to be ended by whom it told; far more than that takes.
_UNTIL_ENDED = 30.0

_LIBPQ = frozenset({"host", "hostaddr", "port", "dbname", "service"})
#: The packages of drivers whose errors begin with MariaDB's number.
MYSQL_DRIVERS = frozenset({"pymysql", "MySQLdb", "mysql", "asyncmy", "aiomysql", "mariadb"})
_POSTGRESQL = frozenset({"postgresql", "cockroachdb", "redshift"})
_MYSQL = frozenset({"mysql", "mariadb"})
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

    # SQLAlchemy ------------------------------------------------------------------------------------------------------

    def do_connect(self, dialect: Any, _record: Any, arguments: Sequence[Any], parameters: Mapping[str, Any]) -> None:
        """SQLAlchemy's event before a connection is made, for every dialect."""
        scheme = f"{dialect.name}+{dialect.driver}" if getattr(dialect, "driver", "") else str(dialect.name)
        if dialect.name == "sqlite":
            self.check_sqlite(arguments[0] if arguments else parameters.get("database", ""), scheme)
        elif dialect.name in _MYSQL:
            self.check_mysql(parameters, scheme)
        elif dialect.name not in _POSTGRESQL:
            database = parameters.get("database") or parameters.get("db") or parameters.get("dbname") or ""
            refuse(f"{scheme}://{parameters.get('host') or 'localhost'}:{parameters.get('port') or ''}/{database}")
        elif not (arguments and arguments[0]):  # with a connection string, the driver's own guard reads it
            self.check_keywords(parameters, scheme)

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

    # drivers ---------------------------------------------------------------------------------------------------------

    def psycopg(self, module: Any) -> None:
        """Guard psycopg 3, whoever calls it."""
        from psycopg.conninfo import conninfo_to_dict

        def check(conninfo: str, named: Dict[str, Any]) -> None:
            self.check_keywords(conninfo_to_dict(conninfo, **{key: named[key] for key in _LIBPQ & named.keys()}))

        for connection in (module.Connection, module.AsyncConnection):
            connection.connect = classmethod(_checked(connection.connect.__func__, check))
        module.connect = module.Connection.connect

    def psycopg2(self, module: Any) -> None:
        """Guard psycopg2 where it hands the finished connection string to libpq."""
        original, parse_dsn = module._connect, module.extensions.parse_dsn

        def connect(dsn: str, *arguments: Any, **named: Any) -> Any:
            self.check_keywords(parse_dsn(dsn))
            return original(dsn, *arguments, **named)

        module._connect = connect

    def asyncpg(self, module: Any) -> None:
        """Guard asyncpg where it has settled on an address."""
        inner = module.connect_utils
        original = getattr(inner, "_connect_addr", None)
        if original is None:
            return

        def connect(*arguments: Any, **named: Any) -> Any:
            address = named.get("addr")
            if isinstance(address, (tuple, list)):
                self.check("postgresql+asyncpg", address[0], address[1], getattr(named.get("params"), "database", ""))
            elif address is not None:
                refuse(f"postgresql+asyncpg://{address}")
            return original(*arguments, **named)

        inner._connect_addr = connect

    def pymysql(self, module: Any) -> None:
        """Guard PyMySQL where it connects."""
        inner = getattr(module, "connections", None)
        if inner is None:
            return
        original = inner.Connection.connect

        @functools.wraps(original)
        def connect(one: Any, *arguments: Any, **named: Any) -> Any:
            self.check_mysql({"host": one.host, "port": one.port, "unix_socket": one.unix_socket, "database": one.db})
            return original(one, *arguments, **named)

        inner.Connection.connect = connect

    def aiomysql(self, module: Any) -> None:
        """Guard aiomysql where it connects."""
        original = module.connection.Connection._connect

        @functools.wraps(original)
        def connect(one: Any, *arguments: Any, **named: Any) -> Any:
            self.check_mysql({"host": one._host, "port": one._port, "unix_socket": one._unix_socket, "database": one._db})
            return original(one, *arguments, **named)

        module.connection.Connection._connect = connect

    def called(self, scheme: str, *names: str) -> Callable[[Any], None]:
        """Guard a driver of MySQL's by the functions of these names that make its connections."""

        def guard(module: Any) -> None:
            for name in names:
                original = getattr(module, name, None)
                if original is not None:
                    setattr(module, name, self._checked_call(original, scheme))

        return guard

    def _checked_call(self, original: Callable[..., Any], scheme: str) -> Callable[..., Any]:
        positions = ("host", "user", "password", "database", "port", "unix_socket")

        @functools.wraps(original)
        def connect(*arguments: Any, **named: Any) -> Any:
            self.check_mysql({**dict(zip(positions, arguments)), **named}, scheme)
            return original(*arguments, **named)

        return connect

    def pymongo(self, module: Any) -> None:
        """Guard pymongo's clients as they are made, and with them Motor's and Beanie's: they begin to connect at once."""
        for name in ("MongoClient", "AsyncMongoClient"):
            client = getattr(module, name, None)
            if client is not None:
                client.__init__ = self._checked_client(client.__init__)

    def _checked_client(self, original: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(original)
        def made(client: Any, host: Any = None, port: Any = None, *arguments: Any, **named: Any) -> None:
            self.check_mongodb(host, port)
            original(client, host, port, *arguments, **named)

        return made

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

    def django(self, module: Any) -> None:
        """Guard Django's other engines; PostgreSQL's drivers are guarded themselves."""
        original = module.BaseDatabaseWrapper.connect

        def connect(wrapper: Any) -> Any:
            told = wrapper.settings_dict
            if wrapper.vendor == "sqlite":
                self.check_sqlite(told.get("NAME"))
            elif wrapper.vendor == "mysql":
                named = {"host": told.get("HOST"), "port": told.get("PORT"), "database": told.get("NAME")}
                self.check_mysql({**named, **told.get("OPTIONS", {})}, "mysql+mysqldb")
            elif wrapper.vendor != "postgresql":
                refuse(f"{wrapper.vendor}://{told.get('HOST') or 'localhost'}:{told.get('PORT') or ''}/{told.get('NAME')}")
            return original(wrapper)

        module.BaseDatabaseWrapper.connect = connect


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


def _checked(original: Callable[..., Any], check: Callable[[str, Dict[str, Any]], None]) -> Callable[..., Any]:
    def connect(cls: Any, conninfo: str = "", *arguments: Any, **named: Any) -> Any:
        check(conninfo, named)
        return original(cls, conninfo, *arguments, **named)

    return connect


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
