"""Tables in which migration tools and frameworks keep their own books, whatever the engine: they are not judged."""

from __future__ import annotations

#: By name, in whatever schema they stand.
BOOKKEEPING = frozenset(
    {
        "__diesel_schema_migrations",
        "__drizzle_migrations",
        "__EFMigrationsHistory",
        "_prisma_migrations",
        "_sqlx_migrations",
        "alembic_version",
        "ar_internal_metadata",
        "atlas_schema_revisions",
        "databasechangelog",
        "databasechangeloglock",
        "django_migrations",
        "doctrine_migration_versions",
        "flyway_schema_history",
        "goose_db_version",
        "gorp_migrations",
        "knex_migrations",
        "knex_migrations_lock",
        "kysely_migration",
        "kysely_migration_lock",
        "pgmigrations",
        "phinxlog",
        "schema_migrations",
        "SequelizeMeta",
        "_yoyo_log",
        "_yoyo_migration",
        "_yoyo_version",
        "yoyo_lock",
    }
)
