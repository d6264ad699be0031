"""What cannot be meant together in one settings document, and keys that nothing reads there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from checks.declared.across import parse_cross_reference
from checks.declared.candidates import parse_candidate
from checks.declared.documents import parse_document_reference
from checks.declared.expected import parse_expected
from checks.declared.references import parse_any_reference
from checks.evidence import Place
from checks.interface import Engine
from runner.settings.data import contradictions as rows_made
from runner.settings.engines import BELONGS, DOCUMENTS, RELATIONAL, TAKEN, TOOL_ENGINES
from runner.settings.loading import starts_a_program, unfit
from runner.settings.model import TOOLS
from runner.settings.services import read
from runner.settings.tenancy import contradictions as tenancy
from runner.settings.wording import Contradiction, Fault, KeyPath, shorten

_SQL = frozenset({"sql"})
_PYTHONS = frozenset({"alembic", "command", "django", "flask-migrate", "yoyo", "python", "pymongo-migrate", "beanie"})
_NODES = frozenset({"knex", "node-pg-migrate", "sequelize", "typeorm"})
_PROGRAMS = _PYTHONS | _NODES | {"migrate-mongo"}

#: Keys that say how programs of the project's are started, whichever they are.
_STARTS = frozenset({"python", "setup", "env", "env_file", "pass_env"})

#: Keys that only some tools read. What nothing reads is refused, not accepted in silence.
_BELONGS = {
    "command": frozenset({"command"}),
    "transaction": _SQL,
    "files": frozenset({"sql", "python"}),
    "current": frozenset({"command"}),
    "image": frozenset({"command"}),
    "down": frozenset({"command"}),
    "config": _NODES | {"alembic", "django", "flask-migrate", "yoyo", "prisma", "migrate-mongo", "flyway", "liquibase"},
    "python": _PYTHONS,
    "setup": _PROGRAMS,
    "env": _PROGRAMS | {"flyway", "liquibase"},
    "env_file": _PROGRAMS,
    "pass_env": _PROGRAMS,
}


def contradictions(document: Mapping[str, object]) -> Iterator[Fault]:
    """What cannot be meant together. Reads the raw document, so that it is told together with everything else."""
    for name, database in _tables(document, "databases"):
        for judge in (_given_server, _two_servers, _migrations, _engine, _rows, rows_made, _references, _queries, tenancy):
            for key, message in judge(database):
                yield Fault(("databases", name, *key), message)
    yield from _names(document)
    yield from _between(document)


def _between(document: Mapping[str, object]) -> Iterator[Fault]:
    """References from one database to another."""
    engines = {name: _engine_of(database) for name, database in _tables(document, "databases")}
    listed = document.get("references")
    for number, text in enumerate(listed if isinstance(listed, list | tuple) else ()):
        try:
            parse_cross_reference(text, engines) if isinstance(text, str) else None
        except ValueError as wrong:
            yield Fault(("references", number), str(wrong))


def _given_server(database: Mapping[str, object]) -> Iterator[Contradiction]:
    if "url_env" not in database:
        if database.get("disposable") is True:
            yield ("disposable",), "says that a given server may be changed, but 'url_env' gives none"
        return
    for key in ("version", "image", "preload", "before", "start_from"):
        if key in database:
            yield (key,), "contradicts 'url_env': a given server is as it is"


def _two_servers(database: Mapping[str, object]) -> Iterator[Contradiction]:
    version, image = database.get("version"), database.get("image")
    if isinstance(version, str) and isinstance(image, str):
        told = read(image, Place("")).version
        if told is not None and version.split(".")[0] != told.split(".")[0]:
            yield ("image",), f"is {_engine_of(database).label} {told}, and 'version' says {shorten(version)}"


def _migrations(database: Mapping[str, object]) -> Iterator[Contradiction]:
    migrations = database.get("migrations")
    if not isinstance(migrations, Mapping):
        return
    tool = migrations.get("tool", "command" if "command" in migrations else None)
    if tool == "command" and "command" not in migrations:
        yield ("migrations", "command"), "is missing; 'tool = \"command\"' needs the program to run"
    if isinstance(tool, str):
        yield from _of_other_tools(tool, migrations, database)
        yield from _of_another_engine(tool, _engine_of(database))


def _of_other_tools(tool: str, migrations: Mapping[str, object], database: Mapping[str, object]) -> Iterator[Contradiction]:
    """Keys that this tool does not read, unless other programs of the project's are started by them."""
    for key, tools in _BELONGS.items():
        if key in _STARTS and _starts_programs(database):
            continue
        if key in migrations and tool in TOOLS and tool not in tools:
            owners = " or ".join(f"'{name}'" for name in sorted(tools))
            yield ("migrations", key), f"belongs to {owners}, and the tool is '{tool}'"


