"""Runs Alembic as its own command line does, in the project's Python, and tells dbproof what happens.

Verbs: ``revisions`` lists the files in the order they apply, ``current`` loads env.py and only reads, ``apply`` is one
``upgrade heads``, ``rehearse`` takes ``steps``, ``drift`` compares the models with a copy. The request comes as JSON in
``DBPROOF_REQUEST``: ``verb``, ``config`` (a path), ``url`` (ours, or none), and ``listing`` where the files are to be listed
after ``current``.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from contextlib import suppress
from typing import Any, Dict, Optional, Sequence

from . import alembic_drift, alembic_steps, failures, guard, variables
from .telling import tell

#: What every start imports and no project changes. No driver: those are guarded as they are imported.
AHEAD = ("alembic.command", "alembic.config", "sqlalchemy.orm", "logging.config")

_COMMANDS = {"revisions": ["history"], "current": ["current"], "apply": ["upgrade", "heads"], "drift": ["current"]}


def main() -> None:
    """Do what the request says; exit 1 where it failed, which has been told by then."""
    request = json.loads(os.environ.pop("DBPROOF_REQUEST"))
    inside = guard.install()
    if inside is None:
        raise SystemExit("dbproof: this program is started by dbproof only")
    # As `python -m alembic` would have it, but behind all else.
    sys.path.append(os.getcwd())
    try:
        _do(request, inside)
    except SystemExit as error:
        if error.code not in (None, 0):
            _failed(error, inside)
            raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        _failed(error, inside)
        if inside.begun is None:  # what a migration died of has been told with its file and line
            sys.__excepthook__(type(error), error, error.__traceback__)
        raise SystemExit(1) from None


def _do(request: Dict[str, Any], inside: guard.Inside) -> None:
    from alembic import command

    if request["verb"] == "rehearse":
        alembic_steps.rehearse(request, lambda *words: _for_step(request, *words), inside)
        return
    config = _config(request)
    if request["verb"] == "revisions":
        _revisions(config, inside)
        return
    if request.get("url"):
        _lead_here(config, request["url"])
    if request["verb"] == "current":
        command.current(config)
        if request.get("listing"):
            with suppress(Exception):  # whoever asks for the files themselves is told why they cannot be read
                _revisions(config, inside)
    elif request["verb"] == "drift":
        alembic_drift.compare(config, inside.places)
    else:
        command.upgrade(config, "heads")


def _for_step(request: Dict[str, Any], *words: str) -> Any:
    """The configuration of one step, led to our database."""
    config = _config(request, words)
    if request.get("url"):
        _lead_here(config, request["url"])
    return config


def _config(request: Dict[str, Any], words: Sequence[str] = ()) -> Any:
    """The configuration as Alembic's own command line makes it, ``cmd_opts`` and all: env.py files look into those."""
    from alembic.config import CommandLine, Config

    path = request["config"]
    options = CommandLine(prog="alembic").parser.parse_args(["-c", path, *(words or _COMMANDS[request["verb"]])])
    named: Dict[str, Any] = {"file_": path, "ini_section": options.name, "cmd_opts": options}
    if "toml_file" in inspect.signature(Config.__init__).parameters:
        toml = os.path.basename(path) == "pyproject.toml"
        named["toml_file"] = path if toml else "pyproject.toml"
        named["file_"] = "alembic.ini" if toml else path
    config = Config(**named)
    if request.get("scripts"):  # Flask-Migrate says it on its command line
        config.set_main_option("script_location", request["scripts"].replace("%", "%%"))
    return config


def _revisions(config: Any, inside: guard.Inside) -> None:
    from alembic.script import ScriptDirectory

    directory = ScriptDirectory.from_config(config)
    for step in directory._upgrade_revs("heads", ()):  # type: ignore[arg-type]  # as `upgrade` calls it on an empty database
        script = step.revision
        line = guard.first_line(script)
        tell("revision", revision=script.revision, title=script.doc or "", file=inside.places.name(script.path), line=line)


def _failed(error: BaseException, inside: guard.Inside) -> None:
    """Tell what stopped Alembic: a missing module, settings that are insisted on, or a failure."""
    lacking = next((one for one in variables.chain(error) if isinstance(one, ModuleNotFoundError)), None)
    file, line = inside.places.of_error(error) or (None, None)
    unread = inside.places.of_source(error)
    if lacking is not None and inside.begun is None:
        tell("lacking", module=lacking.name or str(lacking), file=file, line=line)
    elif inside.stopped(error):
        return
    elif unread is not None:
        tell("broke", **{**failures.describe(error), "revision": None, "file": unread[0], "line": unread[1]})
    else:
        inside.broke(error)


# The address ---------------------------------------------------------------------------------------------------------


