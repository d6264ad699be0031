"""The project's own programs besides those that migrate: one that prints its models, those that delete a document.

They get the project's environment as migrations do (interpreter, ``setup``, ``env``, ``env_file``, timeout) and run in the root.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import children
from runner.children import Command, Finished
from runner.errors import ToolFailed
from runner.migrations import interpreter, node
from runner.migrations.alembic import guarded
from runner.migrations.environment import environment
from runner.migrations.interface import Project
from runner.migrations.templates import expand, words
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings
from runner.settings.values import FIELD, PLACEHOLDERS

if TYPE_CHECKING:
    from runner.settings.declarations import Source

#: So many bytes are more than the models of any application.
MOST = 32 * 1024 * 1024
#: How many of the last lines are shown of a program that failed.
_SHOWN = 8
#: Where no server is: applications that insist on an address are imported all the same. Port 9 is the one that discards.
_NOWHERE = Address("127.0.0.1", 9, "nobody", "nothing", "nothing", scheme="mongodb")


def printed(text: str, settings: MigrationSettings, source: Source) -> str:
    """What a command of the settings' ``models`` prints. No database is there for it. Raises ToolFailed."""
    work_tree = source.work_tree or source.root
    project = Project(source.root, source.root / settings.directory, settings, work_tree, database=source.database)
    node.link(project)
    command = in_root(words(text, "models"), project, _NOWHERE)
    finished, said = children.captured(command, MOST)
    where = f"databases.{source.database}.expect.models: `{text}`"
    if len(said) > MOST:
        raise ToolFailed(f"{where} prints more than {MOST // 1024**2} MB", "It prints JSON Schemas and nothing else.")
    if finished.timed_out or finished.status:
        raise ToolFailed(f"{where} {_how(finished, command)}", "Run it by hand in the root of the repository.")
    try:
        return said.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise ToolFailed(f"{where} prints no UTF-8 (byte {wrong.start})", "Print JSON in UTF-8.") from None


def _how(finished: Finished, command: Command) -> str:
    how = f"did not end within {command.timeout:g} s" if finished.timed_out else f"ended with status {finished.status}"
    return "\n".join([how, *[line for line in finished.tail if line.strip()][-_SHOWN:]])


def fields_of(text: str) -> tuple[str, ...]:
    """The fields of the document that a command of the settings' ``deletes`` names: ``{company_name}``, ``{address.town}``."""
    return tuple(dict.fromkeys(found["name"] for found in FIELD.finditer(text) if found["name"] not in PLACEHOLDERS))


def deleting(text: str, document: Mapping[str, Any], project: Project, on: Address) -> Command:
    """A command of ``deletes`` for one document; each value is a part of an argument, whatever it is made of.

    Where Python or Node runs in it, no other database is reached. Raises UsageError for a command that cannot be run.
    """
    arguments = tuple("".join(_filled(word, document, on)) for word in words(text, "deletes"))
    command = in_root(arguments, project, on)
    path = os.pathsep.join((str(_SITE), command.environment["PYTHONPATH"]))
    variables = {**command.environment, **guarded(project, on), "PYTHONPATH": path}
    return replace(command, environment={**variables, **node.heard(variables, reading=False)})


#: What puts the guard into a Python that is started.
_SITE = Path(interpreter.__file__).with_name("inside") / "site"


def _filled(word: str, document: Mapping[str, Any], on: Address) -> Iterator[str]:
    end = 0
    for found in FIELD.finditer(word):
        if found["name"] not in PLACEHOLDERS:
            yield expand(word[end : found.start()], on)
            yield argument(_at(document, found["name"]))
            end = found.end()
    yield expand(word[end:], on)


def _at(document: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - whatever a document holds
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def argument(value: Any) -> str:  # noqa: ANN401 - whatever a document holds
    """A value as an argument of a program: an ObjectId as its digits, a date as ISO 8601 has it, a UUID with its hyphens."""
    from bson import Binary
    from bson.binary import UUID_SUBTYPE

    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z" if value.tzinfo is None else value.isoformat()
    if isinstance(value, Binary) and value.subtype == UUID_SUBTYPE:
        return str(value.as_uuid())
    return value.hex() if isinstance(value, bytes) else str(value)


def in_root(arguments: tuple[str, ...], project: Project, on: Address) -> Command:
    """A program of the project's, in its environment; the checkout's own modules come before those that are installed."""
    variables = environment(project, on, _python(arguments, project))
    own = [str(folder) for folder in (project.root, project.root / "src") if folder.is_dir()]
    path = os.pathsep.join(filter(None, (*own, variables.get("PYTHONPATH", ""))))
    return Command(arguments, project.root, {**variables, "PYTHONPATH": path}, project.settings.timeout)


def _python(arguments: tuple[str, ...], project: Project) -> Mapping[str, str]:
    """Variables that lead to the project's own Python; what works on a MongoDB in that language has pymongo."""
    found = interpreter.find_any(project)
    if found is not None:
        return found.variables
    return interpreter.on_path(("pymongo",)) if arguments[0] in ("python", "python3") else {}
