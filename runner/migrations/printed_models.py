"""Models that a program prints as SQL: one that the settings name, or Prisma's own in the project's packages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from checks.evidence import Place
from runner import children
from runner.children import Command
from runner.errors import ToolFailed
from runner.migrations import node
from runner.migrations.environment import environment
from runner.migrations.interface import Project
from runner.migrations.templates import words
from runner.programs import in_root
from runner.servers.interface import Address

#: So many bytes are more than the tables of any application.
_MOST = 32 * 1024 * 1024
#: Where Prisma's schema lies in the folder that it runs in: one file, or a folder of them.
_SCHEMAS = ("prisma/schema.prisma", "schema.prisma", "prisma/schema")
_MODEL = re.compile(r"\s*model\s+(?P<name>\w+)\s*\{")
_MAPPED = re.compile(r'\s*@@map\(\s*(?:name:\s*)?"(?P<name>[^"]+)"')
_FIELD = re.compile(r'\s*(?P<name>\w+)\s+\w[^@\n]*(?:.*@map\(\s*(?:name:\s*)?"(?P<mapped>[^"]+)")?')


@dataclass(frozen=True)
class Printed:
    """The SQL that makes the tables of the models, the ``command`` that printed it, and where tables and columns stand.

    ``write`` is the tool's command that writes a migration. Keys of ``places`` are ``orders`` and ``orders.note``.
    """

    command: str
    sql: bytes
    write: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)


def by_command(project: Project, on: Address) -> Printed:
    """What the setting ``models`` prints. Raises ToolFailed, UsageError."""
    text = project.settings.models or ""
    node.link(project)
    return Printed(text, _said(text, in_root(words(text, "models", on), project, on)))


def by_prisma(project: Project, on: Address) -> Printed | None:
    """What ``prisma migrate diff`` prints from nothing; ``None`` where the project has no such package. Raises ToolFailed."""
    schema = next((path for name in _SCHEMAS if (path := project.directory / name).exists()), None)
    if schema is None or not _is_asked_for(project):
        return None
    package = node.package(project, "prisma")
    told = json.loads((package.folder / "package.json").read_text("utf-8"))
    option = "--to-schema" if int(str(told["version"]).partition(".")[0]) >= 7 else "--to-schema-datamodel"
    arguments = ("migrate", "diff", "--from-empty", option, str(schema), "--script")
    quiet = {"CHECKPOINT_DISABLE": "1", "PRISMA_HIDE_UPDATE_MESSAGE": "1"}
    program = package.folder / str(told["bin"]["prisma"])
    command = Command(
        ("node", str(program), *arguments), project.directory, {**environment(project, on), **quiet}, project.settings.timeout
    )
    shown = f"prisma migrate diff --from-empty {option} {project.relative(schema)} --script"
    return Printed(shown, _said(shown, command), "prisma migrate dev --create-only", dict(_places(project, schema)))


def _is_asked_for(project: Project) -> bool:
    """Whether a ``package.json`` names Prisma, so that it belongs to what the project installs."""
    for folder in (project.directory, *project.directory.parents):
        path = folder / "package.json"
        if path.is_file() and '"prisma"' in path.read_text("utf-8", "replace"):
            return True
        if folder == project.root:
            break
    return False


def _said(shown: str, command: Command) -> bytes:
    finished, said = children.captured(command, _MOST)
    if finished.timed_out or finished.status:
        how = "did not end in time" if finished.timed_out else f"ended with status {finished.status}"
        last = " ".join(line.strip() for line in finished.tail if line.strip())
        raise ToolFailed(f"`{shown}` {how}" + (f": {last}" if last else ""), "Run it by hand in the root of the repository.")
    if len(said) > _MOST:
        raise ToolFailed(f"`{shown}` prints more than {_MOST // 1024**2} MB", "It prints SQL and nothing else.")
    return said


def _places(project: Project, schema: Path) -> Iterator[tuple[str, Place]]:
    """Where the models stand, by the names of their tables and columns."""
    for path in sorted(schema.rglob("*.prisma")) if schema.is_dir() else [schema]:
        lines = path.read_text("utf-8", "replace").splitlines()
        starts = [(number, found["name"]) for number, line in enumerate(lines) if (found := _MODEL.match(line))]
        for start, name in starts:
            end = next((number for number in range(start, len(lines)) if lines[number].strip() == "}"), len(lines))
            block = range(start + 1, end)
            table = next((found["name"] for at in block if (found := _MAPPED.match(lines[at]))), name)
            yield table, Place(project.relative(path), start + 1)
            for at in block:
                if found := _FIELD.match(lines[at]):
                    yield f"{table}.{found['mapped'] or found['name']}", Place(project.relative(path), at + 1)
