from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic_projects import SYNC_ENV, lay, own_env, project, revision
from running import running

from checks.evidence import Place
from checks.targets import Role
from runner.backends import postgresql
from runner.errors import ToolFailed, UsageError
from runner.migrations import address, command, flask_migrate
from runner.migrations.interface import Began, Broke, Elsewhere, Ended, Event, Project, Said
from runner.recorder.reading import read
from runner.servers.interface import Address, Database, Server

Connect = Callable[[Address], psycopg.Connection[Any]]

FROM_ENVIRONMENT = own_env('url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")')


def shop(root: Path, line: str, directory: str = ".", **settings: Any) -> Project:
    return project(root, directory, tool="command", command=line, **settings)


def apply(shop_: Project, database: Database) -> list[Event]:
    return list(command.apply(shop_, database.addresses[Role.OWNER]))


def last(events: list[Event]) -> Broke:
    assert isinstance(events[-1], Broke), events
    return events[-1]


@pytest.fixture
def path_of_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command finds `python` and `alembic` where these tests run."""
    import os

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")


pytestmark = pytest.mark.usefixtures("path_of_this_python")


def test_a_python_script_with_a_driver_of_its_own(tmp_path: Path, database: Database, connect: Connect) -> None:
    (tmp_path / "migrate.py").write_text(
        "import sys, psycopg\nwith psycopg.connect(sys.argv[1]) as c:\n    c.execute('CREATE TABLE made (x int)')\n"
        "print('done')\n"
    )
    events = apply(shop(tmp_path, "python migrate.py {url}"), database)
    assert events == [Said("done")]
    assert connect(database.private).execute("SELECT count(*) FROM made").fetchone() == (0,)


@pytest.mark.skipif(shutil.which("psql") is None, reason="no psql here")
def test_make_that_runs_a_shell_script_that_runs_psql(tmp_path: Path, server: Server, database: Database) -> None:
    """psql gets no address: libpq's variables lead it here."""
    (tmp_path / "Makefile").write_text("migrate:\n\t@./migrate.sh\n")
    script = tmp_path / "migrate.sh"
    script.write_text('#!/bin/sh\nset -e\npsql -q -v ON_ERROR_STOP=1 -c "CREATE TABLE made (x int)"\necho "in $PWD"\n')
    script.chmod(0o755)
    mark = server.mark()
    assert apply(shop(tmp_path, "make migrate"), database)[-1] == Said(f"in {tmp_path}")
    assert postgresql.arrived(server, database, mark, ())


def test_alembic_below_make_tells_its_steps_and_stamps_its_statements(tmp_path: Path, server: Server, database: Database) -> None:
    lay(tmp_path / "back end", env=FROM_ENVIRONMENT, url=None)
    (tmp_path / "back end" / "Makefile").write_text("migrate:\n\tcd . && alembic upgrade heads\n")
    here = shop(tmp_path, "make migrate", "back end")
    mark = server.mark()
    events = apply(here, database)
    told = [(type(event).__name__, event.revision) for event in events if isinstance(event, (Began, Ended))]
    assert told == [("Began", "one"), ("Ended", "one"), ("Began", "two"), ("Ended", "two")]
    placed = [one.place for one in read(server.log(mark), database.name).statements if one.place]
    assert placed == [Place("back end/migrations/versions/one.py", 10), Place("back end/migrations/versions/two.py", 10)]
    assert [(one.id, one.place) for one in command.revisions(here)] == [
        ("one", Place("back end/migrations/versions/one.py", 9)),
        ("two", Place("back end/migrations/versions/two.py", 9)),
    ]


def test_what_the_server_refuses_below_a_command_is_told(tmp_path: Path, database: Database) -> None:
    lay(tmp_path, {"one.py": revision("one", None, "op.execute('SELECT 1/0')")}, env=FROM_ENVIRONMENT, url=None)
    found = last(apply(shop(tmp_path, "alembic upgrade heads"), database))
    assert found == Broke("one", Place("migrations/versions/one.py", 10), "SELECT 1/0", "division by zero", "22012")


def test_a_command_that_swallows_a_failure_has_failed(tmp_path: Path, database: Database) -> None:
    lay(tmp_path, {"one.py": revision("one", None, "raise ValueError('no')")}, env=FROM_ENVIRONMENT, url=None)
    assert last(apply(shop(tmp_path, "sh -c 'alembic upgrade heads || true'"), database)).said == "ValueError: no"


