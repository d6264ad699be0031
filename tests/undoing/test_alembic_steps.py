"""New revisions of Alembic's go up, down and up again on each engine: what their way back restores, and what it does not."""

from __future__ import annotations

import importlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg
import pytest

from checks.reversals import DifferenceKind, Reversal
from checks.targets import Role
from runner.migrations import alembic
from runner.migrations.interface import Direction, Paused, Project, Step
from runner.servers.interface import Database, Server
from runner.servers.mariadb.sessions import session as mariadb_session
from runner.servers.sqlite.server import sqlite_server
from runner.settings.model import MigrationSettings
from runner.undoing import postgresql, sqlite
from runner.undoing.trying import _Found, _Tried, _Walk

INI = "[alembic]\nscript_location = migrations\n"
ENV = """
import os
from alembic import context
from sqlalchemy import create_engine

engine = create_engine(os.environ["DATABASE_URL"])
with engine.connect() as connection:
    context.configure(connection=connection, render_as_batch=True, transaction_per_migration=True, version_table="own_version")
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = {revision!r}, {below!r}, None, None


{text}
"""
BASE = """def upgrade():
    op.create_table("people", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20), nullable=False),
                    sa.Column("code", sa.String(5)), sa.CheckConstraint("length(name) > 0", name="ck_name"))
    op.create_index("ix_name", "people", ["name"])
    op.execute("INSERT INTO people VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', NULL)")
"""
GOOD = """def upgrade():
    with op.batch_alter_table("people") as batch:
        batch.add_column(sa.Column("age", sa.Integer, server_default="7", nullable=False))
        batch.create_check_constraint("ck_age", "age > 0")
    op.create_table("pets", sa.Column("id", sa.Integer, primary_key=True),
                    sa.Column("owner", sa.Integer, sa.ForeignKey("people.id", name="fk_owner")))


def downgrade():
    op.drop_table("pets")
    with op.batch_alter_table("people") as batch:
        batch.drop_constraint("ck_age", type_="check")
        batch.drop_column("age")
"""
LOSES = """def upgrade():
    with op.batch_alter_table("people") as batch:
        batch.drop_column("code")
    op.execute("UPDATE people SET name = 'z' WHERE id = 2")
    op.execute("DELETE FROM people WHERE id = 3")


def downgrade():
    with op.batch_alter_table("people") as batch:
        batch.add_column(sa.Column("code", sa.String(5)))
"""
ONE_WAY = """def upgrade():
    op.execute("UPDATE people SET name = name")


def downgrade():
    raise NotImplementedError("by hand")
"""
NO_WAY = "def upgrade():\n    pass\n"
PASSED = """def upgrade():
    op.create_table("left_over", sa.Column("id", sa.Integer, primary_key=True))


def downgrade():
    pass
"""

Revisions = Sequence[tuple[str, Any, str]]
CHAIN: Revisions = (
    ("a0", None, BASE),
    ("b1", "a0", GOOD),
    ("c2", "b1", LOSES),
    ("d3", "c2", ONE_WAY),
    ("e4", "d3", NO_WAY),
    ("f5", "e4", PASSED),
)


def project(root: Path, revisions: Revisions, url: str = "{url}") -> Project:
    """Alembic's files in a folder of their own."""
    (root / "migrations" / "versions").mkdir(parents=True)
    (root / "alembic.ini").write_text(INI)
    (root / "migrations" / "env.py").write_text(ENV)
    for revision, below, text in revisions:
        content = REVISION.format(revision=revision, below=below, text=text)
        (root / "migrations" / "versions" / f"{revision}_.py").write_text(content)
    return Project(root, root, MigrationSettings(tool="alembic", env={"DATABASE_URL": url}), root)


def walked(states: ModuleType, here: Project, server: Server, database: Database, new: Sequence[str]) -> _Found:
    """What became of the new revisions, on top of the first one."""
    _, steps = _Tried(alembic, here, states, new).steps(20)
    steps.insert(0, Step(Direction.UP, "a0"))
    found = _Found()
    walk = _Walk(states, server, database, found)
    with walk.aside:
        walk.follow(alembic.rehearse(here, database.addresses[Role.OWNER], steps), steps, 1)
    return found


