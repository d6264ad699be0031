"""The application's role on PostgreSQL: what it is, whose privileges it has, and which policies are for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import text

from checks.schema.model import Policy
from checks.targets import ReadSession, RelationalTarget


@dataclass(frozen=True)
class Application:
    """A role: whether row security holds it at all, and every role whose privileges it has, itself among them."""

    name: str
    superuser: bool
    bypasses: bool
    acts_as: frozenset[str]


def application(session: ReadSession, role: str) -> Application | None:
    """What the server knows of a role, ``None`` where there is none of that name. Raises StatementFailed."""
    rows = session.rows(text(_ROLE).bindparams(role=role))
    if not rows:
        return None
    return Application(role, bool(rows[0][0]), bool(rows[0][1]), frozenset(row[2] for row in rows))


def declared_application(target: RelationalTarget) -> Application | None:
    """The role that the settings declare, ``None`` where they declare none or the database has none. Raises StatementFailed."""
    tenancy = target.expect.tenancy
    if tenancy is None or not tenancy.role:
        return None
    with target.rows() as session:
        return application(session, tenancy.role)


def for_role(policies: Iterable[Policy], acts_as: Collection[str] | None) -> list[Policy]:
    """The policies that are for a role (``None``: for any role)."""
    return [policy for policy in policies if acts_as is None or not policy.roles or set(policy.roles) & set(acts_as)]


def unheld(session: ReadSession) -> frozenset[str]:
    """The roles that no policy holds. Raises StatementFailed."""
    return frozenset(row[0] for row in session.rows(text(_UNHELD)))


_UNHELD = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolsuper OR rolbypassrls"

_ROLE = """
SELECT me.rolsuper, me.rolbypassrls, other.rolname::text
FROM pg_catalog.pg_roles me JOIN pg_catalog.pg_roles other ON pg_catalog.pg_has_role(me.oid, other.oid, 'USAGE')
WHERE me.rolname = :role
"""
