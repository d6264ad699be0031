"""Tools of SQL files, which dbproof's adapters do without: goose, dbmate, Flyway, Liquibase, Sqitch and others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from real.test_sql_tools import JOURNAL, MIGRATE

from runner.migrations import atlas
from runner.servers.interface import Address
from tools import fetching
from tools.atlas_program import PROGRAM as ATLAS_PROGRAM
from tools.samples import Call, Command, Had, Sample
from tools.statements import (
    CONCURRENTLY,
    FUNCTION,
    NO_TABLES,
    NOT_CONCURRENTLY,
    PLAIN,
    RIGHTS,
    SETTING,
    TABLES,
    USED,
    VALUE,
    VIEW,
    WHERE,
)

Plugin = tuple[str, str, str]
FLYWAY: Plugin = ("org.flywaydb", "flyway-maven-plugin", "13.0.0")
DRIVER = ("org.postgresql", "postgresql", "42.7.5")


def _url(on: Address, scheme: str = "postgres") -> str:
    return f"{on.url(scheme)}?sslmode=disable"


def _jdbc(on: Address) -> str:
    return f"jdbc:postgresql://{on.host}:{on.port}/{on.database}"


def _statement(text: str) -> str:
    return f"-- +goose StatementBegin\n{text}-- +goose StatementEnd\n"


#: goose knows no dollar quotes, and ends a statement where a line ends in a semicolon.
_GOOSE_TABLES = TABLES.replace(" -- not here;", "").replace("; of words", " of words")
GOOSE_FILES = {
    "2_tables.sql": f"-- +goose Up\n{_GOOSE_TABLES}\n-- +goose Down\n{NO_TABLES}",
    "10_function.sql": f"-- a word; before\n-- +goose Up\n{_statement(FUNCTION)}-- +goose Down\nDROP FUNCTION twice;\n",
    "0011_value.sql": f"-- +goose Up\n{VALUE}",
    "12_used.sql": f"-- +goose Up\n{USED}{RIGHTS}",
    "13_setting.sql": f"-- +goose Up\n{SETTING}",
    "14_where.sql": f"-- +goose up\n{WHERE}",
    "20240101_index.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{CONCURRENTLY}-- +goose Down\n{NOT_CONCURRENTLY}",
}


def _goose(word: str) -> Call:
    return lambda had, root, on: Command([str(had.place), "-dir", str(root), "postgres", _url(on), word])


GOOSE = Sample(
    "goose",
    lambda cache: fetching.of_go(
        cache,
        "github.com/pressly/goose/v3",
        "v3.29.0",
        "github.com/pressly/goose/v3/cmd/goose",
        "no_clickhouse no_libsql no_mssql no_mysql no_sqlite3 no_vertica no_ydb",
    ),
    GOOSE_FILES,
    _goose("up"),
    "SELECT id, version_id, is_applied FROM goose_db_version ORDER BY id",
    ["goose_db_version", "goose_db_version_id_seq"],
    undo=_goose("down"),
)

GOLANG_MIGRATE_FILES = {
    "2_tables.up.sql": TABLES,
    "2_tables.down.sql": NO_TABLES,
    "10_function.up.sql": f"BEGIN;\n{FUNCTION}COMMIT;\n",
    "0011_value.up.sql": VALUE,
    "12_used.up.sql": USED + RIGHTS,
    "13_setting.up.sql": SETTING,
    "14_where.up.sql": WHERE,
    "20240101_index.up.sql": CONCURRENTLY,
    "20240101_index.down.sql": NOT_CONCURRENTLY,
    "notes.sql": "no sql at all",
}


def _golang_migrate(*words: str) -> Call:
    return lambda had, root, on: Command([str(had.place), "-path", str(root), "-database", _url(on), *words])


GOLANG_MIGRATE = Sample(
    "golang-migrate",
    lambda cache: fetching.of_go(
        cache, "github.com/golang-migrate/migrate/v4", "v4.20.1", "github.com/golang-migrate/migrate/v4/cmd/migrate", "postgres"
    ),
    GOLANG_MIGRATE_FILES,
    _golang_migrate("up"),
    "SELECT version, dirty FROM public.schema_migrations",
    ["public.schema_migrations"],
    undo=_golang_migrate("down", "1"),
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
        return Command([str(program), "--url", _url(on), "-d", str(root), "--no-dump-schema", word])

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

#: With what Flyway replaces, what it repeats, and what of it is paid for.
FLYWAY_FILES = {
    "flyway.conf": "flyway.locations=filesystem:sql\nflyway.placeholders.kind=integer\n"
    "flyway.postgresql.transactional.lock=false\n",
    "sql/V2__tables.sql": TABLES,
    "sql/V10__function.sql": FUNCTION,
    "sql/sub/V2_1__value.sql": VALUE,
    "sql/V2.2__used.sql": USED + RIGHTS,
    "sql/V3__index.sql": CONCURRENTLY,
    "sql/V11__kind.sql": "CREATE TABLE of_kind (id ${kind}, at text DEFAULT '${flyway:filename}');\n",
    "sql/V12__setting.sql": SETTING,
    "sql/V13__where.sql": WHERE,
    "sql/R__names.sql": VIEW,
    "sql/R__a_names.sql": "CREATE OR REPLACE VIEW a_names AS SELECT 1 AS ${kind};\n",
    "sql/U13__where.sql": "DROP TABLE somewhere;",
}


def _flyway(had: Had, root: Path, on: Address) -> Command:
    given = {"url": _jdbc(on), "user": on.user, "password": on.password, "configFiles": str(root / "flyway.conf")}
    told = {f"flyway.{key}": value for key, value in {**given, "workingDirectory": str(root)}.items()}
    return Command(fetching.goal(had, FLYWAY, "migrate", **told))


FLYWAY_SAMPLE = Sample(
    "flyway",
    lambda cache: fetching.of_maven(cache, FLYWAY, ("org.flywaydb", "flyway-database-postgresql", FLYWAY[2]), DRIVER),
    FLYWAY_FILES,
    _flyway,
    "SELECT installed_rank, version, description, type, script, checksum, success FROM public.flyway_schema_history ORDER BY 1",
    ["public.flyway_schema_history"],
)

LIQUIBASE_FIRST = f"""\
--liquibase formatted sql
--property name:kind value:bigint

