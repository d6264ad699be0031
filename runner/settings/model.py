"""What the settings mean: one validated, frozen value. Only keys that something reads stand here.

Each field carries the sentence and the example that ``dbproof init`` and the documentation show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from checks.expectations import Category
from checks.interface import Engine, Severity
from runner.settings.surface import ROWS
from runner.settings.surface import FailOn as FailOn

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VERSION = re.compile(r"[1-9][0-9]*(\.[0-9]+)*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: What stands in braces in a template, and the names that may: everything else in braces (JSON, ``{{url}}``) is left alone.
PLACEHOLDER = re.compile(r"(?<!\{)\{(?P<name>[A-Za-z_]+)(?::(?P<driver>[^{}\s]*))?\}(?!\})")
_ESCAPED = re.compile(r"\{\{[A-Za-z_]+(?::[^{}\s]*)?\}\}")
PLACEHOLDERS = ("url", "host", "port", "user", "password", "database")

#: PostgreSQL keeps 63 bytes of a name, and the owner of database ``shop`` is the role ``shop_owner``.
LONGEST_NAME = 63 - len("_owner")

#: Databases that every server has.
TAKEN = frozenset({"postgres", "template0", "template1"})


def seconds(text: object) -> float:
    """Read a duration with a unit (``200ms``, ``1.5s``, ``10m``, ``1h``, ``30d``) into seconds; raises ValueError."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or not (length := float(found[1]) * _SECONDS[found[2]]):
        raise ValueError("expected a duration with a unit, such as '200ms', '30s', '10m'")
    return length


