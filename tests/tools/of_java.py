"""Tools of Java, by their plugins for Maven, whose files dbproof's adapters send themselves: Flyway and Liquibase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from real.archives import jar

from runner.servers.interface import Address
from tools import fetching
from tools.samples import Call, Command, Had, Sample, copied, failing
from tools.statements import (
    CONCURRENTLY,
    FAILS,
    FAILS_ALONE,
    FUNCTION,
    NOT_CONCURRENTLY,
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


CONDUCTOR = ("com.netflix.conductor", "conductor-postgres-persistence", "3.15.0")


def _jdbc(on: Address) -> str:
    return f"jdbc:postgresql://{on.host}:{on.port}/{on.database}"


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

ALONE = "executeInTransaction=false"
FAILING = [
    failing(FLYWAY_SAMPLE, {"sql/V20__fails.sql": FAILS}),
    failing(
        FLYWAY_SAMPLE,
        {"sql/V20__fails.sql": FAILS_ALONE, "sql/V20__fails.sql.conf": ALONE},
        "(fails alone)",
    ),
    failing(LIQUIBASES[0], {"changelog/more/c.sql": f"--liquibase formatted sql\n--changeset ada:fails\n{FAILS}"}),
]
SAMPLES = [
    FLYWAY_SAMPLE,
    replace(
        FLYWAY_SAMPLE,
        files={"flyway.conf": FLYWAY_FILES["flyway.conf"]},
        lay=copied(lambda had: jar(had.place.parent, *CONDUCTOR) / "db/migration_postgres", "sql"),
        variant="(Conductor)",
    ),
    *LIQUIBASES,
    *FAILING,
]
