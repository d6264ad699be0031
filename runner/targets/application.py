"""The application on PostgreSQL: its role, its own settings and its way to sign in, within a transaction of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError

from checks.targets import Accepted, Refused, StatementFailed, Trial, Verdict
from checks.tenants.declared import Tenancy
from runner.targets.sandbox import PostgresSandbox
from runner.targets.sessions import Driver, driver_of, failed, said_plainly

_NO_SUPERUSER = "only a superuser can become the application's role"


class PostgresApplication(PostgresSandbox):
    """A superuser's session that can become the application's role and come back.

    Row security holds the session user's current role, so SET SESSION AUTHORIZATION is as good as connecting (the manual: as if
    the session had been started by that role), and rows that were only prepared are there. What the role has set for itself at
    each login (ALTER ROLE … SET) is set too.
    """

    def __init__(self, connection: Connection, tenancy: Tenancy) -> None:
        super().__init__(connection)
        self._connection = connection
        self._session = driver_of(connection)
        self._tenancy = tenancy
        if self._session.info.parameter_status("is_superuser") != "on":
            raise StatementFailed(_NO_SUPERUSER, gap=_NO_SUPERUSER)
        with said_plainly():
            self._settings = _settings(self._session, tenancy.role)

    def prepare(self, change: Executable) -> int:
        """As a superuser whose session replicates: triggers, references and policies are not asked. Raises StatementFailed."""
        with said_plainly(), self._session.transaction():
            self._session.execute("SET LOCAL session_replication_role = replica")
            touched = self._connection.execute(change).rowcount
            self._session.execute("SET LOCAL session_replication_role = origin")
            return touched

    @contextmanager
    def entered(self, tenant: Mapping[str, str] | None) -> Iterator[Trial]:
        """A savepoint, rolled back in the end, in which the session is the application's. Raises StatementFailed."""
        with said_plainly(), self._session.transaction(force_rollback=True):
            self._session.execute(self._entrance(tenant))
            yield self._trial

    def _entrance(self, tenant: Mapping[str, str] | None) -> bytes:
        """Everything that makes the session the application's, to be sent at once.

        What the role has for itself comes first: a login sets it whoever may. The limits of our own sessions stay, and
        row security hides rows, whatever it says. SET takes no parameters, so values stand as literals.
        """
        settings = [(name, value) for name, value in self._settings if name != "role"]
        roles = [value for name, value in self._settings if name == "role"]
        statements: list[sql.Composable] = [
            *(sql.SQL("SELECT pg_catalog.set_config({}, {}, true)").format(*map(sql.Literal, one)) for one in settings),
            sql.SQL("SET LOCAL SESSION AUTHORIZATION {}").format(sql.Identifier(self._tenancy.role)),
            *(sql.SQL("SET LOCAL ROLE {}").format(sql.Literal(value)) for value in roles[-1:]),
            sql.SQL("SET LOCAL row_security = on"),
            *(_signing_in(self._tenancy, tenant) if tenant is not None else ()),
        ]
        return sql.SQL(";\n").join(statements).as_bytes(self._session)

    def change(self, change: Executable) -> Verdict:
        """In a savepoint that is kept where the server accepts. Raises StatementFailed where the session was lost."""
        with said_plainly():
            try:
                with self._session.transaction():
                    touched = self._connection.execute(change).rowcount
                    self._session.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except (psycopg.Error, DBAPIError) as refusal:
                cause = refusal.orig if isinstance(refusal, DBAPIError) else refusal
                if self._session.closed or not isinstance(cause, psycopg.Error):
                    raise
                words = failed(cause)
                return Refused(words.code, cause.diag.constraint_name or "", words.said, cause.diag.table_name or "")
            return Accepted(touched)

    def seen(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """As the superuser, whoever the session is at the moment. Raises StatementFailed."""
        with said_plainly(), self._session.transaction(force_rollback=True):
            self._session.execute("SET LOCAL SESSION AUTHORIZATION DEFAULT")
            self._session.execute("SET LOCAL ROLE NONE")
            return [tuple(row) for row in self._connection.execute(statement)]


def _signing_in(tenancy: Tenancy, tenant: Mapping[str, str]) -> Iterator[sql.Composable]:
    if tenancy.sign_in is None:
        raise StatementFailed("the settings do not say how a session signs in")
    parts: list[sql.Composable] = [_plain(tenancy.sign_in.texts[0])]
    for column, text in zip(tenancy.sign_in.columns, tenancy.sign_in.texts[1:], strict=True):
        parts += [sql.Literal(tenant[column]), _plain(text)]
    yield sql.Composed(parts)


def _plain(text: str) -> sql.SQL:
    return sql.SQL(text)  # the repository's own statement, as its settings have it


def _settings(driver: Driver, role: str) -> Sequence[tuple[str, str]]:
    """What a role sets for itself at login, for every database and then for this one, as far as a session may."""
    pairs = driver.execute(_SETTINGS, {"role": role}).fetchall()
    return [(name, value) for name, value in pairs if name not in _OURS]


#: What our sessions set for themselves.
_OURS = frozenset({"statement_timeout", "lock_timeout", "row_security"})

_SETTINGS = """
SELECT pg_catalog.split_part(one.text, '=', 1), pg_catalog.substr(one.text, pg_catalog.strpos(one.text, '=') + 1)
FROM pg_catalog.pg_db_role_setting setting
JOIN pg_catalog.pg_roles rol ON rol.oid = setting.setrole AND rol.rolname = %(role)s
LEFT JOIN pg_catalog.pg_database dat ON dat.oid = setting.setdatabase
CROSS JOIN LATERAL pg_catalog.unnest(setting.setconfig) AS one(text)
LEFT JOIN pg_catalog.pg_settings known ON known.name = pg_catalog.split_part(one.text, '=', 1)
WHERE (setting.setdatabase = 0 OR dat.datname = pg_catalog.current_database())
  AND coalesce(known.context, 'user') IN ('user', 'superuser')
ORDER BY setting.setdatabase, one.text
"""
