"""Every form of error that settings can have: its place, what was expected, the nearest name."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from checks.interface import Engine
from runner.errors import UsageError
from runner.settings.engines import TOOL_ENGINES
from runner.settings.faults import settings_from
from runner.settings.load import Loaded, load
from runner.settings.model import TOOLS, Settings
from runner.settings.values import LONGEST_NAME

CHECKS = ("orphaned-rows", "unindexed-foreign-key")


def loaded(root: Path, text: str | None = None, **arguments: object) -> Loaded:
    if text is not None:
        (root / "dbproof.toml").write_text(text, "utf-8")
    return load(root, arguments, {}, checks=CHECKS, detecting=False)


def refusal(root: Path, text: str | None = None, **arguments: object) -> UsageError:
    with pytest.raises(UsageError) as wrong:
        loaded(root, text, **arguments)
    return wrong.value


SHOP = "databases.shop"


def _can(engine: Engine) -> str:
    """The tools that migrate an engine, which are many."""
    return " or ".join(f"'{tool}'" for tool in TOOLS if engine in TOOL_ENGINES[tool])


#: The beginning of a document database, to be ended with a brace.
DOCS = "databases.docs = { engine = 'mongodb'"

FAULTS = {
    "fail_on = 'eror'": "fail_on: 'eror' is not a severity to fail on; did you mean 'error'?",
    "selftest = 'fulll'": "selftest: 'fulll' is not an extent of the self-proof; did you mean 'full'?",
    "fail_on = 'x'": "fail_on: 'x' is not a severity to fail on; there are: error, never, notice, warning",
    "fail_on = 3": "fail_on: expected 'error' or 'warning' or 'notice' or 'never', found a number",
    "compar = 'main'": "compar: unknown key; did you mean 'compare'?",
    "'[key]' = 1": (
        '"[key]": unknown key; '
        "there are: allow, compare, databases, fail_on, references, report_dir, selftest, severity, show_values"
    ),
    "zzz = 1": (
        "zzz: unknown key; there are: allow, compare, databases, fail_on, references, report_dir, selftest, severity, show_values"
    ),
    "show_values = 'true'": "show_values: expected true or false, found text",
    "show_values = 1": "show_values: expected true or false, found a number",
    "report_dir = ''": "report_dir: is empty",
    "report_dir = true": "report_dir: expected text, found true or false",
    "compare = 2027-06-30": "compare: expected text, found a date or time",
    "databases.preload.a = 1": (
        "databases.preload.a: unknown key; there are: before, data, disposable, engine, expect, fix, foreign_keys, image, "
        "limits, migrations, preload, queries, start_from, tenancy, url_env, version"
    ),
    "databases = []": "databases: expected a table, found a list",
    "databases.shop = 3": f"{SHOP}: expected a table, found a number",
    "databases.shop.version = 16": f"{SHOP}.version: expected text, found a number; put it in quotes",
    "databases.shop.version = 'new'": f"{SHOP}.version: expected a version such as '16' or '16.4'",
    "databases.shop.engine = 'mysql'": (
        f"{SHOP}.engine: 'mysql' is not a database engine that dbproof knows; there are: mariadb, mongodb, postgresql, sqlite"
    ),
    "databases.shop.preload = 'a'": f"{SHOP}.preload: expected a list, found text",
    "databases.shop.before = ['a', 1]": f"{SHOP}.before[1]: expected text, found a number; put it in quotes",
    "databases.9shop.version = '16'": (
        f"databases.9shop: not a name for a database; expected letters, digits and underscores, no digit first, "
        f"at most {LONGEST_NAME}"
    ),
    f"databases.{'a' * (LONGEST_NAME + 1)} = {{}}": (
        f"databases.{'a' * (LONGEST_NAME + 1)}: not a name for a database; expected letters, digits and underscores, "
        f"no digit first, at most {LONGEST_NAME}"
    ),
    "databases.postgres = {}": "databases.postgres: every server has a database of that name already; choose another",
    "databases.shop.url_env = 'postgres://u:hidden@h/d'": (
        f"{SHOP}.url_env: expected the name of an environment variable, such as 'DATABASE_URL'"
    ),
    "databases.shop = { url_env = 'A', version = '16' }": (f"{SHOP}.version: contradicts 'url_env': a given server is as it is"),
    "databases.shop = { url_env = 'A', image = 'postgres:16' }": (
        f"{SHOP}.image: contradicts 'url_env': a given server is as it is"
    ),
    "databases.shop = { url_env = 'A', preload = ['x'] }": (f"{SHOP}.preload: contradicts 'url_env': a given server is as it is"),
    "databases.shop = { url_env = 'A', before = ['x'] }": (f"{SHOP}.before: contradicts 'url_env': a given server is as it is"),
    "databases.shop.disposable = true": (f"{SHOP}.disposable: says that a given server may be changed, but 'url_env' gives none"),
    "databases.shop = { version = '16', image = 'pgvector/pgvector:pg17' }": (
        f"{SHOP}.image: is PostgreSQL 17, and 'version' says 16"
    ),
    "databases.shop.migrations.tool = 'alembik'": (
        f"{SHOP}.migrations.tool: 'alembik' is not a migration tool; did you mean 'alembic'?"
    ),
    "databases.shop.migrations = {}": f"{SHOP}.migrations.tool: is missing; there are: {', '.join(sorted(TOOLS))}",
    "databases.shop.migrations.tool = 'command'": (
        f"{SHOP}.migrations.command: is missing; 'tool = \"command\"' needs the program to run"
    ),
    "databases.shop.migrations = { tool = 'alembic', command = 'make' }": (
        f"{SHOP}.migrations.command: belongs to 'command', and the tool is 'alembic'"
    ),
    "databases.shop.migrations = { tool = 'sql', image = 'ruby:3.3' }": (
        f"{SHOP}.migrations.image: belongs to 'command', and the tool is 'sql'"
    ),
    "databases.shop.migrations = { command = 'make', transaction = 'file' }": (
        f"{SHOP}.migrations.transaction: belongs to 'sql', and the tool is 'command'"
    ),
    "databases.shop.migrations = { tool = 'sql', config = 'x' }": (
        f"{SHOP}.migrations.config: belongs to 'alembic' or 'django' or 'flask-migrate' or 'flyway' or 'knex' or 'liquibase' or "
        "'migrate-mongo' or 'node-pg-migrate' or 'prisma' or 'sequelize' or 'typeorm' or 'yoyo', and the tool is 'sql'"
    ),
    "databases.shop.migrations = { tool = 'sql', transaction = 'files' }": (
        f"{SHOP}.migrations.transaction: 'files' is not a transaction mode; did you mean 'file'?"
    ),
    "databases.shop.migrations = { tool = 'alembic', timeout = 10 }": (
        f"{SHOP}.migrations.timeout: expected a duration with a unit, such as '200ms', '30s', '10m'"
    ),
    "databases.shop.migrations = { tool = 'alembic', timeout = '0s' }": (
        f"{SHOP}.migrations.timeout: expected a duration with a unit, such as '200ms', '30s', '10m'"
    ),
    "databases.shop.migrations = { tool = 'alembic', env = { URL = '{uri}' } }": (
        f"{SHOP}.migrations.env.URL: '{{uri}}' is not a placeholder; "
        "there are: {url}, {url:DRIVER}, {host}, {port}, {user}, {password}, {database}"
    ),
    "databases.shop.migrations = { tool = 'alembic', env = { URL = '{host:x}' } }": (
        f"{SHOP}.migrations.env.URL: '{{host:x}}' is not a placeholder; "
        "there are: {url}, {url:DRIVER}, {host}, {port}, {user}, {password}, {database}"
    ),
    "databases.shop.migrations = { tool = 'alembic', env = { PORT = 5432 } }": (
        f"{SHOP}.migrations.env.PORT: expected text, found a number; put it in quotes"
    ),
    "databases.shop.migrations = { tool = 'alembic', env = { 'A B' = '' } }": (
        f"{SHOP}.migrations.env.\"A B\": expected the name of an environment variable, such as 'DATABASE_URL'"
    ),
    "databases.shop.expect.references = ['a.b -> c.d', 'a.b']": (
        f"{SHOP}.expect.references[1]: expected 'child.column -> parent.column', "
        "with 'on delete restrict' or another rule after it, or 'undeclared', or 'where …'"
    ),
    "databases.shop.expect.references = ['a.b -> c.d on delete cascade undeclared']": (
        f"{SHOP}.expect.references[0]: a reference that is 'undeclared' has no rule 'on delete'"
    ),
    "databases.shop.expect.references = ['a.(t, i) -> {Post posts.id}']": (
        f"{SHOP}.expect.references[0]: expected 'child.(type_column, id_column) -> {{Type: parent.column, …}}'"
    ),
    "databases.shop.expect.references = ['a.i -> {Post: posts.id}']": (
        f"{SHOP}.expect.references[0]: expected two columns, the one that names the type and the one that names the row"
    ),
    "databases.shop.expect.references = ['a.(t, i) -> {Post: posts.id, Post: photos.id}']": (
        f"{SHOP}.expect.references[0]: 'Post' stands there twice"
    ),
    "databases.shop.expect.checks = ['orders.buyer_id -> users.id']": (f"{SHOP}.expect.checks[0]: declare it under 'references'"),
    "databases.shop.expect.checks = ['ck_total', 'orders: unique email']": (
        f"{SHOP}.expect.checks[1]: expected the name of a constraint, or 'table: condition', 'table.column: not null', "
        "'table: unique (column, …)'"
    ),
    f"{DOCS}, expect = {{ checks = ['ck_total'] }} }}": (
        "databases.docs.expect.checks: belongs to 'mariadb', 'postgresql' or 'sqlite', and the engine is 'mongodb'"
    ),
    "references = ['shop:a.b -> docs:c.d']": "references[0]: there is no database 'shop'; there are: none",
    "databases.shop = {}\nreferences = ['shop:a.b -> shop:c.d']": (
        "references[0]: both sides are in 'shop': such a reference stands under databases.shop.expect"
    ),
    "databases.shop = {}\nreferences = ['a.b -> shop:c.d']": (
        "references[0]: expected 'database:child.column -> database:parent.column'"
    ),
    f"{DOCS} }}\ndatabases.shop = {{}}\nreferences = ['docs:a.b -> shop:c.(d, e)']": (
        "references[0]: expected one column of shop, such as 'customers.id'"
    ),
    "databases.shop.expect.audit = ['orders: total > 0']": (
        f"{SHOP}.expect.audit[0]: expected 'table: check (expression)', 'table.column: not null', 'table: unique (column, …)' or "
        "'child.column -> parent.column'"
    ),
    "databases.shop.expect.audit = ['orders: check (a) or (b)']": (
        f"{SHOP}.expect.audit[0]: the parentheses after 'check' do not close at its end"
    ),
    "databases.shop.expect.audit = ['orders: unique (a) whre b']": (
        f"{SHOP}.expect.audit[0]: expected 'table: unique (column, …)', with 'where …' or nothing after it"
    ),
    "databases.shop.expect.audit = ['a.b -> c.d on delete cascade']": (
        f"{SHOP}.expect.audit[0]: a candidate is 'child.column -> parent.column', and nothing after it"
    ),
    f"{DOCS}, expect = {{ audit = ['a.b: not null'] }} }}": (
        "databases.docs.expect.audit: belongs to 'mariadb', 'postgresql' or 'sqlite', and the engine is 'mongodb'"
    ),
    "databases.shop.expect.references = ['a.b -> c.d on delete explode']": (
        f"{SHOP}.expect.references[0]: 'explode' is not a delete rule; "
        "there are: no action, restrict, cascade, set null, set default"
    ),
    "databases.shop.expect.no_rows.'paid twice' = ''": f'{SHOP}.expect.no_rows."paid twice": is empty',
    "databases.shop.queries.open = {}": f"{SHOP}.queries.open.sql: is missing",
    "databases.shop.queries.open = { sql = 'select 1', limit = '200' }": (
        f"{SHOP}.queries.open.limit: expected a duration with a unit, such as '200ms', '30s', '10m'"
    ),
    "databases.shop.queries.open = { sql = 'select 1', category = 'joins' }": (
        f"{SHOP}.queries.open.category: 'joins' is not a category of queries; did you mean 'join'?"
    ),
    "databases.admin.engine = 'mongodb'": ("databases.admin: every server has a database of that name already; choose another"),
    f"{DOCS}, preload = ['x'] }}": "databases.docs.preload: belongs to 'postgresql', and the engine is 'mongodb'",
    f"{DOCS}, before = ['x.sql'] }}": "databases.docs.before: belongs to 'mariadb' or 'postgresql', and the engine is 'mongodb'",
    f"{DOCS}, version = '7.0', image = 'mongo:8' }}": "databases.docs.image: is MongoDB 8, and 'version' says 7.0",
    f"{DOCS}, migrations = {{ tool = 'alembic' }} }}": (
        "databases.docs.migrations.tool: 'alembic' does not migrate MongoDB; "
        "'command' or 'python' or 'migrate-mongo' or 'pymongo-migrate' or 'beanie' or 'declared' does"
    ),
    f"{DOCS}, migrations = {{ tool = 'migrate-mongo', python = 'x' }} }}": (
        "databases.docs.migrations.python: belongs to 'alembic' or 'beanie' or 'command' or 'django' or 'flask-migrate' or "
        "'pymongo-migrate' or 'python' or 'yoyo', and the tool is 'migrate-mongo'"
    ),
    "databases.shop.migrations.tool = 'python'": (
        f"{SHOP}.migrations.tool: 'python' does not migrate PostgreSQL; {_can(Engine.POSTGRESQL)} does"
    ),
    f"{DOCS}, data = {{ load = ['a.jsonl', 'b.sql'] }} }}": (
        "databases.docs.data.load[1]: MongoDB takes no rows from SQL; there are: archive, bson, json, jsonl, parquet"
    ),
    f"{DOCS}, data = {{ load = ['companies.xlsx'] }} }}": (
        "databases.docs.data.load[0]: expected a file that ends in .jsonl, .ndjson, .json, .parquet, .bson or .archive, "
        "or say its 'format'"
    ),
    "databases.shop.data.load = [1]": f"{SHOP}.data.load[0]: expected a table, found a number",
    "databases.shop.data.load = [{ file = 'a.csv', tabel = 'x' }]": (
        f"{SHOP}.data.load[0].tabel: unknown key; did you mean 'table'?"
    ),
    "databases.shop.data.load = [{ table = 'x' }]": f"{SHOP}.data.load[0]: expected 'file' or 'command', found neither",
    "databases.shop.data.load = [{ file = 'a.csv', format = 'cvs' }]": (
        f"{SHOP}.data.load[0].format: 'cvs' is not a format of rows; did you mean 'csv'?"
    ),
    "databases.shop.data.load = [{ file = 'a.jsonl', null = 'x' }]": f"{SHOP}.data.load[0]: 'null' means nothing for JSON lines",
    "databases.shop.data.load = [{ command = 'make', table = 'x' }]": (
        f"{SHOP}.data.load[0]: 'table' belongs to a file, and this is a command"
    ),
    "databases.shop.data.load = [{ file = 'a.csv', delimiter = '||' }]": (
        f"{SHOP}.data.load[0].delimiter: expected one character of ASCII, such as ';'"
    ),
    "databases.shop.data.load = [{ file = 'a.csv', encoding = 'latin-77' }]": (
        f"{SHOP}.data.load[0].encoding: expected an encoding that Python knows, such as 'latin-1' or 'cp1252'"
    ),
    "databases.shop.data.load = ['dump.bson']": (
        f"{SHOP}.data.load[0]: PostgreSQL takes no rows from BSON; there are: csv, dump, fixture, json, jsonl, parquet, sql, tsv"
    ),
    f"{DOCS}, expect = {{ references = ['a.b -> c._id', 'a.b[0] -> c._id'] }} }}": (
        "databases.docs.expect.references[1]: expected 'collection.field -> collection.field', "
        "with dots into sub-documents and [] where an array stands; several fields that are one key as 'collection.(one, other)'"
    ),
    f"{DOCS}, expect = {{ references = ['a.b -> c._id on delete no action'] }} }}": (
        "databases.docs.expect.references[0]: "
        "expected 'on delete restrict', 'on delete cascade' or 'on delete set null' at its end"
    ),
    "databases.shop.expect.files = ['db/*.yaml']": (
        "databases.shop.expect.files: belongs to 'mongodb', and the engine is 'postgresql'"
    ),
    f"{DOCS}, expect = {{ deletes = {{ c = 'python delete_one.py' }} }} }}": (
        "databases.docs.expect.deletes.c: expected a field of the document in braces, "
        "such as 'python delete_company.py {company_name}'"
    ),
    f"{DOCS}, expect = {{ deletes = {{ c = 'python delete_one.py {{url}}' }} }} }}": (
        "databases.docs.expect.deletes.c: expected a field of the document in braces, "
        "such as 'python delete_company.py {company_name}'"
    ),
    "databases.shop.expect.deletes = { c = 'x {y}' }": (
        "databases.shop.expect.deletes: belongs to 'mongodb', and the engine is 'postgresql'"
    ),
    "databases.shop.expect.models = 'python models.py'": (
        "databases.shop.expect.models: belongs to 'mongodb', and the engine is 'postgresql'"
    ),
    f"{DOCS}, expect = {{ schemas = {{ a = 3 }} }} }}": (
        "databases.docs.expect.schemas.a: expected the path of a file, or a table"
    ),
    f"{DOCS}, expect = {{ indexes = {{ a = {{ i = {{ keys = [] }} }} }} }} }}": (
        "databases.docs.expect.indexes.a.i.keys: is empty"
    ),
    f"{DOCS}, expect = {{ indexes = {{ a = {{ i = {{ keys = ['b'], uniqe = true }} }} }} }} }}": (
        "databases.docs.expect.indexes.a.i.uniqe: unknown key; did you mean 'unique'?"
    ),
    f"{DOCS}, expect = {{ indexes = {{ a = {{ i = {{ keys = ['b up'] }} }} }} }} }}": (
        "databases.docs.expect.indexes.a.i.keys[0]: expected a field, such as 'created_at', "
        "'-created_at' for the other direction, or 'place 2dsphere' for another kind"
    ),
    f"{DOCS}, expect = {{ indexes = {{ a = {{ i = {{ keys = ['b'], partial = 'x' }} }} }} }} }}": (
        "databases.docs.expect.indexes.a.i.partial: is no JSON: Expecting value: line 1 column 1 (char 0)"
    ),
    "databases.a = { engine = 'sqlite', version = '3.40' }": (
        "databases.a.version: belongs to 'mariadb', 'mongodb' or 'postgresql', and the engine is 'sqlite'"
    ),
    "databases.b = { engine = 'sqlite', image = 'x' }": (
        "databases.b.image: belongs to 'mariadb', 'mongodb' or 'postgresql', and the engine is 'sqlite'"
    ),
    "databases.c = { engine = 'sqlite', preload = ['x'] }": (
        "databases.c.preload: belongs to 'postgresql', and the engine is 'sqlite'"
    ),
    "databases.d = { engine = 'sqlite', url_env = 'D', disposable = true }": (
        "databases.d.disposable: belongs to 'mongodb' or 'postgresql', and the engine is 'sqlite'"
    ),
    "databases.e = { engine = 'sqlite', migrations = { tool = 'prisma' } }": (
        "databases.e.migrations.tool: 'prisma' does not migrate SQLite; "
        "'alembic' or 'django' or 'flask-migrate' or 'yoyo' or 'command' or 'sql' or "
        "'golang-migrate' or 'goose' or 'dbmate' or 'flyway' does"
    ),
    "databases.f.foreign_keys = true": "databases.f.foreign_keys: belongs to 'sqlite', and the engine is 'postgresql'",
    "databases.shop.expect.schemas.a = 'b.json'": f"{SHOP}.expect.schemas: belongs to 'mongodb', and the engine is 'postgresql'",
    "databases.shop.queries.open = { sql = 'select 1', examined = 3 }": (
        f"{SHOP}.queries.open.examined: belongs to 'mongodb', and the engine is 'postgresql'"
    ),
    f"{DOCS}, queries = {{ open = {{ collection = 'a' }} }} }}": (
        "databases.docs.queries.open: expected 'find' or 'pipeline', found neither"
    ),
    f"{DOCS}, queries = {{ open = {{ find = {{ a = 1 }} }} }} }}": "databases.docs.queries.open.collection: is missing",
    f"{DOCS}, queries = {{ open = {{ collection = 'a', find = '[1]' }} }} }}": (
        "databases.docs.queries.open.find: expected a table, or an object as Extended JSON in quotes"
    ),
    f"{DOCS}, queries = {{ open = {{ collection = 'a', pipeline = '{{}}' }} }} }}": (
        "databases.docs.queries.open.pipeline: expected a list of stages as Extended JSON, "
        'such as \'[{"$match": {"status": "active"}}]\''
    ),
    f"{DOCS}, queries = {{ open = {{ collection = 'a', find = '{{}}', examined = 0 }} }} }}": (
        "databases.docs.queries.open.examined: expected a whole number from 1 on"
    ),
    "severity.orphaned-row = 'error'": "severity.orphaned-row: no such check; did you mean 'orphaned-rows'?",
    "allow = 'x'": "allow: expected a list, found text",
    "allow = [3]": "allow[0]: expected a table, found a number",
    "[[allow]]\nsubject = 'a'\nreason = 'x'": "allow[0].check: is missing",
    "[[allow]]\ncheck = 'orphaned-rows'\nreason = 'x'": "allow[0].subject: is missing",
    f"{DOCS}, queries = {{ open = {{ collection = 'a', find = {{ a = 1 }}, gain = 0.5 }} }} }}": (
        "databases.docs.queries.open.gain: expected a number from 1 on"
    ),
    f"{DOCS}, queries = {{ open = {{ collection = 'a', find = {{ a = 1 }}, examined_per_returned = 'two' }} }} }}": (
        "databases.docs.queries.open.examined_per_returned: expected a number, found text"
    ),
    f"{DOCS}, queries = {{ open = {{ collection = 'a', find = {{ a = 1 }}, sort = ['a 2dsphere'] }} }} }}": (
        "databases.docs.queries.open.sort[0]: expected a field, such as 'created_at', or '-created_at' for the other direction"
    ),
    f"{DOCS}, queries = {{ open = {{ collection = 'a', pipeline = '[{{}}]', sort = ['a'] }} }} }}": (
        "databases.docs.queries.open.sort: belongs to 'find'; a pipeline has its own '$sort'"
    ),
    f"{DOCS}, limits = {{ write = '6' }} }}": (
        "databases.docs.limits.write: expected a duration with a unit, such as '200ms', '30s', '10m'"
    ),
    f"{DOCS}, limits = {{ document_size = '2GB' }} }}": (
        "databases.docs.limits.document_size: expected a size with a unit, such as '500KB', '1MB'"
    ),
    f"{DOCS}, limits = {{ array_length = 0 }} }}": ("databases.docs.limits.array_length: expected a whole number from 1 on"),
    f"{DOCS}, limits = {{ overheads = '6ms' }} }}": ("databases.docs.limits.overheads: unknown key; did you mean 'overhead'?"),
    "databases.shop.limits = { write = '6ms' }": (f"{SHOP}.limits.write: belongs to 'mongodb', and the engine is 'postgresql'"),
    "[[allow]]\ncheck = 'orphaned-row'\nsubject = '*'\nreason = 'x'": (
        "allow[0].check: no such check; did you mean 'orphaned-rows'?"
    ),
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = ''\nreason = 'x'": "allow[0].subject: is empty",
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'\nreason = ' '": "allow[0].reason: is empty",
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'": "allow[0].reason: is missing",
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'\nreason = 'x'\nunitl = 1": (
        "allow[0].unitl: unknown key; did you mean 'until'?"
    ),
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'\nreason = 'x'\nuntil = '2027-06-30'": (
        "allow[0].until: expected a date such as 2027-06-30, without quotes and time, found text"
    ),
    "[[allow]]\ncheck = 'orphaned-rows'\nsubject = 'a'\nreason = 'x'\nuntil = 2027-06-30T10:00:00": (
        "allow[0].until: expected a date such as 2027-06-30, without quotes and time, found a date or time"
    ),
    "severity.orphaned-rows = 'warn'": "severity.orphaned-rows: 'warn' is not a severity; did you mean 'warning'?",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=range(len(FAULTS)))
def test_each_fault_has_its_place_and_its_sentence(text: str, message: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).message == f"dbproof.toml: {message}"


def test_all_faults_are_told_at_once_those_of_flags_too(tmp_path: Path) -> None:
    error = refusal(tmp_path, "compar = 'x'\nshow_values = 'yes'\n[databases.shop]\nversion = 16\n", fail_on="eror")
    assert error.message.splitlines() == [
        "dbproof.toml: show_values: expected true or false, found text",
        "dbproof.toml: databases.shop.version: expected text, found a number; put it in quotes",
        "dbproof.toml: compar: unknown key; did you mean 'compare'?",
        "--fail-on: 'eror' is not a severity to fail on; did you mean 'error'?",
    ]


def test_wrong_values_are_not_repeated(tmp_path: Path) -> None:
    for text, _ in FAULTS.items():
        if "hidden" in text:
            assert "hidden" not in refusal(tmp_path, text).message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("fail_on = \n", "1:11"),
        ("a = 1\nb = = 2\n", "2:5"),
        ("a = 1\n\n[x", "3:3"),
        ('a = """x', "1:9"),
        ("a = 1\na = 2\n", "2:6"),
    ],
)
def test_what_is_no_toml_has_a_line_and_a_column(text: str, place: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).message.startswith(f"dbproof.toml:{place}: not TOML: ")


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").write_bytes("compare = 'für'".encode("latin-1"))
    assert refusal(tmp_path).message == "dbproof.toml: is not UTF-8 (byte 12)"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").write_bytes(b"\xef\xbb\xbffail_on = 'never'\r\n")
    assert loaded(tmp_path).settings.fail_on == "never"


