"""The registry of checks for relational databases: id to module, nothing hidden.

Importing this imports every check (and SQLAlchemy with them), so it is imported by what runs checks, not by the command line.
"""

from __future__ import annotations

from checks.constraints import (
    check_probe,
    constraint_violation,
    disabled_trigger,
    duplicate_rows,
    enum_probe,
    exclusion_probe,
    expected_constraint,
    key_exhaustion,
    load_refused,
    lost_constraint,
    missing_constraint,
    missing_primary_key,
    no_rows,
    not_null_probe,
    null_passes_check,
    nullable_unique,
    sequence_behind,
    unique_probe,
    unvalidated_constraint,
)
from checks.interface import Check
from checks.migrations import migration_failed, superuser_migration
from checks.performance import duplicate_index, invalid_index, query_limit, redundant_index, unindexed_foreign_key
from checks.references import (
    cascade_reach,
    delete_rule,
    delete_rule_probe,
    orphaned_rows,
    polymorphic_reference,
    reference_cycle,
    reference_probe,
    reference_type_mismatch,
    soft_deleted_parent,
    undeclared_reference,
    update_rule_probe,
)
from checks.targets import RelationalTarget
from checks.tenancy import (
    cross_tenant_reference,
    no_policy,
    policy_always_true,
    row_security_not_forced,
    row_security_off,
    tenant_column_missing,
    tenant_column_nullable,
    tenant_isolation_probe,
    tenant_query,
    tenant_reference_missing,
)

#: Every check, in the order in which it is reported.
RELATIONAL: dict[str, Check[RelationalTarget]] = {
    "migration-failed": migration_failed,
    "superuser-migration": superuser_migration,
    "load-refused": load_refused,
    "orphaned-rows": orphaned_rows,
    "soft-deleted-parent": soft_deleted_parent,
    "polymorphic-reference": polymorphic_reference,
    "undeclared-reference": undeclared_reference,
    "reference-probe": reference_probe,
    "delete-rule-probe": delete_rule_probe,
    "update-rule-probe": update_rule_probe,
    "delete-rule": delete_rule,
    "reference-type-mismatch": reference_type_mismatch,
    "reference-cycle": reference_cycle,
    "cascade-reach": cascade_reach,
    "check-probe": check_probe,
    "enum-probe": enum_probe,
    "tenant-isolation-probe": tenant_isolation_probe,
    "tenant-query": tenant_query,
    "cross-tenant-reference": cross_tenant_reference,
    "tenant-column-missing": tenant_column_missing,
    "tenant-column-nullable": tenant_column_nullable,
    "tenant-reference-missing": tenant_reference_missing,
    "row-security-off": row_security_off,
    "row-security-not-forced": row_security_not_forced,
    "policy-always-true": policy_always_true,
    "no-policy": no_policy,
    "constraint-violation": constraint_violation,
    "duplicate-rows": duplicate_rows,
    "expected-constraint": expected_constraint,
    "missing-constraint": missing_constraint,
    "not-null-probe": not_null_probe,
    "unique-probe": unique_probe,
    "exclusion-probe": exclusion_probe,
    "unvalidated-constraint": unvalidated_constraint,
    "disabled-trigger": disabled_trigger,
    "lost-constraint": lost_constraint,
    "sequence-behind": sequence_behind,
    "key-exhaustion": key_exhaustion,
    "missing-primary-key": missing_primary_key,
    "nullable-unique": nullable_unique,
    "null-passes-check": null_passes_check,
    "no-rows": no_rows,
    "unindexed-foreign-key": unindexed_foreign_key,
    "invalid-index": invalid_index,
    "duplicate-index": duplicate_index,
    "redundant-index": redundant_index,
    "query-limit": query_limit,
}
