"""Runs dbproof as a user does, on small projects, and sees what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from standing import completed

DBPROOF = str(Path(sys.executable).with_name("dbproof"))
#: Seconds that one run may take at most before its test fails.
DEADLINE = 180
#: The server that most tests use; none other is looked for.
SQL = '[databases.app.migrations]\ntool = "sql"\ndirectory = "migrations"\n'
#: A parent, a child, and the index that keeps unindexed-foreign-key quiet.
FIRST = """\
create table authors (id int primary key, name text not null);
create table books (id int primary key, author_id int not null references authors);
create index on books (author_id);
"""

#: A program of the project's own, ``migrate.py``, on SQLite.
COMMAND = f"""
[databases.app]
engine = "sqlite"
[databases.app.migrations]
tool = "command"
command = "{sys.executable} migrate.py"
env = {{ DATABASE_URL = "{{url}}" }}
"""
ALEMBIC = '[databases.app.migrations]\ntool = "alembic"\ndirectory = "."\nenv = { DATABASE_URL = "{url}" }\n'
#: An env.py that reads its address from the environment; ``options`` go to ``context.configure``.
ENV_PY = """\
import os
from alembic import context
from sqlalchemy import create_engine, pool

url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()
"""

_NOT_HANDED_ON = ("DBPROOF_", "GITHUB_", "INPUT_", "CI_", "GITLAB_", "JENKINS_", "GIT_", "PG")


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What dbproof is started in: what is here, without what would steer it, and without the time that a self-proof takes."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_HANDED_ON) and name != "CI"}
    if cache := os.environ.get("DBPROOF_CACHE"):
        kept["DBPROOF_CACHE"] = cache
    return {**kept, "DBPROOF_SELFTEST": "off", **(more or {})}


@dataclass(frozen=True)
class Ran:
    """How a run ended, what it said and what it reported."""

    code: int
    out: str
    err: str
    reports: Path

    @property
    def said(self) -> str:
        return f"{self.out}\n{self.err}"

    @cached_property
    def report(self) -> dict[str, Any]:
        path = self.reports / "report.json"
        assert path.is_file(), self.said
        report = json.loads(path.read_text("utf-8"))
        assert isinstance(report, dict)
        return report

    @property
    def database(self) -> dict[str, Any]:
        """The one database of the report."""
        (only,) = self.report["databases"]
        assert isinstance(only, dict)
        return only

    def check(self, identifier: str) -> dict[str, Any]:
        (found,) = (check for check in self.database["checks"] if check["id"] == identifier)
        assert isinstance(found, dict)
        return found

    def findings(self, check: str | None = None) -> list[dict[str, Any]]:
        checks = self.database["checks"]
        return [finding for one in checks if check in (None, one["id"]) for finding in one["findings"]]

    @property
    def failing(self) -> list[tuple[str, str]]:
        """Check and subject of each new error."""
        return [
            (check["id"], finding["subject"])
            for database in self.report["databases"]
            for check in database["checks"]
            for finding in check["findings"]
            if finding["severity"] == "error" and finding["state"] == "new"
        ]


def dbproof(*arguments: str, root: Path, more: Mapping[str, str] | None = None) -> Ran:
    """Run a subcommand at a root, with reports beside it."""
    reports = root.parent / "reports"
    told = environment({"DBPROOF_REPORT_DIR": str(reports), **(more or {})})
    done = completed(arguments, cwd=root, env=told, timeout=DEADLINE)
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return Ran(done.returncode, done.stdout, done.stderr, reports)


def project(root: Path, files: Mapping[str, str], settings: str | None = SQL) -> Path:
    """Write a repository's files; ``settings`` are those of dbproof.toml."""
    root.mkdir(parents=True, exist_ok=True)
    told = {} if settings is None else {"dbproof.toml": settings}
    for name, text in {**told, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def alembic(env: str = ENV_PY, options: str = "{}", **upgrades: str) -> dict[str, str]:
    """The files of an Alembic project; each revision follows the one before, ``upgrade`` begins on line 6."""
    files = {"alembic.ini": "[alembic]\nscript_location = scripts\n", "scripts/env.py": env.replace("OPTIONS", options)}
    down = None
    for name, body in upgrades.items():
        head = f'"""{name}."""\nfrom alembic import op\nrevision = {name!r}\ndown_revision = {down!r}\n\ndef upgrade():\n'
        files[f"scripts/versions/{name}.py"] = head + "".join(f"    {line}\n" for line in body.splitlines())
        down = name
    return files


@contextmanager
def started(
    *arguments: str, root: Path, place: Path, more: Mapping[str, str] | None = None, out: TextIO | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A run under way: its temporary files lie in ``place``, its words in the file ``said``. Killed where the test breaks off."""
    with (
        (root.parent / "said").open("w") as said,
        subprocess.Popen(
            [DBPROOF, *arguments],
            cwd=root,
            env=environment({"DBPROOF_REPORT_DIR": str(root.parent / "reports"), "TMPDIR": str(place), **(more or {})}),
            stdin=subprocess.DEVNULL,
            stdout=out or said,
            stderr=said,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def until(true: Callable[[], object], what: Callable[[], object], seconds: float = 30) -> None:
    """Look again and again until something holds; fail at the deadline with what there is instead."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        time.sleep(0.02)


def cancel(process: subprocess.Popen[str], number: signal.Signals, within: float) -> int:
    """Send a signal; the exit code, which must come within so many seconds."""
    process.send_signal(number)
    return process.wait(within)


def processes(place: Path) -> list[str]:
    """The command lines of all processes that have to do with a place, by their words or environment, and of their children.

    The children are looked for because a session of PostgreSQL writes its title over both.
    """
    mark, found = os.fsencode(place), _processes()
    ours = {pid for pid, one in found.items() if mark in one.about}
    while more := {pid for pid, one in found.items() if one.parent in ours} - ours:
        ours |= more
    return [found[pid].words for pid in sorted(ours) if found[pid].words]


class _Process(NamedTuple):
    parent: int
    words: str
    about: bytes


def _processes() -> dict[int, _Process]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and (stat := _read(entry / "stat")):
            words = _read(entry / "cmdline")
            parent = int(stat.rpartition(b")")[2].split()[1])
            found[int(entry.name)] = _Process(
                parent, words.decode(errors="replace").replace("\0", " "), words + _read(entry / "environ")
            )
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def left(place: Path) -> list[str]:
    """What a run left: files and directories in its place, and processes."""
    return [*(path.name for path in place.iterdir()), *processes(place)]
