"""Scenario 4: on the workflow's rows, 56 keys NOT VALID and then validated keep nobody waiting; a plain ADD CONSTRAINT does.

Both are new to a base that lacks them. Every other check is off, and the rest of the workflow's tests have them.
"""

from __future__ import annotations

import pytest
from example_repositories import Example, Run, run_on
from repositories import repository

from checks.registries.relational import RELATIONAL

KEYS = "20251229033315_add_master_tables_fks"
PLAIN = "20260115093012_plain"
CONSTRAINTS = """\
ALTER TABLE "punchlist_items" ADD CONSTRAINT "again" FOREIGN KEY ("vendor_id") REFERENCES "vendor_master"("id");
ALTER TABLE "workflow_stages" ADD CONSTRAINT "hours" CHECK (sla_hours > -1);
"""
ASKED = ("migration-failed", "migration-limit", "blocking-migration", "lock-queue")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """dbproof on the workflow, whose last migration and one more are new."""
    copy = Example("workflow").lay(tmp_path_factory.mktemp("traffic"))
    migrations = copy / "prisma" / "migrations"
    keys = (migrations / KEYS / "migration.sql").read_text("utf-8")
    (migrations / KEYS / "migration.sql").unlink()
    (migrations / KEYS).rmdir()
    settings = copy / "dbproof.toml"
    off = "".join(f'{check} = "off"\n' for check in RELATIONAL if check not in ASKED)
    declared = settings.read_text("utf-8").partition("[[allow]]")[0]
    limits = '[databases.workflow.limits]\nmigration = "60s"\nblocked = "60s"\n'
    settings.write_text(f'compare = "HEAD"\n\n{declared}\n{limits}\n[severity]\n{off}', "utf-8")
    repository(copy).commit()
    for name, text in ((KEYS, keys), (PLAIN, CONSTRAINTS)):
        (migrations / name).mkdir()
        (migrations / name / "migration.sql").write_text(text, "utf-8")
    ran = run_on(copy)
    assert ran.code == 0, ran.said
    return ran


def test_not_valid_and_then_validated_keeps_nobody_waiting(run: Run) -> None:
    findings = run.check("blocking-migration")["findings"]
    assert [finding["subject"] for finding in findings if finding["subject"].startswith(KEYS)] == []
    assert run.check("blocking-migration")["proven"] > 15
    assert run.check("blocking-migration")["not_proven"] == []


def test_a_plain_constraint_is_found_at_its_line_with_what_it_keeps_out(run: Run) -> None:
    found = {finding["subject"]: finding for finding in run.check("blocking-migration")["findings"]}
    assert sorted(found) == [f"{PLAIN} on punchlist_items", f"{PLAIN} on workflow_stages"]
    key, hours = found.values()
    assert [one["provenance"]["line"] for one in (key, hours)] == [1, 2]
    assert "ShareRowExclusiveLock on" in key["message"]
    assert "(keeps out writers)" in key["message"]
    assert "AccessExclusiveLock on workflow_stages (keeps out readers and writers)" in hours["message"]
    assert all("VALIDATE CONSTRAINT in a transaction of its own" in one["remedy"] for one in found.values())
    assert {one["severity"] for one in found.values()} == {"warning"}


def test_both_end_within_the_limit_and_neither_gives_up_behind_others(run: Run) -> None:
    assert (run.check("migration-limit")["proven"], run.check("migration-limit")["findings"]) == (2, [])
    assert [finding["subject"] for finding in run.check("lock-queue")["findings"]] == [KEYS, PLAIN]
    assert "tables read and written meanwhile" in run.said
