"""pymongo-migrate and Beanie from PyPI, with migrations of our own: order, places, what each command made, there and back."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from checks.evidence import Place, Statement
from checks.schema.collections import collection_reference, index_reference, validator_reference
from checks.targets import Role
from real.published import Published
from runner.migrations import beanie as beanie_adapter
from runner.migrations import pymongo_migrate as pymongo_migrate_adapter
from runner.migrations.interface import Began, Broke, Came, Direction, Ended, Event, Paused, Project, Ran, Step
from runner.servers.interface import Database
from runner.servers.mongodb.sessions import session
from runner.settings.model import MigrationSettings

pytestmark = pytest.mark.real

COMPANIES = collection_reference("companies")


def project(root: Path, tool: str, python: Published, files: Mapping[str, str]) -> Project:
    (root / "migrations").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "migrations" / name).write_text(text)
    settings = MigrationSettings.model_validate({"tool": tool, "directory": "migrations", "python": str(python.python)})
    return Project(root, root / "migrations", settings, root)


def events_of(events: object) -> list[Event]:
    return [event for event in events if not isinstance(event, Came)]  # type: ignore[attr-defined]  # an iterator


def ran(events: Sequence[Event], books: str) -> list[Statement]:
    return [event.statement for event in events if isinstance(event, Ran) and books not in event.statement.text]


def paused(
    adapter: ModuleType, here: Project, database: Database, names: Sequence[str]
) -> list[tuple[str, int | None, set[str]]]:
    """Each step as it ended: why it was irreversible, its line, and the collections that were there."""
    steps = [Step(way, name) for name in names for way in (Direction.UP, Direction.DOWN, Direction.UP)]
    seen: list[tuple[str, int | None, set[str]]] = []
    with session(database.private) as client:
        for event in adapter.rehearse(here, database.addresses[Role.OWNER], [*steps, Step(Direction.AGAIN)]):
            assert not isinstance(event, Broke), event
            if isinstance(event, Paused):
                there = set(client[database.name].list_collection_names()) - {"pymongo_migrate", "migrations_log"}
                seen.append((event.irreversible, event.place.line if event.place else None, there))
    return seen


PYMONGO_MIGRATE = {
    "b_first.py": (
        '"""Companies."""\nname = "b_first"\ndependencies = []\n\n\ndef upgrade(db):\n'
        '    db.create_collection("companies", validator={"name": {"$exists": True}})\n\n\n'
        "def downgrade(db):\n    db.companies.drop()\n"
    ),
    "a_third.py": (
        'name = "a_third"\ndependencies = ["c_second"]\n\n\ndef upgrade(db):\n    db.towns.insert_one({})\n\n\n'
        'def downgrade(db):\n    raise NotImplementedError("restore a backup")\n'
    ),
    "c_second.py": (
        'dependencies: list[str] = ["b_first"]\n\n\ndef upgrade(db):\n    db.companies.create_index("name", name="by_name")\n'
    ),
    "d_side.py": 'dependencies = ["b_first"]\n\n\ndef upgrade(db):\n    pass\n\n\ndef downgrade(db):\n    pass\n',
}
ORDER = ["b_first", "c_second", "a_third", "d_side"]


def test_pymongo_migrate(pymongo_migrate: Published, tmp_path: Path, mongo_database: Database) -> None:
    adapter = pymongo_migrate_adapter
    here = project(tmp_path, "pymongo-migrate", pymongo_migrate, PYMONGO_MIGRATE)
    address = mongo_database.addresses[Role.OWNER]
    assert [(one.id, one.title) for one in adapter.revisions(here)] == [
        ("b_first", "Companies."),
        ("c_second", "c second"),
        ("a_third", "a third"),
        ("d_side", "d side"),
    ]
    assert Came() in list(adapter.current(here, address))
    events = events_of(adapter.apply(here, address))
    assert [event.revision for event in events if isinstance(event, Began | Ended)] == [one for one in ORDER for _ in range(2)]
    assert [(one.place, one.made) for one in ran(events, "pymongo_migrate")] == [
        (Place("migrations/b_first.py", 7), (COMPANIES, validator_reference("companies"))),
        (Place("migrations/c_second.py", 5), (index_reference("companies", "by_name"),)),
        (Place("migrations/a_third.py", 6), (collection_reference("towns"),)),
    ]
    assert _own_order(pymongo_migrate, here, address.url(), mongo_database.name) == ORDER


def _own_order(tool: Published, here: Project, url: str, database: str) -> list[str]:
    """The order in which the tool itself lists them, all applied."""
    program = tool.python.with_name("pymongo-migrate")
    command = [str(program), "show", "-u", url, "-d", database, "-m", str(here.directory)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "Not applied" not in said
    return [line.split()[0] for line in said.splitlines()[1:]]


def test_pymongo_migrate_there_and_back(pymongo_migrate: Published, tmp_path: Path, mongo_database: Database) -> None:
    here = project(tmp_path, "pymongo-migrate", pymongo_migrate, PYMONGO_MIGRATE)
    one, both = {"companies"}, {"companies", "towns"}
    raised = "its way back raises NotImplementedError: restore a backup"
    assert paused(pymongo_migrate_adapter, here, mongo_database, ORDER) == [
        *(("", 6, one), ("", 10, set()), ("", 6, one)),
        *(("", 4, one), ("it has no `downgrade`", 1, one), ("", None, one)),
        *(("", 5, both), (raised, 9, both), ("", None, both)),
        *(("", 4, both), ("", 8, both), ("", 4, both)),
        ("", None, both),
    ]


def test_a_failure_of_pymongo_migrate(pymongo_migrate: Published, tmp_path: Path, mongo_database: Database) -> None:
    text = 'dependencies = []\n\ndef upgrade(db):\n    db.command("collMod", "none", validator={})\n'
    here = project(tmp_path, "pymongo-migrate", pymongo_migrate, {"a.py": text})
    stopped = events_of(pymongo_migrate_adapter.apply(here, mongo_database.addresses[Role.OWNER]))[-1]
    assert isinstance(stopped, Broke)
    assert (stopped.revision, stopped.place, stopped.code) == ("a", Place("migrations/a.py", 4), "26")


BEANIE = {
    "1_first.py": (
        '"""Companies get towns."""\n\nfrom beanie import Document, free_fall_migration\n\n\nclass Company(Document):\n'
        '    name: str\n\n    class Settings:\n        name = "companies"\n        indexes = ["name"]\n\n\nclass Forward:\n'
        "    @free_fall_migration(document_models=[Company])\n    async def fill(self, session):\n"
        '        await Company(name="a").insert(session=session)\n\n\n'
        "class Backward:\n    @free_fall_migration(document_models=[Company])\n    async def clear(self, session):\n"
        "        await Company.find({}, session=session).delete(session=session)\n"
    ),
    "2_rename.py": (
        "from beanie import Document, iterative_migration\n\n\nclass Old(Document):\n    name: str\n\n    class Settings:\n"
        '        name = "companies"\n\n\nclass New(Document):\n    title: str\n\n'
        '    class Settings:\n        name = "companies"\n\n\n'
        "class Forward:\n    @iterative_migration()\n    async def to_title(self, input_document: Old, output_document: New):\n"
        "        output_document.title = input_document.name\n"
    ),
    "_helpers.py": "class Forward: ...\n",
}


def test_beanie(beanie: Published, tmp_path: Path, mongo_database: Database) -> None:
    here = project(tmp_path, "beanie", beanie, BEANIE)
    address = mongo_database.addresses[Role.OWNER]
    assert [(one.id, one.title, one.place.line) for one in beanie_adapter.revisions(here)] == [
        ("1_first", "Companies get towns.", 14),
        ("2_rename", "rename", 18),
    ]
    assert Came() in list(beanie_adapter.current(here, address))
    events = events_of(beanie_adapter.apply(here, address))
    assert [event.revision for event in events if isinstance(event, Began | Ended)] == [
        *("1_first", "1_first", "2_rename", "2_rename")
    ], events
    made = {reference: one.place.file for one in ran(events, "migrations_log") for reference in one.made if one.place}
    assert made == {
        COMPANIES: "migrations/1_first.py",
        index_reference("companies", "name_1"): "migrations/1_first.py",
    }
    with session(mongo_database.private) as client:
        database = client[mongo_database.name]
        assert [sorted(one) for one in database.companies.find({}, {"_id": 0})] == [["title"]]
        assert {one["name"] for one in database.migrations_log.find({"is_current": True})} == {"2_rename.py"}


def test_beanie_there_and_back(beanie: Published, tmp_path: Path, mongo_database: Database) -> None:
    here = project(tmp_path, "beanie", beanie, BEANIE)
    there = {"companies"}
    assert paused(beanie_adapter, here, mongo_database, ["1_first", "2_rename"]) == [
        *(("", 14, there), ("", 20, there), ("", 14, there)),
        *(("", 18, there), ("it has no class `Backward`", 1, there), ("", None, there)),
        ("", None, there),
    ]


def test_what_shows_each_tool(tmp_path: Path) -> None:
    (tmp_path / "app" / "migrations").mkdir(parents=True)
    for name, text in BEANIE.items():
        (tmp_path / "app" / "migrations" / name).write_text(text)
    found = beanie_adapter.detect(tmp_path)
    assert found is not None
    assert (found.settings.directory, found.because, found.sure) == ("app/migrations", Place("app/migrations/1_first.py"), True)
    assert pymongo_migrate_adapter.detect(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text('[tool.beanie.migrations]\npath = "app/migrations"\n')
    found = beanie_adapter.detect(tmp_path)
    assert found is not None
    assert (found.because, found.sure) == (Place("pyproject.toml"), True)
    (tmp_path / "pymongo_migrations").mkdir()
    for name, text in PYMONGO_MIGRATE.items():
        (tmp_path / "pymongo_migrations" / name).write_text(text)
    found = pymongo_migrate_adapter.detect(tmp_path)
    assert found is not None
    assert (found.settings.directory, found.because.file) == ("pymongo_migrations", "pymongo_migrations/a_third.py")
    (tmp_path / "pymongo_migrations" / "other.py").write_text("down_revision = None\ndependencies = []\ndef upgrade(): pass\n")
    assert pymongo_migrate_adapter.detect(tmp_path) is None
