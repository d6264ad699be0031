"""The image that the Dockerfile makes, built once for all tests and all their processes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runner.errors import ServerFailed
from runner.servers.containers import engine
from runner.servers.locks import held, lock

ROOT = Path(__file__).parents[2]
#: The image's name. It stays when the tests are done, as its layers make the next build a matter of seconds.
TAG = "dbproof:test"
#: Seconds that a build from nothing may take on a slow machine, registries included.
_PATIENCE = 1800


@pytest.fixture(scope="session")
def docker() -> None:
    """A Docker engine that answers. Without one tests are skipped, but not in CI, where they count."""
    try:
        engine().close()
    except ServerFailed as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"tests of the image must run in CI: {error}")
        pytest.skip(f"needs a Docker engine: {error}")


@pytest.fixture(scope="session")
def image(docker: None, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:  # noqa: ARG001 - asked for first
    """The tag of the image, built from the work tree by whichever process comes first."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    built = shared / "image-built"
    with held(lock(shared / "image.lock", _PATIENCE)):
        if not built.exists():
            before = _identity(TAG)
            _build()
            if before not in ("", _identity(TAG)):
                subprocess.run(["docker", "image", "rm", before], capture_output=True, check=False)
            built.touch()
    return TAG


def _build() -> None:
    command = ["docker", "build", "--tag", TAG, str(ROOT)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    assert ended.returncode == 0, f"{ended.stdout[-8000:]}\n{ended.stderr[-8000:]}"


def _identity(tag: str) -> str:
    command = ["docker", "image", "inspect", "--format", "{{.Id}}", tag]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
