"""What the settings say of tenants: whose a row is, and as what and how the application's sessions come for their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidatorFunctionWrapHandler, WrapValidator

from checks.interface import Engine
from checks.schema.names import default_schema
from checks.tenants.declared import Tenancy, parse_table
from checks.tenants.reads import DocumentRead, parse_document_read
from checks.tenants.templates import parse_template
from runner.settings.structured import extended_json
from runner.settings.values import Object, Pipeline, Section, Text, Texts, filled, plain, setting, some
from runner.settings.wording import Contradiction, KeyPath


def _listed(given: object) -> object:
    """One text is a list of one."""
    return (given,) if isinstance(given, str) else given


OneOrMore = Annotated[tuple[Text, ...], BeforeValidator(_listed), AfterValidator(some)]


class ReadSettings(Section):
    """A query of the application's: a text is its SQL, a table says which documents of a collection are asked for."""

    sql: Text | None = None
    collection: Text | None = setting(None, "The collection that is asked.", "orders")
    find: Object | None = setting(None, 'The filter of a find; "{tenant}" stands for the value.', {"tenant_id": "{tenant}"})
    pipeline: Pipeline | None = setting(
        None, "An aggregation instead, as Extended JSON.", '[{"$match": {"tenant_id": "{tenant}"}}]'
    )


def _read(given: object, table: ValidatorFunctionWrapHandler) -> object:
    if isinstance(given, str):
        return ReadSettings(sql=filled(given))
    if not isinstance(given, Mapping):
        raise ValueError("expected text, the query, or a table with 'collection' and 'find' or 'pipeline'")
    return table(given)


Read = Annotated[ReadSettings, WrapValidator(_read)]


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
    reads: Mapping[str, Read] = setting(
        {},
        "The application's own queries for what is a tenant's, each under a name; of SQL they must return the column too.",
        {"open orders": "select id, tenant_id from orders where open and tenant_id = {tenant}"},
        {"open orders": {"collection": "orders", "find": {"open": True, "tenant_id": "{tenant}"}}},
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
        reads={name: parse_template(one.sql, settings.column) for name, one in settings.reads.items() if one.sql},
        document_reads={name: _document_read(one, settings.column) for name, one in settings.reads.items() if one.collection},
    )


def _document_read(read: ReadSettings, columns: tuple[str, ...]) -> DocumentRead:
    return parse_document_read(read.collection or "", _asked(read.find if read.find is not None else read.pipeline), columns)


def _parse_asked(given: object, columns: list[str]) -> DocumentRead:
    return parse_document_read("", _asked(given), columns)


def _asked(given: object) -> object:
    """A filter or a pipeline with the server's own types. Raises ValueError."""
    return extended_json(given) if isinstance(given, str) else plain(given)


def contradictions(database: Mapping[str, object]) -> Iterator[Contradiction]:
    """What is wrong or missing in the table ``tenancy`` of a raw document, each with the keys below the database."""
    section = database.get("tenancy")
    if not isinstance(section, Mapping):
        return
    if "role" in section and "sign_in" not in section:
        yield ("tenancy", "sign_in"), "is missing; 'role' needs it: how the role's sessions say whose they are"
    if "sign_in" in section and "role" not in section:
        yield ("tenancy", "role"), "is missing; 'sign_in' needs it: what the application connects as"
    columns = _listed(section.get("column"))
    known = [name for name in columns if isinstance(name, str)] if isinstance(columns, list | tuple) else None
    yield from _texts(section, known)
    reads = section.get("reads")
    for name, read in reads.items() if isinstance(reads, Mapping) else ():
        judged = _of_documents if database.get("engine") == Engine.MONGODB else _of_rows
        yield from judged(("tenancy", "reads", str(name)), read, known)


def _of_rows(keys: tuple[str, ...], read: object, known: list[str] | None) -> Iterator[Contradiction]:
    """A read that must be SQL."""
    if isinstance(read, Mapping):
        yield keys, "expected text: the query, as the application sends it"
    elif known is not None and isinstance(read, str) and read.strip():
        yield from _wrong(keys, partial(parse_template, read, known))


def _of_documents(keys: tuple[str, ...], read: object, known: list[str] | None) -> Iterator[Contradiction]:
    """A read that must ask a collection."""
    if not isinstance(read, Mapping):
        if isinstance(read, str):
            yield keys, "expected a table with 'collection' and 'find' or 'pipeline', found text"
        return
    if "collection" not in read:
        yield (*keys, "collection"), "is missing"
    asked = [(key, read[key]) for key in ("find", "pipeline") if key in read]
    if len(asked) != 1:
        yield keys, f"expected 'find' or 'pipeline', found {'both' if asked else 'neither'}"
    for key, given in asked:
        if known is not None and isinstance(given, str | Mapping) and given:
            yield from _wrong((*keys, key), partial(_parse_asked, given, known))


def _texts(section: Mapping[str, object], known: list[str] | None) -> Iterator[Contradiction]:
    """Texts with a grammar of their own."""
    sign_in = section.get("sign_in")
    if known is not None and isinstance(sign_in, str) and sign_in.strip():
        yield from _wrong(("tenancy", "sign_in"), partial(parse_template, sign_in, known))
    for key in ("table", "shared"):
        tables = section.get(key)
        alone = isinstance(tables, str)
        for number, text in enumerate((tables,) if alone else tables if isinstance(tables, list | tuple) else ()):
            if isinstance(text, str):
                yield from _wrong(("tenancy", key) if alone else ("tenancy", key, number), partial(parse_table, text, ""))


def _wrong(keys: KeyPath, parse: Callable[[], object]) -> Iterator[Contradiction]:
    try:
        parse()
    except ValueError as wrong:
        yield keys, str(wrong)
