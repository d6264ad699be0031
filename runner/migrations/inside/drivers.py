"""Where each driver's connections are made, and the guard looks at their addresses: whoever in the program calls it."""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, Mapping, Sequence

from .connections import Guard, refuse

_LIBPQ = frozenset({"host", "hostaddr", "port", "dbname", "service"})
_POSTGRESQL = frozenset({"postgresql", "cockroachdb", "redshift"})
_MYSQL = frozenset({"mysql", "mariadb"})


class Drivers:
    """Puts the guard into drivers; each method is given the module that was imported."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def do_connect(self, dialect: Any, _record: Any, arguments: Sequence[Any], parameters: Mapping[str, Any]) -> None:
        """SQLAlchemy's event before a connection is made, for every dialect."""
        scheme = f"{dialect.name}+{dialect.driver}" if getattr(dialect, "driver", "") else str(dialect.name)
        if dialect.name == "sqlite":
            self._guard.check_sqlite(arguments[0] if arguments else parameters.get("database", ""), scheme)
        elif dialect.name in _MYSQL:
            self._guard.check_mysql(parameters, scheme)
        elif dialect.name not in _POSTGRESQL:
            database = parameters.get("database") or parameters.get("db") or parameters.get("dbname") or ""
            refuse(f"{scheme}://{parameters.get('host') or 'localhost'}:{parameters.get('port') or ''}/{database}")
        elif not (arguments and arguments[0]):  # with a connection string, the driver's own guard reads it
            self._guard.check_keywords(parameters, scheme)

    def psycopg(self, module: Any) -> None:
        """Guard psycopg 3, whoever calls it."""
        from psycopg.conninfo import conninfo_to_dict

        def check(conninfo: str, named: Dict[str, Any]) -> None:
            self._guard.check_keywords(conninfo_to_dict(conninfo, **{key: named[key] for key in _LIBPQ & named.keys()}))

        for connection in (module.Connection, module.AsyncConnection):
            connection.connect = classmethod(_checked(connection.connect.__func__, check))
        module.connect = module.Connection.connect

    def psycopg2(self, module: Any) -> None:
        """Guard psycopg2 where it hands the finished connection string to libpq."""
        original, parse_dsn = module._connect, module.extensions.parse_dsn

        def connect(dsn: str, *arguments: Any, **named: Any) -> Any:
            self._guard.check_keywords(parse_dsn(dsn))
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
                self._guard.check("postgresql+asyncpg", address[0], address[1], getattr(named.get("params"), "database", ""))
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
            self._guard.check_mysql({"host": one.host, "port": one.port, "unix_socket": one.unix_socket, "database": one.db})
            return original(one, *arguments, **named)

        inner.Connection.connect = connect

    def aiomysql(self, module: Any) -> None:
        """Guard aiomysql where it connects."""
        original = module.connection.Connection._connect

        @functools.wraps(original)
        def connect(one: Any, *arguments: Any, **named: Any) -> Any:
            self._guard.check_mysql({"host": one._host, "port": one._port, "unix_socket": one._unix_socket, "database": one._db})
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
            self._guard.check_mysql({**dict(zip(positions, arguments)), **named}, scheme)
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
            self._guard.check_mongodb(host, port)
            original(client, host, port, *arguments, **named)

        return made

    def django(self, module: Any) -> None:
        """Guard Django's other engines; PostgreSQL's drivers are guarded themselves."""
        original = module.BaseDatabaseWrapper.connect

        def connect(wrapper: Any) -> Any:
            told = wrapper.settings_dict
            if wrapper.vendor == "sqlite":
                self._guard.check_sqlite(told.get("NAME"))
            elif wrapper.vendor == "mysql":
                named = {"host": told.get("HOST"), "port": told.get("PORT"), "database": told.get("NAME")}
                self._guard.check_mysql({**named, **told.get("OPTIONS", {})}, "mysql+mysqldb")
            elif wrapper.vendor != "postgresql":
                refuse(f"{wrapper.vendor}://{told.get('HOST') or 'localhost'}:{told.get('PORT') or ''}/{told.get('NAME')}")
            return original(wrapper)

        module.BaseDatabaseWrapper.connect = connect


def _checked(original: Callable[..., Any], check: Callable[[str, Dict[str, Any]], None]) -> Callable[..., Any]:
    def connect(cls: Any, conninfo: str = "", *arguments: Any, **named: Any) -> Any:
        check(conninfo, named)
        return original(cls, conninfo, *arguments, **named)

    return connect