--changeset ada:2
--comment: Who buys.
{TABLES.replace(" -- not here;", "")}
--rollback DROP TABLE orders; DROP TABLE customers; DROP TYPE mood;

--changeset ada:10 splitStatements:false
{FUNCTION}
--changeset ada:value
{VALUE}
--changeset ada:used
{USED}{RIGHTS}
--changeset ada:kind
CREATE TABLE of_kind (id ${{kind}});
--changeset ada:mysql dbms:mysql
SELECT 'nothing for us';
--changeset ada:setting
{SETTING}
"""
LIQUIBASE_SECOND = f"""\
--liquibase formatted sql
--changeset "ada b":"a view" runOnChange:true
{VIEW}
--changeset ada:there
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 SELECT count(*) FROM public.customers
CREATE TABLE never (id integer);
--changeset ada:delimited endDelimiter://
CREATE FUNCTION once() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$ //
SELECT once() //
--changeset ada:where
{WHERE}
--changeset ada:index runInTransaction:false
{CONCURRENTLY.replace("customers", "public.customers")}
--rollback {NOT_CONCURRENTLY}
"""
LIQUIBASE_FILES = {
    "changelog/root.yaml": "databaseChangeLog:\n  - include: {file: first.sql, relativeToChangelogFile: true}\n"
    "  - includeAll: {path: changelog/more/}\n",
    "changelog/first.sql": LIQUIBASE_FIRST,
    "changelog/more/b.sql": LIQUIBASE_SECOND,
}


#: What the first line of a file says of its name; version 5 does not heed it.
_THIRD = {
    "changelog/root.yaml": LIQUIBASE_FILES["changelog/root.yaml"] + "  - include: {file: changelog/third.sql}\n",
    "changelog/third.sql": "--liquibase formatted sql logicalFilePath:third\n--changeset ada:third\nSELECT 1;\n"
    "--changeset ada:always runAlways:true\nSELECT 1;\n",
}


def _liquibase_call(plugin: Plugin, goal: str, **more: str) -> Call:
    def call(had: Had, root: Path, on: Address) -> Command:
        given = {"url": _jdbc(on), "username": on.user, "password": on.password, "changeLogFile": "changelog/root.yaml"}
        told = {**given, "searchPath": str(root), "analytics.enabled": "false", **more}
        return Command(fetching.goal(had, plugin, goal, **{f"liquibase.{key}": value for key, value in told.items()}))

    return call


def _liquibase(version: str, files: Mapping[str, str]) -> Sample:
    plugin = ("org.liquibase", "liquibase-maven-plugin", version)
    return Sample(
        "liquibase",
        lambda cache: fetching.of_maven(cache, plugin, DRIVER),
        files,
        _liquibase_call(plugin, "update"),
        "SELECT id, author, filename, orderexecuted, exectype, comments, tag, contexts, labels FROM public.databasechangelog "
        "ORDER BY orderexecuted",
        ["public.databasechangelog", "public.databasechangeloglock"],
        settings=lambda _: {"config": "changelog/root.yaml"},
        undo=_liquibase_call(plugin, "rollback", rollbackCount="1") if files is LIQUIBASE_FILES else None,
    )


LIQUIBASES = [_liquibase("5.0.4", LIQUIBASE_FILES), _liquibase("4.31.1", {**LIQUIBASE_FILES, **_THIRD})]

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
    words = [str(program), "migration", "up", f"--remote={_url(on, 'postgresql')}", "--workdir", str(root), "--yes"]
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
    return Command(["node", str(script), _url(on), str(root)])


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
    return Command(words, {"DATABASE_URL": _url(on, "postgresql"), "CHECKPOINT_DISABLE": "1", "CI": "1"})


def linked(had: Had, root: Path) -> None:
    """The packages beside the project's files."""
    (root / "node_modules").symlink_to(had.place / "node_modules")


