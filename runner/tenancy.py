"""Holds what the settings say of tenants against the database: names that are there, and a role that policies hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from checks.declared.expectations import Expectations
from checks.document_targets import DocumentTarget
from checks.interface import Engine, Need
from checks.schema.model import Catalogue
from checks.schema.names import TableName
from checks.targets import RelationalTarget, Target
from checks.tenants.collections import TenantCollections
from checks.tenants.declared import Tenancy
from checks.tenants.parts import each_brought_in
from checks.tenants.roles import application
from runner.errors import UsageError
from runner.settings.declarations import Source
from runner.settings.wording import did_you_mean


def without_role(expect: Expectations) -> Mapping[Need, str]:
    """Why nothing can be tried as the application, where its role is not declared."""
    if expect.tenancy is None:
        return {Need.APP_ROLE: "no tenants are declared (`tenancy`)"}
    return {} if expect.tenancy.role else {Need.APP_ROLE: "no role of the application is declared (`tenancy.role`)"}


def hold(target: Target, source: Source) -> None:
    """Refuse to go by settings that would prove nothing.

    Raises UsageError with everything that is wrong: a column that no table has, a table or a role that is not there, a role that
    no policy holds. Where the migrations failed, what is not there says nothing. Raises StatementFailed.
    """
    tenancy = target.expect.tenancy
    if tenancy is None or target.evidence.incomplete:
        return
    if target.engine is Engine.MONGODB:
        faults = list(_collections(tenancy, cast("DocumentTarget", target), source))
    else:
        relational = cast("RelationalTarget", target)
        faults = [*_names(tenancy, relational.catalogue, source), *_role(tenancy, relational, source)]
    if faults:
        raise UsageError("\n".join(faults))


def _names(tenancy: Tenancy, catalogue: Catalogue, source: Source) -> Iterator[str]:
    columns = {name for table in catalogue.tables for name in table.column}
    for name in tenancy.columns:
        if name not in columns:
            yield source.wrong(f"no table has a column '{name}'{did_you_mean(name, columns)}", "tenancy", "column").message
    tables = {table.label(): table for table in catalogue.table}
    named = [("table", one) for one in tenancy.tables] + [("shared", one) for one in sorted(tenancy.shared)]
    for key, table in named:
        if table not in catalogue.table:
            yield source.wrong(f"there is no table '{table.label()}'{_meant(table, tables)}", "tenancy", key).message


def _collections(tenancy: Tenancy, target: DocumentTarget, source: Source) -> Iterator[str]:
    """A field that no collection has is told only where documents could have it."""
    with target.documents() as session:
        tenants = TenantCollections(target, tenancy, session)
        readable = [one.name for one in target.collections.all if one.readable]
        for name in tenancy.columns if target.filled else ():
            if not any(tenants.has(one, name) for one in readable):
                yield source.wrong(f"no collection has a field '{name}'", "tenancy", "column").message
    known = target.collections.collection
    named = [("table", one) for one in tenancy.tables] + [("shared", one) for one in sorted(tenancy.shared)]
    for key, one in named:
        if one.label() not in known:
            meant = did_you_mean(one.label(), known) if known else ""
            yield source.wrong(f"there is no collection '{one.label()}'{meant}", "tenancy", key).message
    yield from _read_collections(tenancy, target, source)


def _read_collections(tenancy: Tenancy, target: DocumentTarget, source: Source) -> Iterator[str]:
    """A collection that is not there gives no document, of nobody: such a read would hold whatever it asks."""
    known = target.collections.collection
    for name, read in tenancy.document_reads.items():
        for one in dict.fromkeys([read.collection, *each_brought_in(read.stages)]):
            if one not in known:
                meant = did_you_mean(one, known) if known else ""
                yield source.wrong(f"there is no collection '{one}'{meant}", "tenancy", "reads", name).message


def _meant(table: TableName, tables: Mapping[str, TableName]) -> str:
    return did_you_mean(table.label(), tables) if tables else ""


def _role(tenancy: Tenancy, target: RelationalTarget, source: Source) -> Iterator[str]:
    """A superuser and a role with BYPASSRLS pass every policy (manual, "Row Security Policies")."""
    if not tenancy.role:
        return
    with target.rows() as session:
        role = application(session, tenancy.role)
    if role is None:
        yield source.wrong(
            f"there is no role '{tenancy.role}'; `before` or a migration has to make it", "tenancy", "role"
        ).message
    elif role.superuser or role.bypasses:
        what = "is a superuser" if role.superuser else "has BYPASSRLS"
        yield source.wrong(
            f"'{tenancy.role}' {what}: no policy holds it, so nothing would be proven; name what the application connects as",
            "tenancy",
            "role",
        ).message
