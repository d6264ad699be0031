"""Every migration tool that there is an adapter for, by its name in the settings."""

from __future__ import annotations

from runner.migrations import (
    alembic,
    atlas,
    beanie,
    command,
    dbmate,
    declared,
    django,
    drizzle,
    flask_migrate,
    flyway,
    golang_migrate,
    goose,
    knex,
    migrate_mongo,
    node_pg_migrate,
    prisma,
    pymongo_migrate,
    python_files,
    sequelize,
    sql_folder,
    supabase,
    typeorm,
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
    atlas.NAME: atlas,
    sql_folder.NAME: sql_folder,
    python_files.NAME: python_files,
    migrate_mongo.NAME: migrate_mongo,
    pymongo_migrate.NAME: pymongo_migrate,
    beanie.NAME: beanie,
    declared.NAME: declared,
}
