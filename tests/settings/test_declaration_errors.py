"""Every form of error in what the settings declare: of references, rules, rows, queries, limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from refused_settings import DOCS, SHOP, refusal

FAULTS = {
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
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=range(len(FAULTS)))
def test_each_fault_of_a_declaration_has_its_place_and_its_sentence(text: str, message: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text).message == f"dbproof.toml: {message}"
