"""yoyo: Python and SQL migrations end as they end by themselves, on PostgreSQL and SQLite."""

from __future__ import annotations

import secrets
import sqlite3
import subprocess
from pathlib import Path

import pytest

from checks.evidence import Place
from checks.targets import Role
from real.dumps import applied, ended, same, schema, there_and_back
from real.own_tool import ask
from real.published import Published
from runner.backends import postgresql
from runner.errors import UsageError
from runner.migrations import address
from runner.migrations import yoyo as adapter
from runner.migrations.interface import Broke, Paused, Project
from runner.servers.interface import Database, Server
from runner.servers.sqlite.server import sqlite_server
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

FILES = {
    "web/yoyo.ini": "[DEFAULT]\nsources = steps\ndatabase = postgresql+psycopg://app@db.invalid/shop\nbatch_mode = on\n",
    # It needs what comes after it by name.
    "web/steps/a_orders.sql": "-- Orders.\n-- depends: b_customers\n\n"
    "CREATE TABLE orders (customer_id integer REFERENCES customers);\n"
    "CREATE INDEX orders_by_customer ON orders (customer_id);\n",
    "web/steps/a_orders.rollback.sql": "DROP INDEX orders_by_customer;\nDROP TABLE orders;\n",
    "web/steps/b_customers.py": '"""Customers."""\n\nfrom yoyo import step\n\n\ndef fill(connection):\n'
    "    connection.cursor().execute(\"INSERT INTO customers VALUES (1, '100%')\")\n\n\n"
    'steps = [\n    step("CREATE TABLE customers (id integer PRIMARY KEY, name text)", "DROP TABLE customers"),\n'
    "    step(fill),\n]\n",
}
BOOKS = "SELECT migration_id FROM _yoyo_migration ORDER BY applied_at_utc"
ORDER = ["b_customers", "a_orders"]


def _lay(root: Path) -> Path:
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def _project(yoyo: Published, root: Path, directory: str = "web") -> Project:
    told = {"tool": "yoyo", "directory": directory, "python": str(yoyo.python)}
    return Project(root, root / directory, MigrationSettings.model_validate(told), root)


def test_it_ends_as_its_own_tool_ends(yoyo: Published, tmp_path: Path, server: Server, database: Database) -> None:
    root = _lay(tmp_path)
    project, empty = _project(yoyo, root), schema(database)
    own = server.create(f"yoyo_{secrets.token_hex(4)}")
    url = own.addresses[Role.OWNER].url("postgresql+psycopg")
    command = [str(yoyo.python), "-m", "yoyo", "apply", "--batch", "--database", url]
    done = subprocess.run(command, cwd=root / "web", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found = adapter.detect(root)
    assert found is not None
    assert (found.settings.directory, found.because.file, found.sure) == ("web", "web/yoyo.ini", True)
    assert [(one.id, one.title) for one in adapter.revisions(project)] == [("b_customers", "Customers."), ("a_orders", "Orders.")]
    address.prove(adapter, project, server, database, postgresql.arrived)
    assert schema(database) == empty, "what only looks changes nothing"
    mark = server.mark()
    events = applied(adapter, project, database)
    assert ended(events) == ORDER
    same(own, database, BOOKS)
    recording = postgresql.recording(server, database, mark, events, ())
    places = {(one.relation, one.name): how.place for one, how in postgresql.provenance(database, [recording], {}).items()}
    assert places["orders", "orders_by_customer"] == Place("web/steps/a_orders.sql", 5)
    assert places["customers", ""] == Place("web/steps/b_customers.py", 11)

    stepped, undone = server.create(f"yoyo_{secrets.token_hex(4)}"), "SELECT count(*) FROM pg_tables WHERE tablename = 'orders'"
    (root / "web/steps/c_no_way_back.sql").write_text("-- depends: a_orders\nCREATE INDEX i ON orders (customer_id);\n")
    tables, paused = [], []
    for event in adapter.rehearse(project, stepped.addresses[Role.OWNER], there_and_back(*ORDER, "c_no_way_back")):
        assert not isinstance(event, Broke), event
        if isinstance(event, Paused):
            tables += [ask(stepped, undone)[0][0]]
            paused += [(str(event.place), event.irreversible)]
    assert tables == [0, 0, 0, 1, 0, 1, 1, 1, 1, 1]
    assert paused[1::3] == [
        ("web/steps/b_customers.py:1", ""),
        ("web/steps/a_orders.rollback.sql:1", ""),
        ("web/steps/c_no_way_back.sql:1", "none of its steps says how it is undone"),
    ]
    (root / "web/steps/c_no_way_back.sql").unlink()

    (root / "web/steps/c_bad.sql").write_text("SELECT 1;\n\nINSERT INTO customers VALUES (1, 'again');\n")
    (broke,) = (one for one in adapter.apply(project, database.addresses[Role.OWNER]) if isinstance(one, Broke))
    assert (broke.revision, broke.place, broke.code) == ("c_bad", Place("web/steps/c_bad.sql", 3), "23505")
    assert broke.statement == "INSERT INTO customers VALUES (1, 'again');"


def test_a_folder_without_configuration_on_sqlite(yoyo: Published, tmp_path: Path) -> None:
    project = _project(yoyo, _lay(tmp_path), "web/steps")
    with sqlite_server() as server:
        database = server.create("app")
        assert ended(applied(adapter, project, database)) == ORDER
        with sqlite3.connect(database.private.database) as connection:
            assert connection.execute("SELECT name FROM customers").fetchall() == [("100%",)]
    (tmp_path / "web/steps/b_customers.py").write_text("def (\n")
    assert [one.id for one in adapter.revisions(project)] == ["a_orders", "b_customers"]
    (tmp_path / "web/yoyo.ini").write_text("[DEFAULT]\nsources = nowhere\n")
    with pytest.raises(UsageError, match="there is no folder web/nowhere"):
        adapter.revisions(_project(yoyo, tmp_path))
