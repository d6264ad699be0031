"""Knex, run by the project's own Node: one ``knex migrate:latest`` ("knex" in the settings)."""

from __future__ import annotations

import re

from runner.migrations.node_sql import NodeTool, by_name

NAME = "knex"
TITLE = "Knex"
FILES_ONLY = False
KEEPS_BOOKS = True

_FILES = ("knexfile.js", "knexfile.cjs", "knexfile.mjs", "knexfile.ts")
_TOOL = NodeTool(
    name="knex",
    package="knex",
    programs=("knex",),
    actions=("migrate:latest", "migrate:up"),
    options=("--migrations-directory",),
    order=by_name,
    config_option="--knexfile",
    up=("migrate:up",),
    down=("migrate:down",),
    configurations=_FILES,
    in_file=re.compile(r"migrations\s*:\s*\{[^}]*?directory\s*:\s*['\"`]([^'\"`]+)['\"`]"),
)
detect, revisions, current, apply = _TOOL.detect, _TOOL.revisions, _TOOL.current, _TOOL.apply
reversible, rehearse = _TOOL.reversible, _TOOL.rehearse
