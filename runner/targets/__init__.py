"""What checks are handed: the capabilities of one database, on clones of its sealed form or on a given address."""
