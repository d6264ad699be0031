"""Reports that root writes belong to whom the workspace belongs to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reports.sample import TYPICAL
from runner.cli.crash import crash
from runner.redaction import Redactor
from runner.reports import ownership, writing

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")

SOMEBODY = (4711, 4712)


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    os.chown(tmp_path, *SOMEBODY)
    return tmp_path


def test_reports_and_the_directories_made_for_them(workspace: Path) -> None:
    paths = writing.write(TYPICAL, workspace / "made" / "here")
    assert {owner(path) for path in (workspace / "made", workspace / "made" / "here", *paths)} == {SOMEBODY}


def test_a_directory_that_was_there_keeps_its_owner_and_says_whose_the_reports_are(workspace: Path) -> None:
    (workspace / "reports").mkdir()
    paths = writing.write(TYPICAL, workspace / "reports")
    assert {owner(path) for path in (workspace / "reports", *paths)} == {(0, 0)}


def test_the_trace_of_a_failure_of_ours(workspace: Path) -> None:
    crash(RuntimeError("a test"), str(workspace / "reports"), Redactor())
    assert owner(workspace / "reports" / "trace.txt") == SOMEBODY


def test_a_link_is_not_followed(workspace: Path) -> None:
    (workspace / "precious").mkdir()
    (workspace / "link").symlink_to(workspace / "precious")
    ownership.hand_over(workspace / "link", workspace / "link")
    assert owner(workspace / "precious") == (0, 0)
    assert owner(workspace / "link") == SOMEBODY