PRISMA = Sample(
    "prisma",
    lambda cache: fetching.of_npm(cache, "prisma", {"prisma": "6.19.0", "@prisma/adapter-pg": "6.19.0"}),
    PRISMA_FILES,
    _prisma,
    "SELECT migration_name, checksum, logs, rolled_back_at, applied_steps_count FROM _prisma_migrations ORDER BY started_at",
    ["_prisma_migrations"],
    lay=linked,
    note="its engine of WebAssembly, which cuts at every semicolon; the native one is not on npm",
)

#: What Atlas' command takes of it.
HCL = {"github.com/hashicorp/hcl/v2": "v2.18.1", "github.com/zclconf/go-cty": "v1.14.4"}
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

ATLAS_FILES = {
    "10_tables.sql": TABLES.replace("E'c\\';d'", "'c;d'"),
    "2_function.sql": FUNCTION,
    "3_value.sql": VALUE,
    "4_used.sql": USED + RIGHTS,
    "5_index.sql": f"-- atlas:txmode none\n\n{CONCURRENTLY}",
    "6_do.sql": "DO $$ BEGIN CREATE TABLE done (id integer); END $$;\nSELECT ';'",
}


def _summed(_: Had, root: Path) -> None:
    (root / "atlas.sum").write_text("\n".join([*atlas.sums(root), ""]))


ATLAS = Sample(
    "atlas",
    lambda cache: fetching.of_go_source(
        cache,
        {"main.go": ATLAS_PROGRAM},
        {"ariga.io/atlas": "v0.32.1-0.20250325101103-175b25e1c1b9", "github.com/lib/pq": "v1.10.9", **HCL},
        ".",
    ),
    ATLAS_FILES,
    lambda had, root, on: Command([str(had.place), _url(on), str(root)]),
    "",
    lay=_summed,
    without=["atlas_schema_revisions"],
    books_kept=False,
    note="Atlas' library, without the books, which its command keeps",
)


def _psql(_: Had, root: Path, on: Address) -> Command:
    files = [word for name in sorted(SQL_FILES) for word in ("-f", str(root / name))]
    return Command(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *files, _url(on, "postgresql")], {})


SQL_FILES = {
    "001_tables.sql": TABLES,
    "002_function.sql": FUNCTION,
    "003_index.sql": CONCURRENTLY,
    "004_more.sql": VALUE + RIGHTS,
}
SQL = Sample("sql", lambda _: fetching.of_debian("psql"), SQL_FILES, _psql, "", books_kept=False, note="psql -f, file by file")

SAMPLES = [
    *(GOOSE, GOLANG_MIGRATE, DBMATE, DBMATE_STOPS, FLYWAY_SAMPLE, *LIQUIBASES, SUPABASE),
    *(DRIZZLE, PRISMA, SQITCH, ATLAS, SQL),
]
