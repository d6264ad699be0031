"""The project's own programs besides those that migrate: one that prints its models, those that delete a document.

They get the project's environment as migrations do (interpreter, ``setup``, ``env``, ``env_file``, timeout) and run in the root.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from runner import children
from runner.children import Command, Finished
from runner.errors import ToolFailed
from runner.migrations import interpreter
from runner.migrations.environment import environment
from runner.migrations.interface import Project
from runner.migrations.templates import words
from runner.servers.interface import Address
from runner.settings.model import MigrationSettings

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
    with_modules(source.root, work_tree)
    project = Project(source.root, source.root / settings.directory, settings, work_tree, database=source.database)
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


def in_root(arguments: tuple[str, ...], project: Project, on: Address) -> Command:
    """A program of the project's, in its environment; the checkout's own modules come before those that are installed."""
    python = interpreter.find_any(project)
    variables = environment(project, on, python.variables if python else {})
    own = [str(folder) for folder in (project.root, project.root / "src") if folder.is_dir()]
    path = os.pathsep.join(filter(None, (*own, variables.get("PYTHONPATH", ""))))
    return Command(arguments, project.root, {**variables, "PYTHONPATH": path}, project.settings.timeout)


def with_modules(root: Path, work_tree: Path) -> None:
    """Let Node find its modules from base's files too: they lie elsewhere, and modules are no part of a revision."""
    installed, place = work_tree / "node_modules", root / "node_modules"
    if root != work_tree and installed.is_dir() and not place.exists():
        place.symlink_to(installed.resolve(), target_is_directory=True)
