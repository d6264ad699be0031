"""TypeORM, run by the project's own Node: one ``typeorm migration:run`` ("typeorm" in the settings)."""

from __future__ import annotations

import re
from pathlib import Path

from runner.migrations.node_sql import NodeTool, by_number

NAME = "typeorm"
TITLE = "TypeORM"
FILES_ONLY = False
KEEPS_BOOKS = True

#: The name that a migration gives itself, and its class: TypeORM's ``MigrationExecutor`` reads their last 13 characters.
_NAMED = (re.compile(r"\bname\s*=\s*['\"`][^'\"`]*?(\d{13})['\"`]"), re.compile(r"\bclass\s+\w*?(\d{13})\b"))


def _by_timestamp(path: Path) -> tuple[int, str]:
    """The order of the timestamps that the migrations' names end with, whatever their files are called."""
    text = path.read_text("utf-8", "replace")
    found = next((found for name in _NAMED if (found := name.search(text))), None)
    return (int(found[1]), path.name) if found else by_number(path)


_TOOL = NodeTool(
    name="typeorm",
    package="typeorm",
    programs=("typeorm", "typeorm-ts-node-commonjs", "typeorm-ts-node-esm"),
    actions=("migration:run",),
    options=(),
    order=_by_timestamp,
    config_option="--dataSource",
    up=("migration:run",),
    down=("migration:revert",),
    configurations=("data-source.js", "data-source.ts", "src/data-source.js", "src/data-source.ts", "ormconfig.json"),
    in_file=re.compile(r"migrations['\"]?\s*:\s*\[[^\]]*?['\"`]([^'\"`]+)['\"`]"),
)
detect, revisions, current, apply = _TOOL.detect, _TOOL.revisions, _TOOL.current, _TOOL.apply
reversible, rehearse = _TOOL.reversible, _TOOL.rehearse
