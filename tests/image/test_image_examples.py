"""Every example comes out clean in the image, and each of its faults is found, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from example_repositories import Example, Run, examples

from image.containers import contained

pytestmark = pytest.mark.docker

FAULTS = [(example, fault) for example in examples() for fault in example.faults]


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


@pytest.mark.parametrize(("example", "fault"), FAULTS, ids=[f"{example.name}-{fault}" for example, fault in FAULTS])
def test_each_fault_is_found(image: str, example: Example, fault: str, tmp_path: Path) -> None:
    example.prove_fault(fault, tmp_path, lambda copy: contained_in(image, copy))