@pytest.fixture(params=["postgresql", "sqlite", "mariadb"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(engine: str, request: pytest.FixtureRequest) -> Iterator[tuple[Server, Database, str]]:
    """A server of the engine with an empty database, and the address as the project is given it."""
    if engine == "sqlite":
        with sqlite_server() as files:
            yield files, files.create("app"), "{url}"
    elif engine == "mariadb":
        server = request.getfixturevalue("mariadb_server")
        made = server.create(f"steps_{abs(hash(request.node.nodeid)) % 10**8}")
        yield server, made, "{url:mysql+pymysql}"
        with mariadb_session(made.private) as driver, driver.cursor() as cursor:
            cursor.execute(f"DROP DATABASE `{made.name}`")
    else:
        yield request.getfixturevalue("server"), request.getfixturevalue("database"), "{url:postgresql+psycopg}"


def test_there_and_back_on_each_engine(engine: str, place: tuple[Server, Database, str], tmp_path: Path) -> None:
    server, database, url = place
    states = importlib.import_module(f"runner.undoing.{engine}")
    found = walked(states, project(tmp_path, CHAIN, url), server, database, [one for one, _, _ in CHAIN[1:]])
    good, loses, one_way, no_way, passed = found.reversals
    assert good == Reversal("b1", good.place)
    assert {(one.of.relation, one.of.name, one.kind, one.rows, one.words) for one in loses.left} == {
        ("people", "", DifferenceKind.ROWS_MISSING, 1, ""),
        ("people", "", DifferenceKind.ROWS_CHANGED, 2, "code, name"),
    }
    assert loses.again == ()
    assert one_way.irreversible == "its way back raises NotImplementedError: by hand"
    assert one_way.place is not None
    assert (one_way.place.file, one_way.place.line) == ("migrations/versions/d3_.py", 12)
    assert no_way.irreversible == "it has no `downgrade`"
    assert [(one.of.relation, one.kind) for one in passed.left] == [("left_over", DifferenceKind.EXTRA)]
    assert passed.failed_again
    assert passed.failure is not None
    assert "left_over" in passed.failure.said


FOREST: Revisions = (
    ("a0", None, BASE),
    ("b1", "a0", "def upgrade():\n    op.execute('CREATE TABLE b1 (v int)')\n\n\ndef downgrade():\n    op.drop_table('b1')\n"),
    ("b2", "a0", "def upgrade():\n    op.execute('CREATE TABLE b2 (v int)')\n\n\ndef downgrade():\n    op.drop_table('b2')\n"),
    ("m3", ("b1", "b2"), "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"),
    ("x0", None, "def upgrade():\n    op.execute('CREATE TABLE x0 (v int)')\n\n\ndef downgrade():\n    op.drop_table('x0')\n"),
)


def test_branches_merges_and_several_heads_go_down_one_by_one(tmp_path: Path) -> None:
    with sqlite_server() as files:
        database = files.create("app")
        found = walked(sqlite, project(tmp_path, FOREST), files, database, ["b1", "b2", "m3", "x0"])
        assert [(one.revision, one.left, one.again, one.failure, one.gap) for one in found.reversals] == [
            (name, (), (), None, "") for name in ("b1", "b2", "m3", "x0")
        ]
        assert found.second_run is not None
        assert (found.second_run.changed, found.second_run.failure) == ((), None)
        with sqlite3.connect(database.private.database) as connection:
            assert sorted(connection.execute("SELECT version_num FROM own_version")) == [("m3",), ("x0",)]


def test_a_second_run_that_does_something_is_seen(tmp_path: Path) -> None:
    """By an env.py that writes each time that it is run."""
    here = project(tmp_path, (CHAIN[0], CHAIN[1]))
    writing = (
        "\nwith engine.begin() as connection:\n    connection.exec_driver_sql(\"INSERT INTO people (name) VALUES ('again')\")\n"
    )
    env = tmp_path / "migrations" / "env.py"
    env.write_text(env.read_text() + writing)
    with sqlite_server() as files:
        found = walked(sqlite, here, files, files.create("app"), ["b1"])
    assert [one.rows for one in found.reversals[0].left] == [2]  # one for the way up, one for the way down
    assert found.second_run is not None
    assert [(one.kind, one.rows) for one in found.second_run.changed] == [(DifferenceKind.ROWS_EXTRA, 1)]


SHOP = Path(__file__).parents[2] / "examples" / "shop"
BEFORE, MONEY = "f27b3a4c5e65", "0a38c4d5b6f7"
BAD = "INSERT INTO users (email, name, security_clearance) VALUES ('nobody@example.org', 'n', 9)"


def test_the_shop_s_constraints_go_as_they_came_and_bad_rows_go_in_again(database: Database, tmp_path: Path) -> None:
    """Scenario 2: ``downgrade -1`` removes exactly what was added, bad rows go in, and ``upgrade`` again refuses them."""
    root = Path(shutil.copytree(SHOP, tmp_path / "shop", ignore=shutil.ignore_patterns("faults", "__pycache__")))
    here = Project(root, root, MigrationSettings(tool="alembic", env={"DATABASE_URL": "{url}"}), root)
    steps = [Step(Direction.UP, BEFORE), *(Step(way, MONEY) for way in (Direction.UP, Direction.DOWN, Direction.UP))]
    states, taken = [], []
    with psycopg.connect(**database.private.keywords(), autocommit=True) as connection:
        for event in alembic.rehearse(here, database.addresses[Role.OWNER], steps):
            if isinstance(event, Paused):
                states.append(postgresql.read(database))
                try:
                    taken.append(connection.execute(BAD).rowcount)
                    connection.execute("DELETE FROM users")
                except psycopg.errors.CheckViolation:
                    taken.append(0)
    assert taken == [1, 0, 1, 0]
    before, up, down, again = states
    added = postgresql.differences(before, up)
    assert (len(added), {one.kind for one in added}) == (28, {DifferenceKind.EXTRA})
    assert postgresql.differences(before, down) == postgresql.differences(up, again) == ()


def test_a_run_with_nothing_pending_is_no_migration_s(tmp_path: Path) -> None:
    """What fails in it is not told at the line where the last migration was."""
    steps = importlib.import_module("runner.migrations.inside.steps")
    inside, found = SimpleNamespace(begun_at=("migrations/2_b.py", 3), forgiven=None), []
    for number in range(2):
        (tmp_path / str(number)).touch()

    def take(way: str, revision: str) -> None:
        found.append((way, revision, inside.begun_at))

    steps.walk({"steps": [["up", "2_b"], ["again", ""]], "gate": str(tmp_path)}, take, inside)
    assert found == [("up", "2_b", ("migrations/2_b.py", 3)), ("again", "", None)]
