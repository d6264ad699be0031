"""Migration tools themselves, fetched from their registries, beside what dbproof makes of the same files: ``make tools``."""
