"""The workflow comes out clean with the figures that it is known by, and each of its faults is found at its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from compared import COMPARED
from example_repositories import Example
from no_tenants import NO_TENANTS, NOTHING_NEW

WORKFLOW = Example("workflow")

#: What the keys want that a DO block passes over; dbproof.toml allows them.
WITHOUT_A_COLUMN = (
    "approval_policy_stages.approval_policy_id",
    "approver_overrides.workflow_instance_id",
    "workflow_stage_actions.stage_id",
)


def test_the_workflow_is_clean_with_57_foreign_keys_and_283_checks(tmp_path: Path) -> None:
    run = WORKFLOW.prove_clean(tmp_path)
    unproven = {check["id"]: check["reason"] for check in run.checks if check["outcome"] != "passed"}
    missing = {finding["message"].rpartition(": ")[2] for finding in run.check("missing-constraint")["findings"]}
    assert unproven.pop("missing-constraint") == ""
    assert missing == {f"the column {column} does not exist" for column in WITHOUT_A_COLUMN}
    assert unproven == {
        **NO_TENANTS,
        **NOTHING_NEW,
        "model-drift": "prisma is not installed: the repository has no node_modules/prisma, and neither has any folder above it",
        "enum-probe": "no columns of enums",
        "exclusion-probe": "no EXCLUDE constraints",
        "ignored-reference": "not for PostgreSQL",
        "sequence-behind": "no sequences of unique columns",  # its keys are no numbers
        **dict.fromkeys(COMPARED, "no base revision: not a git repository"),
        "down-restores": "no new migrations that can be undone",
        "expected-constraint": "no expected constraints",
    }
    assert [check["id"] for check in run.checks if check["not_proven"]] == ["model-drift"]
    assert len(run.report["databases"][0]["migrations"]) == 12
    keys = ("orphaned-rows", "reference-probe", "delete-rule", "reference-type-mismatch", "unindexed-foreign-key")
    assert {check: run.check(check)["proven"] for check in keys} == dict.fromkeys(keys, 57)
    assert run.check("unvalidated-constraint")["proven"] == 57 + 283
    assert run.check("check-probe")["proven"] == 283
    counted = run.report["databases"][0]["after"]
    assert {kind: counted[kind] for kind in ("foreign_keys", "checks", "partial_uniques")} == {
        "foreign_keys": 57,
        "checks": 283,
        "partial_uniques": 1,
    }


@pytest.mark.parametrize("fault", WORKFLOW.faults)
def test_each_fault_is_found_at_its_line(fault: str, tmp_path: Path) -> None:
    WORKFLOW.prove_fault(fault, tmp_path)
