"""From settings to what a run is about to do with each database: the server, the expectations, the header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import PurePosixPath

from checks.declared.candidates import parse_candidate
from checks.declared.expectations import Expectations
from checks.declared.expected import parse_expected
from checks.declared.queries import DeclaredQuery
from checks.declared.references import ExpectedReference, PolymorphicReference, parse_any_reference
from checks.interface import Engine
from checks.schema.names import default_schema
from runner.errors import DbproofError, UsageError
from runner.migrations import interpreter
from runner.migrations.extensions import created_extensions
from runner.migrations.interface import Project
from runner.migrations.registry import ADAPTERS
from runner.servers.interface import Wanted
from runner.settings.declarations import Source, documents
from runner.settings.engines import DOCUMENTS
from runner.settings.limits import of_migrations
from runner.settings.load import Loaded
from runner.settings.model import DatabaseSettings, MigrationSettings
from runner.settings.tenancy import tenancy


def wanted(name: str, settings: DatabaseSettings, loaded: Loaded, environment: Mapping[str, str]) -> Wanted:
    """The server for a database: what the settings say, else what the repository's own pipeline runs."""
    found = loaded.images.get(name)
    named = settings.version or settings.image
    return Wanted(
        engine=settings.engine,
        version=settings.version if named else (found.version if found else None),
        image=settings.image if named else (found.image if found else None),
        url=_address(name, settings.url_env, environment) if settings.url_env else None,
        disposable=settings.disposable,
        preload=settings.preload,
        extensions=_extensions(settings.migrations, loaded) if settings.engine is Engine.POSTGRESQL else frozenset(),
        foreign_keys=settings.foreign_keys,
    )


def _address(name: str, variable: str, environment: Mapping[str, str]) -> str:
    address = environment.get(variable, "").strip()
    if not address:
        raise UsageError(
            f"databases.{name}.url_env: the environment variable {variable} is not set", "Set it to the database's address."
        )
    return address


def _extensions(migrations: MigrationSettings | None, loaded: Loaded) -> frozenset[str]:
    if migrations is None:
        return frozenset()
    return created_extensions(Project(loaded.root, loaded.root / migrations.directory, migrations, loaded.root))


def expectations(settings: DatabaseSettings, source: Source) -> Expectations:
    """What the settings declare of a database, read from the files of its ``source``.

    Raises UsageError for a schema that cannot be read.
    """
    limits = of_migrations(settings.limits, settings.data.production_rows)
    if settings.engine in DOCUMENTS:
        return Expectations(
            documents=documents(settings, source), tenancy=tenancy(settings.tenancy, settings.engine), limits=limits
        )
    schema = default_schema(settings.engine)
    references = [parse_any_reference(text, schema) for text in settings.expect.references]
    return Expectations(
        references=tuple(one for one in references if isinstance(one, ExpectedReference)),
        polymorphic=tuple(one for one in references if isinstance(one, PolymorphicReference)),
        audit=tuple(parse_candidate(text, schema) for text in settings.expect.audit),
        constraints=tuple(parse_expected(text, schema, source.place("expect", "checks")) for text in settings.expect.checks),
        no_rows=settings.expect.no_rows,
        queries=tuple(
            DeclaredQuery(name, query.sql or "", query.category, query.limit or query.category.limit)
            for name, query in settings.queries.items()
        ),
        foreign_keys=settings.foreign_keys,
        tenancy=tenancy(settings.tenancy, settings.engine),
        limits=limits,
    )


def header(loaded: Loaded) -> str:
    """Where the settings came from, for the first line."""
    if loaded.file is not None:
        return loaded.file.name
    return "no dbproof.toml, reading the repository (`dbproof init` writes this down)"


_SWITCHED = {None: "not set, which SQLite takes for off", True: "on", False: "off"}


def _server(name: str, settings: DatabaseSettings, loaded: Loaded) -> tuple[str, str]:
    image, title = loaded.images.get(name), settings.engine.label
    if settings.url_env:
        return f"{title}, given", f"{settings.url_env}, {'disposable' if settings.disposable else 'only read'}"
    if settings.engine is Engine.SQLITE:
        return title, f"a file of our own, foreign_keys {_SWITCHED[settings.foreign_keys]}"
    if settings.version:
        return f"{title} {settings.version}", _file(loaded)
    if image is None:
        return title, "no version set: the newest here"
    return f"{title} {image.version}" if image.version else title, f"{image.place}  {image.image}"


def _file(loaded: Loaded) -> str:
    return loaded.file.name if loaded.file else ""


def notes(name: str, settings: DatabaseSettings, loaded: Loaded, compared: str) -> Iterator[tuple[str, str, str]]:
    """The header's lines about one database: a label, what is known, and the file that says so."""
    server, origin = _server(name, settings, loaded)
    yield "database", f"{name}: {server}", origin
    if settings.migrations is not None:
        tool = settings.migrations.command or ADAPTERS[settings.migrations.tool].TITLE
        yield "migrations", tool, ", ".join(filter(None, (_origin(settings.migrations, loaded), compared)))
        yield from _interpreter(settings.migrations, loaded)


def _origin(migrations: MigrationSettings, loaded: Loaded) -> str:
    if loaded.detection.sure is not None:
        return str(loaded.detection.sure.because)
    if migrations.tool == "declared":
        return _file(loaded)
    if migrations.config is not None:
        return migrations.config
    place = PurePosixPath(migrations.directory) / ("alembic.ini" if migrations.tool == "alembic" else "")
    return "" if place == PurePosixPath() else place.as_posix()


#: What a tool's interpreter must be able to import.
NEEDS = {
    "alembic": ("alembic",),
    "django": ("django",),
    "flask-migrate": ("flask_migrate",),
    "yoyo": ("yoyo",),
    "python": ("pymongo",),
    "pymongo-migrate": ("pymongo_migrate",),
    "beanie": ("beanie",),
}


def _interpreter(migrations: MigrationSettings, loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """Which Python the migrations run with, where finding that out does not mean setting one up."""
    if migrations.tool in NEEDS and migrations.setup is None:
        project = Project(loaded.root, loaded.root / migrations.directory, migrations, loaded.root)
        with suppress(DbproofError):  # raised again, and reported, when the migrations are applied
            found = interpreter.find(project, NEEDS[migrations.tool])
            yield "runs with", found.origin, found.because
