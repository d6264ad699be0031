"""Which faults each check has to find, and which checks no fault can be planted for, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from checks.faults import (
    constraints,
    documents,
    documents_fields,
    documents_indexes,
    documents_keys,
    documents_probes,
    documents_tenancy,
    documents_validators,
    indexes,
    probes,
    references,
    rules,
    tenancy,
)
from checks.faults.interface import Maker

#: The makers of faults by the check that must find them, the likeliest mistake first.
FAULTS: Mapping[str, tuple[Maker, ...]] = {
    "orphaned-rows": (references.orphan,),
    "soft-deleted-parent": (references.marked_parent,),
    "undeclared-reference": (references.contained_values,),
    "polymorphic-reference": (references.no_kind,),
    "reference-probe": (references.switched_off,),
    "delete-rule-probe": (references.idle_delete_rule,),
    "update-rule-probe": (references.idle_update_rule,),
    "delete-rule": (references.swapped_rule, references.lost_reference),
    "reference-type-mismatch": (references.other_type,),
    "reference-cycle": (references.circle,),
    "cascade-reach": (references.wide_cascade,),
    "insert-probe": (probes.broken_trigger,),
    "check-probe": (rules.weak_check,),
    "enum-probe": (probes.refused_label,),
    "tenant-isolation-probe": (tenancy.open_wall,),
    "cross-tenant-reference": (tenancy.crossed,),
    "tenant-column-missing": (tenancy.no_column,),
    "tenant-column-nullable": (tenancy.nullable_column,),
    "tenant-reference-missing": (tenancy.unbound_column,),
    "row-security-off": (tenancy.security_off,),
    "row-security-not-forced": (tenancy.not_forced,),
    "policy-always-true": (tenancy.always_true,),
    "no-policy": (tenancy.closed,),
    "duplicate-rows": (probes.second_row,),
    "missing-constraint": (rules.missing_rule,),
    "not-null-probe": (probes.taken_null,),
    "unique-probe": (probes.idle_index,),
    "exclusion-probe": (probes.idle_exclusion,),
    "nullable-unique": (probes.nullable_key,),
    "null-passes-check": (rules.compared_with_null,),
    "lost-constraint": (rules.lost_rule,),
    "expected-constraint": (rules.unmet_expectation,),
    "constraint-violation": (rules.broken_check,),
    "unvalidated-constraint": (constraints.unvalidated,),
    "disabled-trigger": (references.switched_off_triggers,),
    "sequence-behind": (constraints.sequence_back,),
    "key-exhaustion": (constraints.used_up,),
    "missing-primary-key": (constraints.no_key,),
    "no-rows": (constraints.broken_sentence,),
    "unindexed-foreign-key": (indexes.unserved_reference,),
    "invalid-index": (indexes.broken_index,),
    "duplicate-index": (indexes.second_index,),
    "redundant-index": (indexes.needless_index,),
    "dangling-reference": (documents.no_parents,),
    "duplicate-keys": (documents_keys.second_document,),
    "unindexed-reference": (documents_keys.unserved_reference,),
    "validator-missing": (
        documents.no_validator,
        documents_validators.weakened_validator,
        documents_validators.changed_validator,
    ),
    "validator-probe": (documents_probes.loosened_rule, documents_probes.ignored_validator),
    "validator-weak": (documents_validators.unheeded_validator, documents_validators.idle_validator),
    "no-validator": (documents_validators.undeclared_validator,),
    "document-violates-validator": (documents.invalid_document,),
    "mixed-type-field": (documents_fields.other_type,),
    "unused-field-in-schema": (documents_fields.misspelt,),
    "unbounded-array": (documents_fields.long_array,),
    "large-document": (documents_fields.large_document,),
    "index-drift": (documents.no_index, documents_indexes.drifted_index, documents_indexes.undeclared_unique_index),
}

#: The same for the documents of an id that rows and documents share.
OF_DOCUMENTS: Mapping[str, tuple[Maker, ...]] = {
    "reference-type-mismatch": (documents_keys.other_type,),
    "unique-probe": (documents_indexes.other_uniqueness,),
    "redundant-index": (documents_keys.needless_index,),
    "cross-tenant-reference": (documents_tenancy.crossed,),
    "tenant-column-missing": (documents_tenancy.no_field,),
    "tenant-column-nullable": (documents_tenancy.no_demand, documents_tenancy.without),
    "tenant-query": (documents_tenancy.lent,),
    "tenant-reference-missing": (),  # it judges what is declared, which no change to the database makes less
}

#: Checks that no fault can be planted for on a copy of a database that stands, and why.
NO_FAULT: Mapping[str, str] = {
    "migration-failed": "it judges how the migrations went, which a copy of what came of them cannot show otherwise",
    "superuser-migration": "it judges as whom the migrations ran, which a copy of what came of them cannot show otherwise",
    "edited-migration": "it compares base's migrations with head's files, which a copy of what came of them has not",
    "delete-handling-probe": "it judges what the application's own command does, which no change to the database makes wrong",
    "model-drift": "it judges the application's models, which no change to the database touches",
    "down-restores": "it judges what undoing a migration leaves, which a copy of what came of them cannot show otherwise",
    "load-refused": "it judges how the rows were loaded, which a copy that holds them cannot show otherwise",
    "ignored-reference": "it judges what became of a migration's statement, which was heeded where there is something to break",
    "tenant-query": "it judges a query of the settings, which no change to the database makes a wrong one",
    "cross-database-reference": "it compares what was read of two databases, and a copy is of one",
    "damaged-collection": "it judges what the server stores, which no command to a server can damage",
    "query-limit": "it judges times that were measured; a fault would have to waste them",
    "collection-scan": "it judges what was measured of a query before faults are planted",
    "in-memory-sort": "it judges what was measured of a query before faults are planted",
    "index-gain": "it judges what was measured of a query before faults are planted",
    "write-cost": "it judges times that were measured; a fault would have to waste them",
}