def test_a_directory_in_the_file_s_place(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").mkdir()
    assert refusal(tmp_path).message == "dbproof.toml: is a directory, expected a file"


def test_a_dangling_link_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").symlink_to(tmp_path / "gone")
    assert refusal(tmp_path).message == "dbproof.toml: cannot be read: no such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "dbproof.toml").touch(stat.S_IWUSR)
    assert refusal(tmp_path).message == "dbproof.toml: cannot be read: permission denied"


def test_a_config_file_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "ci.toml"
    assert refusal(tmp_path, config=str(missing)).message == f"{missing}: no such settings file"


def test_a_root_that_is_not_there_or_no_directory(tmp_path: Path) -> None:
    missing, file = tmp_path / "gone", tmp_path / "file"
    file.touch()
    assert refusal(missing).message == f"{missing}: no such file or directory; expected the repository's root"
    assert refusal(file).message == f"{file}: is a file; expected the repository's root"
    assert "file name too long" in refusal(tmp_path / ("x" * 5000)).message


def test_two_files_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.dbproof]\n")
    error = refusal(tmp_path, "")
    assert error.message == "dbproof.toml and [tool.dbproof] in pyproject.toml: both hold settings"
    assert "--config" in error.remedy


def test_faults_of_pyproject_have_its_key_path(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.dbproof]\nfail_on = 'eror'\n")
    assert refusal(tmp_path).message == (
        "pyproject.toml: tool.dbproof.fail_on: 'eror' is not a severity to fail on; did you mean 'error'?"
    )
    (tmp_path / "pyproject.toml").write_text("[tool]\ndbproof = 1\n")
    assert refusal(tmp_path).message == "pyproject.toml: tool.dbproof: expected a table"


