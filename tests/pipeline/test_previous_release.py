"""The previous release meets the new schema: its statements are prepared there, and its own tests run."""

from __future__ import annotations

import sys
from pathlib import Path

from building_pairs import pair
from example_repositories import Run, run_on
from repositories import repository

from runner.previous.trying import CHECK

FIRST = """\
CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL, nick text);
CREATE TABLE orders (id serial PRIMARY KEY, customer_id integer REFERENCES customers, note text, total integer);
"""
NEW = {
    "2_harmless.sql": "ALTER TABLE orders ADD COLUMN extra text;\nCREATE INDEX ON orders (customer_id);\n",
    "3_rename.sql": "ALTER TABLE orders ADD COLUMN more text;\nALTER TABLE orders DROP COLUMN note;\n",
    "4_demand.sql": "ALTER TABLE customers ADD COLUMN country text NOT NULL DEFAULT 'x';\n"
    "ALTER TABLE customers ALTER COLUMN country DROP DEFAULT;\n",
    "5_type.sql": "ALTER TABLE orders ALTER COLUMN total TYPE text;\n",
}
#: What the application does, as its tests do it, by a client that binds and one that writes values into the text.
TESTS = """\
import os, sys
import psycopg

with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    (customer,) = connection.execute("INSERT INTO customers (name) VALUES (%s) RETURNING id", ["Ada"]).fetchone()
    connection.execute("INSERT INTO orders (customer_id, total) VALUES (%s, 3)", [customer])
    connection.execute("SELECT o.note FROM orders AS o WHERE o.id = %s", [1])
    connection.execute("SELECT note, 'secret value' FROM orders")
    connection.execute("SELECT sum(total) FROM orders")
    connection.execute("CREATE TEMPORARY TABLE scratch (a int)")
    connection.execute("SELECT a FROM scratch")
"""
SETTINGS = """
[databases.app]
engine = "postgresql"
[databases.app.migrations]
tool = "sql"
directory = "migrations"
"""
#: What programs of the project's are told.
ENV = 'env = { DATABASE_URL = "{url}" }\n'


def change(tmp_path: Path, settings: str, new: dict[str, str], tests: str = TESTS) -> Path:
    files = {"dbproof.toml": SETTINGS + settings, "migrations/1_first.sql": FIRST}
    made = repository(tmp_path / "app", {**files, "own_tests.py": tests, "sent.sql": "SELECT nick FROM customers;\nVACUUM;\n"})
    made.branch("change")
    made.commit({f"migrations/{name}": text for name, text in new.items()} | {"own_tests.py": "raise SystemExit('head')\n"})
    return made.root


def found(run: Run) -> dict[str, tuple[str, str]]:
    findings = run.check("n-minus-1")["findings"]
    places = {one["subject"]: one.get("provenance") or {"file": "", "line": ""} for one in findings}
    return {one["subject"]: (one["evidence"]["code"], "{file}:{line}".format(**places[one["subject"]])) for one in findings}


def test_what_the_old_release_sends_is_prepared_and_its_tests_run(tmp_path: Path) -> None:
    python = sys.executable
    settings = f'{ENV}statements = "{python} own_tests.py"\nstatements_file = "sent.sql"\nn_minus_1 = "{python} own_tests.py"\n'
    run = run_on(change(tmp_path, settings, NEW))
    check = run.check("n-minus-1")
    assert found(run) == {
        "3_rename: column o.note does not exist": ("42703", "migrations/3_rename.sql:2"),
        '3_rename: column "note" does not exist': ("42703", "migrations/3_rename.sql:2"),
        "4_demand: customers.country is NOT NULL without a default, and the statement gives no value for it": (
            "23502",
            "migrations/4_demand.sql:1",
        ),
        "5_type: function sum(text) does not exist": ("42883", "migrations/5_type.sql:1"),
        "tests of the previous release": ("", ":"),
    }
    assert "secret value" not in run.said
    assert "SELECT note, '…' FROM orders" in run.said
    assert check["proven"] == 0


def test_a_change_that_the_old_release_does_not_notice(tmp_path: Path) -> None:
    settings = f'{ENV}statements = "{sys.executable} own_tests.py"\nn_minus_1 = "{sys.executable} own_tests.py"\n'
    run = run_on(change(tmp_path, settings, {"2_harmless.sql": NEW["2_harmless.sql"]}))
    check = run.check("n-minus-1")
    assert (check["outcome"], check["proven"], check["findings"]) == ("passed", 2, [])
    assert "5 statements of base, none broken, base's own tests pass" in run.said


def test_a_file_that_is_nowhere_is_refused_and_one_that_is_new_is_none_of_base_s(tmp_path: Path) -> None:
    root = change(tmp_path, 'statements_file = "later.sql"\n', {"2_harmless.sql": NEW["2_harmless.sql"]})
    run = run_on(root)
    assert run.code == 2
    assert "databases.app.migrations.statements_file: later.sql: No such file or directory" in run.said
    (root / "later.sql").write_text("SELECT 1;")
    (gap,) = run_on(root).check("n-minus-1")["not_proven"]
    assert gap["reason"] == "base's release sent no statement that could be prepared"


def test_programs_that_tell_nothing_of_the_change_are_seen_by_the_pipeline(tmp_path: Path) -> None:
    """Both were asked for: one fails on base, the other is not there at all."""
    settings = f'{ENV}statements = "{sys.executable} own_tests.py --what"\nn_minus_1 = "no-such-program --fast"\n'
    root = change(tmp_path, settings, {"2_harmless.sql": NEW["2_harmless.sql"]}, TESTS + "\nassert len(sys.argv) < 2, 'what?'\n")
    with pair(root, "main", CHECK) as (both, said):
        found = both.head.evidence.previous
    assert found is not None
    assert found.tests is not None
    assert "own_tests.py --what` fails on base's own schema: " in found.failed
    assert found.failed.endswith("what?")
    assert found.tests.failed.startswith("'no-such-program' was not found")
    assert said.stages["n-1"].endswith("own_tests.py --what` fails on base's own schema: AssertionError: what?")
