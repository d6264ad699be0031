"""Makes git repositories for tests, apart from whatever git settings this machine has."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": f"{who.lower()}@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


@dataclass(frozen=True)
class Repository:
    """A work tree."""

    root: Path

    def git(self, *arguments: str) -> str:
        """What a git command prints; it must succeed."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=_ENVIRONMENT, check=False, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr}"
        return done.stdout.rstrip("\n")

    def write(self, files: Mapping[str, str]) -> None:
        """Write files below the root."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def commit(self, files: Mapping[str, str] | None = None, message: str = "work") -> str:
        """Write files, commit everything there is, and give the commit."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        """Make a branch here and go to it."""
        self.git("checkout", "--quiet", "-b", name)

    def clone(self, to: Path, *options: str) -> Repository:
        """A clone as a runner of CI makes it."""
        self.git("clone", "--quiet", *options, self.root.as_uri(), str(to))
        return Repository(to)


def repository(root: Path, files: Mapping[str, str] | None = None) -> Repository:
    """A repository with one commit on ``main``."""
    root.mkdir(parents=True, exist_ok=True)
    made = Repository(root)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.commit({"README": "first\n"} if files is None else files)
    return made
