"""Base: which revision it is, its files, what differs from it."""
