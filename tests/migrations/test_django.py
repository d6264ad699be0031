"""Django's migrations by the project's own manage.py: led to our database, followed to their lines, undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django_projects import FIRST, HARD_CODED, SECOND, lay, project
from mariadb_judging import made

from checks.evidence import Place
from checks.targets import Role
from runner.backends import postgresql
from runner.backends import sqlite as sqlite_backend
from runner.errors import ToolFailed, UsageError
from runner.migrations import address, django
from runner.migrations.interface import Began, Broke, Direction, Elsewhere, Ended, Event, Paused, Project, Step
from runner.servers.interface import Address, Database, Server
from runner.servers.mariadb.server import MariadbServer
from runner.servers.mariadb.sessions import rows
from runner.servers.mariadb.sessions import session as mariadb_session
from runner.servers.sqlite.server import sqlite_server

Connect = Callable[[Address], psycopg.Connection[Any]]

ORDER = ["stock.0001_initial", "shop.0001_initial", "shop.0002_fill"]
PYTHON = (
    "from django.db import migrations\n\n\ndef run(apps, schema_editor):\n{body}\n\n\nclass Migration(migrations.Migration):\n"
)
PYTHON += "    {more}\n    dependencies = []\n    operations = [\n        migrations.RunPython(run),\n    ]\n"


def apply(given: Project, database: Database) -> list[Event]:
    return list(django.apply(given, database.addresses[Role.OWNER]))


def steps(events: list[Event]) -> list[tuple[str, str]]:
    return [(type(event).__name__, event.revision) for event in events if isinstance(event, (Began, Ended, Broke))]  # type: ignore[misc]


def both(*names: str) -> list[tuple[str, str]]:
    return [(kind, name) for name in names for kind in ("Began", "Ended")]


def test_settings_that_name_a_server_of_their_own_come_to_ours(
    tmp_path: Path, server: Server, database: Database, connect: Connect
) -> None:
    given, mark = project(lay(tmp_path)), server.mark()
    said = address.prove(django, given, server, database, postgresql.arrived)
    assert said.endswith("came to our server")
    assert not connect(database.private).execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert [one.id for one in django.revisions(given)] == ORDER
    events = apply(given, database)
    assert steps(events) == both(*ORDER)
    recording = postgresql.recording(server, database, mark, events, ())
    places = {
        (one.relation, one.name): (str(made.place), made.revision)
        for one, made in postgresql.provenance(database, [recording], {"shop/migrations/0002_fill.py": "shop.0002_fill"}).items()
    }
    assert places["shop_raw", "shop_raw_id"] == ("shop/migrations/0002_fill.py:14", "shop.0002_fill")
    assert places["shop_order", ""][0] == "shop/migrations/0001_initial.py:12"
    # Django puts these two off to the end of the migration.
    (key,) = (name for relation, name in places if relation == "shop_order" and "_fk_" in name)
    assert places["shop_order", key][0] == "shop/migrations/0001_initial.py:12"
    likes = {place for (relation, name), place in places.items() if relation == "shop_customer" and name.endswith("_like")}
    assert {place for place, _ in likes} == {"shop/migrations/0001_initial.py:8"}
    sent = {one.text.split(maxsplit=1)[0]: one.place for one in recording.statements if one.place}
    assert sent["UPDATE"] == Place("shop/migrations/0002_fill.py", 7)
    assert connect(database.private).execute("SELECT name FROM shop_customer").fetchall() == [("Bo",)]
    assert steps(apply(given, database)) == []


def test_a_command_is_followed_in_the_same_way(tmp_path: Path, database: Database) -> None:
    from runner.migrations import command

    databases = '{"default": {"ENGINE": "django.db.backends.postgresql", **{key: os.environ["PG" + value] for key, value in ' + (
        '{"NAME": "DATABASE", "USER": "USER", "PASSWORD": "PASSWORD", "HOST": "HOST", "PORT": "PORT"}.items()}}}'
    )
    given = project(lay(tmp_path, databases=databases), tool="command", command="python manage.py migrate")
    assert steps(list(command.apply(given, database.addresses[Role.OWNER]))) == both(*ORDER)


@pytest.mark.parametrize(
    "databases",
    [
        '{"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "dev.sqlite3", "ATOMIC_REQUESTS": True}}',
        '{"default": {}, "shop": {"ENGINE": "django.db.backends.mysql", "NAME": "y", "HOST": "db.invalid"}}',
    ],
)
def test_whatever_the_settings_say_is_replaced(tmp_path: Path, database: Database, databases: str) -> None:
    name = "shop" if '"shop"' in databases else "app"
    given = project(lay(tmp_path, databases=databases), database=name)
    assert steps(apply(given, database)) == both(*ORDER)
    assert not list(tmp_path.glob("*.sqlite3"))


def test_another_database_of_the_settings_is_refused_and_a_replica_follows(tmp_path: Path, database: Database) -> None:
    databases = (
        f'{{**{HARD_CODED}, "other": {{"ENGINE": "django.db.backends.postgresql", "NAME": "b", "HOST": "db.invalid"}}, '
        '"replica": {"ENGINE": "django.db.backends.postgresql", "NAME": "c", "TEST": {"MIRROR": "default"}}}'
    )
    body = "    from django.db import connections\n    connections['replica'].ensure_connection()\n"
    body += "    connections['other'].ensure_connection()"
    files = {"shop/0001_initial.py": PYTHON.format(body=body, more="initial = True")}
    given = project(lay(tmp_path, files, databases))
    elsewhere = [event for event in apply(given, database) if isinstance(event, Elsewhere)]
    assert [one.address for one in elsewhere] == ["postgresql://db.invalid:5432/b"]


def test_what_the_server_refuses_is_told_at_the_line(tmp_path: Path, database: Database, connect: Connect) -> None:
    files = {
        "shop/0001_initial.py": FIRST,
        "shop/0002_fill.py": SECOND.replace("CREATE INDEX shop_raw_id", "CREATE INDEX bad bad"),
    }
    given = project(lay(tmp_path, {**files, "stock/0001_initial.py": PYTHON.format(body="    pass", more="atomic = False")}))
    events = apply(given, database)
    (broke,) = (event for event in events if isinstance(event, Broke))
    assert (broke.revision, broke.place, broke.code) == ("shop.0002_fill", Place("shop/migrations/0002_fill.py", 14), "42601")
    assert broke.statement == "CREATE INDEX bad bad ON shop_raw (id)"
    left = connect(database.private).execute("SELECT 1 FROM pg_tables WHERE tablename = 'shop_raw'").fetchall()
    assert not left, "Django's own transaction undid it"


def test_an_exception_in_a_function_is_told_with_its_line(tmp_path: Path, database: Database) -> None:
    files = {
        "shop/0001_initial.py": PYTHON.format(body="    len(())\n    raise ValueError('no such thing')", more="initial = True")
    }
    (broke,) = (event for event in apply(project(lay(tmp_path, files)), database) if isinstance(event, Broke))
    assert broke == Broke("shop.0001_initial", Place("shop/migrations/0001_initial.py", 6), "", "ValueError: no such thing")


def test_a_squashed_migration_stands_for_those_that_it_replaces(tmp_path: Path, database: Database) -> None:
    squashed = FIRST.replace("    initial = True\n", '    initial = True\n    replaces = [("shop", "0001_initial")]\n')
    files = {"shop/0001_initial.py": FIRST, "shop/0001_squashed.py": squashed}
    given = project(lay(tmp_path, files))
    assert [one.id for one in django.revisions(given)] == ["shop.0001_squashed"]
    assert steps(apply(given, database)) == both("shop.0001_squashed")


def test_migrations_go_down_and_up_again_in_one_process(tmp_path: Path, database: Database, connect: Connect) -> None:
    given = project(
        lay(tmp_path, {"shop/0001_initial.py": FIRST, "stock/0001_initial.py": PYTHON.format(body="    pass", more="")})
    )
    names = ("shop.0001_initial", "stock.0001_initial")
    ways = [Step(way, name) for name in names for way in (Direction.UP, Direction.DOWN, Direction.UP)] + [Step(Direction.AGAIN)]
    events = list(django.rehearse(given, database.addresses[Role.OWNER], ways))
    paused = [one for one in events if isinstance(one, Paused)]
    assert events[-1] == paused[-1], "what says that it is not reversible did not break"
    assert [one.number for one in paused] == list(range(7))
    why = "Operation <RunPython <function run>> in stock.0001_initial is not reversible"
    assert [one.irreversible for one in paused] == ["", "", "", "", why, "", ""]
    assert connect(database.private).execute("SELECT count(*) FROM django_migrations").fetchone() == (2,)


def test_a_step_writes_down_no_models_that_no_step_back_takes_out(tmp_path: Path, database: Database, connect: Connect) -> None:
    given = project(lay(tmp_path, {"shop/0001_initial.py": FIRST}))
    settings = tmp_path / "site_settings.py"
    installed = '["shop", "stock", "django.contrib.contenttypes", "django.contrib.auth"]'
    settings.write_text(settings.read_text().replace('["shop", "stock"]', installed))
    events = list(django.rehearse(given, database.addresses[Role.OWNER], [Step(Direction.UP, "shop.0001_initial")]))
    assert isinstance(events[-1], Paused)
    assert steps(events) == both("shop.0001_initial")
    list(django.rehearse(given, database.addresses[Role.OWNER], [Step(Direction.AGAIN)]))
    open_session = connect(database.private)
    assert open_session.execute("SELECT count(*) FROM django_content_type").fetchone() == (0,)
    apply(given, database)
    assert open_session.execute("SELECT count(*) > 0 FROM auth_permission").fetchone() == (True,)


def test_on_sqlite_with_the_line_of_every_object(tmp_path: Path) -> None:
    with sqlite_server() as server:
        database = server.create("app")
        given = project(lay(tmp_path))
        events = apply(given, database)
        assert steps(events) == both(*ORDER)
        recording = sqlite_backend.recording(server, database, 0, events, ())
        made_at = sqlite_backend.provenance(database, [recording], {}).items()
        places = {(one.relation, one.name): str(made.place) for one, made in made_at}
        assert places["shop_raw", "shop_raw_id"] == "shop/migrations/0002_fill.py:14"
        assert places["stock_item", ""] == "stock/migrations/0001_initial.py:12"


def test_on_mariadb(tmp_path: Path, mariadb_server: MariadbServer) -> None:
    pytest.importorskip("pymysql")
    root = lay(tmp_path)
    (root / "shop" / "__init__.py").write_text(
        "import pymysql\npymysql.version_info = (2, 2, 7, 'final', 0)\npymysql.install_as_MySQLdb()\n"
    )
    settings = (root / "site_settings.py").read_text()
    (root / "site_settings.py").write_text("import shop\n" + settings)
    with made(mariadb_server, "") as database:
        assert steps(apply(project(root), database)) == both(*ORDER)
        with mariadb_session(database.private) as open_session:
            assert rows(open_session, "SELECT name FROM shop_customer") == [("Bo",)]


def test_a_project_that_cannot_start_lists_its_files_and_says_what_it_lacks(
    tmp_path: Path, server: Server, database: Database
) -> None:
    root = lay(tmp_path)
    settings = (root / "site_settings.py").read_text()
    (root / "site_settings.py").write_text('import os\nos.environ["SHOP_KEY"]\n' + settings)
    given = project(root)
    assert [one.id for one in django.revisions(given)] == ["shop.0001_initial", "stock.0001_initial", "shop.0002_fill"]
    with pytest.raises(UsageError, match="does not start without SHOP_KEY"):
        address.prove(django, given, server, database, postgresql.arrived)
    (root / "site_settings.py").write_text("import no_such_module\n")
    with pytest.raises(ToolFailed, match="no module 'no_such_module'"):
        apply(given, database)


def test_the_settings_module_may_be_named_instead_of_manage_py(tmp_path: Path, database: Database) -> None:
    (lay(tmp_path) / "manage.py").unlink()
    given = project(tmp_path, env={"DJANGO_SETTINGS_MODULE": "site_settings"})
    assert steps(apply(given, database)) == both(*ORDER)
    with pytest.raises(UsageError, match=r"there is no manage\.py"):
        apply(project(tmp_path), database)
    with pytest.raises(UsageError, match=r"there is no file backend/manage\.py"):
        apply(project(tmp_path, config="backend/manage.py"), database)
