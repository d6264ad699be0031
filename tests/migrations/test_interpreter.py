from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from alembic_projects import lay, project

from checks.targets import Role
from runner.errors import ToolFailed, UsageError
from runner.migrations import alembic, interpreter
from runner.migrations.interface import Ended
from runner.servers.interface import Database


def environment(place: Path, *, alembic_too: bool) -> Path:
    """A virtual environment, with the packages of these tests' own or with none."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    if alembic_too:
        ours = next(path for path in sys.path if path.endswith("site-packages"))
        site = next((place / "lib").glob("python*/site-packages"))
        (site / "ours.pth").write_text(ours + "\n")
    return place / "bin" / "python"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("DBPROOF_CACHE", str(cache))
    return cache


def test_a_venv_in_the_directory_before_one_at_the_root(tmp_path: Path) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "uv.lock").touch()
    near = environment(tmp_path / "backend" / ".venv", alembic_too=True)
    environment(tmp_path / ".venv", alembic_too=True)
    found = interpreter.find(project(tmp_path, "backend"))
    assert found.python == near
    assert found.origin == f"backend/.venv, Python {sys.version.split()[0]}"
    assert found.because == "uv.lock"
    assert found.variables["VIRTUAL_ENV"] == str(tmp_path / "backend" / ".venv")
    assert found.variables["PATH"].startswith(str(near.parent) + ":")


def test_virtual_env_comes_before_a_venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(tmp_path / ".venv", alembic_too=True)
    active = environment(tmp_path / "active", alembic_too=True)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    assert interpreter.find(project(tmp_path)).python == active


def test_what_cannot_import_alembic_is_passed_over_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(tmp_path / "active", alembic_too=False)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    good = environment(tmp_path / ".venv", alembic_too=True)
    found = interpreter.find(project(tmp_path))
    assert found.python == good
    assert found.remarks == ("VIRTUAL_ENV cannot import alembic",)


def test_the_setting_wins_and_must_do(tmp_path: Path) -> None:
    environment(tmp_path / ".venv", alembic_too=True)
    other = environment(tmp_path / "other", alembic_too=True)
    assert interpreter.find(project(tmp_path, python="other/bin/python")).python == other
    environment(tmp_path / "empty", alembic_too=False)
    with pytest.raises(ToolFailed, match="empty/bin/python cannot import alembic") as caught:
        interpreter.find(project(tmp_path, python="empty/bin/python"))
    assert 'setup = "uv sync --frozen"' in caught.value.remedy
    with pytest.raises(UsageError, match="there is no file nowhere/python"):
        interpreter.find(project(tmp_path, python="nowhere/python"))
    with pytest.raises(UsageError, match=r"no program 'python9\.9' on PATH"):
        interpreter.find(project(tmp_path, python="python9.9"))


def test_a_venv_of_another_machine_is_recognised(tmp_path: Path) -> None:
    place = tmp_path / ".venv"
    (place / "bin").mkdir(parents=True)
    (place / "pyvenv.cfg").write_text("home = /opt/python/bin\n")
    (place / "bin" / "python").symlink_to("/opt/python/bin/python3.12")
    found = interpreter.find(project(tmp_path))
    assert found.python == Path(sys.executable)
    assert found.origin.startswith("dbproof's own Python")
    assert found.remarks[0] == (
        ".venv was made on another machine: its interpreter /opt/python/bin/python3.12 does not exist here"
    )
    with pytest.raises(ToolFailed, match="made on another machine"):
        interpreter.find(project(tmp_path), needs=("alembic", "no_such_module"))


def test_dbproofs_own_is_the_last_and_said(tmp_path: Path) -> None:
    found = interpreter.find(project(tmp_path))
    assert found.python == Path(sys.executable)
    assert "dbproof's own Python" in found.remarks[-1]
    assert interpreter.find_any(project(tmp_path)) is None


def test_the_work_tree_is_looked_at_whichever_checkout_is_applied(tmp_path: Path) -> None:
    here = environment(tmp_path / "tree" / "backend" / ".venv", alembic_too=True)
    base = project(tmp_path / "base", "backend")
    from dataclasses import replace

    assert interpreter.find(replace(base, work_tree=tmp_path / "tree")).python == here


SETUP = """\
import os, pathlib, sys
assert os.environ["VIRTUAL_ENV"] == os.environ["UV_PROJECT_ENVIRONMENT"] == sys.prefix, sys.prefix
assert "AWS_SECRET_ACCESS_KEY" not in os.environ
pathlib.Path(next(p for p in sys.path if p.endswith("site-packages")), "ours.pth").write_text(sys.argv[1])
with open("runs", "a") as file:
    file.write("x")
