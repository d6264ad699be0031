"""Without a settings file: what the repository shows is said, and only what is sure is applied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from checks.evidence import Place
from checks.interface import Engine
from runner.errors import UsageError
from runner.settings.data import DataSettings
from runner.settings.detect import detect
from runner.settings.engines import Keys, belongs
from runner.settings.expected import ExpectSettings, QuerySettings
from runner.settings.initial import text, toml, write
from runner.settings.load import load
from runner.settings.model import DatabaseSettings, MigrationSettings, Settings
from runner.settings.values import Section

#: What has to stand beside an example for it to make sense.
COMPANIONS: dict[tuple[type[Section], str], dict[str, object]] = {
    (DatabaseSettings, "disposable"): {"url_env": "DATABASE_URL"},
    (MigrationSettings, "files"): {"tool": "sql"},
    (MigrationSettings, "transaction"): {"tool": "sql"},
    (MigrationSettings, "command"): {"tool": "command"},
    (MigrationSettings, "current"): {"tool": "command", "command": "make"},
    (MigrationSettings, "image"): {"tool": "command", "command": "make"},
    (MigrationSettings, "down"): {"tool": "command", "command": "make"},
    (DataSettings, "scale"): {"production_rows": {"events": 4_000}},
    (DataSettings, "production_rows"): {"scale": 0.1},
}


def alembic(root: Path, folder: str = ".") -> None:
    versions = root / folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (root / folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (root / folder / "migrations" / "env.py").write_text("from alembic import context\n")
    (root / folder / "migrations" / "script.py.mako").write_text("")
    (versions / "1_first.py").write_text('revision = "1"\ndown_revision = None\ndef upgrade(): pass\n')


def sql_folder(root: Path) -> None:
    (root / "db" / "migrations").mkdir(parents=True)
    (root / "db" / "migrations" / "001_first.sql").write_text("create table a ();")


def python_folder(root: Path) -> None:
    (root / "migrations").mkdir()
    (root / "migrations" / "0001_companies.py").write_text('def up(db):\n    db.create_collection("companies")\n')


def prisma(root: Path) -> None:
    (root / "prisma" / "migrations" / "20240101000000_first").mkdir(parents=True)
    (root / "prisma" / "schema.prisma").write_text('datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n')
    (root / "prisma" / "migrations" / "migration_lock.toml").write_text('provider = "postgresql"\n')
    (root / "prisma" / "migrations" / "20240101000000_first" / "migration.sql").write_text("create table a ();")


def migrate_mongo(root: Path) -> None:
    (root / "backend" / "migrations").mkdir(parents=True)
    (root / "backend" / "migrate-mongo-config.js").write_text('module.exports = { migrationsDir: "migrations" };\n')


def pymongo_migrate(root: Path) -> None:
    (root / "pymongo_migrations").mkdir()
    (root / "pymongo_migrations" / "first.py").write_text("dependencies = []\n\ndef upgrade(db):\n    pass\n")


def beanie(root: Path) -> None:
    (root / "shop" / "migrations").mkdir(parents=True)
    text = "from beanie import iterative_migration\n\nclass Forward:\n    pass\n"
    (root / "shop" / "migrations" / "20240101_first.py").write_text(text)


def django(root: Path) -> None:
    (root / "backend").mkdir()
    (root / "backend" / "manage.py").write_text("from django.core.management import execute_from_command_line\n")


def test_a_manage_py_of_djangos_is_suggested(tmp_path: Path) -> None:
    django(tmp_path)
    here = load(tmp_path, {}, {})
    assert here.settings.databases == {}
    (note,) = here.notes
    assert note.startswith("backend/manage.py: looks like django migrations in backend;")


def one_file(name: str, text: str = "") -> Callable[[Path], None]:
    """A repository with one file that shows a tool."""

    def write_it(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return write_it


def test_nothing_is_nothing(tmp_path: Path) -> None:
    here = load(tmp_path, {}, {})
    assert (here.settings.databases, here.notes, here.file) == ({}, (), None)


@pytest.mark.parametrize(
    ("sample", "tool", "because"),
    [
        (alembic, "alembic", "alembic.ini"),
        (sql_folder, "sql", "db/migrations/001_first.sql"),
        (prisma, "prisma", "prisma/migrations/migration_lock.toml"),
        (migrate_mongo, "migrate-mongo", "backend/migrate-mongo-config.js"),
        (pymongo_migrate, "pymongo-migrate", "pymongo_migrations/first.py"),
        (beanie, "beanie", "shop/migrations/20240101_first.py"),
        (one_file("db/migrations/1_a.sql", "-- +goose Up\n"), "goose", "db/migrations/1_a.sql"),
        (one_file("db/migrations/1_a.sql", "-- migrate:up\n"), "dbmate", "db/migrations/1_a.sql"),
        (one_file("src/main/resources/db/migration/V1__a.sql"), "flyway", "src/main/resources/db/migration/V1__a.sql"),
        (
            one_file("src/main/resources/db/changelog/db.changelog-master.sql", "select 1;"),
            "liquibase",
            "src/main/resources/db/changelog/db.changelog-master.sql",
        ),
        (one_file("supabase/migrations/20240101000000_a.sql"), "supabase", "supabase/migrations/20240101000000_a.sql"),
        (one_file("drizzle/meta/_journal.json", '{"dialect": "pg"}'), "drizzle", "drizzle/meta/_journal.json"),
        (one_file("sqitch.plan", "%project=shop\n"), "sqitch", "sqitch.plan"),
    ],
)
def test_what_is_unmistakable_is_applied_and_said(sample: object, tool: str, because: str, tmp_path: Path) -> None:
    assert callable(sample)
    sample(tmp_path)
    here = load(tmp_path, {}, {})
    assert here.settings.databases.keys() == {"app"}
    migrations = here.settings.databases["app"].migrations
    assert migrations is not None
    assert migrations.tool == tool
    assert (here.settings.databases["app"].engine is Engine.MONGODB) is (tool in ("migrate-mongo", "pymongo-migrate", "beanie"))
    assert here.detection.sure is not None
    assert here.detection.sure.because.file == because


def test_two_that_are_sure_are_a_question(tmp_path: Path) -> None:
    alembic(tmp_path)
    prisma(tmp_path)
    here = load(tmp_path, {}, {})
    assert here.settings.databases == {}
    assert len(here.notes) == 2
    assert all("nothing is applied on a guess, `dbproof init` writes it down" in note for note in here.notes)
    assert {one.settings.tool for one in here.detection.suggestions} == {"alembic", "prisma"}


def test_a_settings_file_ends_the_guessing(tmp_path: Path) -> None:
    alembic(tmp_path)
    (tmp_path / "dbproof.toml").touch()
    here = load(tmp_path, {}, {})
    assert (here.settings.databases, here.detection.sure) == ({}, None)


@pytest.mark.parametrize("sample", [None, alembic, sql_folder, prisma])
@pytest.mark.parametrize("image", ["postgres:16", "pgvector/pgvector:pg16", "postgres:${PG}"])
def test_the_first_file_loads_and_says_what_was_detected(sample: object, image: str, tmp_path: Path) -> None:
    if callable(sample):
        sample(tmp_path)
    (tmp_path / "compose.yml").write_text(f"services: {{db: {{image: '{image}'}}}}")
    guessed = load(tmp_path, {}, {})
    assert write(tmp_path) == tmp_path / "dbproof.toml"
    here = load(tmp_path, {}, {})
    assert here.file == tmp_path / "dbproof.toml"
    app = here.settings.databases["app"]
    if guessed.settings.databases:
        assert app.migrations == guessed.settings.databases["app"].migrations
    if "{PG}" not in image:
        assert (app.version, app.image) == (("16", None) if image == "postgres:16" else (None, image))


SECTIONS = (Settings, DatabaseSettings, MigrationSettings, DataSettings, ExpectSettings, QuerySettings)

#: Where each section stands below its database.
KEYS: dict[type[Section], Keys] = {
    MigrationSettings: ("migrations",),
    DataSettings: ("data",),
    ExpectSettings: ("expect",),
    QuerySettings: ("queries", "*"),
}


def shown(section: type[Section], name: str, engine: Engine) -> bool:
    return bool(section.model_fields[name].examples) and belongs((*KEYS.get(section, ()), name), engine)


@pytest.mark.parametrize(("sample", "engine"), [(None, Engine.POSTGRESQL), (python_folder, Engine.MONGODB)])
def test_the_first_file_names_every_key_of_the_engine_with_its_sentence(sample: object, engine: Engine, tmp_path: Path) -> None:
    if callable(sample):
        sample(tmp_path)
    written = text(tmp_path)
    for section in SECTIONS:
        for name, field in section.model_fields.items():
            assert field.description
            there = f"# {field.description}\n# {name} = " in written or f"# {field.description}\n{name} = " in written
            assert there is shown(section, name, engine), name


@pytest.mark.parametrize(
    ("section", "name", "engine"),
    [
        (section, name, engine)
        for engine in (Engine.POSTGRESQL, Engine.MONGODB)
        for section in SECTIONS
        for name in section.model_fields
        if shown(section, name, engine)
    ],
)
def test_every_example_in_it_loads(section: type[Section], name: str, engine: Engine, tmp_path: Path) -> None:
    examples = section.model_fields[name].examples
    assert examples
    documents = engine is Engine.MONGODB
    whole = {"collection": "companies", "find": {"a": 1}} if documents else {"sql": "select 1"}
    needed = {
        **({"tool": "python" if documents else "alembic"} if section is MigrationSettings else {}),
        **(whole if section is QuerySettings else {}),
        **COMPANIONS.get((section, name), {}),
        name: examples[-1 if documents else 0],
    }
    if documents and "tool" in needed and needed["tool"] == "sql":
        needed["tool"] = "python"
    if documents and name == "config":
        needed["tool"] = "migrate-mongo"
    if documents and name == "pipeline":
        del needed["find"]
    database = {"engine": engine.value, **(needed if section is DatabaseSettings else {})}
    headers = ".".join(("databases", "app", *("open" if key == "*" else key for key in KEYS.get(section, ()))))
    lines = [
        *([f"{key} = {toml(value)}" for key, value in needed.items()] if section is Settings else []),
        "[databases.app]",
        *(f"{key} = {toml(value)}" for key, value in database.items()),
        *([f"[{headers}]", *(f"{key} = {toml(value)}" for key, value in needed.items())] if section in KEYS else []),
        *(["[databases.docs]", 'engine = "mongodb"'] if name == "references" else []),  # what the other end lies in
    ]
    (tmp_path / "dbproof.toml").write_text("\n".join(lines))
    assert load(tmp_path, {}, {}).file is not None


def test_settings_are_not_overwritten_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "dbproof.toml"
    file.write_text("fail_on = 'never'")
    with pytest.raises(UsageError) as wrong:
        write(tmp_path)
    assert wrong.value.message == f"{file}: exists already"
    assert file.read_text() == "fail_on = 'never'"
    write(tmp_path, force=True)
    assert load(tmp_path, {}, {}).settings.fail_on == "error"


def test_settings_in_pyproject_are_not_doubled(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.dbproof]\nfail_on = 'never'\n")
    with pytest.raises(UsageError, match="holds the settings already"):
        write(tmp_path)
    assert not (tmp_path / "dbproof.toml").exists()


def test_an_adapter_that_is_not_sure_is_only_a_suggestion(tmp_path: Path) -> None:
    class Unsure:
        NAME = "sql"

        def detect(self, _: Path) -> object:
            from runner.migrations.interface import Detected

            return Detected(MigrationSettings(tool="sql", directory="x"), Place("x/1.sql", 1), sure=False)

    found = detect(tmp_path, {"sql": Unsure()})  # type: ignore[dict-item]  # it is only asked to detect
    assert (found.databases, found.sure) == ({}, None)
    assert found.notes == (
        "x/1.sql:1: looks like sql migrations in x; nothing is applied on a guess, `dbproof init` writes it down",
    )