def _database_name(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ValueError(
            f"not a name for a database; expected letters, digits and underscores, no digit first, at most {LONGEST_NAME}"
        )
    if name in TAKEN:
        raise ValueError("every server has a database of that name already; choose another")
    return name


def _variable_name(name: str) -> str:
    # The wrong value is not repeated: it may be the address itself, with its password.
    if not _VARIABLE.fullmatch(name):
        raise ValueError("expected the name of an environment variable, such as 'DATABASE_URL'")
    return name


def _server_version(version: str) -> str:
    if not _VERSION.fullmatch(version):
        raise ValueError("expected a version such as '16' or '16.4'")
    return version


def _filled(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError("is empty" if not text.strip() else "holds a NUL character")
    return text


def _template(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    for found in PLACEHOLDER.finditer(_ESCAPED.sub("", text)):
        with_driver = found["driver"] is not None
        if found["name"] not in PLACEHOLDERS or (with_driver and (found["name"] != "url" or not found["driver"])):
            known = ", ".join(("{url}", "{url:DRIVER}", *(f"{{{name}}}" for name in PLACEHOLDERS[1:])))
            raise ValueError(f"'{found[0]}' is not a placeholder; there are: {known}")
    return text


def _object(given: object) -> object:
    """A table, or the same as Extended JSON in a text."""
    if isinstance(given, Mapping) and given:
        return given
    if isinstance(given, str) and isinstance(_extended_json(given), dict):
        return given
    raise ValueError("expected a table, or an object as Extended JSON in quotes")


def _schema(given: object) -> object:
    """The path of a file, or a schema as a table."""
    if (isinstance(given, str) and given.strip() and "\0" not in given) or (isinstance(given, Mapping) and given):
        return given
    raise ValueError("expected the path of a file, or a table")


def _pipeline(text: str) -> str:
    stages = _extended_json(text)
    if not isinstance(stages, list) or not stages or not all(isinstance(stage, dict) for stage in stages):
        raise ValueError('expected a list of stages as Extended JSON, such as \'[{"$match": {"status": "active"}}]\'')
    return text


def _extended_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as wrong:
        raise ValueError(f"is no JSON: {wrong}") from None


def index_key(text: str) -> tuple[str, int | str]:
    """Read a field of an index (``-created_at`` is ``("created_at", -1)``); raises ValueError."""
    found = _KEY.fullmatch(text)
    if found is None or (found["down"] and found["kind"]):
        raise ValueError(
            "expected a field, such as 'created_at', '-created_at' for the other direction, or 'place 2dsphere' for another kind"
        )
    return found["field"], found["kind"] or (-1 if found["down"] else 1)


def _some(keys: tuple[str, ...]) -> tuple[str, ...]:
    if not keys:
        raise ValueError("is empty")
    return keys


def _count(number: int) -> int:
    if number < 1:
        raise ValueError("expected a whole number from 1 on")
    return number


def _index_key(text: str) -> str:
    index_key(text)
    return text


#: A field of an index: its direction, its name, and its kind where it is no ordinary one.
_KEY = re.compile(r"(?P<down>-?)(?P<field>[^\s\0]+)(?:\s+(?P<kind>text|2d|2dsphere|hashed))?")

Duration = Annotated[float, BeforeValidator(seconds)]
Text = Annotated[str, AfterValidator(_filled)]
Texts = tuple[Text, ...]
Schema = Annotated[Any, AfterValidator(_schema)]
Object = Annotated[Any, AfterValidator(_object)]
Pipeline = Annotated[str, AfterValidator(_pipeline)]
Count = Annotated[int, AfterValidator(_count)]
IndexKey = Annotated[str, AfterValidator(_index_key)]
Template = Annotated[str, AfterValidator(_template)]
Command = Annotated[Text, AfterValidator(_template)]
DatabaseName = Annotated[str, AfterValidator(_database_name)]
VariableName = Annotated[str, AfterValidator(_variable_name)]
Version = Annotated[str, AfterValidator(_server_version)]

#: TOML has no enumerations: only here is text taken for something else.
_WORD = Field(strict=False)


def _field(default: object, says: str, *examples: object) -> Any:  # noqa: ANN401 - what pydantic's own Field gives
    """A field with its example, and a second one for a document database where the first makes no sense there."""
    if isinstance(default, dict):
        return Field(default_factory=dict, description=says, examples=list(examples))
    return Field(default, description=says, examples=list(examples))


class Section(BaseModel):
    """A table of the settings file: frozen, no unknown keys, no coercion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


#: The words for ``tool``: one for each adapter in ``runner/migrations/registry.py``.
Tool = Literal["alembic", "command", "sql", "prisma", "python", "declared"]
TOOLS: tuple[str, ...] = get_args(Tool)


class MigrationSettings(Section):
    """How the repository's migrations are applied. Paths are relative to the repository's root."""

    tool: Tool = Field(
        description=f"The migration tool: {', '.join(TOOLS[:-1])} or {TOOLS[-1]}. With `command` it need not be said.",
        examples=["alembic", "python"],
    )
    directory: Text = _field(".", "The folder that the tool runs in.", "backend", "migrations")
    config: Text | None = _field(None, "The tool's own configuration file, where it is not the usual one.", "alembic.ini")
    command: Command | None = _field(
        None, "The project's own program that migrates, instead of a tool.", "flask db upgrade", "node migrate.js"
    )
    current: Command | None = _field(
        None,
        "A program of the project's that connects and only reads, to prove the address first.",
        "flask db current",
        "node status.js",
    )
    files: Text | None = _field(None, "Which files of a folder of SQL or Python files are migrations.", "*.up.sql", "[0-9]*.py")
    transaction: Literal["statement", "file", "whole"] | None = _field(
        None, "What a SQL folder's tool sends as one transaction: each statement, each file, or the whole file at once.", "file"
    )
    python: Text | None = _field(None, "The project's interpreter, where it is not VIRTUAL_ENV or .venv.", ".venv/bin/python")
    setup: Text | None = _field(None, "Makes the project's environment where it has none.", "uv sync --frozen")
    env: Mapping[VariableName, Template] = _field(
        {},
        "Variables for the project's programs: {url} {url:DRIVER} {host} {port} {user} {password} {database} lead to our server.",
        {"DATABASE_URL": "{url}"},
        {"MONGODB_URI": "{url}"},
    )
    env_file: Text | None = _field(None, "A file of placeholder variables for the project's programs.", ".env.example")
    pass_env: tuple[VariableName, ...] = _field((), "Variables that are handed on from here by name.", ("PIP_INDEX_URL",))
    timeout: Duration = _field(600.0, "How long migrating may take before it is ended.", "10m")

    @model_validator(mode="before")
    @classmethod
    def _command_is_a_tool(cls, given: object) -> object:
        if isinstance(given, dict) and "command" in given and "tool" not in given:
            return {**given, "tool": "command"}
        return given


class DataSettings(Section):
    """The rows to judge: files of the repository, loaded in order."""

    load: Texts = _field(
        (),
        "Files with rows, loaded in order before the new migrations: SQL, or a file of JSON a collection (companies.jsonl).",
        ("db/seeds.sql",),
        ("seeds/companies.jsonl",),
    )


class IndexSettings(Section):
    """An index of a collection, under its name."""

    keys: Annotated[tuple[IndexKey, ...], AfterValidator(_some)] = Field(
        description="Its fields in order; '-' for descending.", examples=[("company_name", "-created_at")]
    )
    unique: bool = _field(False, "Whether no two documents may have the same.", True)
    sparse: bool = _field(False, "Whether documents without the field are left out.", True)
    partial: Object | None = _field(None, "Which documents it holds, as a filter.", {"status": "active"})
    expire_after: Duration | None = _field(None, "How long after its date a document is removed.", "30d")
    collation: Mapping[str, Any] | None = _field(None, "By which rules texts are compared.", {"locale": "en", "strength": 2})
    hidden: bool = _field(False, "Whether queries do not use it.", True)


class ExpectSettings(Section):
    """What the repository declares of its own database."""

    references: Texts = _field(
        (),
        "References that must hold; of a relational database with their delete rule.",
        ("orders.buyer_id -> users.id on delete restrict",),
        ("subscriptions.company_name -> companies.company_name",),
    )
    no_rows: Mapping[str, Text] = _field(
        {},
        "Queries that must return no row, each under a sentence that says what it would mean.",
        {"paid without payment": "select id from orders where paid and payment_id is null"},
    )
    schemas: Mapping[Text, Schema] = _field(
        {},
        "The validator of each collection: a file with a JSON Schema (or a whole validator), or the same as a table.",
        {"companies": "schemas/companies.json"},
    )
    indexes: Mapping[Text, Mapping[Text, IndexSettings]] = _field(
        {},
        "The indexes of each collection: keys, unique, sparse, partial, expire_after, collation, hidden.",
        {"companies": {"company_name_unique": {"keys": ("company_name",), "unique": True}}},
    )


class QuerySettings(Section):
    """A declared query with its limit; without one the category's default holds."""

    sql: Text | None = _field(None, "The query, as the application sends it.", "select count(*) from orders")
    collection: Text | None = _field(None, "The collection that is asked.", "subscriptions")
    find: Object | None = _field(None, "The filter of a find, as a table or as Extended JSON.", {"company_name": "Acme"})
    pipeline: Pipeline | None = _field(
        None, "An aggregation instead of a find, as Extended JSON.", '[{"$match": {"status": "active"}}, {"$count": "active"}]'
    )
    category: Annotated[Category, _WORD] = _field(
        Category.SIMPLE, "simple 500ms, join 1s, constraint 100ms, batch 2s, aggregation 300ms.", "simple"
    )
    limit: Duration | None = _field(None, "How long it may take, instead of the category's limit.", "200ms")
    examined: Count | None = _field(None, "How many documents the server may look at for it.", 100)


class DatabaseSettings(Section):
    """One database: which server, which migrations, which rows, what is expected."""

    engine: Literal[Engine.POSTGRESQL, Engine.SQLITE, Engine.MONGODB] = _field(
        Engine.POSTGRESQL, "The database engine: postgresql, sqlite or mongodb.", "postgresql", "mongodb"
    )
    version: Version | None = _field(None, "The server's version in production.", "16", "7.0")
    image: Text | None = _field(None, "The server's container image in production.", "pgvector/pgvector:pg16", "mongo:7.0")
    url_env: VariableName | None = _field(
        None, "The variable that holds the address of a server to use; it is only read from.", "DATABASE_URL", "MONGODB_URI"
    )
    disposable: bool = _field(False, "Whether everything on the server of url_env may be changed and dropped.", True)
    foreign_keys: bool | None = _field(
        None, "What the application's sessions do with SQLite's `PRAGMA foreign_keys`, which is off where nobody says so.", True
    )
    preload: Texts = _field((), "Libraries for shared_preload_libraries.", ("pg_stat_statements",))
    before: Texts = _field((), "SQL files run as superuser before the first migration: roles, schemas.", ("db/roles.sql",))
    migrations: MigrationSettings | None = Field(default=None, description="How the repository's migrations are applied.")
    data: DataSettings = Field(default=DataSettings(), description="The rows to judge.")
    expect: ExpectSettings = Field(default=ExpectSettings(), description="What the repository declares of this database.")
    queries: Mapping[str, QuerySettings] = Field(default_factory=dict, description="Queries with a limit.")

    @model_validator(mode="before")
    @classmethod
    def _declarations_are_applied(cls, given: object) -> object:
        """A document database without migrations of its own is made from what is declared of it."""
        if isinstance(given, Mapping) and given.get("engine") == Engine.MONGODB and "migrations" not in given:
            expect = given.get("expect")
            if isinstance(expect, Mapping) and (expect.get("schemas") or expect.get("indexes")):
                return {**given, "migrations": {"tool": "declared"}}
        return given


class Settings(Section):
    """Everything a run is told. ``compare`` is a git revision, ``"nothing"``, or ``None`` for what the CI system says.

    ``report_dir`` is relative to the directory that dbproof was started in.
    """

    fail_on: Annotated[FailOn, _WORD] = _field(FailOn.ERROR, ROWS["fail_on"].help, "error")
    compare: Text | None = _field(None, ROWS["compare"].help, "main")
    report_dir: Text = _field("dbproof-report", ROWS["report_dir"].help, "dbproof-report")
    show_values: bool = _field(False, ROWS["show_values"].help, True)
    severity: Mapping[str, Annotated[Severity, _WORD]] = _field(
        {}, "The severity of a check, instead of its own: error, warning, notice or off.", {"unindexed-foreign-key": "error"}
    )
    databases: Mapping[DatabaseName, DatabaseSettings] = Field(
        default_factory=dict, description="The databases, each under a name."
    )
