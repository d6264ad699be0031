from __future__ import annotations

from pathlib import Path

import pytest
from alembic_projects import lay, project, revision

from checks.evidence import Place
from runner.migrations import alembic, command, flask_migrate, revision_files
from runner.migrations.interface import Project
from runner.settings.model import MigrationSettings


def read(root: Path) -> list[tuple[str, str, Place]]:
    config = root / "alembic.ini"
    found = revision_files.read(project(root), revision_files.folders(config, root))
    return [(one.id, one.title, one.place) for one in found]


def test_reads_what_alembic_reads(tmp_path: Path) -> None:
    """The text says the same as Alembic itself, in an order that is possible."""
    files = {
        "z.py": revision("a", None, "pass"),
        "y.py": revision("b", "a", "pass"),
        "x.py": revision("c", "a", "pass", depends="e"),
        "w.py": revision("d", ("b", "c"), "pass"),
        "v.py": revision("e", None, "pass"),
    }
    shop = project(lay(tmp_path, files))
    asked = {one.id: one for one in alembic.revisions(shop)}
    text = revision_files.read(shop, revision_files.folders(tmp_path / "alembic.ini", tmp_path))
    assert {one.id: one for one in text} == asked
    order = [one.id for one in text]
    assert order.index("a") < order.index("b") < order.index("d")
    assert order.index("e") < order.index("c") < order.index("d")


def test_heads_are_what_no_other_goes_on_from(tmp_path: Path) -> None:
    files = {
        "z.py": revision("a", None, "pass"),
        "y.py": revision("b", "a", "pass"),
        "x.py": revision("c", "a", "pass", depends="b"),
    }
    shop = project(lay(tmp_path, files))
    assert alembic.heads(shop) == ["b", "c"]
    assert alembic.heads(shop, {"a", "b"}) == ["b"]
    (tmp_path / "migrations" / "versions" / "d.py").write_text(revision("d", ("b", "c"), "pass"))
    assert alembic.heads(shop) == ["d"]


def test_what_alembic_passes_over_is_said(tmp_path: Path) -> None:
    """Of two files of one revision it runs one, with a warning, and the other one's change is lost."""
    files = {"z.py": revision("a", None, "pass"), "y.py": revision("b", "a", "pass"), "x.py": revision("b", "a", "pass")}
    shop = project(lay(tmp_path, files))
    both = "migrations/versions/x.py and migrations/versions/y.py"
    assert alembic.faults(shop) == [f"{both} are one revision, b: Alembic runs one of them and never the others."]
    (tmp_path / "migrations" / "versions" / "x.py").write_text(revision("c", "gone", "pass"))
    assert alembic.faults(shop) == ["migrations/versions/x.py goes on from revision gone, and no file is that."]
    assert alembic.heads(shop) == ()


def test_annotated_ids_and_files_without_documentation(tmp_path: Path) -> None:
    text = 'revision: str = "one"\ndown_revision: str | None = None\n\n\ndef upgrade() -> None:\n    pass\n'
    lay(tmp_path, {"1_make it.py": text, "helper.py": "x = 1\n", "env_like.py": "revision = 5\n"})
    assert read(tmp_path) == [("one", "1_make it", Place("migrations/versions/1_make it.py", 5))]


def test_circles_and_broken_files_are_listed(tmp_path: Path) -> None:
    broken = 'revision = "three"\ndown_revision = "two"\ndef ('
    lay(tmp_path, {"a.py": revision("one", "two", "pass"), "b.py": revision("two", "one", "pass"), "c.py": broken})
    assert {one[0] for one in read(tmp_path)} == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("script_location = db", ["db/versions"]),
        ("script_location = %(here)s/db", ["db/versions"]),
        ("script_location = db\nversion_locations = %(here)s/a b:c\nversion_path_separator = :", ["a b", "c"]),
        ("script_location = db\nversion_locations = a b\nversion_path_separator = space", ["a", "b"]),
        ("script_location = db\nversion_locations =\n  a\n  b\npath_separator = newline", ["a", "b"]),
    ],
)
def test_the_configuration_says_where_files_lie(tmp_path: Path, lines: str, expected: list[str]) -> None:
    config = tmp_path / "alembic.ini"
    config.write_text(f"[alembic]\n{lines}\n")
    assert list(revision_files.folders(config, tmp_path)) == [tmp_path / name for name in expected]


def test_flask_migrate_has_its_heads_and_faults_from_the_same_files(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").touch()
    for name, one, down in (("a", "a", None), ("b", "b", "a"), ("c", "c", "a"), ("again", "c", "b")):
        (folder / "versions" / f"{name}.py").write_text(f"revision = {one!r}\ndown_revision = {down!r}\n")
    shop = Project(tmp_path, tmp_path, MigrationSettings(tool="flask-migrate"), tmp_path)
    both = "migrations/versions/again.py and migrations/versions/c.py"
    assert flask_migrate.faults(shop) == [f"{both} are one revision, c: Alembic runs one of them and never the others."]
    assert command.faults(shop) == flask_migrate.faults(shop), "where a command runs it"
    (folder / "versions" / "again.py").unlink()
    assert flask_migrate.heads(shop) == ["b", "c"]
    assert flask_migrate.heads(shop, {"a", "b"}) == ["b"]
    assert flask_migrate.MERGING == "flask db merge heads"
    (folder / "alembic.ini").write_text("[alembic]\nversion_locations = other\n")
    assert flask_migrate.heads(shop) == []
