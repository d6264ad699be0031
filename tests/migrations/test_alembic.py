from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic_projects import ASYNC_ENV, SYNC_ENV, lay, own_env, project, revision
from running import running

from checks.evidence import Place
from checks.targets import Role
from runner.errors import ToolFailed, UsageError
from runner.migrations import alembic
from runner.migrations.interface import Began, Broke, Ended, Event, Project
from runner.recorder.reading import read
from runner.servers.interface import Address, Database, Server

Connect = Callable[[Address], psycopg.Connection[Any]]


def apply(project_: Project, database: Database) -> list[Event]:
    return list(alembic.apply(project_, database.addresses[Role.OWNER]))


def broke(events: list[Event]) -> Broke:
    found = [event for event in events if isinstance(event, Broke)]
    assert len(found) == 1
    assert events[-1] is found[0]
    return found[0]


def steps(events: list[Event]) -> list[tuple[str, str]]:
    return [(type(event).__name__, event.revision) for event in events if isinstance(event, (Began, Ended))]


def tables(connect: Connect, database: Database) -> set[str]:
    query = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname !~ '^pg_|^information_schema'"
    return {row[0].removeprefix("public.") for row in connect(database.private).execute(query)}


BOTH_STEPS = [("Began", "one"), ("Ended", "one"), ("Began", "two"), ("Ended", "two")]


@pytest.mark.parametrize("env", [SYNC_ENV, ASYNC_ENV], ids=["sync", "async"])
def test_applies_everything_at_once(tmp_path: Path, database: Database, connect: Connect, env: str) -> None:
    events = apply(project(lay(tmp_path, env=env)), database)
    assert steps(events) == BOTH_STEPS
    assert all(event.seconds > 0 for event in events if isinstance(event, Ended))
    assert tables(connect, database) == {"alembic_version", "customers", "orders"}


@pytest.mark.parametrize(
    ("scheme", "env", "module"),
    [
        ("postgresql+psycopg://", SYNC_ENV, "psycopg"),
        ("postgresql+psycopg2://", SYNC_ENV, "psycopg2"),
        ("postgres://", SYNC_ENV, "psycopg"),
        ("sqlite:///app.db", SYNC_ENV, "psycopg"),
        ("mysql+pymysql://", SYNC_ENV, "psycopg"),
        ("%(NO_SUCH_OPTION)s", SYNC_ENV, "psycopg"),
        ("postgresql+asyncpg://", ASYNC_ENV, "asyncpg"),
        ("postgresql+psycopg://", ASYNC_ENV, "psycopg"),
        ("sqlite+aiosqlite:///app.db", ASYNC_ENV, "asyncpg"),
    ],
)
def test_the_driver_is_the_one_that_the_ini_names(
    tmp_path: Path, database: Database, connect: Connect, scheme: str, env: str, module: str
) -> None:
    body = f'name = type(op.get_bind().dialect).__module__\nassert name.endswith(".{module}"), name'
    url = f"sqlalchemy.url = {scheme}" + ("x:y%%40@localhost/app" if scheme.endswith("://") else "")
    assert steps(apply(project(lay(tmp_path, {"one.py": revision("one", None, body)}, env, url)), database))[-1] == (
        "Ended",
        "one",
    )
    assert tables(connect, database) == {"alembic_version"}
    assert not (tmp_path / "app.db").exists()


def test_statements_carry_the_file_and_line_they_come_from(tmp_path: Path, server: Server, database: Database) -> None:
    helper = 'def make(op, sa):\n    op.create_table("helped", sa.Column("id", sa.Integer))\n'
    (tmp_path / "helping.py").write_text(helper)
    body = """
        import helping
        op.execute("CREATE TABLE many (n int)")
        many = sa.table("many", sa.column("n", sa.Integer))
        op.bulk_insert(many, [{"n": 1}, {"n": 2}])
        op.get_bind().execute(sa.text("SELECT '100%', :x"), {"x": "a:b"})
        helping.make(op, sa)
    """
    mark = server.mark()
    hostile = "müde 100% 'it''s' *; \"x\":y.py"
    events = apply(project(lay(tmp_path, {hostile: revision("one", None, body)})), database)
    assert steps(events) == [("Began", "one"), ("Ended", "one")]
    placed = [(one.text.split()[0], one.place) for one in read(server.log(mark), database.name).statements if one.place]
    file = f"migrations/versions/{hostile}"
    assert (("CREATE", Place(file, 11))) in placed
    assert (("INSERT", Place(file, 13))) in placed
    assert (("SELECT", Place(file, 14))) in placed
    assert (("CREATE", Place(file, 15))) in placed
    assert {place.file for _, place in placed} == {file}