def test_the_last_words_of_a_program_that_fails(tmp_path: Path, database: Database) -> None:
    found = last(apply(shop(tmp_path, "sh -c 'echo first; echo the reason >&2; exit 3'"), database))
    assert found == Broke(None, None, "", "first\nthe reason")
    silent = last(apply(shop(tmp_path, "sh -c 'exit 3'"), database))
    assert silent.said == "`sh -c 'exit 3'` ended with status 3 and said nothing"


def test_sqlalchemy_without_alembic_is_traced_to_the_script(tmp_path: Path, server: Server, database: Database) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "make.py").write_text(
        "import os, sqlalchemy as sa\n"
        "url = os.environ['DATABASE_URL'].replace('postgresql:', 'postgresql+psycopg:')\n"
        "tables = sa.MetaData()\nsa.Table('made', tables, sa.Column('x', sa.Integer))\n"
        "tables.create_all(sa.create_engine(url))\n"
    )
    mark = server.mark()
    apply(shop(tmp_path, "python tools/make.py"), database)
    made = [one.place for one in read(server.log(mark), database.name).statements if "CREATE TABLE" in one.text]
    assert made == [Place("tools/make.py", 5)]


@pytest.mark.parametrize("line", ["python go.py", "make go", "sh -c 'python go.py || python go.py'"])
def test_python_anywhere_below_a_command_is_kept_from_other_databases(tmp_path: Path, database: Database, line: str) -> None:
    (tmp_path / "Makefile").write_text("go:\n\t-python go.py\n\ttouch went-on\n")
    (tmp_path / "go.py").write_text(
        "import os, psycopg\npsycopg.connect(os.environ.get('SHOP_DB_URL', 'postgresql://me:secret@db.example/shop'))\n"
    )
    events = apply(shop(tmp_path, line), database)
    assert events[-1] == Elsewhere("postgresql://db.example:5432/shop", ("SHOP_DB_URL",))
    assert not (tmp_path / "went-on").exists()


LOOKING = {
    "looked for": "import importlib.util\nassert importlib.util.find_spec(NAME)\n",
    "looked for on the path": "import sys\nassert any(one.find_spec(NAME, None) for one in sys.meta_path)\n",
    "first import fails": (
        "import sys\nsys.modules['json'] = sys.modules['logging'] = None\n"
        "try:\n    __import__(NAME)\nexcept ImportError:\n    pass\n"
        "for name in [*sys.modules]:\n    if sys.modules[name] is None or name.startswith(NAME):\n        del sys.modules[name]\n"
    ),
}


@pytest.mark.parametrize("before", LOOKING)
@pytest.mark.parametrize("name", ["psycopg", "sqlalchemy"])
def test_a_library_that_was_looked_for_first_is_guarded(tmp_path: Path, database: Database, name: str, before: str) -> None:
    connect = {
        "psycopg": "psycopg.connect('postgresql://me@db.example/shop')",
        "sqlalchemy": "sqlalchemy.create_engine('sqlite:///made.db').connect()",
    }[name]
    (tmp_path / "go.py").write_text(f"NAME = {name!r}\n{LOOKING[before]}import {name}\n{connect}\n")
    assert isinstance(apply(shop(tmp_path, "python go.py"), database)[-1], Elsewhere)
    assert not (tmp_path / "made.db").exists()


def test_djangos_file_of_sqlite_is_refused(tmp_path: Path, database: Database) -> None:
    """With the interface of Django's database wrapper, whose package need not be installed for it."""
    package = tmp_path / "django" / "db" / "backends" / "base"
    package.mkdir(parents=True)
    for folder in (package, *package.parents[:3]):
        (folder / "__init__.py").touch()
    (package / "base.py").write_text("class BaseDatabaseWrapper:\n    def connect(self):\n        open('made', 'w').close()\n")
    (tmp_path / "manage.py").write_text(
        "from django.db.backends.base.base import BaseDatabaseWrapper as W\n"
        "w = W(); w.vendor = 'sqlite'; w.settings_dict = {'NAME': 'db.sqlite3'}; w.connect()\n"
    )
    assert apply(shop(tmp_path, "python manage.py migrate"), database) == [Elsewhere("sqlite:///db.sqlite3")]
    assert not (tmp_path / "made").exists()


def test_settings_that_a_script_insists_on_are_listed(tmp_path: Path, server: Server, database: Database) -> None:
    (tmp_path / "show.py").write_text("import os\nos.environ['SECRET_KEY'], os.environ['SHOP_DB_URL']\n")
    with pytest.raises(UsageError) as caught:
        address.prove(command, shop(tmp_path, "x", current="python show.py"), server, database, postgresql.arrived)
    assert "does not start without SECRET_KEY, SHOP_DB_URL" in caught.value.message


