"""A git repository, apart from whatever git settings this machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from repositories import Repository, repository


@pytest.fixture(autouse=True)
def _no_git_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine's git is told must not decide."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return repository(tmp_path / "repo")