def test_async_statements_carry_their_place(tmp_path: Path, server: Server, database: Database) -> None:
    mark = server.mark()
    apply(project(lay(tmp_path, env=ASYNC_ENV)), database)
    made = [one.place for one in read(server.log(mark), database.name).statements if one.text.lstrip().startswith("CREATE TABLE")]
    assert Place("migrations/versions/one.py", 10) in made
    assert Place("migrations/versions/two.py", 10) in made


def test_several_heads_with_a_dependency_apply_in_alembics_order(tmp_path: Path, database: Database, connect: Connect) -> None:
    files = {
        "a.py": revision("a", None, "op.execute('CREATE TABLE a (x int)')"),
        "b.py": revision("b", None, "op.execute('INSERT INTO c VALUES (1)')", depends="c"),
        "c.py": revision("c", "a", "op.execute('CREATE TABLE c (x int)')"),
        "d.py": revision("d", "a", "op.execute('CREATE TABLE d (x int)')"),
    }
    shop = project(lay(tmp_path, files))
    listed = [one.id for one in alembic.revisions(shop)]
    events = apply(shop, database)
    assert [event.revision for event in events if isinstance(event, Ended)] == listed
    assert sorted(listed) == ["a", "b", "c", "d"]
    assert listed.index("c") < listed.index("b")
    assert tables(connect, database) == {"alembic_version", "a", "c", "d"}


def test_labelled_branches_in_several_locations_are_merged(tmp_path: Path, database: Database, connect: Connect) -> None:
    def labelled(text: str, label: str) -> str:
        return text.replace("depends_on", f"branch_labels = ({label!r},)\ndepends_on", 1)

    first = labelled(revision("one", None, "op.execute('CREATE TABLE one (x int)')"), "shop")
    root = lay(tmp_path, {"one.py": first})
    (root / "billing").mkdir()
    bill = revision("bill", None, "op.execute('CREATE TABLE bill (x int)')", depends="shop")
    (root / "billing" / "bill.py").write_text(labelled(bill, "billing"))
    (root / "billing" / "both.py").write_text(revision("both", ("one", "bill"), "op.execute('CREATE TABLE both_of (x int)')"))
    with (root / "alembic.ini").open("a") as ini:
        ini.write("version_locations = migrations/versions billing\npath_separator = space\n")
    shop = project(root)
    order = ["one", "bill", "both"]
    assert [one.id for one in alembic.revisions(shop)] == order
    assert steps(apply(shop, database)) == [(kind, name) for name in order for kind in ("Began", "Ended")]
    assert tables(connect, database) == {"alembic_version", "one", "bill", "both_of"}
    assert steps(apply(shop, database)) == []


def test_a_version_table_of_another_name_in_another_schema(tmp_path: Path, database: Database, connect: Connect) -> None:
    env = SYNC_ENV.replace(
        "context.configure(connection=connection)",
        'context.configure(connection=connection, version_table="shop_version", version_table_schema="books")',
    )
    with_schema = "from sqlalchemy import text\n" + env.replace(
        "    context.configure",
        '    connection.execute(text("CREATE SCHEMA IF NOT EXISTS books"))\n    connection.commit()\n    context.configure',
    )
    shop = project(lay(tmp_path, env=with_schema))
    assert steps(apply(shop, database)) == BOTH_STEPS
    assert steps(apply(shop, database)) == []
    assert tables(connect, database) == {"books.shop_version", "customers", "orders"}


def test_only_what_the_database_lacks_is_applied(tmp_path: Path, database: Database) -> None:
    base, head = tmp_path / "base", tmp_path / "head"
    lay(head)
    shutil.copytree(head, base)
    (base / "migrations" / "versions" / "two.py").unlink()
    assert steps(apply(project(base), database)) == [("Began", "one"), ("Ended", "one")]
    assert steps(apply(project(head), database)) == [("Began", "two"), ("Ended", "two")]


@pytest.mark.parametrize(
    ("env", "url"),
    [(SYNC_ENV, "postgresql+psycopg://"), (SYNC_ENV, "postgresql+psycopg2://"), (ASYNC_ENV, "postgresql+asyncpg://")],
)
def test_what_the_server_refuses_is_told_with_place_and_words(tmp_path: Path, database: Database, env: str, url: str) -> None:
    body = """
        op.execute("CREATE TABLE t (n int PRIMARY KEY)")
        op.execute(
            "INSERT INTO t VALUES (7), (7)"
        )
    """
    events = apply(project(lay(tmp_path, {"one.py": revision("one", None, body)}, env, f"sqlalchemy.url = {url}x")), database)
    assert broke(events) == Broke(
        "one",
        Place("migrations/versions/one.py", 11),
        "INSERT INTO t VALUES (7), (7)",
        'duplicate key value violates unique constraint "t_pkey"',
        "23505",
        "Key (n)=(7) already exists.",
    )


