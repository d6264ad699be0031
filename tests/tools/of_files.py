"""Tools from npm and of Debian whose files dbproof's adapters send themselves: dbmate, Supabase, Drizzle, Prisma, Sqitch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from real.test_sql_tools import JOURNAL, MIGRATE

from runner.servers.interface import Address
from tools import fetching
from tools.samples import Call, Command, Had, Sample, failing, linked, url
from tools.statements import (
    CONCURRENTLY,
    FAILS,
    FUNCTION,
    NO_TABLES,
    NOT_CONCURRENTLY,
    PLAIN,
    RIGHTS,
    SETTING,
    TABLES,
    USED,
    VALUE,
    WHERE,
)

#: dbmate's order is that of the names as text.
DBMATE_FILES = {
    "10_tables.sql": f"-- migrate:up\n{TABLES}-- migrate:down\n{NO_TABLES}",
    "2_function.sql": f"\n-- a word\n-- migrate:up\n{FUNCTION}\n-- migrate:down\nDROP FUNCTION twice;\n",
    "3_value.sql": f"-- migrate:up\n{VALUE}\n-- migrate:down\n",
    "4_used.sql": f"-- migrate:up\n{USED}{RIGHTS}\n-- migrate:down\n",
    "7_index.sql": f"-- migrate:up transaction:false\n{CONCURRENTLY}\n-- migrate:down transaction:false\n{NOT_CONCURRENTLY}",
}


def _dbmate(word: str) -> Call:
    def call(had: Had, root: Path, on: Address) -> Command:
        (program,) = had.place.glob("node_modules/@dbmate/*/bin/dbmate*")
        return Command([str(program), "--url", url(on), "-d", str(root), "--no-dump-schema", word])

    return call


DBMATE = Sample(
    "dbmate",
    lambda cache: fetching.of_npm(cache, "dbmate", {"dbmate": "2.36.0", "drizzle-orm": "0.45.4", "postgres": "3.4.9"}),
    DBMATE_FILES,
    _dbmate("migrate"),
    "SELECT version FROM public.schema_migrations ORDER BY 1",
    ["public.schema_migrations"],
    undo=_dbmate("rollback"),
)
#: Its row is written into the schema that new tables go to, where a file sets another one.
DBMATE_STOPS = replace(
    DBMATE, files={**DBMATE_FILES, "5_setting.sql": f"-- migrate:up\n{SETTING}\n-- migrate:down\n"}, variant="(search_path)"
)

SUPABASE_FILES = {
    "supabase/config.toml": 'project_id = "shop"\n',
    "supabase/migrations/20240101000000_tables.sql": TABLES,
    "supabase/migrations/20240102000000_function.sql": FUNCTION,
    "supabase/migrations/20240103000000_value.sql": VALUE,
    "supabase/migrations/20240104000000_used.sql": USED + RIGHTS,
    "supabase/migrations/20240105000000_setting.sql": SETTING,
    "supabase/migrations/20240106000000_where.sql": WHERE,
    "supabase/migrations/20240107000000_do.sql": "DO $$ BEGIN CREATE TABLE done (id integer); END $$; -- so\n;; /* it; */\n"
    "SELECT ';'; -- the end;\n",
    "supabase/migrations/20240108000000_nothing.sql": "-- to be done;\n",
    "supabase/migrations/notes.sql": "no sql at all",
}


def _supabase(had: Had, root: Path, on: Address) -> Command:
    (program,) = had.place.glob("node_modules/@supabase/cli-linux-*/bin/supabase")
    words = [str(program), "migration", "up", f"--remote={url(on, 'postgresql')}", "--workdir", str(root), "--yes"]
    return Command(words, {"SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"})


SUPABASE = Sample(
    "supabase",
    lambda cache: fetching.of_npm(cache, "supabase", {"supabase": "3.1.0"}),
    SUPABASE_FILES,
    _supabase,
    "SELECT version, name, statements FROM supabase_migrations.schema_migrations ORDER BY 1",
    ["supabase_migrations.schema_migrations"],
)

BREAK = "--> statement-breakpoint\n"
DRIZZLE_FILES = {
    "meta/_journal.json": JOURNAL.replace("0000_rows", "0000_more"),
    "0001_users.sql": f"{TABLES}{BREAK}{FUNCTION}{BREAK}{RIGHTS}",
    "0000_more.sql": f"{SETTING}{BREAK}{WHERE}",
    "0002_orphan.sql": "no sql at all",
}


def _drizzle(had: Had, root: Path, on: Address) -> Command:
    script = had.place / "migrate.mjs"
    script.write_text(MIGRATE)
    return Command(["node", str(script), url(on), str(root)])


DRIZZLE = Sample(
    "drizzle",
    lambda cache: fetching.of_npm(cache, "drizzle-orm", {"dbmate": "2.36.0", "drizzle-orm": "0.45.4", "postgres": "3.4.9"}),
    DRIZZLE_FILES,
    _drizzle,
    "SELECT id, hash, created_at FROM drizzle.__drizzle_migrations ORDER BY id",
    ["drizzle.__drizzle_migrations", "drizzle.__drizzle_migrations_id_seq"],
)

PRISMA_CONFIG = """\
import { defineConfig } from 'prisma/config';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
// The adapter knows no type `name`, in which its own engine asks for the tables that are there.
const asked = pg.Client.prototype.query;
const known = (result) => {
  for (const field of result?.fields ?? []) if (field.dataTypeID === 19) field.dataTypeID = 25;
  return result;
};
pg.Client.prototype.query = function (...given) {
  const last = given.at(-1);
  if (typeof last === 'function') given[given.length - 1] = (wrong, result) => last(wrong, known(result));
  const answer = asked.apply(this, given);
  return typeof answer?.then === 'function' ? answer.then(known) : answer;
};
export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'prisma/schema.prisma',
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL }),
});
"""
PRISMA_FILES = {
    "package.json": "{}",
    "prisma.config.ts": PRISMA_CONFIG,
    "prisma/schema.prisma": 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
    'generator client {\n  provider = "prisma-client"\n  output = "./made"\n  engineType = "client"\n}\n',
    "prisma/migrations/migration_lock.toml": 'provider = "postgresql"\n',
    "prisma/migrations/10_tables/migration.sql": PLAIN,
    "prisma/migrations/2_value/migration.sql": f"-- AlterEnum\n{VALUE}",
    "prisma/migrations/3_used/migration.sql": USED.replace("na;me", "name") + RIGHTS,
    "prisma/migrations/4_index/migration.sql": f"-- CreateIndex\n{CONCURRENTLY.replace('na;me', 'name')}",
    "prisma/migrations/5_nothing/migration.sql": "-- This is an empty migration.",
    "prisma/migrations/6_where/migration.sql": f"BEGIN;\n{WHERE}COMMIT;\n",
}


def _prisma(_: Had, root: Path, on: Address) -> Command:
    words = [str(root / "node_modules" / ".bin" / "prisma"), "migrate", "deploy"]
    return Command(words, {"DATABASE_URL": url(on, "postgresql"), "CHECKPOINT_DISABLE": "1", "CI": "1"})


PRISMA = Sample(
    "prisma",
    lambda cache: fetching.of_npm(cache, "prisma", {"prisma": "6.19.0", "@prisma/adapter-pg": "6.19.0"}),
    PRISMA_FILES,
    _prisma,
    "SELECT migration_name, checksum, logs, rolled_back_at, applied_steps_count FROM _prisma_migrations ORDER BY started_at",
    ["_prisma_migrations"],
    lay=linked,
    note="its engine of WebAssembly, which sends statements one by one; the native one is not on npm",
)

_BY = "2026-01-01T00:00:00Z a <a@example.org> # a word"
SQITCH_FILES = {
    "sqitch.conf": "[core]\n\tengine = pg\n[user]\n\tname = a\n\temail = a@example.org\n",
    "sqitch.plan": f"%syntax-version=1.0.0\n%project=shop\n\ntables {_BY}\nb_function [tables] {_BY}\n@v1 {_BY}\n\n"
    f"b_function [b_function@v1] {_BY}\nsetting {_BY}\nwhere {_BY}\na_index {_BY}\n",
    "deploy/tables.sql": f"-- Deploy\nBEGIN;\n{TABLES}{RIGHTS}COMMIT;\n",
    "verify/tables.sql": "BEGIN;\nSELECT id FROM customers WHERE false;\nROLLBACK;\n",
    "deploy/b_function@v1.sql": f"BEGIN;\n{FUNCTION}COMMIT;\n",
    "deploy/b_function.sql": f"BEGIN;\n{FUNCTION.replace('CREATE', 'CREATE OR REPLACE').replace('* 2', '* 3')}COMMIT;\n",
    "revert/b_function.sql": "SELECT 1;\n",
    "deploy/setting.sql": SETTING,
    "deploy/where.sql": WHERE,
    "deploy/a_index.sql": CONCURRENTLY,
    "revert/a_index.sql": NOT_CONCURRENTLY,
}


def _sqitch(*words: str) -> Call:
    def call(had: Had, _root: Path, on: Address) -> Command:
        program, target = str(had.place), f"db:pg://{on.user}@{on.host}:{on.port}/{on.database}"
        return Command([program, *words, "--target", target], {"PGPASSWORD": on.password, "PGSSLMODE": "disable"})

    return call


SQITCH = Sample(
    "sqitch",
    lambda _: fetching.of_debian("sqitch"),
    SQITCH_FILES,
    _sqitch("deploy", "--verify"),
    "",
    undo=_sqitch("revert", "-y", "--to", "@HEAD^"),
    without=["sqitch"],
    note="without the schema sqitch, which dbproof does not make",
)


def _psql(_: Had, root: Path, on: Address) -> Command:
    files = [word for name in sorted(path.name for path in root.glob("*.sql")) for word in ("-f", str(root / name))]
    return Command(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *files, url(on, "postgresql")], {})


SQL_FILES = {
    "001_tables.sql": TABLES,
    "002_function.sql": FUNCTION,
    "003_index.sql": CONCURRENTLY,
    "004_more.sql": VALUE + RIGHTS,
}
SQL = Sample("sql", lambda _: fetching.of_debian("psql"), SQL_FILES, _psql, "", books_kept=False, note="psql -f, file by file")


FAILING = [
    failing(DBMATE, {"8_fails.sql": f"-- migrate:up\n{FAILS}-- migrate:down\n"}),
    failing(DBMATE, {"8_fails.sql": f"-- migrate:up transaction:false\n{FAILS}-- migrate:down\n"}, "(fails alone)"),
    failing(SUPABASE, {"supabase/migrations/20240109000000_fails.sql": FAILS}),
    failing(DRIZZLE, {"0000_more.sql": FAILS}),
    failing(SQITCH, {"deploy/where.sql": FAILS}),
    failing(SQITCH, {"verify/where.sql": "SELECT 1 / 0;\n"}, "(verify fails)"),
    failing(SQL, {"005_fails.sql": FAILS}),
]
SAMPLES = [DBMATE, DBMATE_STOPS, SUPABASE, DRIZZLE, PRISMA, SQITCH, SQL, *FAILING]
