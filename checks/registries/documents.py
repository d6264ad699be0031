"""The registry of checks for document databases: id to module, nothing hidden.

A check that looks at the evidence alone stands in both registries under the same id. So does a question that is asked of rows and
of documents alike: there each registry has a module of its own.
"""

from __future__ import annotations

from checks.constraints import load_refused
from checks.document_targets import DocumentTarget
from checks.documents import (
    changed_values,
    collection_scan,
    cross_tenant_reference,
    damaged_collection,
    dangling_reference,
    delete_handling_probe,
    document_violates_validator,
    dropped_with_values,
    duplicate_keys,
    in_memory_sort,
    index_drift,
    index_gain,
    large_document,
    lost_rows,
    mixed_type_field,
    no_validator,
    redundant_index,
    reference_type_mismatch,
    tenant_column_missing,
    tenant_column_nullable,
    tenant_query,
    tenant_reference_missing,
    unbounded_array,
    unindexed_reference,
    unique_probe,
    unused_field_in_schema,
    validator_missing,
    validator_probe,
    validator_weak,
    write_cost,
)
from checks.interface import Check
from checks.migrations import (
    down_restores,
    edited_migration,
    migration_failed,
    migration_limit,
    superuser_migration,
)
from checks.performance import query_limit

#: Every check, in the order in which it is reported.
DOCUMENTS: dict[str, Check[DocumentTarget]] = {
    "migration-failed": migration_failed,
    "edited-migration": edited_migration,
    "migration-limit": migration_limit,
    "superuser-migration": superuser_migration,
    "down-restores": down_restores,
    "changed-values": changed_values,
    "lost-rows": lost_rows,
    "dropped-with-values": dropped_with_values,
    "load-refused": load_refused,
    "dangling-reference": dangling_reference,
    "reference-type-mismatch": reference_type_mismatch,
    "duplicate-keys": duplicate_keys,
    "unindexed-reference": unindexed_reference,
    "delete-handling-probe": delete_handling_probe,
    "validator-missing": validator_missing,
    "validator-probe": validator_probe,
    "validator-weak": validator_weak,
    "no-validator": no_validator,
    "document-violates-validator": document_violates_validator,
    "mixed-type-field": mixed_type_field,
    "unused-field-in-schema": unused_field_in_schema,
    "unbounded-array": unbounded_array,
    "large-document": large_document,
    "damaged-collection": damaged_collection,
    "index-drift": index_drift,
    "redundant-index": redundant_index,
    "unique-probe": unique_probe,
    "tenant-query": tenant_query,
    "cross-tenant-reference": cross_tenant_reference,
    "tenant-column-missing": tenant_column_missing,
    "tenant-column-nullable": tenant_column_nullable,
    "tenant-reference-missing": tenant_reference_missing,
    "query-limit": query_limit,
    "collection-scan": collection_scan,
    "in-memory-sort": in_memory_sort,
    "index-gain": index_gain,
    "write-cost": write_cost,
}
