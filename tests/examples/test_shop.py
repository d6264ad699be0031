"""The shop comes out clean, and each of its faults is found at its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from compared import COMPARED
from example_repositories import Example
from no_tenants import NO_TENANTS, NOTHING_NEW

SHOP = Example("shop")


def test_the_shop_is_clean(tmp_path: Path) -> None:
    run = SHOP.prove_clean(tmp_path)
    others = {
        database["name"]: {check["id"]: check["outcome"] for check in database["checks"] if check["outcome"] != "passed"}
        for database in run.report["databases"]
    }
    notices = {"unindexed-foreign-key": "failed", **dict.fromkeys(COMPARED, "skipped"), "down-restores": "skipped"}  # no base
    notices |= {"soft-deleted-parent": "skipped", "polymorphic-reference": "skipped"}  # no such reference is declared
    notices |= dict.fromkeys((*NO_TENANTS, *NOTHING_NEW), "skipped")
    # No column is of an enum, nothing is excluded, and the only references that are read and thrown away are MariaDB's.
    notices |= dict.fromkeys(("enum-probe", "exclusion-probe", "ignored-reference"), "skipped")
    # No block passes over anything, and no CHECK is of a column that can be NULL.
    notices |= {"missing-constraint": "skipped", "null-passes-check": "skipped"}
    not_for_sqlite = dict.fromkeys(
        ("superuser-migration", "unvalidated-constraint", "disabled-trigger", "sequence-behind", "invalid-index"), "skipped"
    )
    assert others == {"shop": notices, "till": {**notices, **not_for_sqlite}}
    assert [len(database["migrations"]) for database in run.report["databases"]] == [10, 10]
    probed = [check for check in run.checks if check["id"] == "check-probe"]
    assert [(check["proven"], check["not_proven"]) for check in probed] == [(28, [])] * 2


#: Faults that both engines have; the others are PostgreSQL's alone.
ON_BOTH = {"check-probe", "delete-rule", "expected-constraint", "model-drift", "orphaned-rows", "unindexed-foreign-key"}
#: What a till says of the shop's database is found there.
ON_THE_TILL = {"cross-database-reference"}


@pytest.mark.parametrize("fault", SHOP.faults)
def test_each_fault_is_found_at_its_line(fault: str, tmp_path: Path) -> None:
    run = SHOP.prove_fault(fault, tmp_path)
    check = SHOP.fault(fault).expect["check"]
    red = {
        database["name"]
        for database in run.report["databases"]
        for one in database["checks"]
        for finding in one["findings"]
        if one["id"] == check and finding["subject"] == SHOP.fault(fault).expect["subject"]
    }
    assert red == ({"shop", "till"} if fault in ON_BOTH else {"till"} if fault in ON_THE_TILL else {"shop"})
