"""Discovery comes out clean, and each of its faults is found at its file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from compared import COMPARED
from example_repositories import Example, run_on
from no_tenants import NOTHING_NEW
from repositories import repository

DISCOVERY = Example("discovery")


def test_discovery_is_clean(tmp_path: Path) -> None:
    run = DISCOVERY.prove_clean(tmp_path)
    unproven = {check["id"]: check["reason"] for check in run.checks if check["outcome"] != "passed"}
    assert unproven == {
        **NOTHING_NEW,
        "model-drift": "no sets of models",
        "sequence-behind": "no sequences of unique columns",  # its keys are no numbers
        **dict.fromkeys(COMPARED, "no base revision: not a git repository"),
        "down-restores": "no new migrations that can be undone",
        "expected-constraint": "no expected constraints",
        "missing-constraint": "no constraints that blocks may pass over",
        "soft-deleted-parent": "no references with a condition",
        "polymorphic-reference": "no kinds of polymorphic references",
        "exclusion-probe": "no EXCLUDE constraints",
        "ignored-reference": "not for PostgreSQL",
    }
    assert [check["id"] for check in run.checks if check["not_proven"]] == []
    assert run.check("orphaned-rows")["proven"] == run.check("delete-rule")["proven"] == 19
    assert run.check("tenant-isolation-probe")["proven"] == 51
    assert len(run.report["databases"][0]["migrations"]) == 7


@pytest.mark.parametrize("fault", DISCOVERY.faults)
def test_each_fault_is_found_at_its_line(fault: str, tmp_path: Path) -> None:
    DISCOVERY.prove_fault(fault, tmp_path)


def test_with_a_base_a_trigger_that_undoes_a_cascade_is_found_by_deleting(tmp_path: Path) -> None:
    """The rows are loaded on base, before the trigger is there, and nothing deletes afterwards but the probe."""
    place = DISCOVERY.lay(tmp_path)
    repository(place, {}).branch("change")
    shutil.copytree(DISCOVERY.fault("orphaned-rows").folder, place, dirs_exist_ok=True)
    run = run_on(place)
    assert run.code == 1, run.said
    ((check, finding),) = run.findings("error")
    assert (check, finding["subject"], finding["state"]) == ("delete-rule-probe", "import_field_mappings.data_import_id", "new")
    assert finding["provenance"]["file"] == "db/migrations/0008_keep_approved_mappings.sql"
    assert run.check("orphaned-rows")["outcome"] == "passed"
