"""What the settings say of tenants: whose a row is, and as what and how the application's sessions come for their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from checks.schema.names import default_schema
from checks.tenants.declared import Tenancy, parse_table, parse_template
from runner.settings.values import Section, Text, Texts, setting, some


def _listed(given: object) -> object:
    """One text is a list of one."""
    return (given,) if isinstance(given, str) else given


OneOrMore = Annotated[tuple[Text, ...], BeforeValidator(_listed), AfterValidator(some)]


class TenancySettings(Section):
    """Tenants: no row of the one may be seen, changed or referred to by another."""

    column: OneOrMore = Field(
        description="The column of every table, or field of every collection, that says whose a row is; or several, in order.",
        examples=["tenant_id"],
    )
    table: Annotated[Texts, BeforeValidator(_listed)] = setting(
        (), "The table or collection of the tenants themselves, or several; else those that the columns refer to.", "tenants"
    )
    shared: Texts = setting(
        (), "Tables or collections that belong to nobody and that everybody may read.", ("plans", "countries")
    )
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
    reads: Mapping[str, Text] = setting(
        {},
        "The application's own queries for a tenant's rows, each under a name; they must return the column too.",
        {"open orders": "select id, tenant_id from orders where open and tenant_id = {tenant}"},
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
        sign_in=parse_template(settings.sign_in, settings.column) if settings.sign_in else None,
        reads={name: parse_template(query, settings.column) for name, query in settings.reads.items()},
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


Contradiction = tuple[tuple[str | int, ...], str]


def _texts(section: Mapping[str, object]) -> Iterator[Contradiction]:
    """Texts with a grammar of their own."""
    columns = _listed(section.get("column"))
    known = [name for name in columns if isinstance(name, str)] if isinstance(columns, list | tuple) else None
    reads = section.get("reads")
    named = [(("reads", str(name)), query) for name, query in reads.items()] if isinstance(reads, Mapping) else []
    for keys, text in [(("sign_in",), section.get("sign_in")), *named]:
        if known is not None and isinstance(text, str) and text.strip():
            yield from _wrong(("tenancy", *keys), partial(parse_template, text, known))
    for key in ("table", "shared"):
        tables = section.get(key)
        alone = isinstance(tables, str)
        for number, text in enumerate((tables,) if alone else tables if isinstance(tables, list | tuple) else ()):
            if isinstance(text, str):
                yield from _wrong(("tenancy", key) if alone else ("tenancy", key, number), partial(parse_table, text, ""))


def _wrong(keys: tuple[str | int, ...], parse: Callable[[], object]) -> Iterator[Contradiction]:
    try:
        parse()
    except ValueError as wrong:
        yield keys, str(wrong)
