"""The environment of the project's programs: a clean one, the settings' variables, and the address of our server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from runner.child_environment import clean_environment
from runner.errors import UsageError
from runner.migrations.interface import Project
from runner.migrations.templates import expand
from runner.servers.interface import Address


def environment(project: Project, on: Address | None = None, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a program of the project gets, the later over the earlier.

    Ours that are let through, ``variables`` (an interpreter's), ``env_file``, the address by the names that most programs know
    (``DATABASE_URL``, libpq's ``PG…``, or those of MariaDB and MongoDB), and the settings' ``env``.
    """
    clean = {**clean_environment(project.settings.pass_env), **_PYTHON, **(variables or {})}
    if on is None:
        return {**clean, **_placeholders(project, clean)}
    settings = {name: expand(value, on) for name, value in project.settings.env.items()}
    return {**clean, **_placeholders(project, clean), **_address(on), **settings}


def varying(project: Project) -> frozenset[str]:
    """The variables that depend on which database a program is led to."""
    parts = (*_MONGODB, *_MYSQL, *_POSTGRESQL, *_LIBPQ.values(), "DBPROOF_REQUEST", "DBPROOF_GUARD")
    return frozenset((*parts, *(name for name, value in project.settings.env.items() if "{" in value)))


def told(project: Project, on: Address) -> dict[str, str]:
    """What is told to a program that has an environment of its own (a container's), the later over the earlier.

    The names in ``pass_env``, ``env_file``, the address by the names that most programs know, and the settings' ``env``.
    """
    passed = {name: value for name in project.settings.pass_env if (value := os.environ.get(name)) is not None}
    settings = {name: expand(value, on) for name, value in project.settings.env.items()}
    return {**_PYTHON, **passed, **_placeholders(project, passed), **_address(on), **settings}


#: Output comes as it is written, and the work tree gets no ``__pycache__``.
_PYTHON = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


#: What programs call the address of a MongoDB.
_MONGODB = ("DATABASE_URL", "MONGODB_URI", "MONGODB_URL", "MONGO_URI", "MONGO_URL")


#: What libpq calls the parts of a PostgreSQL's.
_POSTGRESQL = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")


#: What programs call the parts of a MariaDB's address, and its own clients the last two.
_MYSQL = (
    "MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE", "MYSQL_TCP_PORT", "MYSQL_PWD"
)  # fmt: skip


def _parts(on: Address) -> tuple[object, ...]:
    return on.host, on.port, on.user, on.password, on.database, on.port, on.password


def _address(on: Address) -> dict[str, str]:
    if on.scheme == "mongodb":
        return dict.fromkeys(_MONGODB, on.url())
    if on.scheme == "sqlite":
        return {"DATABASE_URL": on.url()}
    if on.scheme == "mysql":
        return {"DATABASE_URL": on.url(), **{name: str(value) for name, value in zip(_MYSQL, _parts(on), strict=True)}}
    # Without these a program that names no host (psql in a Makefile) would go to the developer's own server.
    return {
        "DATABASE_URL": on.url(),
        "PGHOST": on.host,
        "PGPORT": str(on.port),
        "PGUSER": on.user,
        "PGPASSWORD": on.password,
        "PGDATABASE": on.database,
        **{name: on.extra[key] for key, name in _LIBPQ.items() if key in on.extra},
    }


_LIBPQ = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "options": "PGOPTIONS"}


def _placeholders(project: Project, clean: Mapping[str, str]) -> dict[str, str]:
    if project.settings.env_file is None:
        return {}
    return _read(_find(project, project.settings.env_file), clean)


def _find(project: Project, name: str) -> Path:
    for folder in (project.root, project.work_tree):
        if (folder / name).is_file():
            return folder / name
    raise UsageError(f"migrations.env_file: there is no file {name}", "The path is relative to the root of the repository.")


def _read(path: Path, clean: Mapping[str, str]) -> dict[str, str]:
    """The file's variables. ``${NAME}`` in it means the file's own and what the child gets anyway, never a secret of ours."""
    from dotenv import dotenv_values
    from dotenv.variables import parse_variables

    known: dict[str, str | None] = dict(clean)
    read: dict[str, str] = {}
    for name, value in dotenv_values(path, interpolate=False).items():
        if value is not None:
            known[name] = read[name] = "".join(atom.resolve(known) for atom in parse_variables(value))
    return read
