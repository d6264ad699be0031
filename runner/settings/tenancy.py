"""What the settings say of tenants: whose a row is, and as what and how the application's sessions come for their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from checks.schema.model import default_schema
from checks.tenants.declared import Tenancy, parse_sign_in, parse_table
from runner.settings.values import Section, Text, Texts, setting, some


def _listed(given: object) -> object:
    """One text is a list of one."""
    return (given,) if isinstance(given, str) else given


OneOrMore = Annotated[tuple[Text, ...], BeforeValidator(_listed), AfterValidator(some)]


class TenancySettings(Section):
    """Tenants: no row of the one may be seen, changed or referred to by another."""

    column: OneOrMore = Field(
        description="The column of every table that says whose a row is, or several, the tenant before its parts.",
        examples=["tenant_id"],
    )
    table: Annotated[Texts, BeforeValidator(_listed)] = setting(
        (), "The table of the tenants themselves, or several; else those that the columns refer to.", "tenants"
    )
    shared: Texts = setting((), "Tables that belong to nobody and that everybody may read.", ("plans", "countries"))
    role: Text | None = setting(
        None,
        "What the application connects as, where row security keeps tenants apart; the migrations or `before` make it.",
        "app_user",
    )
    sign_in: Text | None = setting(
        None,
        "How its sessions say whose they are; {tenant}, or the name of a column, stands for the value, which is quoted.",
        "set app.tenant = {tenant}",
    )


def tenancy(settings: TenancySettings | None, engine: str) -> Tenancy | None:
    """What is declared, as the checks are told it; of settings that hold together."""
    if settings is None:
        return None
    schema = default_schema(engine)
    return Tenancy(
        columns=settings.column,
        tables=tuple(parse_table(text, schema) for text in settings.table),
        shared=frozenset(parse_table(text, schema) for text in settings.shared),
        role=settings.role or "",
        sign_in=parse_sign_in(settings.sign_in, settings.column) if settings.sign_in else None,
    )


def contradictions(database: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong or missing in the table ``tenancy`` of a raw document, each with the keys below the database."""
    section = database.get("tenancy")
    if not isinstance(section, Mapping):
        return
    if "role" in section and "sign_in" not in section:
        yield ("tenancy", "sign_in"), "is missing; 'role' needs it: how the role's sessions say whose they are"
    if "sign_in" in section and "role" not in section:
        yield ("tenancy", "role"), "is missing; 'sign_in' needs it: what the application connects as"
    yield from _texts(section)


def _texts(section: Mapping[str, object]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    columns, sign_in = _listed(section.get("column")), section.get("sign_in")
    if isinstance(sign_in, str) and sign_in.strip() and isinstance(columns, list | tuple):
        try:
            parse_sign_in(sign_in, [name for name in columns if isinstance(name, str)])
        except ValueError as wrong:
            yield ("tenancy", "sign_in"), str(wrong)
    for key in ("table", "shared"):
        tables = section.get(key)
        alone = isinstance(tables, str)
        for number, text in enumerate((tables,) if alone else tables if isinstance(tables, list | tuple) else ()):
            try:
                parse_table(text if isinstance(text, str) else "table", "")
            except ValueError as wrong:
                yield ("tenancy", key) if alone else ("tenancy", key, number), str(wrong)