def test_an_exception_of_pythons_own_is_told_with_its_last_line(tmp_path: Path, database: Database) -> None:
    files = {"one.py": revision("one", None, "x = 1\nraise ValueError('no such\\nthing')")}
    assert broke(apply(project(lay(tmp_path, files)), database)) == Broke(
        "one", Place("migrations/versions/one.py", 11), "", "ValueError: no such\nthing"
    )


def test_a_constraint_that_fails_at_commit_belongs_to_the_last_revision(tmp_path: Path, database: Database) -> None:
    body = """
        op.execute("CREATE TABLE t (n int, UNIQUE (n) DEFERRABLE INITIALLY DEFERRED)")
        op.execute("INSERT INTO t VALUES (1), (1)")
    """
    found = broke(apply(project(lay(tmp_path, {"one.py": revision("one", None, body)})), database))
    assert (found.revision, found.code) == ("one", "23505")
    assert found.place == Place("migrations/versions/one.py", 9)


def test_a_file_that_is_no_python_breaks_and_is_still_listed(tmp_path: Path, database: Database) -> None:
    shop = project(
        lay(tmp_path, {"one.py": revision("one", None, "pass"), "two.py": 'revision = "two"\ndown_revision = "one"\ndef ('})
    )
    assert [one.id for one in alembic.revisions(shop)] == ["one", "two"]
    found = broke(apply(shop, database))
    assert found.place == Place("migrations/versions/two.py", 3)
    assert found.said.startswith("  File") or "SyntaxError" in found.said
    (tmp_path / "migrations" / "versions" / "two.py").write_text('revision = "two"', encoding="utf-16")
    assert broke(apply(shop, database)).place == Place("migrations/versions/two.py", 1), "Python does not name it"


def test_a_missing_parent_breaks_and_is_still_listed(tmp_path: Path, database: Database) -> None:
    shop = project(lay(tmp_path, {"one.py": revision("one", "nowhere", "pass")}))
    assert [one.id for one in alembic.revisions(shop)] == ["one"]
    assert "nowhere" in broke(apply(shop, database)).said


def test_the_deadline_ends_it_and_says_where_it_was(tmp_path: Path, database: Database) -> None:
    body = "import subprocess\nsubprocess.Popen(['sleep', '600'])\nop.execute('SELECT pg_sleep(600)')"
    shop = project(lay(tmp_path, {"one.py": revision("one", None, body)}), timeout="4s")
    found = broke(apply(shop, database))
    assert found.timed_out
    assert found.revision == "one"
    assert found.place == Place("migrations/versions/one.py", 9)
    assert found.said == "did not end within 4 s and was ended"
    assert "sleep 600" not in [one.arguments for one in running()]


def test_lists_revisions_without_a_server_and_without_env_py(tmp_path: Path) -> None:
    first, second = alembic.revisions(project(lay(tmp_path, env="raise SystemExit('env.py was loaded')")))
    assert (first.id, first.title, first.place) == ("one", "Make one.", Place("migrations/versions/one.py", 9))
    assert (second.id, second.title, second.place) == ("two", "Make two.", Place("migrations/versions/two.py", 9))
    assert first.digest != second.digest
    (tmp_path / "migrations/versions/two.py").write_text(revision("two", "one", "pass"))
    assert alembic.revisions(project(tmp_path))[1].digest != second.digest


def test_a_module_that_is_missing_is_named_with_the_remedy(tmp_path: Path, database: Database) -> None:
    shop = project(lay(tmp_path, env="import no_such_module\n"))
    with pytest.raises(ToolFailed, match=r"migrations/env.py:1: .* no module 'no_such_module'") as caught:
        apply(shop, database)
    assert "setup" in caught.value.remedy


def test_a_revision_that_imports_what_is_missing_needs_another_python(tmp_path: Path) -> None:
    shop = project(lay(tmp_path, {"one.py": "import no_such_module\n" + revision("one", None, "pass")}))
    with pytest.raises(ToolFailed, match="no module 'no_such_module'"):
        alembic.revisions(shop)


