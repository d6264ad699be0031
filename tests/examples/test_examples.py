"""What holds for all examples: every check has a fault somewhere, and each fault is described and changes nothing else."""

from __future__ import annotations

import re

import pytest
from example_repositories import EXAMPLES, Example, examples

from checks.registries.relational import RELATIONAL

FAULTS = [(example, fault) for example in examples() for fault in example.faults]
#: Checks that have no fault here: their own tests show what they find.
WITHOUT_FAULT = {
    "blocking-migration",  # test_migrations_under_traffic.py has the workflow's, with a base
    "lock-queue",  # as blocking-migration
    "migration-limit",  # as blocking-migration
    "cascade-reach",
    "changed-values",  # as lost-constraint: without a base there is nothing to compare with
    "disabled-trigger",
    "dropped-with-values",
    "edited-migration",  # without a base nothing was edited: tests/pipeline/test_edited_migrations.py edits and deletes
    "enum-probe",
    "exclusion-probe",  # what it finds, no migration leaves behind that does not fail
    "ignored-reference",  # MariaDB alone
    "invalid-index",
    "key-exhaustion",
    "lost-constraint",
    "lost-rows",
    "no-policy",
    "n-minus-1",  # it needs a base: tests/pipeline/test_previous_release.py
    "not-null-probe",  # as exclusion-probe
    "reference-cycle",
    "row-security-not-forced",
    "sequence-behind",
    "static-advice",  # it needs a base: tests/pipeline/test_squawk.py
    "superuser-migration",
    "undeclared-reference",
    "tenant-query",
    "tenant-reference-missing",
    "unique-probe",  # as exclusion-probe
}
KEYS = {"say", "check", "subject", "file", "marker", "exit"}


def test_every_check_of_a_relational_database_has_a_fault() -> None:
    without = RELATIONAL.keys() - {example.fault(fault).expect["check"] for example, fault in FAULTS}
    assert without == WITHOUT_FAULT, "add a folder to an example's faults/, or the check to WITHOUT_FAULT"


@pytest.mark.parametrize(("example", "fault"), FAULTS)
def test_a_fault_says_what_is_expected_of_it(example: Example, fault: str) -> None:
    assert set(example.fault(fault).expect) - {"also"} == KEYS


@pytest.mark.parametrize(("example", "fault"), FAULTS)
def test_a_fault_changes_no_setting_but_when_to_fail(example: Example, fault: str) -> None:
    settings = example.fault(fault).folder / "dbproof.toml"
    if settings.is_file():
        clean = (example.folder / "dbproof.toml").read_text("utf-8")
        lowered = [f'fail_on = "{severity}"\n\n{clean}' for severity in ("warning", "notice")]
        assert settings.read_text("utf-8") in lowered, 'the clean dbproof.toml, with fail_on = "…" and an empty line before it'


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_the_readme_names_every_fault(example: Example) -> None:
    readme = (EXAMPLES / "README.md").read_text("utf-8")
    section = re.search(rf"^## {example.name}\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    assert section, f"describe {example.name} in examples/README.md"
    lost = [fault for fault in example.faults if f"| `{fault}`" not in section[1]]
    assert lost == [], "add a line to the table in examples/README.md"
