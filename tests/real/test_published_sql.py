"""Published projects' own migrations in SQL: the adapters that send files themselves apply whole histories as they are."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from checks.evidence import Place
from checks.targets import Role
from real.dumps import applied, ended, schema
from real.filled import short
from real.own_tool import CATALOGUE, TABLES, ask
from real.test_sql_tools import MIGRATE, run, url
from runner.backends import postgresql
from runner.migrations.interface import Project
from runner.migrations.registry import ADAPTERS
from runner.servers.interface import Database, Server
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

_Places = dict[tuple[str, str], Place | None]


def _project(tool: str, directory: Path, files: str | None = None) -> Project:
    return Project(directory, directory, MigrationSettings.model_validate({"tool": tool, "files": files}), directory)


def _history(project: Project, server: Server, database: Database) -> tuple[Sequence[str], _Places]:
    """Apply a history: gives its revisions, each applied once, and where each object, by its relation and its name, was made."""
    adapter, mark = ADAPTERS[project.settings.tool], server.mark()
    events = applied(adapter, project, database)
    names = [revision.id for revision in adapter.revisions(project)]
    assert ended(events) == names
    recording = postgresql.recording(server, database, mark, events, ())
    # A folder of SQL files keeps no books: what is applied is told.
    again = replace(project, applied=frozenset(names)) if project.settings.tool == "sql" else project
    assert applied(adapter, again, database) == [], "nothing is left to do"
    return names, {(one.relation, one.name): how.place for one, how in postgresql.provenance(database, [recording], {}).items()}


def test_prisma_applies_litellm(litellm: Path, server: Server, database: Database) -> None:
    names, places = _history(_project("prisma", litellm), server, database)
    assert len(names) == 220
    assert ask(database, TABLES) == [(102,)]
    assert ask(database, "SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL") == [(220,)]
    report = "migrations/20261009000100_telemetry_reports/migration.sql"
    assert places["LiteLLM_TelemetryReport", ""] == Place(report, 3)
    assert places["LiteLLM_TelemetryReport", "LiteLLM_TelemetryReport_created_at_idx"] == Place(report, 14)
    assert short(server, database) == {}


def test_drizzle_applies_paperclip_as_its_own_migrator(
    paperclip: Path, npm_sql_tools: Path, server: Server, database: Database
) -> None:
    folder = paperclip / "migrations"
    names, places = _history(_project("drizzle", folder), server, database)
    assert len(names) == 49
    assert places["feedback_exports", ""] == Place("0047_overjoyed_groot.sql", 1)
    assert places["issue_inbox_archives", "issue_inbox_archives_company_issue_idx"] == Place("0045_workable_shockwave.sql", 14)
    own = server.create(f"paperclip_{secrets.token_hex(4)}")
    script = npm_sql_tools / "migrate.mjs"
    script.write_text(MIGRATE)
    run(["node", str(script), url(own.addresses[Role.OWNER]), str(folder)])
    for query in (TABLES, CATALOGUE, "SELECT hash, created_at FROM drizzle.__drizzle_migrations ORDER BY id"):
        assert ask(database, query) == ask(own, query)
    assert short(server, database) == {}


def test_sql_files_of_procrastinate_end_as_its_whole_schema(procrastinate: Path, server: Server, database: Database) -> None:
    names, places = _history(_project("sql", procrastinate / "migrations"), server, database)
    assert len(names) == 38
    assert ask(database, TABLES) == [(4,)]
    index = places["procrastinate_jobs", "idx_procrastinate_jobs_worker_not_null"]
    assert index == Place("03.01.00_01_pre_add_heartbeat.sql", 8)
    whole = server.create(f"procrastinate_{secrets.token_hex(4)}")
    applied(ADAPTERS["sql"], _project("sql", procrastinate, "schema.sql"), whole)
    # Columns that were added later stand at the end of their tables.
    assert sorted(schema(database).splitlines()) == sorted(schema(whole).splitlines())
    assert short(server, database) == {}


def test_flyway_applies_conductor(conductor: Path, server: Server, database: Database) -> None:
    """The checksums are those that Flyway 13 writes for these files."""
    names, places = _history(_project("flyway", conductor), server, database)
    assert (len(names), names[0], names[-1]) == (8, "V1__initial_schema", "V8__indexing")
    assert ask(database, TABLES) == [(18,)]
    assert places["task_index", ""] == Place("V8__indexing.sql", 18)
    assert ask(database, "SELECT sum(checksum::bigint) FROM flyway_schema_history") == [(-1181661481,)]
    assert short(server, database) == {}


def test_goose_applies_its_own_example(of_goose: Path, server: Server, database: Database) -> None:
    names, places = _history(_project("goose", of_goose), server, database)
    assert names == ["00001_create_users_table", "00002_rename_root", "00003_no_transaction"]
    assert places["post", ""] == Place("00003_no_transaction.sql", 3)
    assert ask(database, "SELECT username FROM users ORDER BY id") == [("admin",), ("vojtechvitek",)]


def test_golang_migrate_applies_its_own_example(of_golang_migrate: Path, server: Server, database: Database) -> None:
    names, places = _history(_project("golang-migrate", of_golang_migrate), server, database)
    assert len(names) == 9
    assert places["users", "users_email_index"] == Place("1285849751_add_index_on_user_emails.up.sql", 1)
    assert ask(database, "SELECT version, dirty FROM schema_migrations") == [(1885849751, False)]
