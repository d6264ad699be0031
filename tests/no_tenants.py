"""What the checks of tenants say of a PostgreSQL database of which none are declared."""

from __future__ import annotations

#: The reason of each, by its id.
NO_TENANTS = {
    "tenant-isolation-probe": "no tenants are declared (`tenancy`)",
    "tenant-query": "no declared queries of tenants",
    "cross-tenant-reference": "no references between tables of declared tenants",
    "tenant-column-missing": "no tables of declared tenants",
    "tenant-column-nullable": "no columns of declared tenants",
    "tenant-reference-missing": "no columns of declared tenants",
    "row-security-off": "no tables with policies",
    "row-security-not-forced": "no tenants are declared (`tenancy`)",
    "policy-always-true": "no permissive policies",
    "no-policy": "no tables with row security",
}

#: Why the checks of new migrations judge nothing where there is no base, or nothing new.
NOTHING_NEW = {
    "migration-limit": "no new migrations under a limit of time",
    "n-minus-1": "no ways of the previous release",
    "static-advice": "no new migrations that squawk was asked about",
}
