"""The image that the Dockerfile makes, built once for all tests and all their processes."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from image.gitlab_runner import GitLab, installed
from runner.errors import ServerFailed
from runner.servers.containers import engine
from runner.servers.locks import held, lock

ROOT = Path(__file__).parents[2]
#: The image's name. It stays when the tests are done, as its layers make the next build a matter of seconds.
TAG = "dbproof:test"
LABEL = "dbproof.tests=image"
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
    """The id of the image, built from the work tree by whichever process comes first. Another session's build is another id."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    built = shared / "image-id"
    with held(lock(shared / "image.lock", _PATIENCE)):
        if not built.exists():
            _build(built)
    return built.read_text("utf-8")


def _build(identity: Path) -> None:
    """Images that nothing is called after any more, of tests of another day, go."""
    command = ["docker", "build", "--label", LABEL, "--tag", TAG, "--iidfile", str(identity), str(ROOT)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    assert ended.returncode == 0, f"{ended.stdout[-8000:]}\n{ended.stderr[-8000:]}"
    old = ["--filter", f"label={LABEL}", "--filter", "until=24h"]
    subprocess.run(["docker", "image", "prune", "--force", *old], capture_output=True, check=False)


@pytest.fixture
def registry(image: str) -> Iterator[str]:
    """What ``$CI_REGISTRY_IMAGE`` stands for: the image is there under its name in it."""
    tag = f"registry.example/group/{secrets.token_hex(4)}"
    assert subprocess.run(["docker", "tag", image, f"{tag}/dbproof"], check=False).returncode == 0
    yield tag
    subprocess.run(["docker", "rmi", f"{tag}/dbproof"], capture_output=True, check=False)


@pytest.fixture(scope="session")
def gitlab(image: str, tmp_path_factory: pytest.TempPathFactory) -> GitLab:  # noqa: ARG001 - where that is had, there is an engine
    """A runner of GitLab's pipelines."""
    return installed(tmp_path_factory.mktemp("gitlab"))
