"""The subscriptions come out clean, and each of their faults is found at its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from compared import COMPARED
from example_repositories import Example

from checks.registries.documents import DOCUMENTS
from runner.scheduler import with_severities

pytestmark = pytest.mark.usefixtures("mongod")

SUBSCRIPTIONS = Example("subscriptions")
#: Checks of tenants, which nobody declares here.
OF_TENANTS = {
    "cross-tenant-reference",
    "tenant-column-missing",
    "tenant-column-nullable",
    "tenant-query",
    "tenant-reference-missing",
}
#: Those that compare with base.
OF_DOCUMENTS = tuple(check for check in COMPARED if check in DOCUMENTS)
#: Checks that have no fault here: their own tests show what they find.
WITHOUT_FAULT = {
    *OF_TENANTS,
    *OF_DOCUMENTS,  # without a base there is nothing to compare with
    "superuser-migration",
    "unique-probe",  # that of index-drift turns it red as well
    "redundant-index",
    "reference-type-mismatch",  # where it is red, dangling-reference is as well
    "unindexed-reference",
    "damaged-collection",  # no migration damages what the server stores
    "large-document",  # asked of a database that is looked at
    "unbounded-array",  # asked of a database that is looked at
    "unused-field-in-schema",  # asked of a database that is looked at
    "migration-limit",  # test_migrations_under_traffic.py has the workflow's, with a base
    "index-gain",  # on so few documents no index gains anything
    "write-cost",  # a fault would have to waste time
    "no-validator",  # asked of a database that is looked at
}


def test_the_subscriptions_are_clean_with_all_that_they_declare(tmp_path: Path) -> None:
    run = SUBSCRIPTIONS.prove_clean(tmp_path)
    assert {check["id"]: check["outcome"] for check in run.checks} == {
        **dict.fromkeys(with_severities(DOCUMENTS, {}), "passed"),
        **dict.fromkeys(OF_TENANTS, "skipped"),
        **dict.fromkeys(OF_DOCUMENTS, "skipped"),  # there is no base
        "migration-limit": "skipped",  # there is no base
        "index-gain": "skipped",  # on so few documents no index gains anything
        "redundant-index": "failed",  # one index, which dbproof.toml allows
    }
    assert run.findings("notice") == []
    assert [check["id"] for check in run.checks if check["not_proven"]] == []
    assert {check["id"]: check["proven"] for check in run.checks} == {
        **dict.fromkeys((*OF_TENANTS, *OF_DOCUMENTS), 0),
        "migration-failed": 5,
        "migration-limit": 0,
        "superuser-migration": 1,
        "down-restores": 5,
        "load-refused": 3,
        "dangling-reference": 3,
        "reference-type-mismatch": 3,
        "duplicate-keys": 2,
        "unindexed-reference": 5,
        "delete-handling-probe": 1,
        "validator-missing": 3,
        "validator-probe": 66,
        "validator-weak": 3,
        "document-violates-validator": 3,
        "mixed-type-field": 30,
        "damaged-collection": 3,
        "index-drift": 8,
        "redundant-index": 10,
        "unique-probe": 9,
        "query-limit": 6,
        "collection-scan": 5,
        "in-memory-sort": 6,
        "index-gain": 0,
        "write-cost": 6,
    }


@pytest.mark.parametrize("fault", SUBSCRIPTIONS.faults)
def test_each_fault_is_found_at_its_line(fault: str, tmp_path: Path) -> None:
    SUBSCRIPTIONS.prove_fault(fault, tmp_path)


def test_every_check_of_a_document_database_has_a_fault() -> None:
    found = {SUBSCRIPTIONS.fault(fault).expect["check"] for fault in SUBSCRIPTIONS.faults}
    assert DOCUMENTS.keys() - found == WITHOUT_FAULT, "add a folder to the example's faults/, or the check to WITHOUT_FAULT"