print("set up")
if os.path.exists("broken"):
    sys.exit("the lock file does not fit")
"""


def with_setup(root: Path) -> str:
    ours = next(path for path in sys.path if path.endswith("site-packages"))
    (root / "set_up.py").write_text(SETUP)
    return f"python set_up.py {ours}"


def test_setup_runs_once_for_a_lock_file(
    tmp_path: Path, alone: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    lay(tmp_path)
    shop = project(tmp_path, setup=with_setup(tmp_path))
    first = interpreter.find(shop)
    assert first.python.is_relative_to(alone)
    assert first.origin.startswith("set up by `python set_up.py")
    assert [e.revision for e in alembic.apply(shop, database.addresses[Role.OWNER]) if isinstance(e, Ended)] == ["one", "two"]
    assert (tmp_path / "runs").read_text() == "x"
    (tmp_path / "uv.lock").write_text("changed")
    second = interpreter.find(shop)
    assert second.python != first.python
    assert second.because == "uv.lock"
    assert (tmp_path / "runs").read_text() == "xx"


def test_a_setup_that_fails_shows_what_it_said_and_is_not_kept(tmp_path: Path, alone: Path) -> None:
    shop = project(lay(tmp_path), setup=with_setup(tmp_path))
    (tmp_path / "broken").touch()
    with pytest.raises(ToolFailed, match=r"ended with status 1") as caught:
        interpreter.find(shop)
    assert "set up\nthe lock file does not fit" in caught.value.message
    assert not [path for path in alone.iterdir() if path.is_dir()]
    (tmp_path / "broken").unlink()
    assert interpreter.find(shop).python.exists()


def test_a_setup_that_was_killed_is_made_again(tmp_path: Path) -> None:
    shop = project(lay(tmp_path), setup=with_setup(tmp_path))
    made = interpreter.find(shop).python.parent.parent
    (made / "dbproof-complete").unlink()
    interpreter.find(shop)
    assert (tmp_path / "runs").read_text() == "xx"


def test_a_setup_that_brings_no_alembic_is_said(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="set up by `true` cannot import alembic"):
        interpreter.find(project(lay(tmp_path), setup="true"))


def test_setup_has_a_home_where_there_is_none(tmp_path: Path, alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's user without a passwd entry has ``/`` or nothing."""
    monkeypatch.delenv("HOME")
    script = with_setup(tmp_path)
    (tmp_path / "set_up.py").write_text(f"import pathlib\npathlib.Path.home().joinpath('kept').touch()\n{SETUP}")
    interpreter.find(project(lay(tmp_path), setup=script))
    (kept,) = alone.rglob("kept")
    assert kept.parent.parent == alone


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBPROOF_CACHE", "/proc/here")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    found = interpreter.find(project(lay(tmp_path), setup=with_setup(tmp_path)))
    own = tmp_path / "temporary" / f"dbproof-{os.getuid()}"
    assert found.python.is_relative_to(own)
    assert own.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user too")
def test_a_temporary_directory_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBPROOF_CACHE", "/proc/here")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / f"dbproof-{os.getuid()}").mkdir()
    os.chown(tmp_path / f"dbproof-{os.getuid()}", 4711, 4711)
    with pytest.raises(ToolFailed, match="it belongs to another user"):
        interpreter.find(project(lay(tmp_path), setup=with_setup(tmp_path)))


def test_uv_fills_that_environment(tmp_path: Path) -> None:
    package = tmp_path / "here"
    package.mkdir()
    (package / "alembic.py").touch()
    (package / "pyproject.toml").write_text(
        '[project]\nname = "here"\nversion = "1"\n[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n'
    )
    (package / "back.py").write_text(
        "import zipfile\n"
        "def build_wheel(folder, *_):\n"
        "    name = 'here-1-py3-none-any.whl'\n"
        "    with zipfile.ZipFile(f'{folder}/{name}', 'w') as z:\n"
        "        z.write('alembic.py')\n"
        "        z.writestr('here-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: here\\nVersion: 1\\n')\n"
        "        z.writestr('here-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n"
        "        z.writestr('here-1.dist-info/RECORD', '')\n"
        "    return name\n"
    )
    uv = Path(sys.executable).parent / "uv"
    found = interpreter.find(project(tmp_path, "here", setup=f"{uv} sync --no-editable --offline"))
    assert subprocess.run([found.python, "-c", "import alembic"], check=False, cwd="/").returncode == 0
    assert not (package / ".venv").exists()
