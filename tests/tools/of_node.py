"""Tools of Node, which dbproof starts itself: the projects of the tests, with a migration more that is easily sent wrongly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from real.test_node_migrations import SAMPLES as PROJECTS

from runner.servers.interface import Address
from tools import fetching
from tools.samples import Command, Had, Sample, linked
from tools.statements import CONCURRENTLY, FUNCTION, NOT_CONCURRENTLY, TABLES

PACKAGES = {"knex": "3.3.0", "node-pg-migrate": "9.0.0", "sequelize": "6.37.8", "sequelize-cli": "6.6.5", "typeorm": "1.1.1"}


def _text(*parts: str) -> str:
    """SQL as a string of JavaScript."""
    return json.dumps("".join(parts))


#: What the tests' projects make has the same names.
_TABLES = TABLES.replace("customers", "buyers").replace("orders", "sales")
_INDEX = CONCURRENTLY.replace("customers", "buyers")
MORE: dict[str, dict[str, str]] = {
    "knex": {
        "db/steps/20240301_sql.js": f"exports.up = (knex) => knex.raw({_text(_TABLES.replace('?', ''), FUNCTION)});\n"
        "exports.down = () => {};\n",
        "db/steps/20240302_index.js": f"exports.up = (knex) => knex.raw({_text(_INDEX)});\n"
        f"exports.down = (knex) => knex.raw({_text(NOT_CONCURRENTLY)});\nexports.config = {{ transaction: false }};\n",
    },
    "node-pg-migrate": {
        "steps/11_sql.sql": f"-- Up Migration\n{_TABLES}{FUNCTION}\n-- Down Migration\nDROP FUNCTION twice;\n",
        "steps/100_index.js": f"exports.up = (pgm) => {{ pgm.noTransaction(); pgm.sql({_text(_INDEX)}); }};\n"
        f"exports.down = (pgm) => {{ pgm.noTransaction(); pgm.sql({_text(NOT_CONCURRENTLY)}); }};\n",
    },
    "sequelize": {
        "migrations/3_sql.js": f"module.exports = {{\n  up: (it) => it.sequelize.query({_text(_TABLES, FUNCTION)}),\n"
        "  down: async () => {},\n};\n",
        "migrations/4_index.js": f"module.exports = {{\n  up: (it) => it.sequelize.query({_text(_INDEX)}),\n"
        f"  down: (it) => it.sequelize.query({_text(NOT_CONCURRENTLY)}),\n}};\n",
    },
    "typeorm": {
        "history/1700000000002-Sql.js": "module.exports = class Sql1700000000002 {\n"
        f"  async up(runner) {{ await runner.query({_text(_TABLES, FUNCTION)}); }}\n  async down() {{}}\n}};\n",
        "history/1700000000003-Index.js": "module.exports = class Index1700000000003 {\n  transaction = false;\n"
        f"  async up(runner) {{ await runner.query({_text(_INDEX)}); }}\n"
        "  async down(runner) { await runner.query('DROP INDEX by_name'); }\n};\n",
    },
}
UNDO = {
    "knex": "knex migrate:down",
    "node-pg-migrate": "node-pg-migrate -m steps down 1",
    "sequelize": "sequelize-cli db:migrate:undo",
    "typeorm": "typeorm migration:revert -d data-source.js",
}


def _files(tool: str) -> Mapping[str, str]:
    project = PROJECTS[tool]
    scripts, cli = {"migrate": f"NODE_ENV=development {project.script}"}, {"sequelize": "sequelize-cli"}.get(tool, tool)
    files = {name: text.replace("FAULT", "") for name, text in project.files.items()}
    if tool == "typeorm":  # where one migration has no transaction, it wants that decided for each
        files["data-source.js"] = files["data-source.js"].replace(
            "migrations: [", 'migrationsTransactionMode: "each", migrations: ['
        )
    return {**files, **MORE[tool], "package.json": json.dumps({"scripts": scripts, "dependencies": {cli: "*"}})}


def _sample(tool: str) -> Sample:
    def own(script: str, had: Had, root: Path, on: Address) -> Command:
        del had
        url = on.url("postgres")
        program, *words = script.split(" ")
        told = {"OWN": url, "DATABASE_URL": url, "NODE_ENV": "development"}
        return Command([str(root / "node_modules" / ".bin" / program), *words], told)

    project, packages = PROJECTS[tool], {**PACKAGES, "pg": "8.23.1", "reflect-metadata": "0.2.2"}
    tables = {"knex": ["knex_migrations*"], "node-pg-migrate": ["pgmigrations*"], "typeorm": ["migrations*"]}
    return Sample(
        tool,
        lambda cache: fetching.of_npm(cache, tool, packages),
        _files(tool),
        lambda had, root, on: own(project.script, had, root, on),
        project.books,
        tables.get(tool, []),
        lay=linked,
        undo=lambda had, root, on: own(UNDO[tool], had, root, on),
    )


SAMPLES = [_sample(tool) for tool in PROJECTS]