def test_a_missing_ini_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no alembic.ini"):
        alembic.revisions(project(tmp_path))


def test_env_py_gets_the_settings_variables_and_none_of_ours(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    monkeypatch.setenv("PASSED", "on")
    (tmp_path / "example.env").write_text(
        'SECRET_KEY=placeholder\nURL="${SCHEME:-http}://${AWS_SECRET_ACCESS_KEY}x"\nDATABASE_URL=nowhere\n'
    )
    env = own_env("""
        e = os.environ
        assert "AWS_SECRET_ACCESS_KEY" not in e and "DBPROOF_REQUEST" not in e
        assert (e["PASSED"], e["SECRET_KEY"], e["URL"]) == ("on", "placeholder", "http://x")
        assert e["MINE"].startswith(e["PGHOST"] + " {url} ")
        url = e["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")
    """)
    mine = {"MINE": "{host} {{url}} {port}"}
    shop = project(lay(tmp_path, env=env, url=None), env=mine, env_file="example.env", pass_env=("PASSED",))
    assert steps(apply(shop, database)) == BOTH_STEPS


def test_a_missing_env_file_is_a_usage_error(tmp_path: Path, database: Database) -> None:
    with pytest.raises(UsageError, match=r"there is no file nowhere.env"):
        apply(project(lay(tmp_path), env_file="nowhere.env"), database)


def test_the_command_lines_options_are_there(tmp_path: Path, database: Database) -> None:
    env = (
        "from alembic import context\nassert context.config.cmd_opts.cmd[0].__name__ == 'upgrade'\ncontext.get_x_argument(True)\n"
        + SYNC_ENV
    )
    assert steps(apply(project(lay(tmp_path, env=env)), database)) == BOTH_STEPS


def test_pyproject_toml_is_enough(tmp_path: Path, database: Database) -> None:
    env = own_env('url = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:")')
    lay(tmp_path, env=env)
    (tmp_path / "alembic.ini").unlink()
    (tmp_path / "pyproject.toml").write_text('[tool.alembic]\nscript_location = "%(here)s/migrations"\n')
    found = alembic.detect(tmp_path)
    assert found is not None
    assert (found.sure, found.because) == (True, Place("pyproject.toml", 2))
    assert steps(apply(Project(tmp_path, tmp_path, found.settings, tmp_path), database)) == BOTH_STEPS


def test_a_folder_called_alembic_is_no_installed_alembic(tmp_path: Path, database: Database) -> None:
    assert steps(apply(project(lay(tmp_path, scripts="alembic")), database)) == BOTH_STEPS


def test_the_work_tree_stays_as_it_was(tmp_path: Path, database: Database) -> None:
    lay(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    alembic.revisions(project(tmp_path))
    apply(project(tmp_path), database)
    assert sorted(tmp_path.rglob("*")) == before


def test_detection_is_sure_of_one_configuration_only(tmp_path: Path) -> None:
    assert alembic.detect(tmp_path) is None
    lay(tmp_path / "backend")
    lay(tmp_path / ".venv" / "site")
    lay(tmp_path / "node_modules" / "x")
    lay(tmp_path / "a" / "b" / "too-deep")
    (tmp_path / "flask").mkdir()
    (tmp_path / "flask" / "alembic.ini").write_text("[alembic]\n# no script_location: Flask knows\n")
    found = alembic.detect(tmp_path)
    assert found is not None
    assert (found.settings.tool, found.settings.directory, found.sure) == ("alembic", "backend", True)
    assert found.because == Place("backend/alembic.ini", 2)
    lay(tmp_path / "worker")
    again = alembic.detect(tmp_path)
    assert again is not None
    assert not again.sure


def test_settings_may_name_the_ini(tmp_path: Path, database: Database) -> None:
    lay(tmp_path / "backend")
    (tmp_path / "backend" / "alembic.ini").rename(tmp_path / "backend" / "other.ini")
    assert steps(apply(project(tmp_path, "backend", config="backend/other.ini"), database)) == BOTH_STEPS


def test_what_runs_inside_needs_the_standard_library_only() -> None:
    inside = Path(alembic.__file__).with_name("inside")
    text = f"""
import sys; sys.path.insert(0, {str(inside)!r})
import start; start.load("guard"); start.load("alembic_child")
print(*sorted(sys.modules))
"""
    listed = subprocess.run([sys.executable, "-IS", "-c", text], capture_output=True, text=True, check=True).stdout.split()
    assert {name.partition(".")[0] for name in listed} <= {*sys.stdlib_module_names, "dbproof_inside", "start", "__main__"}
