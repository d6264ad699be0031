"""Every migration tool that there is an adapter for, by its name in the settings."""

from __future__ import annotations

from runner.migrations import (
    alembic,
    beanie,
    command,
    dbmate,
    declared,
    django,
    drizzle,
    flask_migrate,
    knex,
    node_pg_migrate,
    sequelize,
    typeorm,
    flyway,
    golang_migrate,
    goose,
    migrate_mongo,
    prisma,
    pymongo_migrate,
    python_files,
    sql_folder,
    supabase,
)
from runner.migrations.interface import Adapter

ADAPTERS: dict[str, Adapter] = {
    alembic.NAME: alembic,
    django.NAME: django,
    flask_migrate.NAME: flask_migrate,
    knex.NAME: knex,
    node_pg_migrate.NAME: node_pg_migrate,
    sequelize.NAME: sequelize,
    typeorm.NAME: typeorm,
    command.NAME: command,
    prisma.NAME: prisma,
    golang_migrate.NAME: golang_migrate,
    goose.NAME: goose,
    dbmate.NAME: dbmate,
    flyway.NAME: flyway,
    supabase.NAME: supabase,
    drizzle.NAME: drizzle,
    sql_folder.NAME: sql_folder,
    python_files.NAME: python_files,
    migrate_mongo.NAME: migrate_mongo,
    pymongo_migrate.NAME: pymongo_migrate,
    beanie.NAME: beanie,
    declared.NAME: declared,
}
