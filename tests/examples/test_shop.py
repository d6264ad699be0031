"""The shop comes out clean, and each of its faults is found at its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_repositories import Example

SHOP = Example("shop")


def test_the_shop_is_clean(tmp_path: Path) -> None:
    run = SHOP.prove_clean(tmp_path)
    outcomes = {check["id"]: check["outcome"] for check in run.checks}
    assert {check: outcome for check, outcome in outcomes.items() if outcome != "passed"} == {"unindexed-foreign-key": "failed"}
    assert len(run.report["databases"][0]["migrations"]) == 10


@pytest.mark.parametrize("fault", SHOP.faults)
def test_each_fault_is_found_at_its_line(fault: str, tmp_path: Path) -> None:
    SHOP.prove_fault(fault, tmp_path)
