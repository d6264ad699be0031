"""What a project's own tool made of a database, as SQL can tell it."""

from __future__ import annotations

import json

import psycopg

from runner.servers.interface import Database

#: One digest of every column, constraint, index and type that is there: equal databases have equal ones.
CATALOGUE = """
SELECT md5(string_agg(line, chr(10) ORDER BY line COLLATE "C")) FROM (
    SELECT concat_ws(' ', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                     pg_get_expr(d.adbin, d.adrelid))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT concat_ws(' ', t.typname, e.enumlabel, e.enumsortorder)
    FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid WHERE t.typnamespace = 'public'::regnamespace
) AS it (line)
"""
REVISION = "SELECT version_num FROM alembic_version"
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
FOREIGN_KEYS = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"


def ask(database: Database, query: str, after: str = "") -> list[tuple[object, ...]]:
    """The rows of a query; ``after`` is sent before it."""
    with psycopg.connect(**database.private.keywords(), autocommit=True) as connection:
        if after:
            connection.execute(after.encode())
        return connection.execute(query.encode()).fetchall()


def same(name: str, database: Database) -> str:
    """Settings by which dbproof itself proves that the database that it built is equal to this one."""
    ((digest,),) = ask(database, CATALOGUE)
    ((revision,),) = ask(database, REVISION)
    other_catalogue = f"SELECT digest FROM ({CATALOGUE}) AS it (digest) WHERE digest <> '{digest}'"
    other_revision = f"{REVISION} WHERE version_num <> '{revision}'"
    return f"""
[databases.{name}.expect.no_rows]
"another catalogue than the own tool's" = {json.dumps(other_catalogue)}
"another revision than the own tool's" = {json.dumps(other_revision)}
"""