def _lead_here(config: Any, url: str) -> None:
    """Put our URL where the configuration declares one. Where it declares none, env.py decides, and is watched."""
    declared = _declared(config)
    if declared is not None:
        config.set_main_option("sqlalchemy.url", led(declared, url, config).replace("%", "%%"))


def led(declared: str, url: str, config: Any = None) -> str:
    """Our URL with the driver that the declared one names, or one that can be imported, and its options."""
    if url.startswith("sqlite:"):
        scheme, query = _sqlite_scheme(declared, config), _query_of_file(declared)
    elif url.startswith("mysql:"):
        scheme, query = _mysql_scheme(declared, config), _query(declared, url)
    else:
        scheme, query = _scheme(declared, config), _query(declared, url)
    return scheme + url[url.index("://") :] + query


def _declared(config: Any) -> Optional[str]:
    """The URL as written, with what ``%(…)s`` stands for where that is known."""
    import configparser

    parser, section = config.file_config, config.config_ini_section
    if not parser.has_option(section, "sqlalchemy.url"):
        return None
    try:
        return str(parser.get(section, "sqlalchemy.url"))
    except configparser.InterpolationError:
        return str(parser.get(section, "sqlalchemy.url", raw=True))


def _scheme(declared: str, config: Any) -> str:
    """The driver that the configuration names where it is one for PostgreSQL and can be imported, else one that can."""
    named = declared.partition("://")[0].replace("postgres+", "postgresql+")
    named = "postgresql" if named == "postgres" else named
    if named.partition("+")[0] == "postgresql" and _imports(named):
        return named
    drivers = ("asyncpg", "psycopg") if _is_async(named, config) else ("psycopg", "psycopg2", "pg8000")
    for driver in drivers:
        if _imports(f"postgresql+{driver}"):
            return f"postgresql+{driver}"
    raise ModuleNotFoundError("no driver for PostgreSQL is installed", name=drivers[0])


def _sqlite_scheme(declared: str, config: Any) -> str:
    """The driver that the configuration names where it is one for SQLite and can be imported, else Python's own."""
    named = declared.partition("://")[0]
    if named.partition("+")[0] == "sqlite" and _imports(named):
        return named
    return "sqlite+aiosqlite" if _is_async(named, config) and _imports("sqlite+aiosqlite") else "sqlite"


def _mysql_scheme(declared: str, config: Any) -> str:
    """The driver that the configuration names where it is one for MariaDB and can be imported, else one that can."""
    named = declared.partition("://")[0]
    if named.partition("+")[0] in ("mysql", "mariadb") and _imports(named):
        return named
    drivers = ("aiomysql", "asyncmy") if _is_async(named, config) else ("pymysql", "mysqldb", "mysqlconnector")
    for driver in drivers:
        if _imports(f"mysql+{driver}"):
            return f"mysql+{driver}"
    raise ModuleNotFoundError("no driver for MariaDB is installed", name=drivers[0])


def _query_of_file(declared: str) -> str:
    """The options that do not say which file is opened, or how (``timeout``, ``check_same_thread``)."""
    if not declared.startswith("sqlite"):
        return ""
    kept = [part for part in declared.partition("?")[2].split("&") if part and not part.startswith(_OF_URIS)]
    return "?" + "&".join(kept) if kept else ""


_OF_URIS = ("uri", "mode", "cache", "immutable", "nolock", "psow", "vfs", "modeof")


def _imports(scheme: str) -> bool:
    from sqlalchemy.engine import make_url

    try:
        dialect: Any = make_url(f"{scheme}://").get_dialect()
        (getattr(dialect, "import_dbapi", None) or dialect.dbapi)()
    except ImportError:
        return False
    except Exception as error:
        if type(error).__name__ == "NoSuchModuleError":  # an ArgumentError of SQLAlchemy's: no such dialect
            return False
        raise
    return True


def _is_async(named: str, config: Any) -> bool:
    """Whether env.py drives an asynchronous engine: by the driver it had, else by what it imports."""
    if named.partition("+")[2] in ("asyncpg", "aiosqlite", "aiomysql", "asyncmy", "psycopg_async"):
        return True
    path = os.path.join(config.get_main_option("script_location") or "", "env.py") if config is not None else ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return False
    return any(word in text for word in ("async_engine_from_config", "create_async_engine", "AsyncEngine"))


_WHERE = ("ssl", "unix_socket", "host", "port", "user", "password", "passfile", "dbname", "database", "service", "target_session")
_DROPPED = (*_WHERE, "channel_binding", "gss", "krb", "application_name")


def _query(declared: str, url: str) -> str:
    """The declared URL's options that do not say where to connect (``options``, ``async_fallback``)."""
    kept = [part for part in declared.partition("?")[2].split("&") if part and not part.startswith(_DROPPED)]
    return "" if not kept else ("&" if "?" in url else "?") + "&".join(kept)
