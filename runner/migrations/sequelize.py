"""Sequelize, run by the project's own Node: one ``sequelize-cli db:migrate`` ("sequelize" in the settings)."""

from __future__ import annotations

import re

from runner.migrations.node_sql import NodeTool, by_name

NAME = "sequelize"
TITLE = "Sequelize"
FILES_ONLY = False
KEEPS_BOOKS = True

_TOOL = NodeTool(
    name="sequelize",
    package="sequelize-cli",
    programs=("sequelize", "sequelize-cli"),
    actions=("db:migrate",),
    options=("--migrations-path",),
    order=by_name,
    config_option="--config",
    up=("db:migrate", "--to", "{file}"),
    down=("db:migrate:undo", "--name", "{file}"),
    configurations=(".sequelizerc",),
    in_file=re.compile(r"migrations-path['\"]\s*:\s*(?:path\.(?:resolve|join)\(\s*(?:__dirname\s*,\s*)?)?['\"`]([^'\"`]+)['\"`]"),
)
detect, revisions, current, apply = _TOOL.detect, _TOOL.revisions, _TOOL.current, _TOOL.apply
reversible, rehearse = _TOOL.reversible, _TOOL.rehearse
