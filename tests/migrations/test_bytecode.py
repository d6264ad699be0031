"""What programs of ours compile is kept for libraries, and never in the project's work tree."""

from __future__ import annotations

from pathlib import Path

from alembic_projects import lay, own_env, project

from runner.migrations import alembic
from runner.migrations.interface import Ended
from runner.servers.interface import Address

ENV = own_env('import library.inner\nimport own\nurl = os.environ["DATABASE_URL"]')


def test_libraries_are_compiled_once_and_the_work_tree_is_left_as_it_is(tmp_path: Path) -> None:
    library = tmp_path / "lib" / "site-packages" / "library"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text("")
    (library / "inner.py").write_text("")
    root = tmp_path / "repository"
    root.mkdir()
    (root / "own.py").write_text("")
    given = project(lay(root, url=None, env=ENV), env={"PYTHONPATH": f"{library.parent}:{root}"})
    before = sorted(root.rglob("*"))
    events = list(alembic.apply(given, Address("", 0, "", "", str(tmp_path / "app.db"), scheme="sqlite")))
    assert [event.revision for event in events if isinstance(event, Ended)] == ["one", "two"]
    assert {path.name.partition(".")[0] for path in library.glob("__pycache__/*.pyc")} == {"__init__", "inner"}
    assert sorted(root.rglob("*")) == before
