"""Which keys belong to which engines: what nothing reads for an engine is refused there, and not shown by ``dbproof init``."""

from __future__ import annotations

from collections.abc import Mapping

from checks.interface import Engine

#: The engines that the settings know, by what they keep.
DOCUMENTS = frozenset({Engine.MONGODB})
RELATIONAL = frozenset({Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB})
#: Those that are servers of a version; a database of SQLite is a file, and the version that of whichever program opens it.
SERVERS = frozenset({Engine.POSTGRESQL, Engine.MARIADB, Engine.MONGODB})

Keys = tuple[str, ...]

#: Keys of a database that only some engines read; ``*`` stands for any name.
BELONGS: Mapping[Keys, frozenset[Engine]] = {
    ("version",): SERVERS,
    ("image",): SERVERS,
    ("disposable",): frozenset({Engine.POSTGRESQL, Engine.MONGODB}),
    ("foreign_keys",): frozenset({Engine.SQLITE}),
    ("preload",): frozenset({Engine.POSTGRESQL}),
    ("before",): frozenset({Engine.POSTGRESQL, Engine.MARIADB}),
    ("start_from",): RELATIONAL,
    ("migrations", "transaction"): RELATIONAL,
    ("migrations", "statements"): frozenset({Engine.POSTGRESQL}),
    ("migrations", "statements_file"): frozenset({Engine.POSTGRESQL}),
    ("migrations", "n_minus_1"): RELATIONAL,
    ("migrations", "squawk"): frozenset({Engine.POSTGRESQL}),
    ("migrations", "models"): frozenset({Engine.POSTGRESQL}),
    ("data", "columns"): RELATIONAL,
    ("tenancy", "reads", "*", "sql"): RELATIONAL,
    ("tenancy", "role"): frozenset({Engine.POSTGRESQL}),
    ("tenancy", "sign_in"): frozenset({Engine.POSTGRESQL}),
    ("expect", "no_rows"): RELATIONAL,
    ("expect", "checks"): RELATIONAL,
    ("expect", "audit"): RELATIONAL,
    ("expect", "files"): DOCUMENTS,
    ("expect", "models"): DOCUMENTS,
    ("expect", "schemas"): DOCUMENTS,
    ("expect", "deletes"): DOCUMENTS,
    ("expect", "indexes"): DOCUMENTS,
    ("queries", "*", "sql"): RELATIONAL,
    ("queries", "*", "collection"): DOCUMENTS,
    ("queries", "*", "find"): DOCUMENTS,
    ("queries", "*", "pipeline"): DOCUMENTS,
    ("queries", "*", "sort"): DOCUMENTS,
    ("queries", "*", "examined"): DOCUMENTS,
    ("queries", "*", "keys_examined"): DOCUMENTS,
    ("queries", "*", "examined_per_returned"): DOCUMENTS,
    ("queries", "*", "in_memory_sort"): DOCUMENTS,
    ("queries", "*", "gain"): DOCUMENTS,
    ("limits", "blocked"): frozenset({Engine.POSTGRESQL, Engine.MARIADB}),
    ("limits", "write"): DOCUMENTS,
    ("limits", "overhead"): DOCUMENTS,
    ("limits", "collection_scan"): DOCUMENTS,
    ("limits", "array_length"): DOCUMENTS,
    ("limits", "document_size"): DOCUMENTS,
    ("fix",): DOCUMENTS,
}

#: The migration tools of the settings and the engines that each can migrate.
TOOL_ENGINES: Mapping[str, frozenset[Engine]] = {
    "alembic": RELATIONAL,
    "django": RELATIONAL,
    "flask-migrate": RELATIONAL,
    "yoyo": RELATIONAL,
    "knex": frozenset({Engine.POSTGRESQL}),
    "node-pg-migrate": frozenset({Engine.POSTGRESQL}),
    "sequelize": frozenset({Engine.POSTGRESQL}),
    "typeorm": frozenset({Engine.POSTGRESQL}),
    "command": RELATIONAL | DOCUMENTS,
    "sql": RELATIONAL,
    "prisma": frozenset({Engine.POSTGRESQL}),
    "golang-migrate": RELATIONAL,
    "goose": RELATIONAL,
    "dbmate": RELATIONAL,
    "flyway": RELATIONAL,
    "liquibase": frozenset({Engine.POSTGRESQL}),
    "supabase": frozenset({Engine.POSTGRESQL}),
    "drizzle": frozenset({Engine.POSTGRESQL}),
    "sqitch": frozenset({Engine.POSTGRESQL}),
    "atlas": frozenset({Engine.POSTGRESQL}),
    "python": DOCUMENTS,
    "migrate-mongo": DOCUMENTS,
    "pymongo-migrate": DOCUMENTS,
    "beanie": DOCUMENTS,
    "declared": DOCUMENTS,
}

#: Databases that every server of an engine has, and that are none of the project's.
TAKEN: Mapping[Engine, frozenset[str]] = {
    Engine.MONGODB: frozenset({"admin", "config", "local"}),
    Engine.MARIADB: frozenset({"mysql", "information_schema", "performance_schema", "sys"}),
}


def belongs(keys: Keys, engine: Engine) -> bool:
    """Whether an engine reads a key, given by its path below the database."""
    return engine in BELONGS.get(keys, frozenset(Engine))


def usual(tool: str) -> Engine:
    """The engine that a migration tool is most often used with."""
    engines = TOOL_ENGINES[tool]
    return Engine.POSTGRESQL if Engine.POSTGRESQL in engines else min(engines)
