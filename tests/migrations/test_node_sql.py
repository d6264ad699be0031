"""How Node's tools for PostgreSQL are called, read from the scripts of package.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.migrations import typeorm
from runner.migrations.interface import Project
from runner.migrations.node_sql import NodeTool, by_number
from runner.settings.model import MigrationSettings

TOOL = NodeTool(
    name="typeorm",
    package="typeorm",
    programs=("typeorm", "typeorm-ts-node-commonjs"),
    actions=("migration:run",),
    options=("--folder",),
    order=by_number,
    config_option="--dataSource",
    up=("migration:run", "--only", "{file}"),
    down=("migration:revert",),
)
USUAL = (["migration:run"], "typeorm")


@pytest.mark.parametrize(
    ("scripts", "words", "program"),
    [
        ({}, *USUAL),
        ({"build": "tsc"}, *USUAL),
        ({"migrate": "typeorm migration:revert"}, *USUAL),
        ({"migrate": "NODE_ENV=test ./node_modules/.bin/typeorm migration:run -d a.js && echo 'ok'"},
         ["migration:run", "-d", "a.js"], "typeorm"),
        ({"typeorm": "typeorm-ts-node-commonjs", "migrate": "npm run typeorm -- migration:run -d 'a b.ts'"},
         ["migration:run", "-d", "a b.ts"], "typeorm-ts-node-commonjs"),
        ({"migrate": "typeorm 'unclosed"}, *USUAL),
    ],
)  # fmt: skip
def test_the_options_are_those_of_the_script(tmp_path: Path, scripts: dict[str, str], words: list[str], program: str) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"scripts": scripts}))
    project = Project(tmp_path, tmp_path, MigrationSettings(tool="typeorm"), tmp_path)
    assert (list(TOOL.words(project)), TOOL.called(project)) == (words, program)


def test_the_folder_is_that_of_the_command_line_and_its_files_have_the_tools_order(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"scripts": {"up": "typeorm migration:run --folder=db/steps"}}))
    (tmp_path / "db" / "steps").mkdir(parents=True)
    for name, text in {"9_a.js": "exports.up = 1", "10_b.ts": "async up(", "helper.js": "", "10_b.d.ts": "up("}.items():
        (tmp_path / "db" / "steps" / name).write_text(text)
    project = Project(tmp_path, tmp_path, MigrationSettings(tool="typeorm", config="data.ts"), tmp_path)
    assert [(one.id, one.title) for one in TOOL.revisions(project)] == [("9_a", "a"), ("10_b", "b")]
    assert list(TOOL.words(project))[-2:] == ["--dataSource", str(tmp_path / "data.ts")]


def test_one_step_takes_the_place_of_the_action() -> None:
    words = ["-d", "a.js", "migration:run", "3", "--verbose"]
    assert TOOL.single(words, TOOL.up, "1_a.js") == ["-d", "a.js", "migration:run", "--only", "1_a.js", "--verbose"]
    assert TOOL.single(["migration:run"], TOOL.down, "1_a.js") == ["migration:revert"]


@pytest.mark.parametrize("pattern", ["steps/[0-9]*.js", "./steps/*.js", "steps/**/*{.js,.ts}", "steps/1?.js"])
def test_typeorm_s_order_is_that_of_the_names_that_its_migrations_give_themselves(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "data-source.js").write_text(f'new DataSource({{ migrations: ["{pattern}"] }})')
    (tmp_path / "steps").mkdir()
    files = {
        "1700000000009-Last.js": "class Last1700000000003 { up() {} }",
        "1700000000008-Named.js": "class Named1600000000000 { name = 'Named1700000000002'; up() {} }",
        "1700000000001-First.js": "exports.up = 1;",
    }
    for name, text in files.items():
        (tmp_path / "steps" / name).write_text(text)
    project = Project(tmp_path, tmp_path, MigrationSettings(tool="typeorm"), tmp_path)
    assert [one.title for one in typeorm.revisions(project)] == ["First", "Named", "Last"]
