"""node-pg-migrate, run by the project's own Node: one ``node-pg-migrate up`` ("node-pg-migrate" in the settings)."""

from __future__ import annotations

from runner.migrations.node_sql import NodeTool, by_number

NAME = "node-pg-migrate"
TITLE = "node-pg-migrate"
FILES_ONLY = False
KEEPS_BOOKS = True

_TOOL = NodeTool(
    name="node-pg-migrate",
    package="node-pg-migrate",
    programs=("node-pg-migrate",),
    actions=("up",),
    options=("-m", "--migrations-dir"),
    order=by_number,
    config_option="--config-file",
    up=("up", "1"),
    down=("down", "1"),
)
detect, revisions, current, apply = _TOOL.detect, _TOOL.revisions, _TOOL.current, _TOOL.apply
reversible, rehearse = _TOOL.reversible, _TOOL.rehearse
