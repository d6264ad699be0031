"""Every example comes out clean in the image, and a fault of each kind of work is found, without a network.

That each fault is found stands in ``tests/examples``: here a program that migrates, rows that are counted, rows that are tried,
another role, other engines meet the image's own servers.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from example_repositories import Example, Run, examples

from image.containers import contained

pytestmark = pytest.mark.docker

FAULTS = [
    ("shop", "check-probe"),
    ("shop", "migration-failed"),
    ("shop", "cross-database-reference"),
    ("workflow", "delete-rule-probe"),
    ("discovery", "constraint-violation"),
    ("discovery", "tenant-isolation-probe"),
    ("subscriptions", "dangling-reference"),
    ("subscriptions", "validator-missing"),
]


def contained_in(image: str, copy: Path) -> Run:
    """``dbproof run`` in the image, on a copy of an example."""
    copy.parent.chmod(0o755)
    mount = ["--volume", f"{copy.parent}:/work", "--workdir", "/work", "--network", "none"]
    ended = contained(image, ["run", copy.name, "--report-dir", "report"], *mount)
    said = ended.stdout + ended.stderr
    report = copy.parent / "report" / "report.json"
    assert report.is_file(), said
    return Run(ended.returncode, json.loads(report.read_text("utf-8")), said)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_is_clean(image: str, example: Example, tmp_path: Path) -> None:
    example.prove_clean(tmp_path, lambda copy: contained_in(image, copy))


@pytest.mark.parametrize(("example", "fault"), FAULTS)
def test_a_fault_is_found(image: str, example: str, fault: str, tmp_path: Path) -> None:
    Example(example).prove_fault(fault, tmp_path, lambda copy: contained_in(image, copy))