def _of_another_engine(tool: str, engine: Engine) -> Iterator[Contradiction]:
    if engine not in TOOL_ENGINES.get(tool, {engine}):
        can = " or ".join(f"'{name}'" for name in TOOLS if engine in TOOL_ENGINES[name])
        yield ("migrations", "tool"), f"'{tool}' does not migrate {engine.label}; {can} does"


def _starts_programs(database: Mapping[str, object]) -> bool:
    """Whether programs of the project's are started besides what migrates."""
    expect, data = database.get("expect"), database.get("data")
    listed = data.get("load") if isinstance(data, Mapping) else None
    makes_rows = any(map(starts_a_program, listed)) if isinstance(listed, list | tuple) else False
    migrations = database.get("migrations")
    if isinstance(migrations, Mapping) and any(key in migrations for key in ("statements", "n_minus_1", "models")):
        return True
    return makes_rows or (isinstance(expect, Mapping) and any(key in expect for key in ("models", "deletes")))


def _engine_of(database: Mapping[str, object]) -> Engine:
    """The engine that the keys are judged by; an unknown one is a fault of its own."""
    named = database.get("engine")
    return Engine(named) if isinstance(named, str) and named in RELATIONAL | DOCUMENTS else Engine.POSTGRESQL


def _engine(database: Mapping[str, object]) -> Iterator[Contradiction]:
    """Keys that nothing reads for this engine."""
    engine = _engine_of(database)
    for keys, engines in BELONGS.items():
        for path in _standing(database, keys):
            if engine not in engines:
                *others, last = sorted(f"'{one}'" for one in engines)
                owners = " or ".join(part for part in (", ".join(others), last) if part)
                yield path, f"belongs to {owners}, and the engine is '{engine}'"


def _standing(table: object, keys: tuple[str, ...]) -> Iterator[KeyPath]:
    """The paths of a document that a path of keys (``*`` for any name) stands for."""
    if not keys:
        yield ()
    elif isinstance(table, Mapping):
        for name in table if keys[0] == "*" else (keys[0],):
            if name in table:
                yield from ((str(name), *rest) for rest in _standing(table[name], keys[1:]))


def _rows(database: Mapping[str, object]) -> Iterator[Contradiction]:
    data = database.get("data")
    listed = data.get("load") if isinstance(data, Mapping) else None
    for number, entry in enumerate(listed if isinstance(listed, list | tuple) else ()):
        if why := unfit(entry, _engine_of(database)):
            yield ("data", "load", number), why


def _references(database: Mapping[str, object]) -> Iterator[Contradiction]:
    """Lines with a grammar of their own."""
    parsers: tuple[tuple[str, Callable[[str], object]], ...] = (
        ("references", parse_document_reference if _engine_of(database) in DOCUMENTS else parse_any_reference),
        ("checks", parse_expected),
        ("audit", parse_candidate),
    )
    for key, parse in parsers:
        for number, text in _texts(database, "expect", key):
            try:
                parse(text)
            except ValueError as wrong:
                yield ("expect", key, number), str(wrong)


def _texts(database: Mapping[str, object], section: str, key: str) -> Iterator[tuple[int, str]]:
    table = database.get(section)
    listed = table.get(key) if isinstance(table, Mapping) else None
    for number, text in enumerate(listed if isinstance(listed, list | tuple) else ()):
        if isinstance(text, str):
            yield number, text


def _queries(database: Mapping[str, object]) -> Iterator[Contradiction]:
    documents = _engine_of(database) in DOCUMENTS
    for name, query in _tables(database, "queries"):
        for key in ("collection",) if documents else ("sql",):
            if key not in query:
                yield ("queries", name, key), "is missing"
        if documents and ("find" in query) == ("pipeline" in query):
            yield ("queries", name), f"expected 'find' or 'pipeline', found {'both' if 'find' in query else 'neither'}"
        if documents and "sort" in query and "pipeline" in query:
            yield ("queries", name, "sort"), "belongs to 'find'; a pipeline has its own '$sort'"


def _names(document: Mapping[str, object]) -> Iterator[Fault]:
    """Names that a server of the engine has taken already."""
    for name, database in _tables(document, "databases"):
        if name in TAKEN.get(_engine_of(database), ()):
            yield Fault(("databases", name), "every server has a database of that name already; choose another")


def _tables(document: Mapping[str, object], key: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    tables = document.get(key)
    for name, table in tables.items() if isinstance(tables, Mapping) else ():
        if isinstance(table, Mapping):
            yield str(name), table
