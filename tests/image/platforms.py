"""What the tests of the platforms share: snippets of the documentation, a repository to prove, programs that are not Python's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
USERS = "CREATE TABLE users (id int PRIMARY KEY);\n"
ORDERS = "CREATE TABLE orders (id int PRIMARY KEY,\n  buyer int REFERENCES users);\n"
#: Refused at its second line.
FAULT = "SELECT 1;\nALTER TABLE orders ADD PRIMARY KEY (buyer);\n"


def snippets(page: str, language: str) -> list[str]:
    """The fenced blocks of a page of ``docs`` in one language, in their order."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(
    command: Sequence[str], directory: Path | None = None, environment: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """A program's end; its output is text."""
    return subprocess.run(
        command,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )


def committed(directory: Path, message: str) -> str:
    """Commit everything in a repository, which is made where there is none; the commit's name."""
    git = ["git", "-C", str(directory), "-c", "user.name=dbproof", "-c", "user.email=tests@example.org"]
    if not (directory / ".git").exists():
        assert run([*git, "init", "--quiet", "--initial-branch", "main"]).returncode == 0
    assert run([*git, "add", "--all"]).returncode == 0
    assert run([*git, "commit", "--quiet", "--message", message]).returncode == 0
    return run([*git, "rev-parse", "HEAD"]).stdout.strip()


def laid(directory: Path, files: Mapping[str, str]) -> Path:
    """Files in a directory that every user may read."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in (directory, *directory.rglob("*")):
        if ".git" not in path.parts:
            path.chmod(0o755 if path.is_dir() else 0o644)
    return directory


def needed(*programs: str) -> None:
    """Skip where a program is not installed; in CI that is a failure."""
    for program in programs:
        if shutil.which(program) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{program} must be there in CI")
            pytest.skip(f"needs {program}")


def failures(junit: Path) -> list[str]:
    """The names of the failed tests in a JUnit report."""
    return [case.get("name", "") for case in ElementTree.parse(junit).iter("testcase") if case.find("failure") is not None]
