"""Runs pipelines as GitLab's runner does, by gitlab-ci-local."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from image.platforms import laid, needed, run
from runner.servers.locks import held, lock

#: The newest that runs on Node.js 18 and later.
PROGRAM = "gitlab-ci-local@4.65.0"
#: What it copies files with: a shell and rsync.
_HELPER = "FROM python:3.13-slim-trixie\nRUN apt-get update && apt-get install -y --no-install-recommends rsync\n"
#: What it waits for services with: called with HOST:PORT and ``-t SECONDS``, it ends when somebody listens there.
_WAITING = """\
import socket, sys, time

host, port = sys.argv[1].split(":")
until = time.monotonic() + float(sys.argv[3])
while True:
    try:
        sys.exit(socket.create_connection((host, int(port)), 1).close())
    except OSError as error:
        if time.monotonic() > until:
            sys.exit(f"{sys.argv[1]}: {error}")
        time.sleep(0.1)
"""
_WAIT = 'FROM python:3.13-slim-trixie\nCOPY wait.py /\nENTRYPOINT ["python3", "/wait.py"]\n'


@dataclass(frozen=True)
class GitLab:
    """The program and the images that it works with."""

    program: str
    helper: str
    wait: str

    def pipeline(self, project: Path, *variables: str, volumes: Sequence[str] = ()) -> tuple[int, str]:
        """The exit code and output of a whole pipeline; artifacts lie in the project's ``.gitlab-ci-local/artifacts/JOB``."""
        environment = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("CI_")}
        # GitLab says that it is GitLab; gitlab-ci-local says that it is not.
        given = [argument for one in ("GITLAB_CI=true", *variables) for argument in ("--variable", one)]
        given += [argument for one in volumes for argument in ("--volume", one)]
        images = ["--pull-policy", "if-not-present", "--helper-image", self.helper, "--wait-image", self.wait]
        names = ",".join(one.partition("=")[0] for one in ("GITLAB_CI", *variables))
        ended = run([self.program, *images, "--ignore-predefined-vars", names, *given], project, environment, timeout=600)
        return ended.returncode, ended.stdout + ended.stderr


def installed(scratch: Path) -> GitLab:
    """The program, installed once from npm, and its images, which are built in a directory."""
    needed("node", "npm", "rsync")
    folder = Path(platformdirs.user_cache_dir("dbproof-tests")) / PROGRAM
    program = folder / "node_modules" / ".bin" / "gitlab-ci-local"
    folder.mkdir(parents=True, exist_ok=True)
    with held(lock(folder / ".lock", 300)):
        if not program.exists():
            ended = run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PROGRAM], folder)
            assert ended.returncode == 0, ended.stderr
    helper = built("dbproof-tests-rsync", scratch / "helper", {"Dockerfile": _HELPER})
    return GitLab(str(program), helper, built("dbproof-tests-wait", scratch / "wait", {"Dockerfile": _WAIT, "wait.py": _WAITING}))


def built(tag: str, folder: Path, files: dict[str, str]) -> str:
    """An image of a few files; its tag."""
    ended = run(["docker", "build", "--tag", tag, str(laid(folder, files))])
    assert ended.returncode == 0, ended.stderr
    return tag


def began(project: Path) -> None:
    """Make a repository of a directory, as one that came from GitLab."""
    assert run(["git", "-C", str(project), "init", "--quiet", "--initial-branch", "main"]).returncode == 0
    origin = "https://gitlab.example/group/project.git"
    assert run(["git", "-C", str(project), "remote", "add", "origin", origin]).returncode == 0
