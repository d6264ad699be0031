"""Containers of the image, as the tests of it start them."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from image.platforms import run

#: The image's own Python, closed to whatever the workspace holds.
PYTHON = ("/opt/dbproof/bin/python", "-I", "-c")

#: A uid and gid that no file of the image knows.
STRANGER = 4711


def contained(image: str, arguments: Sequence[str], *options: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """A container's end; it is removed with its volumes. ``options`` are those of ``docker run``."""
    return run(["docker", "run", "--rm", *options, image, *arguments], timeout=timeout)


def said(image: str, script: str, *options: str) -> str:
    """What a shell script prints in a container; it must succeed."""
    ended = contained(image, ["sh", "-c", script], *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.strip()


def mounted(workspace: Path, mode: str = "rw") -> list[str]:
    """The options that mount a workspace and stand in it, without a network."""
    return ["--volume", f"{workspace}:/repo:{mode}", "--workdir", "/repo", "--network", "none"]


@contextmanager
def running(image: str, arguments: Sequence[str], *options: str) -> Iterator[str]:
    """The name of a container that runs in the background; it is removed at the end."""
    name = f"dbproof-tests-{secrets.token_hex(4)}"
    try:
        started = run(["docker", "run", "--detach", "--name", name, *options, image, *arguments])
        assert started.returncode == 0, started.stderr
        yield name
    finally:
        run(["docker", "rm", "--force", "--volumes", name])


def layers(image: str) -> int:
    """The size of all layers of an image, in bytes."""
    return int(run(["docker", "image", "inspect", "--format", "{{.Size}}", image]).stdout)
