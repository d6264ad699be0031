"""What the settings mean: one validated, frozen value. Only keys that something reads stand here.

Each field carries the sentence and the example that ``dbproof init`` and the documentation show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from checks.interface import Engine, Severity
from runner.settings.allows import AllowSettings
from runner.settings.data import DataSettings
from runner.settings.expected import ExpectSettings, QuerySettings
from runner.settings.fixing import FixSettings
from runner.settings.limits import LimitsSettings
from runner.settings.surface import ROWS, FailOn, Selftest
from runner.settings.tenancy import TenancySettings
from runner.settings.values import (
    WORD,
    Command,
    DatabaseName,
    Duration,
    Section,
    Template,
    Text,
    Texts,
    VariableName,
    Version,
    setting,
)

#: The words for ``tool``: one for each adapter in ``runner/migrations/registry.py``.
Tool = Literal[
    "alembic",
    "django",
    "flask-migrate",
    "yoyo",
    "knex",
    "node-pg-migrate",
    "sequelize",
    "typeorm",
    "command",
    "sql",
    "prisma",
    "golang-migrate",
    "goose",
    "dbmate",
    "flyway",
    "liquibase",
    "supabase",
    "drizzle",
    "sqitch",
    "atlas",
    "python",
    "migrate-mongo",
    "pymongo-migrate",
    "beanie",
    "declared",
]
TOOLS: tuple[str, ...] = get_args(Tool)


class MigrationSettings(Section):
    """How the repository's migrations are applied. Paths are relative to the repository's root."""

    tool: Tool = Field(
        description=f"The migration tool: {', '.join(TOOLS[:-1])} or {TOOLS[-1]}. With `command` it need not be said.",
        examples=["alembic", "python"],
    )
    directory: Text = setting(".", "The folder that the tool runs in.", "backend", "migrations")
    config: Text | None = setting(
        None, "The tool's own configuration file, where it is not the usual one.", "alembic.ini", "migrate-mongo-config.js"
    )
    command: Command | None = setting(
        None, "The project's own program that migrates, instead of a tool.", "flask db upgrade", "node migrate.js"
    )
    image: Text | None = setting(
        None, "A container image that the command is run in, through the Docker engine of this machine.", "ruby:3.3", "node:22"
    )
    current: Command | None = setting(
        None,
        "A program of the project's that connects and only reads, to prove the address first.",
        "flask db current",
        "node status.js",
    )
    down: Command | None = setting(
        None,
        "A program of the project's that undoes what the command did, all that is new of it; it is run on a copy.",
        "node migrate.js down",
    )
    statements: Command | None = setting(
        None, "A program of the project's whose statements the new schema must understand: base's own tests.", "pytest tests/api"
    )
    statements_file: Text | None = setting(
        None, "A file of statements that the application sends, which the new schema must understand.", "db/statements.sql"
    )
    models: Command | None = setting(
        None, "A program of the project's that prints its tables as SQL, as the models have them.", "npx drizzle-kit export"
    )
    squawk: bool = setting(False, "Whether squawk is asked about the text of what new migrations send.", True)
    n_minus_1: Command | None = setting(
        None, "A program of the project's that is run as base has it on the new schema: its own tests.", "pytest --reuse-db"
    )
    files: Text | None = setting(None, "Which files of a folder of SQL or Python files are migrations.", "*.up.sql", "[0-9]*.py")
    transaction: Literal["statement", "file", "whole"] | None = setting(
        None, "What a SQL folder's tool sends as one transaction: each statement, each file, or the whole file at once.", "file"
    )
    python: Text | None = setting(None, "The project's interpreter, where it is not VIRTUAL_ENV or .venv.", ".venv/bin/python")
    setup: Text | None = setting(None, "Makes the project's environment where it has none.", "uv sync --frozen")
    env: Mapping[VariableName, Template] = setting(
        {},
        "Variables for the project's programs: {url} {url:DRIVER} {host} {port} {user} {password} {database} lead to our server.",
        {"DATABASE_URL": "{url}"},
        {"MONGODB_URI": "{url}"},
    )
    env_file: Text | None = setting(None, "A file of placeholder variables for the project's programs.", ".env.example")
    pass_env: tuple[VariableName, ...] = setting((), "Variables that are handed on from here by name.", ("PIP_INDEX_URL",))
    timeout: Duration = setting(600.0, "How long migrating may take before it is ended.", "10m")

    @model_validator(mode="before")
    @classmethod
    def _command_is_a_tool(cls, given: object) -> object:
        if isinstance(given, dict) and "command" in given and "tool" not in given:
            return {**given, "tool": "command"}
        return given


class DatabaseSettings(Section):
    """One database: which server, which migrations, which rows, what is expected."""

    engine: Literal[Engine.POSTGRESQL, Engine.SQLITE, Engine.MARIADB, Engine.MONGODB] = setting(
        Engine.POSTGRESQL, "The database engine: postgresql, sqlite, mariadb or mongodb.", "postgresql", "mongodb"
    )
    version: Version | None = setting(None, "The server's version in production.", "16", "7.0")
    image: Text | None = setting(None, "The server's container image in production.", "pgvector/pgvector:pg16", "mongo:7.0")
    url_env: VariableName | None = setting(
        None, "The variable that holds the address of a server to use; it is only read from.", "DATABASE_URL", "MONGODB_URI"
    )
    disposable: bool = setting(False, "Whether everything on the server of url_env may be changed and dropped.", True)
    foreign_keys: bool | None = setting(
        None, "What the application's sessions do with SQLite's `PRAGMA foreign_keys`, which is off where nobody says so.", True
    )
    preload: Texts = setting((), "Libraries for shared_preload_libraries.", ("pg_stat_statements",))
    before: Texts = setting((), "SQL files run as superuser before the first migration: roles, schemas.", ("db/roles.sql",))
    start_from: Text | None = setting(
        None,
        "A dump that the history starts from, with the rows of the tool's own table: only newer migrations are applied.",
        "db/structure.sql",
    )
    migrations: MigrationSettings | None = Field(default=None, description="How the repository's migrations are applied.")
    data: DataSettings = Field(default=DataSettings(), description="The rows to judge.")
    expect: ExpectSettings = Field(default=ExpectSettings(), description="What the repository declares of this database.")
    tenancy: TenancySettings | None = Field(default=None, description="Whose a row is, and how tenants are kept apart.")
    queries: Mapping[str, QuerySettings] = Field(default_factory=dict, description="Queries with a limit.")
    fix: Mapping[Text, FixSettings] = Field(
        default_factory=dict, description="What `dbproof fix` gives the documents that it makes, by collection."
    )
    limits: LimitsSettings = Field(default=LimitsSettings(), description="Limits of the whole database.")

    @model_validator(mode="before")
    @classmethod
    def _declarations_are_applied(cls, given: object) -> object:
        """A document database without migrations of its own is made from what is declared of it."""
        if isinstance(given, Mapping) and given.get("engine") == Engine.MONGODB and "migrations" not in given:
            expect = given.get("expect")
            if isinstance(expect, Mapping) and any(expect.get(key) for key in ("schemas", "indexes", "files", "models")):
                return {**given, "migrations": {"tool": "declared"}}
        return given


class Settings(Section):
    """Everything a run is told. ``compare`` is a git revision, ``"nothing"``, or ``None`` for what the CI system says.

    ``report_dir`` is relative to the directory that dbproof was started in.
    """

    fail_on: Annotated[FailOn, WORD] = setting(FailOn.ERROR, ROWS["fail_on"].help, "error")
    compare: Text | None = setting(None, ROWS["compare"].help, "main")
    report_dir: Text = setting("dbproof-report", ROWS["report_dir"].help, "dbproof-report")
    show_values: bool = setting(False, ROWS["show_values"].help, True)
    selftest: Annotated[Selftest, WORD] = setting(Selftest.SAMPLE, ROWS["selftest"].help, "full")
    severity: Mapping[str, Annotated[Severity, WORD]] = setting(
        {}, "The severity of a check, instead of its own: error, warning, notice or off.", {"unindexed-foreign-key": "error"}
    )
    allow: tuple[AllowSettings, ...] = Field(default=(), description="Findings that are accepted.")
    references: Texts = setting(
        (), "References from one database to another that must hold.", ("docs:subscriptions.customer_id -> app:customers.id",)
    )
    databases: Mapping[DatabaseName, DatabaseSettings] = Field(
        default_factory=dict, description="The databases, each under a name."
    )