def test_a_named_pyproject_without_our_section(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    file = tmp_path / "pyproject.toml"
    assert refusal(tmp_path, config=str(file)).message == f"{file}: has no [tool.dbproof]"


WORDS = (
    "fail_on severity databases shop migrations tool command env expect references no_rows queries sql limit category data load"
)
MORE = "url_env disposable version image transaction preload before pass_env timeout compare report_dir show_values"
KEYS = some.text(max_size=10) | some.sampled_from([*WORDS.split(), *MORE.split()])
TOML = some.recursive(
    some.none().map(lambda _: 0)
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=20)
    | some.sampled_from([date(2027, 6, 30), datetime(2027, 6, 30, 12), time(12)])
    | some.sampled_from(["alembic", "command", "200ms", "a.b -> c.d", "error", "{url}", "postgres:16", "16"]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(some.dictionaries(KEYS, TOML, max_size=6))
def test_no_document_breaks_validation(document: dict[str, Any]) -> None:
    value, faults = settings_from(document)
    assert (value is None) <= bool(faults)
    for fault in faults:
        assert str(fault)
        assert "pydantic" not in str(fault)
    if not faults:
        assert isinstance(value, Settings)


@settings(max_examples=200, deadline=None)
@given(some.binary(max_size=60) | some.text(max_size=60).map(lambda text: text.encode()))
def test_no_bytes_break_loading(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "dbproof.toml").write_bytes(data)
    with suppress(UsageError):
        loaded(root)


def test_a_deeply_nested_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"a = {'[' * 50_000}").message.startswith("dbproof.toml: nested too deeply")