def test_the_guard_leaves_other_programs_as_they_are(tmp_path: Path, database: Database) -> None:
    """Another sitecustomize runs, PYTHONPATH holds, loaders are what they were, nothing is imported without need."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "sitecustomize.py").write_text("import builtins\nbuiltins.customized = True\n")
    (tmp_path / "look.py").write_text(
        "import sys\nassert customized\nassert 'more' in sys.path[1], sys.path\n"
        "assert 'sqlalchemy' not in sys.modules and 'psycopg' not in sys.modules and 'asyncio' not in sys.modules\n"
        "import importlib.util, sqlalchemy\n"
        "assert type(sqlalchemy.__loader__).__name__ == type(sqlalchemy.__spec__.loader).__name__ == 'SourceFileLoader'\n"
        "import inspect; assert 'create_engine' in inspect.getsource(sqlalchemy)\n"
        "try:\n    import no_such_module\nexcept ModuleNotFoundError as e:\n    assert e.name == 'no_such_module'\n"
    )
    assert apply(shop(tmp_path, "python look.py", env={"PYTHONPATH": str(tmp_path / "more")}), database) == []


def test_the_deadline_ends_what_the_command_started(tmp_path: Path, database: Database) -> None:
    (tmp_path / "Makefile").write_text("migrate:\n\tsleep 601 & setsid sleep 601 & sleep 601\n")
    found = last(apply(shop(tmp_path, "make migrate", timeout="1s"), database))
    assert found == Broke(None, None, "", "did not end within 1 s and was ended", timed_out=True)
    assert "sleep 601" not in [one.arguments for one in running()]


def test_a_missing_program_is_named(tmp_path: Path, database: Database) -> None:
    with pytest.raises(ToolFailed, match="'no-such-tool' was not found"):
        apply(shop(tmp_path, "no-such-tool up"), database)


@pytest.mark.parametrize("line", ["make a && make b", "cat x | psql", "make 'a", "  "])
def test_what_only_a_shell_could_do_is_refused(tmp_path: Path, database: Database, line: str) -> None:
    described = shop(tmp_path, "x")
    settings = described.settings.model_copy(update={"command": line})
    with pytest.raises(UsageError, match="`command`"):
        apply(Project(tmp_path, tmp_path, settings, tmp_path), database)


def test_templates_stay_one_argument(tmp_path: Path, database: Database) -> None:
    (tmp_path / "show.py").write_text("import sys; print(sys.argv[1:])")
    ours = database.addresses[Role.OWNER]
    hostile = Address(ours.host, ours.port, "me", "a 'b\" $(id)", ours.database)
    events = list(command.apply(shop(tmp_path, "python show.py --password={password} '{host} {port}'"), hostile))
    assert events == [Said(repr([f"--password={hostile.password}", f"{ours.host} {ours.port}"]))]


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        ("flask db upgrade", "flask db current"),
        ("flask --app shop db upgrade heads", "flask --app shop db current"),
        ("poetry run flask db upgrade", "poetry run flask db current"),
        ("python -m flask db upgrade", "python -m flask db current"),
        ("alembic -c x.ini upgrade head", "alembic -c x.ini current"),
        ("uv run alembic upgrade heads", "uv run alembic current"),
        ("airflow db migrate", "airflow db check"),
        ("python manage.py migrate --noinput", "python manage.py showmigrations"),
        ("./manage.py migrate app", "./manage.py showmigrations"),
        ("bin/rails db:migrate", "bin/rails db:version"),
        ("bundle exec rake db:migrate", "bundle exec rake db:version"),
        ("dbmate up", "dbmate status"),
        ("npx prisma migrate deploy", "npx prisma migrate status"),
        ("make migrate", None),
        ("npm run migrate", None),
        ("docker compose up", None),
        ("python upgrade.py", None),
    ],
)
def test_the_read_only_command_is_derived(line: str, reading: str | None) -> None:
    found = command.read_only(tuple(line.split()))
    assert found == (None if reading is None else tuple(reading.split()))


def test_the_read_only_command_proves_the_address(tmp_path: Path, server: Server, database: Database) -> None:
    lay(tmp_path, env=FROM_ENVIRONMENT, url=None)
    said = address.prove(command, shop(tmp_path, "alembic upgrade heads"), server, database, postgresql.arrived)
    assert said.endswith("came to our server")


def test_no_program_is_recognised_by_its_files(tmp_path: Path) -> None:
    lay(tmp_path / "web", env="from flask import current_app\n" + SYNC_ENV)
    assert command.detect(tmp_path) is None
    found = flask_migrate.detect(tmp_path)
    assert found is not None
    assert (found.settings.tool, found.settings.directory, found.sure) == ("flask-migrate", "web", False)
    assert found.because == Place("web/migrations/env.py")
