"""TypeORM, run by the project's own Node: one ``typeorm migration:run`` ("typeorm" in the settings)."""

from __future__ import annotations

import re

from runner.migrations.node_sql import NodeTool, by_number

NAME = "typeorm"
TITLE = "TypeORM"
FILES_ONLY = False
KEEPS_BOOKS = True

_TOOL = NodeTool(
    name="typeorm",
    package="typeorm",
    programs=("typeorm", "typeorm-ts-node-commonjs", "typeorm-ts-node-esm"),
    actions=("migration:run",),
    options=(),
    order=by_number,
    config_option="--dataSource",
    up=("migration:run",),
    down=("migration:revert",),
    configurations=("data-source.js", "data-source.ts", "src/data-source.js", "src/data-source.ts", "ormconfig.json"),
    in_file=re.compile(r"migrations['\"]?\s*:\s*\[[^\]]*?['\"`]([^'\"`]+)['\"`]"),
)
detect, revisions, current, apply = _TOOL.detect, _TOOL.revisions, _TOOL.current, _TOOL.apply
reversible, rehearse = _TOOL.reversible, _TOOL.rehearse
