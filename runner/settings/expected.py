"""What the settings declare of a database: its references, validators and indexes, and its queries with their limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from checks.declared.queries import Category
from runner.settings.values import (
    WORD,
    Count,
    DeleteCommand,
    Duration,
    IndexKey,
    Lapse,
    Object,
    Pipeline,
    Schema,
    Section,
    SortKey,
    Text,
    Texts,
    Times,
    setting,
    some,
)


class IndexSettings(Section):
    """An index of a collection, under its name."""

    keys: Annotated[tuple[IndexKey, ...], AfterValidator(some)] = Field(
        description="Its fields in order; '-' for descending.", examples=[("company_name", "-created_at")]
    )
    unique: bool = setting(False, "Whether no two documents may have the same.", True)
    sparse: bool = setting(False, "Whether documents without the field are left out.", True)
    partial: Object | None = setting(None, "Which documents it holds, as a filter.", {"status": "active"})
    expire_after: Lapse | None = setting(None, "How long after its date a document is removed; at its date with '0s'.", "30d")
    collation: Mapping[str, Any] | None = setting(None, "By which rules texts are compared.", {"locale": "en", "strength": 2})
    hidden: bool = setting(False, "Whether queries do not use it.", True)


class ExpectSettings(Section):
    """What the repository declares of its own database."""

    references: Texts = setting(
        (),
        "References that must hold; of a relational database with their delete rule.",
        ("orders.buyer_id -> users.id on delete restrict",),
        ("subscriptions.company_name -> companies.company_name",),
    )
    checks: Texts = setting(
        (),
        "Constraints that must stand, by name or by meaning.",
        ("ck_order_total_positive", "orders: total > 0", "orders.buyer_id: not null", "users: unique (email)"),
    )
    audit: Texts = setting(
        (),
        "Constraints that are not there yet: the rows are counted by them before a migration adds them.",
        ("orders: check (total > 0)", "orders.buyer_id: not null", "users: unique (email)", "orders.buyer_id -> users.id"),
    )
    no_rows: Mapping[str, Text] = setting(
        {},
        "Queries that must return no row, each under a sentence that says what it would mean.",
        {"paid without payment": "select id from orders where paid and payment_id is null"},
    )
    files: Texts = setting(
        (),
        "Files of JSON or YAML that declare collections: below each name its schema, indexes and references.",
        ("db/collections/*.yaml",),
    )
    models: Text | None = setting(
        None,
        "A program that prints what the application's models say, as JSON: a JSON Schema by collection, or what `files` hold.",
        "python scripts/print_models.py",
    )
    deletes: Mapping[Text, DeleteCommand] = setting(
        {},
        "The application's own command that deletes one document, by collection; its fields in braces.",
        {"companies": "python scripts/delete_company.py {company_name}"},
    )
    schemas: Mapping[Text, Schema] = setting(
        {},
        "The validator of each collection: a file with a JSON Schema (or a whole validator), or the same as a table.",
        {"companies": "schemas/companies.json"},
    )
    indexes: Mapping[Text, Mapping[Text, IndexSettings]] = setting(
        {},
        "The indexes of each collection: keys, unique, sparse, partial, expire_after, collation, hidden.",
        {"companies": {"company_name_unique": {"keys": ("company_name",), "unique": True}}},
    )


class QuerySettings(Section):
    """A declared query with its limit; without one the category's default holds."""

    sql: Text | None = setting(None, "The query, as the application sends it.", "select count(*) from orders")
    collection: Text | None = setting(None, "The collection that is asked.", "subscriptions")
    find: Object | None = setting(None, "The filter of a find, as a table or as Extended JSON.", {"company_name": "Acme"})
    sort: tuple[SortKey, ...] = setting((), "The order of a find; '-' for descending.", ("-created_at",))
    pipeline: Pipeline | None = setting(
        None, "An aggregation instead of a find, as Extended JSON.", '[{"$match": {"status": "active"}}, {"$count": "active"}]'
    )
    category: Annotated[Category, WORD] = setting(
        Category.SIMPLE, "simple 500ms, join 1s, constraint 100ms, batch 2s, aggregation 300ms.", "simple"
    )
    limit: Duration | None = setting(None, "How long it may take, instead of the category's limit.", "200ms")
    examined: Count | None = setting(None, "How many documents the server may look at for it.", 100)
    keys_examined: Count | None = setting(None, "How many keys of indexes it may look at.", 100)
    examined_per_returned: Times | None = setting(None, "How many of either for each document that comes back.", 2.0)
    in_memory_sort: bool = setting(True, "Whether the server may sort for it without an index.", False)
    gain: Times | None = setting(None, "How many times as fast it must be as without the indexes that it uses.", 5)
