"""New migrations under traffic: they run once more on a copy of base, while sessions of ours read and write the same tables."""
